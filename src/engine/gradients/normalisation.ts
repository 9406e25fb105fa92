import type { tf } from "../tf.ts";
import { type Core, gradientOf, registerForOthers, runKernel, zero } from "./config.ts";

/** x summed over the channels at most `radius` apart. */
function neighbourhood(core: Core, x: tf.Tensor, radius: number): tf.Tensor {
  const channels = x.shape.at(-1) ?? 1;
  const band = core.linalg.bandPart(core.ones([channels, channels]), radius, radius);
  return core.reshape(core.matMul(core.reshape(x, [-1, channels]), band as tf.Tensor2D), x.shape);
}

/**
 * LRNGrad is r = d·p − 2αβ·v·N(d·v·q) with s = bias + α·N(v²), p = s^−β and q = p/s, N summing over neighbouring channels; its `y` is v·p,
 * a function of v, and has its share in v's gradient and none of its own. Below, g is the gradient of r, and ds that of s.
 */
const localResponse = (core: Core): tf.GradConfig =>
  gradientOf<readonly [tf.Tensor, tf.Tensor, tf.Tensor], tf.LRNAttrs>("LRNGrad", ["x", "y", "dy"], (g, [v, y, d], attrs) => {
    const { depthRadius, bias, alpha, beta } = attrs;
    const { add, div, mul, square, sub } = core;
    const around = (x: tf.Tensor): tf.Tensor => neighbourhood(core, x, depthRadius);
    const k = 2 * alpha * beta;
    const s = add(mul(around(square(v)), alpha), bias);
    const p = core.pow(s, -beta);
    const q = div(p, s);
    const u = around(mul(g, v));
    return {
      dy: () => sub(mul(g, p), mul(mul(mul(v, q), u), k)),
      y: zero(core, y),
      x: () => {
        const direct = mul(add(mul(g, around(mul(mul(d, v), q))), mul(mul(d, q), u)), -k);
        const ds = sub(mul(mul(mul(mul(d, v), u), div(q, s)), k * (beta + 1)), mul(mul(mul(g, d), q), beta));
        return add(direct, mul(mul(v, around(ds)), 2 * alpha));
      },
    };
  });

const factorName = "BatchNormFactor";
interface Attributes {
  readonly epsilon: number;
}

/** f = scale/√(variance + ε) and its gradients, g/√(variance + ε) and −½·g·f/(variance + ε). */
const factorGradient = (core: Core): tf.GradConfig =>
  gradientOf<readonly [tf.Tensor, tf.Tensor], Attributes>(factorName, ["scale", "variance"], (g, [scale, variance], { epsilon }) => {
    const shifted = (): tf.Tensor => core.add(variance, epsilon);
    return {
      scale: () => core.mul(g, core.rsqrt(shifted())),
      variance: () => core.mul(core.mul(g, -0.5), core.div(core.mul(scale, core.rsqrt(shifted())), shifted())),
    };
  });

/** The kernel of the factor, for the backends that have none of their own. */
export const registerNormalisation = (core: Core): void =>
  registerForOthers<Attributes>(core, factorName, ({ scale, variance }, { epsilon }) =>
    core.mul(scale as tf.Tensor, core.rsqrt(core.add(variance as tf.Tensor, epsilon))),
  );

/**
 * y = (x − mean)·f + offset with f = scale/√(variance + ε). In evaluation f is constant, so x's gradient is one product with a vector, which
 * the convolution before it can fold into its filter; tfjs expands the vector to x's shape first. f is one kernel, since ε as a tensor would
 * not be a constant of the graph. The statistics have one value per channel or x's own rank.
 */
const batchNorm = (core: Core): tf.GradConfig =>
  gradientOf<readonly [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor], tf.FusedBatchNormAttrs>(
    "FusedBatchNorm",
    ["x", "mean", "variance", "scale"],
    (dy, [x, mean, variance, scale], { varianceEpsilon: epsilon }) => {
      const { add, mul, neg, reshape, rsqrt, sub, sum } = core;
      const root = (): tf.Tensor => rsqrt(add(variance, epsilon));
      const factor = (): tf.Tensor => runKernel(core, factorName, { scale, variance }, { epsilon });
      const axes = core.broadcast_util.getReductionAxes(mean.shape, x.shape);
      const over = (values: tf.Tensor): tf.Tensor => (axes.length > 0 ? reshape(sum(values, axes), mean.shape) : values);
      return {
        x: () => mul(dy, factor()),
        mean: () => neg(mul(over(dy), factor())),
        variance: () => mul(over(mul(dy, sub(x, mean))), mul(mul(factor(), -0.5), core.reciprocal(add(variance, epsilon)))),
        scale: () => mul(over(mul(dy, sub(x, mean))), root()),
        offset: () => over(dy),
      };
    },
  );

export const normalisationGradients = (core: Core): tf.GradConfig[] => [batchNorm(core), factorGradient(core), localResponse(core)];
