import type { tf } from "../tf.ts";
import { type Core, gradientOf } from "./config.ts";

type Pair = readonly [tf.Tensor, tf.Tensor];

/** Sums a gradient over what was broadcast, down to the operand's own shape. */
function unbroadcast(core: Core, gradient: tf.Tensor, shape: readonly number[]): tf.Tensor {
  const axes = core.backend_util.getReductionAxes([...shape], gradient.shape);
  return core.reshape(axes.length > 0 ? core.sum(gradient, axes) : gradient, [...shape]);
}

type Share = (dy: tf.Tensor, a: tf.Tensor, b: tf.Tensor) => tf.Tensor;
/** tfjs' own gradients of these do not sum over what was broadcast. */
const broadcasting = (core: Core, kernelName: string, ofA: Share, ofB: Share): tf.GradConfig =>
  gradientOf<Pair>(kernelName, ["a", "b"], (dy, [a, b]) => ({
    a: () => unbroadcast(core, ofA(dy, a, b), a.shape),
    b: () => unbroadcast(core, ofB(dy, a, b), b.shape),
  }));

/** Of equal values the first operand is the extreme, as tfjs has it. */
const extreme = (core: Core, kernelName: string, isA: typeof tf.less, isB: typeof tf.less): tf.GradConfig =>
  broadcasting(
    core,
    kernelName,
    (dy, a, b) => core.mul(dy, core.cast(isA(a, b), "float32")),
    (dy, a, b) => core.mul(dy, core.cast(isB(a, b), "float32")),
  );

export const elementwiseGradients = (core: Core): tf.GradConfig[] => [
  extreme(core, "Maximum", core.greaterEqual, core.less),
  extreme(core, "Minimum", core.lessEqual, core.greater),
  broadcasting(
    core,
    "SquaredDifference",
    (dy, a, b) => core.mul(dy, core.mul(core.sub(a, b), 2)),
    (dy, a, b) => core.mul(dy, core.mul(core.sub(b, a), 2)),
  ),
  // EluGrad(dy, y) = dy where y ≥ 0, dy·(y + 1) below.
  gradientOf<Pair>("EluGrad", ["dy", "y"], (g, [dy, y]) => ({
    dy: () => core.engine().runKernel("EluGrad", { dy: g, y }),
    y: () => core.mul(core.mul(g, dy), core.cast(core.less(y, 0), "float32")),
  })),
];
