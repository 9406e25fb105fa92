import { afterAll, beforeAll, expect, test } from "vitest";
import { onDeviceWarning } from "../../src/engine/backends/failures.ts";
import { useBackend } from "../../src/engine/backends/index.ts";
import { lenet } from "../../src/engine/models/lenet.ts";
import { tf, tfl } from "../../src/engine/tf.ts";
import { difference, evaluate, lenet3d, lenet as small, wide } from "../unit/backends/nets.ts";
import { to3d } from "../unit/engine/models/to3d.ts";

const warnings: string[] = [];
const stop = onDeviceWarning(({ message }) => warnings.push(message));
afterAll(stop);

beforeAll(async () => {
  await useBackend("cpu");
  const { device } = await useBackend("auto", "webgpu");
  expect(device).toMatch(/^ONNX Runtime, WebGPU/);
});

/** Depthwise, strides that pad on one side only, batch normalisation: what the provider is known to be delicate about. */
const delicate = (): tfl.LayersModel => {
  const { activation, batchNormalization, conv2d, dense, depthwiseConv2d, globalAveragePooling2d } = tfl.layers;
  const network = tfl.sequential({
    layers: [
      conv2d({ inputShape: [7, 6, 3], filters: 6, kernelSize: 3, strides: 2, padding: "same", useBias: false }),
      batchNormalization(),
      activation({ activation: "relu" }),
      depthwiseConv2d({ kernelSize: 2, padding: "same", depthMultiplier: 2 }),
      conv2d({ filters: 8, kernelSize: 2, padding: "same", activation: "elu" }),
      globalAveragePooling2d({}),
      dense({ units: 10 }),
    ],
  });
  const weights = network.getWeights().map((weight, k) => {
    const values = Float32Array.from({ length: weight.size }, (_, i) => 0.3 + 0.25 * Math.sin(3 * i + k));
    return tf.tensor(values, weight.shape);
  });
  network.setWeights(weights);
  return network;
};

const flat = () => lenet.build({ dropout: 0 }, { inputShape: [12, 12, 1], classes: 10, seed: 1 });
const builders: Readonly<Record<string, () => tfl.LayersModel>> = {
  "a small network": small,
  "channels in blocks": wide,
  "a small network in 3-D": lenet3d,
  "depthwise, strides, normalisation": delicate,
  lenet: flat,
  "lenet in 3-D": () => to3d(flat(), { depth: 4, patch: [6, 6], kernelDepth: 3 }),
};

test.each(Object.keys(builders))("%s: logits, input and weight gradients within 1e-3 of cpu", async (name) => {
  const build = builders[name];
  if (!build) throw new Error("no such model");
  await tf.setBackend("cpu");
  const network = build();
  const weights = network.getWeights().map((weight) => ({ values: weight.dataSync().slice(), shape: weight.shape }));
  const batch = 3;
  const wanted = evaluate(network, batch);
  await tf.setBackend("onnxruntime");
  const same = build();
  same.setWeights(weights.map(({ values, shape }) => tf.tensor(values, shape)));
  const actual = evaluate(same, batch);
  expect(actual.length).toBe(wanted.length);
  for (const [i, values] of wanted.entries()) expect(difference(actual[i] ?? [], values), `tensor ${i}`).toBeLessThan(1e-3);
  expect(warnings).toEqual([]);
});
