import { tf } from "../../tf.ts";
import { take } from "./take.ts";

/** Weights [to, from] of the two pixels next to each place, which may lie between pixels or beyond the last: row i sums to 1. */
function weightsOf(places: readonly number[], from: number): tf.Tensor2D {
  const weights = new Float32Array(places.length * from);
  for (const [i, at] of places.entries()) {
    const low = Math.floor(at);
    for (const [place, share] of [
      [low, low + 1 - at],
      [low + 1, at - low],
    ] as const) {
      const kept = Math.min(from - 1, Math.max(0, place));
      weights[i * from + kept] = (weights[i * from + kept] ?? 0) + share;
    }
  }
  return tf.tensor2d(weights, [places.length, from]);
}

/**
 * x [b,H,W,C] at places along its rows and columns, linearly between pixels. Two products of matrices, so that gradients are exact: tfjs
 * has only those for other pixel centres.
 */
export function linear(x: tf.Tensor4D, rows: readonly number[], columns: readonly number[]): tf.Tensor4D {
  const [b, h, w, c] = x.shape;
  const [height, width] = [rows.length, columns.length];
  const down = tf.tile(tf.expandDims(weightsOf(rows, h), 0), [b, 1, 1]);
  const tall = tf.matMul(down, tf.reshape(x, [b, h, w * c]) as tf.Tensor3D);
  const across = tf.tile(tf.expandDims(weightsOf(columns, w), 0), [b * height, 1, 1]);
  return tf.reshape(tf.matMul(across, tf.reshape(tall, [b * height, w, c]) as tf.Tensor3D), [b, height, width, c]) as tf.Tensor4D;
}

/** The pixels of x [b,H,W,C] at whole places; places outside take the nearest pixel at the edge. */
export function nearest(x: tf.Tensor4D, rows: readonly number[], columns: readonly number[]): tf.Tensor4D {
  const inside = (places: readonly number[], size: number): number[] => places.map((place) => Math.min(size - 1, Math.max(0, place)));
  return take(take(x, inside(rows, x.shape[1]), 1), inside(columns, x.shape[2]), 2) as tf.Tensor4D;
}
