import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import type { Classifier } from "../../../../src/engine/classifier/classifier.ts";
import { classifierOf } from "../../../../src/engine/classifier/network.ts";
import { createContext } from "../../../../src/engine/context.ts";
import type { ImageBatch } from "../../../../src/engine/define/index.ts";
import { logOtherThanLabel } from "../../../../src/engine/losses/otherThanLabel.ts";
import { adamStep, startAdam } from "../../../../src/engine/patches/adam.ts";
import { isAsGood } from "../../../../src/engine/patches/best.ts";
import { PatchTally } from "../../../../src/engine/patches/figures.ts";
import { greyPatch, rounded } from "../../../../src/engine/patches/patch.ts";
import { judgePatch, type PatchProgress, type PatchTraining, trainPatch } from "../../../../src/engine/patches/train.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { tf, tfl } from "../../../../src/engine/tf.ts";
import { convNetwork, labelledByModel, linearClassifier, near, randomBatch } from "../fixtures.ts";

beforeAll(() => useBackend("cpu"));

const sourceOf = (batch: ImageBatch) => {
  const size = batch.images.length / batch.n;
  return {
    size: batch.n,
    read: async (places: ArrayLike<number>): Promise<ImageBatch> => {
      const images = new Float32Array(places.length * size);
      Array.from(places).forEach((place, i) => {
        images.set(batch.images.subarray(place * size, (place + 1) * size), i * size);
      });
      return { images, labels: Int32Array.from(places, (place) => batch.labels[place] ?? -1), n: places.length };
    },
  };
};
const plain = { rotation: 0, scaleMin: 1, scaleMax: 1 };
const turned = { rotation: 22.5, scaleMin: 1, scaleMax: 1 };
const conv = () => classifierOf(convNetwork({ shape: [12, 12, 1] }), { contract: { input: {} }, outputs: "logits" });
/** Class 0 for noise, class 1 where there are edges from dark to bright downwards, wherever they are. */
function stripes(): Classifier {
  const network = tfl.sequential({
    layers: [
      tfl.layers.conv2d({ inputShape: [12, 12, 1], filters: 1, kernelSize: [2, 2], useBias: true, activation: "relu" }),
      tfl.layers.globalAveragePooling2d({}),
      tfl.layers.dense({ units: 2 }),
    ],
  });
  const values = [tf.tensor4d([-1, -1, 1, 1], [2, 2, 1, 1]), tf.tensor1d([-0.6]), tf.tensor2d([[-40, 40]]), tf.tensor1d([3, -3])];
  network.setWeights(values);
  tf.dispose(values);
  return classifierOf(network, { contract: { input: {} }, outputs: "logits" });
}
const settings = { steps: 40, batchSize: 8, learningRate: 0.05 };

describe("figures of a patch", () => {
  // softmax of [2, 1, −1] is .705385, .259496, .035119
  it("of a target count neither its own class nor anything twice", () => {
    const tally = new PatchTally(2);
    tally.add([2, 1, -1], 1);
    tally.add([2, 1, -1], 0);
    tally.add([2, 1, -1], 2);
    tally.add([0, 0, 9], 1);
    expect(tally.figures).toMatchObject({ images: 3, successRate: 2 / 3, targetRate: 1 / 3 });
    const last = Math.log(Math.exp(9) / (Math.exp(9) + 2));
    expect(tally.figures.logProbability).toBeCloseTo((2 * Math.log(0.035119) + last) / 3, 4);
  });

  it("without a target are those of any class but the true one", () => {
    const tally = new PatchTally(null);
    tally.add([2, 1, -1], 0);
    expect(tally.figures).toMatchObject({ images: 1, successRate: 0, targetRate: null });
    expect(tally.figures.logProbability).toBeCloseTo(Math.log(1 - 0.705385), 4);
    expect(new PatchTally(null).figures).toEqual({ images: 0, successRate: null, targetRate: null, logProbability: null });
  });

  it("have a loss of the same value, with the gradient p − onehot and so on", async () => {
    const logits = tf.tensor2d([[2, 1, -1]]);
    const labels = tf.tensor1d([0], "int32");
    const [value] = await logOtherThanLabel(logits, labels).data();
    expect(value).toBeCloseTo(Math.log(0.294615), 4);
    const gradient = await tf
      .grad((z) => tf.sum(logOtherThanLabel(z as tf.Tensor2D, labels)))(logits)
      .data();
    // ∂ log(1 − p_y)/∂z_y = −p_y; for the others p_j/(1 − p_y) − p_j
    expect(near(gradient, [-0.705385, 0.259496 / 0.294615 - 0.259496, 0.035119 / 0.294615 - 0.035119])).toBeLessThan(1e-4);
  });
});

