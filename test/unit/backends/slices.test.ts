import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../src/engine/backends/index.ts";
import { networkInput } from "../../../src/engine/classifier/input.ts";
import type { Params } from "../../../src/engine/define/index.ts";
import { planOf } from "../../../src/engine/session/openModel.ts";
import { type Images, tf, tfl } from "../../../src/engine/tf.ts";
import { difference, noise } from "./nets.ts";

/** Volumized networks with all options of their slices, against cpu: logits, gradients of the images through the aggregate, and of the weights through the patch aggregate loss. */
const inputShape = [8, 8, 2] as const;
const n = 3;
const he = (seed: number) => tfl.initializers.heNormal({ seed });
const network = (): tfl.LayersModel =>
  tfl.sequential({
    layers: [
      tfl.layers.conv2d({ inputShape: [...inputShape], filters: 4, kernelSize: 3, activation: "relu", kernelInitializer: he(1) }),
      tfl.layers.flatten(),
      tfl.layers.dense({ units: 6, activation: "relu", kernelInitializer: he(2) }),
      tfl.layers.dense({ units: 3, kernelInitializer: he(3) }),
    ],
  });
const cases: Readonly<Record<string, Params>> = {
  "side by side": { patch: 4 },
  overlapping: { patch: 4, stride: 2, measure: "entropy" },
  "overlapping with a remainder": { patch: 5, stride: 2, onRemainder: "reflectPad", kernelDepth: 3 },
  "with places, heads of their own and votes": {
    patch: 4,
    stride: 1,
    positionChannel: true,
    perSliceHead: true,
    order: "raster",
    aggregate: "vote",
    abstain: 0.4,
  },
  "that abstain": { patch: 4, stride: 4, perSliceHead: true, abstain: 0.5 },
};

function evaluate(params: Params): Float32Array[] {
  const plan = planOf([{ id: "volumizedCurriculum", params: { kernelDepth: 1, ...params } }], inputShape, 3);
  const flat = network();
  const converted = plan.network(flat);
  const size = inputShape.reduce((a, b) => a * b, 1);
  const x = tf.tensor4d(
    noise(n * size, { seed: 7 }, 0.5).map((v) => v + 0.5),
    [n, ...inputShape],
  );
  const targets = tf.oneHot(tf.tensor1d([0, 1, 2], "int32"), 3).toFloat() as tf.Tensor2D;
  const outputOf = (images: Images): tf.Tensor => converted.apply(networkInput(images, { input: {} }, plan)) as tf.Tensor;
  try {
    return tf.tidy(() => {
      const logits = plan.toLogits(outputOf(x));
      const gradient = tf.grad((images: tf.Tensor) => tf.sum(tf.mul(tf.logSoftmax(plan.toLogits(outputOf(images as Images))), targets)))(x);
      const { grads } = tf.variableGrads(() => plan.criterion(outputOf(x), targets));
      return [logits, gradient, ...converted.trainableWeights.map(({ name }) => grads[name] as tf.Tensor)].map((tensor) =>
        (tensor.dataSync() as Float32Array).slice(),
      );
    });
  } finally {
    tf.dispose([x, targets]);
    converted.dispose();
    flat.dispose();
  }
}

describe("slices on onnxruntime", () => {
  const expected = new Map<string, Float32Array[]>();
  beforeAll(async () => {
    await useBackend("cpu");
    for (const [name, params] of Object.entries(cases)) expected.set(name, evaluate(params));
    await useBackend("onnxruntime");
  });

  it.each(Object.keys(cases))("%s", (name) => {
    const actual = evaluate(cases[name] as Params);
    const known = expected.get(name) ?? [];
    expect(actual.length).toBe(known.length);
    actual.forEach((values, i) => {
      const largest = (known[i] as Float32Array).reduce((m, v) => Math.max(m, Math.abs(v)), 0);
      expect(largest).toBeGreaterThan(0);
      expect(difference(values, known[i] as Float32Array)).toBeLessThanOrEqual(1e-4 * largest);
    });
  });
});
