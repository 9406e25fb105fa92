import type { tf } from "../tf.ts";
import { type Core, gradientOf, zero } from "./config.ts";

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

export const normalisationGradients = (core: Core): tf.GradConfig[] => [localResponse(core)];
