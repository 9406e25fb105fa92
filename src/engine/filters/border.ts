import { type Images, tf } from "../tf.ts";

/** A place on an axis of n elements; those outside are mirrored at the edge, which counts twice (d c b a | a b c d). */
export function mirrored(n: number, place: number): number {
  const around = ((place % (2 * n)) + 2 * n) % (2 * n);
  return around < n ? around : 2 * n - 1 - around;
}

/** What a window that is larger than the image sees, in words: `mirrored` goes to and fro as often as it takes. */
export const mirroredBeyond = "beyond its edge the image is mirrored, as often as it takes";

/** `size` places from `start` on, mirrored, of an axis of n elements. Int32 [size]. */
export function mirroredPlaces(n: number, start: number, size = n): tf.Tensor1D {
  const places = new Int32Array(size);
  for (let i = 0; i < size; i++) places[i] = mirrored(n, start + i);
  return tf.tensor1d(places, "int32");
}

/** Images [b,H,W,C] with a border of that many pixels on every side, mirrored or of zeros. */
export const bordered = (x: Images, border: number, kind: "reflect" | "zero"): Images =>
  tf.tidy(() => {
    const zeros: [number, number] = [border, border];
    if (kind === "zero") return tf.pad(x, [[0, 0], zeros, zeros, [0, 0]]) as Images;
    const rows = tf.gather(x, mirroredPlaces(x.shape[1], -border, x.shape[1] + 2 * border), 1);
    return tf.gather(rows, mirroredPlaces(x.shape[2], -border, x.shape[2] + 2 * border), 2);
  });

/** The part of bordered images that lies (row, column) further down and right than their first pixel, of `shape`. */
export const windowAt = (wide: tf.Tensor, row: number, column: number, shape: Images["shape"]): Images =>
  tf.slice(wide, [0, row, column, 0], shape) as Images;
