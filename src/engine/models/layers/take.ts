import { tf } from "../../tf.ts";
import { zerosBehind } from "./along.ts";

/**
 * The elements at given places along an axis; a place may come several times, or never. The gradient sums over all times, and is written
 * with gathers alone: every backend has those, and runs them on several threads.
 */
export function take(x: tf.Tensor, places: readonly number[], axis: number): tf.Tensor {
  const length = x.shape[axis] ?? 0;
  const op = tf.customGrad((input) => ({
    value: gathered(input as tf.Tensor, places, axis),
    gradFunc: (dy: tf.Tensor) => given(dy, places, axis, length),
  }));
  return op(x);
}

/** The transpose: what was taken goes back to its place among `length`. */
function given(dy: tf.Tensor, places: readonly number[], axis: number, length: number): tf.Tensor {
  const op = tf.customGrad((input) => ({
    value: returned(input as tf.Tensor, places, axis, length),
    gradFunc: (g: tf.Tensor) => take(g, places, axis),
  }));
  return op(dy);
}

const gathered = (x: tf.Tensor, places: readonly number[], axis: number): tf.Tensor =>
  tf.gather(x, tf.tensor1d([...places], "int32"), axis);

function returned(dy: tf.Tensor, places: readonly number[], axis: number, length: number): tf.Tensor {
  const times = Array.from({ length }, (): number[] => []);
  for (const [i, place] of places.entries()) times[place]?.push(i);
  const most = Math.max(1, ...times.map((list) => list.length));
  const padded = zerosBehind(dy, axis, 1);
  const parts = Array.from({ length: most }, (_, k) => {
    const list = times.map((all) => all[k] ?? places.length); // the zero behind all others
    return gathered(padded, list, axis);
  });
  return parts.reduce((sum, part) => tf.add(sum, part));
}
