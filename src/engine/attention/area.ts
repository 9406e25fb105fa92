import { tf } from "../tf.ts";

/** Which part of a map is the attention area. */
export type AreaMode =
  /** At least the mean of the same map: does not depend on how the map is scaled. */
  | { readonly kind: "mean" }
  /** At least `threshold`. */
  | { readonly kind: "fixed"; readonly threshold: number }
  /** The `count` largest values, ties to the lower index: the size is exact. */
  | { readonly kind: "equalSize"; readonly count: number };

/**
 * Attention area of maps [b,H,W]: 1 inside, 0 outside. A map that is zero everywhere has none (its mean is 0, and every pixel would
 * reach it). The caller disposes.
 */
export function attentionArea(map: tf.Tensor3D, mode: AreaMode): tf.Tensor3D {
  return tf.tidy(() => {
    const flat = tf.reshape(map, [map.shape[0], -1]);
    const some = tf.greater(tf.max(flat, 1, true), 0);
    const inside = mode.kind === "equalSize" ? largest(flat, mode.count) : tf.greaterEqual(flat, threshold(flat, mode));
    return tf.reshape(tf.cast(tf.logicalAnd(tf.cast(inside, "bool"), some), "float32"), map.shape);
  });
}

// The mean of equal values may come out a rounding error above them; such a map is area throughout.
const threshold = (flat: tf.Tensor, mode: Exclude<AreaMode, { kind: "equalSize" }>): tf.Tensor =>
  mode.kind === "fixed" ? tf.scalar(mode.threshold) : tf.mul(tf.mean(flat, 1, true), 1 - 1e-6);

function largest(flat: tf.Tensor, count: number): tf.Tensor {
  const values = flat.dataSync<"float32">();
  const [b = 0, size = 0] = flat.shape;
  const chosen = new Uint8Array(values.length);
  for (let i = 0; i < b; i++) chosen.set(largestOf(values.subarray(i * size, (i + 1) * size), count), i * size);
  return tf.tensor(chosen, flat.shape, "bool");
}

/** The area of the `count` largest values of one map, 1 inside and 0 outside; ties to the lower index, so that the size is exact. */
export function largestOf(values: ArrayLike<number>, count: number): Uint8Array {
  const chosen = new Uint8Array(values.length);
  const order = Uint32Array.from(chosen, (_, i) => i).sort((p, q) => (values[q] as number) - (values[p] as number) || p - q);
  for (const i of order.subarray(0, count)) chosen[i] = 1;
  return chosen;
}

/** Intersection over union of two areas (non-zero = inside) of equal size; null when both are empty. */
export function iou(a: ArrayLike<number>, b: ArrayLike<number>): number | null {
  let both = 0;
  let either = 0;
  for (let i = 0; i < a.length; i++) {
    if (a[i] && b[i]) both++;
    if (a[i] || b[i]) either++;
  }
  return either === 0 ? null : both / either;
}
