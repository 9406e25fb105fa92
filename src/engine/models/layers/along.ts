import { tf } from "../../tf.ts";

/** `count` elements along one axis, from `begin` on. */
export const sliceAlong = (x: tf.Tensor, axis: number, begin: number, count: number): tf.Tensor =>
  tf.slice(
    x,
    x.shape.map((_, i) => (i === axis ? begin : 0)),
    x.shape.with(axis, count),
  );

/** `count` zeros more at the end of one axis. */
export const zerosBehind = (x: tf.Tensor, axis: number, count: number): tf.Tensor =>
  tf.pad(
    x,
    x.shape.map((_, i): [number, number] => [0, i === axis ? count : 0]),
  );
