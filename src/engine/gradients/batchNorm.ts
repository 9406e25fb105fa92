import type { tf } from "../tf.ts";
import { type Body, type Core, registerForOthers } from "./config.ts";

/*
 * Batch normalisation with the statistics of the batch, over all axes of x [..., C] but the last: with M elements a channel, c = x − μ and
 * s = 1/√(v + ε), y = γ·c·s + β (Ioffe & Szegedy 2015). Two kernels, which the onnxruntime backend lowers and the others compute as written
 * here; v is the mean of c², not the difference of two means.
 */
interface Attributes {
  readonly epsilon: number;
}
const forward = "BatchNormTraining";
const backward = "BatchNormTrainingGrad";

const axesOf = (x: tf.Tensor): number[] => Array.from({ length: x.rank - 1 }, (_, axis) => axis);
const perChannel = (core: Core, x: tf.Tensor): tf.Tensor => core.sum(x, axesOf(x));
const rootOf = (core: Core, variance: tf.Tensor, epsilon: number): tf.Tensor => core.rsqrt(core.add(variance, epsilon));
const product = (core: Core, first: tf.Tensor, ...rest: readonly (tf.Tensor | number)[]): tf.Tensor =>
  rest.reduce<tf.Tensor>((a, b) => core.mul(a, b), first);

function normalise(core: Core, x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: number): tf.Tensor[] {
  const mean = core.mean(x, axesOf(x));
  const c = core.sub(x, mean);
  const variance = core.mean(core.square(c), axesOf(x));
  return [core.add(core.mul(c, core.mul(gamma, rootOf(core, variance, epsilon))), beta), mean, variance];
}

/** x, γ, μ, v and the gradients of y, μ and v. */
type BackwardInputs = readonly [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
const backwardNames = ["x", "gamma", "mean", "variance", "dy", "dMean", "dVariance"] as const;

/** dx = γs·(dy − Σdy/M − c·s²·Σ(dy·c)/M) + dμ/M + 2c·dv/M, dγ = s·Σ(dy·c), dβ = Σdy. */
function differentiate(core: Core, [x, gamma, mean, variance, dy, dMean, dVariance]: BackwardInputs, epsilon: number): tf.Tensor[] {
  const { add, mul, sub } = core;
  const part = gamma.size / x.size;
  const c = sub(x, mean);
  const s = rootOf(core, variance, epsilon);
  const [sum, moment] = [perChannel(core, dy), perChannel(core, mul(dy, c))];
  const slope = mul(gamma, s);
  const fromMean = mul(sub(dMean, mul(slope, sum)), part);
  const fromVariance = mul(sub(mul(dVariance, 2), product(core, slope, s, s, moment)), part);
  return [add(add(mul(dy, slope), fromMean), mul(c, fromVariance)), mul(moment, s), sum];
}

/** The gradients of y, μ and v carried to x, γ and β. */
const first = (core: Core): tf.GradConfig => ({
  kernelName: forward,
  inputsToSave: ["x", "gamma"],
  outputsToSave: [false, true, true],
  gradFunc: (dys, saved, attrs) => {
    const [dy, dMean, dVariance] = dys as [tf.Tensor, tf.Tensor, tf.Tensor];
    const [x, gamma, mean, variance] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
    const inputs = { x, gamma, mean, variance, dy, dMean, dVariance };
    const [dx, dGamma, dBeta] = core.engine().runKernel<tf.Tensor[]>(backward, inputs, attrs as tf.NamedAttrMap) as [
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
    ];
    return { x: () => dx, gamma: () => dGamma, beta: () => dBeta };
  },
});

/**
 * The gradient of the gradient. With G, h and e those of dx, dγ and dβ, b = Σdy, q = Σ(dy·c), A = ΣG·dy, B = ΣG and K = ΣG·c, its scalar
 * product with them is γs·A − γs·b·B/M − γs³·q·K/M + dμ·B/M + 2dv·K/M + h·q·s + e·b, and each line below is that by one of its inputs.
 */
const second = (core: Core): tf.GradConfig => ({
  kernelName: backward,
  inputsToSave: [...backwardNames],
  gradFunc: (dys, saved, attrs) => {
    const [G, h, e] = dys as [tf.Tensor, tf.Tensor, tf.Tensor];
    const [x, gamma, mean, variance, dy, , dVariance] = saved as unknown as BackwardInputs;
    const { add, mul, sub } = core;
    const times = (a: tf.Tensor, ...rest: readonly (tf.Tensor | number)[]): tf.Tensor => product(core, a, ...rest);
    const part = gamma.size / x.size;
    const c = sub(x, mean);
    const s = rootOf(core, variance, (attrs as unknown as Attributes).epsilon);
    const [b, q] = [perChannel(core, dy), perChannel(core, mul(dy, c))];
    const [A, B, K] = [perChannel(core, mul(G, dy)), perChannel(core, G), perChannel(core, mul(G, c))];
    const ofMoment = sub(mul(h, s), times(gamma, s, s, s, K, part)); // by q
    const ofProduct = times(sub(mul(dVariance, 2), times(gamma, s, s, s, q)), part); // by K
    const byCentred = add(mul(dy, ofMoment), mul(G, ofProduct));
    return {
      x: () => byCentred,
      mean: () => core.neg(perChannel(core, byCentred)),
      gamma: () => mul(s, sub(sub(A, times(b, B, part)), times(s, s, q, K, part))),
      variance: () => {
        const byRoot = add(mul(gamma, sub(sub(A, times(b, B, part)), times(s, s, q, K, 3 * part))), mul(h, q));
        return times(byRoot, s, s, s, -0.5);
      },
      dy: () => add(add(mul(G, mul(gamma, s)), mul(c, ofMoment)), sub(e, times(gamma, s, B, part))),
      dMean: () => mul(B, part),
      dVariance: () => mul(K, 2 * part),
    };
  },
});

export const batchNormGradients = (core: Core): tf.GradConfig[] => [first(core), second(core)];

/** Both kernels for the backends that have none of their own. */
export function registerBatchNorm(core: Core): void {
  const normalised: Body<Attributes> = ({ x, gamma, beta }, { epsilon }) =>
    normalise(core, x as tf.Tensor, gamma as tf.Tensor, beta as tf.Tensor, epsilon);
  registerForOthers(core, forward, normalised);
  registerForOthers<Attributes>(core, backward, (inputs, { epsilon }) =>
    differentiate(core, backwardNames.map((name) => inputs[name]) as unknown as BackwardInputs, epsilon),
  );
}

/** y, the mean and the variance [C] of each channel; x [..., C], γ and β [C]. Differentiable as often as one likes, in all three results. */
export const batchNormTraining = (core: Core, x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: number): tf.Tensor[] =>
  core.engine().runKernel<tf.Tensor[]>(forward, { x, gamma, beta } as unknown as tf.NamedTensorMap, { epsilon });
