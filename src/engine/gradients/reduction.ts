import type { tf } from "../tf.ts";
import { type Core, gradientOf } from "./config.ts";

/** x repeated along its axes of length one until it has the shape. Its gradient is the sum over those axes, whose gradient is this function again. */
export function repeated(core: Core, x: tf.Tensor, shape: readonly number[]): tf.Tensor {
  const reps = shape.map((size, axis) => (x.shape[axis] === size ? 1 : size));
  if (reps.every((count) => count === 1)) return x;
  const axes = reps.flatMap((count, axis) => (count === 1 ? [] : [axis]));
  const op = core.customGrad((input) => ({
    value: core.engine().runKernel<tf.Tensor>("Tile", { x: input as tf.Tensor }, { reps }),
    gradFunc: (dy: tf.Tensor) => core.sum(dy, axes, true),
  }));
  return op(x);
}

/**
 * The gradient of a sum or a mean is dy repeated over what was reduced. tfjs multiplies it by ones of x's size, which it makes on the host
 * at every step: 97 MB for a ResNet-9 and a batch of 64.
 */
const reduction = (core: Core, kernelName: "Sum" | "Mean"): tf.GradConfig =>
  gradientOf<readonly [tf.Tensor], tf.SumAttrs>(kernelName, ["x"], (dy, [x], { axis }) => ({
    x: () => {
      const axes = core.util.parseAxisParam(axis, x.shape);
      const kept = x.shape.map((size, i) => (axes.includes(i) ? 1 : size));
      const gradient = core.reshape(core.cast(dy, "float32"), kept);
      const count = axes.reduce((product, i) => product * (x.shape[i] ?? 1), 1);
      return repeated(core, kernelName === "Mean" && count !== 1 ? core.div(gradient, count) : gradient, x.shape);
    },
  }));

/**
 * The gradient of a repetition is the sum over the copies. tfjs slices dy once for each copy: 8192 slices and additions for the moments of a
 * layer normalisation over 8×32×32, and a graph that takes minutes to compile.
 */
const repetition = (core: Core): tf.GradConfig =>
  gradientOf<readonly [tf.Tensor], tf.TileAttrs>("Tile", ["x"], (dy, [x], { reps }) => ({
    x: () => {
      const split = x.shape.flatMap((size, axis) => [
        { size: reps[axis] ?? 1, isCopies: true },
        { size, isCopies: false },
      ]);
      const sides = split.filter(({ size }) => size !== 1);
      const axes = sides.flatMap(({ isCopies }, i) => (isCopies ? [i] : []));
      const copies = core.reshape(
        dy,
        sides.map(({ size }) => size),
      );
      return core.reshape(axes.length === 0 ? copies : core.sum(copies, axes), x.shape);
    },
  }));

export const reductionGradients = (core: Core): tf.GradConfig[] => [reduction(core, "Sum"), reduction(core, "Mean"), repetition(core)];