describe("training a patch", () => {
  it("steps as Adam does", () => {
    const values = Float32Array.from([0.5, 0.5, 0.99]);
    const state = startAdam(3);
    adamStep(values, [2, -0.001, -3], state, 0.05); // the first step is the learning rate along the sign
    expect(near(values, [0.45, 0.55, 1])).toBeLessThan(1e-4);
    adamStep(values, [-2, -0.001, 0], state, 0.05);
    // m̂ = (0.09·2 − 0.1·2)/0.19 = −0.105263, v̂ = 4: up by 0.05·0.105263/2
    expect(near(values, [0.452632, 0.6, 1])).toBeLessThan(1e-4);
  });

  it("goes where the target's weights point", async () => {
    const model = linearClassifier(
      [
        [0, 0, 0, 0],
        [1, 2, 1, 2],
        [-1, -1, -3, -1],
      ],
      [2, 2, 1],
      [3, 0, 0],
    );
    const images = sourceOf({ images: new Float32Array(8).fill(0.5), labels: Int32Array.of(0, 0), n: 2 });
    for (const [target, colour] of [
      [1, 1],
      [2, 0],
    ] as const) {
      const patch = greyPatch("square", 0.25, [2, 2, 1], target); // one pixel
      const trained = await trainPatch({ model, images, patch, transforms: plain, ...settings, steps: 15 }, createContext());
      expect([...trained.patch.pixels]).toEqual([colour]);
    }
    model.dispose();
  });

  it("raises the target's probability, and larger patches do more", async () => {
    const model = stripes();
    const batch = labelledByModel(model, randomBatch(24, [12, 12, 1], 2));
    const rates: number[] = [];
    for (const area of [0.03, 0.1, 0.3]) {
      const patch = greyPatch("square", area, [12, 12, 1], 1);
      const o: PatchTraining = { model, images: sourceOf(batch), patch, transforms: turned, ...settings };
      const grey = await judgePatch(o, batch, createContext());
      const { figures, before } = await trainPatch(o, createContext());
      expect(before).toEqual(grey);
      expect(figures?.logProbability ?? Number.NaN).toBeGreaterThan((grey.logProbability ?? 0) + 0.1);
      rates.push(figures?.targetRate ?? Number.NaN);
    }
    expect(rates).toEqual([...rates].sort((a, b) => a - b));
    expect(rates[2]).toBeGreaterThan((rates[0] ?? 1) + 0.4);
    model.dispose();
  });

  it("keeps its best iterate, as judged at places that no step trained at", async () => {
    const model = conv();
    const batch = labelledByModel(model, randomBatch(64, [12, 12, 1], 2)); // as many as patches are compared on
    const patch = greyPatch("square", 0.2, [12, 12, 1], 1);
    // Steps of half the range of a colour, each after a single image, overshoot.
    const o: PatchTraining = { model, images: sourceOf(batch), patch, transforms: turned, steps: 10, batchSize: 1, learningRate: 0.5 };
    const iterates: Float32Array[] = [];
    const trained = await trainPatch({ ...o, onStep: (_, { pixels }) => void iterates.push(pixels.slice()) }, createContext());
    const scores: { rate: number; logProbability: number }[] = [];
    for (const pixels of iterates) {
      const { targetRate, logProbability } = await judgePatch(
        { ...o, patch: rounded({ ...patch, pixels }) },
        batch,
        createContext(),
        "choose",
      );
      scores.push({ rate: targetRate ?? Number.NaN, logProbability: logProbability ?? Number.NaN });
    }
    const best = [...scores].sort((a, b) => b.rate - a.rate || b.logProbability - a.logProbability)[0];
    expect(best?.rate).toBeGreaterThan(scores.at(-1)?.rate ?? 1); // there was something to gain
    expect(scores[trained.bestStep - 1]).toEqual(best);
    expect(trained.patch.pixels).toEqual(rounded({ ...patch, pixels: iterates[trained.bestStep - 1] as Float32Array }).pixels);
    model.dispose();
  });

  it("compares patches by what they are for, then by log-probability, and takes the later of equals", () => {
    const of = (targetRate: number | null, successRate: number | null, logProbability: number | null) => ({
      images: successRate === null ? 0 : 8,
      successRate,
      targetRate,
      logProbability,
    });
    expect(isAsGood(of(0.5, 0.6, -3), of(0.25, 0.9, -1))).toBe(true); // a target counts, not any wrong class
    expect(isAsGood(of(null, 0.25, -1), of(null, 0.5, -3))).toBe(false);
    expect(isAsGood(of(0.5, 0.5, -2), of(0.5, 0.5, -1))).toBe(false);
    expect(isAsGood(of(0.5, 0.5, -1), of(0.5, 0.5, -1))).toBe(true);
    expect(isAsGood(of(null, null, null), of(null, null, null))).toBe(true);
  });

  it("goes on from where it was stopped, to the same patch", async () => {
    const model = conv();
    const batch = labelledByModel(model, randomBatch(6, [12, 12, 1], 3));
    const patch = greyPatch("disc", 0.2, [12, 12, 1], null);
    const o: PatchTraining = { model, images: sourceOf(batch), patch, transforms: turned, ...settings, steps: 7 };
    let kept: PatchProgress | undefined;
    const whole = await trainPatch(
      {
        ...o,
        onStep: ({ step }, _, progress) => {
          if (step === 3) kept = structuredClone(progress);
        },
      },
      createContext({ seed: 3 }),
    );
    const stop = new AbortController();
    const before = tf.memory().numTensors;
    const stopped = trainPatch(
      { ...o, onStep: ({ step }) => (step === 3 ? stop.abort() : undefined) },
      createContext({ seed: 3, signal: stop.signal }),
    );
    await expect(stopped).rejects.toMatchObject({ code: "CANCELLED" });
    expect(tf.memory().numTensors).toBe(before);
    if (!kept) throw new Error("nothing kept");
    const resumed = await trainPatch({ ...o, resume: kept }, createContext({ seed: 3 }));
    expect(resumed).toEqual(whole);
    model.dispose();
  });

  it("refuses what cannot be trained", async () => {
    const model = conv();
    const batch = { ...randomBatch(4, [12, 12, 1], 3), labels: Int32Array.of(1, 1, 1, 1) };
    const train = (target: number | null, area: number, images = sourceOf(batch)) =>
      trainPatch(
        { model, images, patch: greyPatch("square", area, [12, 12, 1], target), transforms: turned, ...settings, steps: 1 },
        createContext(),
      );
    await expect(train(1, 0.1)).rejects.toMatchObject({ code: "DATASET_INVALID", message: expect.stringContaining('of the class "1"') });
    await expect(train(3, 0.1)).rejects.toMatchObject({ code: "LABEL_RANGE" });
    await expect(train(0, 0.1, sourceOf(randomBatch(0, [12, 12, 1], 3)))).rejects.toMatchObject({ code: "DATASET_EMPTY" });
    expect((await train(null, 0)).patch.pixels).toHaveLength(0);
    model.dispose();
  });
});

describe("training on every backend", () => {
  it("gives the same patch", async () => {
    const patches: Float32Array[] = [];
    for (const backend of ["cpu", "wasm", "onnxruntime"] as const) {
      await useBackend(backend);
      const model = conv();
      const batch = randomBatch(6, [12, 12, 1], 3);
      const grey = greyPatch("disc", 0.2, [12, 12, 1], 1);
      // A grey plane ties in the pooling, where backends take different ones of equal pixels.
      const patch = { ...grey, pixels: createRandom(4).uniforms(grey.pixels.length) };
      const o: PatchTraining = { model, images: sourceOf(batch), patch, transforms: turned, ...settings, steps: 5 };
      patches.push((await trainPatch(o, createContext())).patch.pixels);
      model.dispose();
    }
    const [cpu, ...others] = patches;
    const start = createRandom(4).uniforms(cpu?.length ?? 0);
    expect(near(start, cpu ?? [])).toBeGreaterThan(0.15); // five steps of about 0.05
    for (const other of others) expect(near(other, cpu ?? [])).toBeLessThan(2 / 255);
  });
});
