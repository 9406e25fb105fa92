import { beforeAll, expect, test } from "vitest";
import { useBackend } from "../../../src/engine/backends/index.ts";
import { to3d } from "../../../src/engine/models/convert3d.ts";
import { lenet } from "../../../src/engine/models/lenet.ts";
import { papernot } from "../../../src/engine/models/papernot.ts";
import { resnet9 } from "../../../src/engine/models/resnet9.ts";
import { tf, type tfl } from "../../../src/engine/tf.ts";
import { difference, evaluate } from "./nets.ts";

beforeAll(async () => {
  await useBackend("cpu");
  await useBackend("onnxruntime");
});

const flat = {
  lenet: () => lenet.build({ dropout: 0 }, { inputShape: [12, 12, 1], classes: 10, seed: 1 }),
  papernot: () => papernot.build({ dropout: 0 }, { inputShape: [20, 20, 1], classes: 10, seed: 1 }),
  resnet9: () => resnet9.build({}, { inputShape: [4, 4, 3], classes: 10, seed: 1 }),
};
const builders: Record<string, () => tfl.LayersModel> = {
  ...flat,
  "lenet in 3-D": () => to3d(flat.lenet(), { depth: 4, patch: [6, 6], kernelDepth: 3 }),
  "lenet in 3-D, kernels as deep as the volume": () => to3d(flat.lenet(), { depth: 4, patch: [6, 6], kernelDepth: 0 }),
  "resnet9 in 3-D": () => to3d(flat.resnet9(), { depth: 2, patch: [3, 3], kernelDepth: 3 }),
};

test.each(Object.keys(builders))(
  "%s: logits, input and weight gradients as on cpu",
  async (name) => {
    const build = builders[name];
    if (!build) throw new Error("no such model");
    await tf.setBackend("cpu");
    const network = build();
    const weights = network.getWeights().map((weight) => ({ values: weight.dataSync().slice(), shape: weight.shape }));
    // Batch normalisation over two numbers would magnify rounding.
    const batch = name === "resnet9" ? 6 : 2;
    const wanted = evaluate(network, batch);
    await tf.setBackend("onnxruntime");
    const same = build();
    same.setWeights(weights.map(({ values, shape }) => tf.tensor(values, shape)));
    const actual = evaluate(same, batch);
    expect(actual.length).toBe(wanted.length);
    for (const [i, values] of wanted.entries()) expect(difference(actual[i] ?? [], values), `tensor ${i}`).toBeLessThan(1e-4);
  },
  300_000,
);
