import { promises as fs } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { inspectModel } from "../../../../src/engine/jobs/inspectModel.ts";
import { openModel } from "../../../../src/engine/session/openModel.ts";
import { type Images, tf, tfl } from "../../../../src/engine/tf.ts";
import { near } from "../fixtures.ts";
import { type ModelFiles, modelFiles } from "./modelFiles.ts";

let files: ModelFiles;
beforeAll(async () => {
  await useBackend("cpu");
  files = await modelFiles();
});
afterAll(() => fs.rm(files.folder, { recursive: true }));

const { layers } = tfl;
const ln3 = Math.log(3);

/** A network that gives the same for every picture: `scores` by its biases, and then what follows. */
function constant(scores: readonly number[], ...after: tfl.layers.Layer[]): tfl.LayersModel {
  const dense = layers.dense({ units: scores.length, name: "dense" });
  const network = tfl.sequential({ layers: [layers.flatten({ inputShape: [2, 2, 3] }), dense, ...after] });
  dense.setWeights([tf.zeros([12, scores.length]), tf.tensor1d([...scores])]);
  return network;
}
async function opened(directory: string) {
  const { classifier } = await openModel(directory);
  const x: Images = tf.fill([1, 2, 2, 3], 0.5);
  const logits = [...(await classifier.logits(x).data())];
  const rules = classifier.findings.map(({ rule }) => rule);
  classifier.dispose();
  return { logits, rules };
}
/** As tfjs saves them, but for the axis of the softmax, which its own cannot have. */
const along = (network: tfl.LayersModel, axis: number): Promise<string> =>
  files.write(network, (json) => {
    for (const { class_name, config } of json.modelTopology.config.layers) if (class_name === "Softmax") config["axis"] = axis;
  });
const pairs = (scores: readonly number[]): tfl.LayersModel =>
  constant(scores, layers.reshape({ targetShape: [2, 2] }), layers.softmax({}), layers.reshape({ targetShape: [4] }));

describe("a softmax over groups of the scores stays, and what it gives are the scores", () => {
  it("over pairs: those of equal scores are halves, those that differ by ln 3 a quarter and three quarters", async () => {
    const directory = await along(pairs([5, 5, 0, ln3]), -1);
    const { logits, rules } = await opened(directory);
    expect(near(logits, [0.5, 0.5, 0.25, 0.75])).toBeLessThan(1e-6); // class 3; before the softmax it would be 0
    expect(rules).toContain("RB102");
    expect((await inspectModel(directory)).warnings).toContainEqual(expect.stringMatching(/^RB102.*a softmax over 2 of its 4 scores/));
  });

  it("along the first axis of the pairs: (5, 5) and (5, 5 − ln 3)", async () => {
    const { logits } = await opened(await along(pairs([5, 5, 5, 5 - ln3]), 1));
    expect(near(logits, [0.5, 0.75, 0.5, 0.25])).toBeLessThan(1e-6);
  });

  it("over the filters of several places", async () => {
    const conv = layers.conv2d({ inputShape: [2, 2, 3], filters: 2, kernelSize: [2, 1], activation: "softmax" });
    const network = tfl.sequential({ layers: [conv, layers.flatten()] });
    conv.setWeights([tf.zeros([2, 1, 3, 2]), tf.tensor1d([0, ln3])]);
    expect(near((await opened(await files.write(network))).logits, [0.25, 0.75, 0.25, 0.75])).toBeLessThan(1e-6);
  });
});

describe("a softmax over all classes is taken off, whatever reshapes them", () => {
  const scores = [1, -2, 0.5, 3];

  it("before a reshape, and along the axis that holds them", async () => {
    const dense = constant(scores, layers.softmax({}), layers.reshape({ targetShape: [2, 2] }), layers.flatten());
    expect((await opened(await files.write(dense))).logits).toEqual(scores);
    const upright = constant(scores, layers.reshape({ targetShape: [4, 1] }), layers.softmax({}), layers.flatten());
    const { logits, rules } = await opened(await along(upright, 1));
    expect(logits).toEqual(scores);
    expect(rules).not.toContain("RB102");
  });

  it("over the filters of one place", async () => {
    const conv = layers.conv2d({ inputShape: [2, 2, 3], filters: 2, kernelSize: 2, activation: "softmax" });
    const network = tfl.sequential({ layers: [conv, layers.flatten()] });
    conv.setWeights([tf.zeros([2, 2, 3, 2]), tf.tensor1d([0.25, -1])]);
    expect((await opened(await files.write(network))).logits).toEqual([0.25, -1]);
  });
});
