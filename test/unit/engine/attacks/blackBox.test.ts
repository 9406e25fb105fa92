import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { blackBox } from "../../../../src/engine/attacks/blackBox/blackBox.ts";
import { substituteNetwork } from "../../../../src/engine/attacks/blackBox/network.ts";
import { substitutePreparation } from "../../../../src/engine/attacks/blackBox/preparation.ts";
import { stepOfRound, stepped } from "../../../../src/engine/attacks/blackBox/substitute.ts";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import type { Classifier } from "../../../../src/engine/classifier/classifier.ts";
import { classifierOf } from "../../../../src/engine/classifier/network.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { type ImageBatch, resolveParams } from "../../../../src/engine/define/index.ts";
import { attackBatch } from "../../../../src/engine/harness/runAttack.ts";
import { type Images, type Logits, tf } from "../../../../src/engine/tf.ts";
import { convNetwork, labelledByModel, linearClassifier, near, randomBatch } from "../fixtures.ts";

const shape = [8, 8, 1] as const;
const small = { initialImages: 10, augmentations: 2, epochs: 3, eps: 0.2 };
const params = (o: object = {}) => resolveParams(blackBox.params, { ...small, ...o }, "blackBox");
const source = (batch: ImageBatch) => ({
  size: batch.n,
  asked: [] as number[],
  async read(places: ArrayLike<number>) {
    this.asked.push(...Array.from(places));
    const size = batch.images.length / batch.n;
    const images = new Float32Array(places.length * size);
    Array.from(places).forEach((place, i) => {
      images.set(batch.images.subarray(place * size, (place + 1) * size), i * size);
    });
    return { images, labels: new Int32Array(places.length).fill(-1), n: places.length }; // the labels of the data are nobody's business
  },
});
const make = (model: Classifier, o: object = {}, images = source(randomBatch(30, shape, 3, 3)), seed = 1) =>
  substitutePreparation.make(model, images, params(o), createContext({ seed }));

let model: Classifier;
beforeAll(async () => {
  await useBackend("onnxruntime");
  model = classifierOf(convNetwork(), { contract: { input: {} }, outputs: "logits" });
});

it("changes the sign of λ after three rounds", () => {
  expect([0, 1, 2, 3, 4, 5, 6].map((round) => stepOfRound(0.1, round))).toEqual([0.1, 0.1, 0.1, -0.1, -0.1, -0.1, 0.1]);
});

it("steps along the sign of the weights of the label on a linear model", () => {
  const linear = linearClassifier(
    [
      [3, -4],
      [0, 2],
    ],
    [1, 2, 1],
  );
  const moved = stepped(linear, Float32Array.of(0.5, 0.5, 0.5, 0.95), Int32Array.of(0, 1), 0.1);
  expect(near(moved.dataSync(), [0.6, 0.4, 0.5, 1])).toBeLessThan(1e-6);
});

it("is LeNet-5", () => {
  expect(substituteNetwork([28, 28, 1], 10, 1).countParams()).toBe(6 * 26 + 16 * 151 + 400 * 120 + 120 + 121 * 84 + 85 * 10);
});

describe("the attacked model", () => {
  it("is asked for as many labels as the set grows to, once each, and never for a gradient", async () => {
    const images = source(randomBatch(30, shape, 3, 3));
    const before = { ...model.evaluations };
    const prepared = await make(model, {}, images);
    expect(prepared.queries).toBe(10 * 2 ** 2);
    expect(model.evaluations).toEqual({ forward: before.forward + 40, gradient: before.gradient });
    expect(new Set(images.asked).size).toBe(10);
    expect(substitutePreparation.facts(prepared)).toMatchObject({ queries: 40, gradientEvaluations: 0 });
    expect(substitutePreparation.evaluations(params())).toEqual({ forward: 40, gradient: 0 });
  });

  it("may be one that cannot be differentiated, and that gives nothing away but its largest score", async () => {
    const reserved: Classifier = {
      ...model,
      forwardOnly: { file: "m.onnx", reason: "it has a node", fix: "none" },
      logits: (x: Images) => {
        const labels = tf.tidy(() => tf.oneHot(tf.argMax(model.logits(x), 1), 3)).arraySync() as number[][]; // no gradient passes
        return tf.tensor2d(labels) as Logits;
      },
    };
    const [open, closed] = [await make(model), await make(reserved)];
    expect(substitutePreparation.facts(closed).hash).toBe(substitutePreparation.facts(open).hash);
    const batch = labelledByModel(model, randomBatch(6, shape, 3));
    const run = (attacked: Classifier, prepared: unknown) =>
      attackBatch({ attack: blackBox, params: params(), model: attacked, batch, firstIndex: 0, seedName: "t", prepared }, createContext());
    const [a, b] = [await run(model, open), await run(reserved, closed)];
    expect(near(a.adversarial, b.adversarial)).toBe(0);
    expect(b).toMatchObject({ gradientEvaluations: 0, forwardEvaluations: 0, notes: { outOfBall: 0, silentSuccess: 0 } });
    expect(Math.max(...a.records.map(({ linf }) => linf))).toBeCloseTo(0.2, 5);
  });
});

it("learns what the oracle says", async () => {
  const data = randomBatch(300, shape, 3, 11);
  const prepared = await make(model, { initialImages: 200, epochs: 40 }, source(data));
  const test = labelledByModel(model, randomBatch(100, shape, 3, 12));
  const answers = tf.tidy(() => tf.argMax(prepared.network.predict(tf.tensor4d(test.images, [100, ...shape])) as tf.Tensor, 1).dataSync());
  const agree = test.labels.filter((label, i) => answers[i] === label).length;
  const most = Math.max(...[0, 1, 2].map((k) => test.labels.filter((label) => label === k).length));
  expect(agree).toBeGreaterThan(most); // more than always answering the most frequent class
});

it("is the same for the same seed, after saving too, and with another ε", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "substitute-"));
  try {
    const [first, again] = [await make(model), await make(model, { eps: 0.4 })];
    const { hash } = substitutePreparation.facts(first);
    expect(substitutePreparation.facts(again).hash).toBe(hash);
    expect(substitutePreparation.facts(await make(model, {}, undefined, 2)).hash).not.toBe(hash);
    expect(substitutePreparation.decisive?.(params())).toEqual(substitutePreparation.decisive?.(params({ eps: 0.4 })));
    const facts = { inputShape: shape, classes: 3, name: "m", sha256: null, classNames: [] };
    const about = { key: "k", attack: { id: "blackBox", params: {} }, seed: 1, backend: "", images: "", imageCount: 1, model: facts };
    await substitutePreparation.save(first, folder, "substitute", about);
    const loaded = await substitutePreparation.load(folder, "substitute", facts, "k");
    expect(loaded && substitutePreparation.facts(loaded)).toEqual(substitutePreparation.facts(first));
    expect(await substitutePreparation.load(folder, "substitute", facts, "other")).toBeNull();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it("refuses what it cannot begin with, and what would not fit", async () => {
  await expect(make(model, { initialImages: 31 })).rejects.toMatchObject({
    code: "PARAMETER_INVALID",
    message: expect.stringContaining("31"),
  });
  expect(() => params({ initialImages: 0 })).toThrow(/initialImages/);
  const facts = { inputShape: [224, 224, 3] as const, classes: 10 };
  expect(() => blackBox.check?.(resolveParams(blackBox.params, {}, "blackBox"), facts)).toThrow(/more than 1 GB/);
  expect(() => blackBox.check?.(params(), facts)).not.toThrow();
});

it("leaves no tensor behind", async () => {
  const dispose = async () => substitutePreparation.dispose?.(await make(model));
  await dispose();
  const before = tf.memory().numTensors;
  await dispose();
  expect(tf.memory().numTensors).toBe(before);
});
