import "../../../../src/engine/backends/cpu.ts";
import { describe, expect, it } from "vitest";
import { roomFor, withBatchSizes } from "../../../../src/engine/classifier/batchSizes.ts";
import type { Classifier } from "../../../../src/engine/classifier/classifier.ts";
import { defended } from "../../../../src/engine/classifier/defended.ts";
import { demandOf } from "../../../../src/engine/classifier/demand.ts";
import { classifierOf } from "../../../../src/engine/classifier/network.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { inMemory } from "../../../../src/engine/evaluation/batches.ts";
import { classifyBatches, scoresOf } from "../../../../src/engine/evaluation/clean.ts";
import { detectImages } from "../../../../src/engine/evaluation/detect.ts";
import { attackBatches } from "../../../../src/engine/evaluation/evaluate.ts";
import { explainImages } from "../../../../src/engine/evaluation/explain.ts";
import { transferBatches } from "../../../../src/engine/evaluation/transfer.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { bind } from "../../../../src/engine/registry.ts";
import { noisy } from "../classifier/noisy.ts";
import { convNetwork, near, randomBatch } from "../fixtures.ts";

const [n, shape] = [11, [8, 8, 1] as const];
/** Behind noise, so that an image which met another one's stream would show it. */
const model = defended(classifierOf(convNetwork(), { contract: { input: {} }, outputs: "logits" }), [noisy], {
  random: (i) => createRandom(i),
});
/** Batches of 4, of which there is room for one image at once. */
const cramped = withBatchSizes(model, { forward: 4, gradient: 4 }, roomFor(demandOf(model), 0));
const batch = randomBatch(n, shape, model.classes);
const images = inMemory(batch, shape);
const ctx = () => createContext({ seed: 5 });

async function all<T>(parts: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const part of parts) found.push(part);
  return found;
}
/** The same of the model as it is and of the one that has too little room. */
const both = async <T>(work: (model: Classifier) => Promise<T>): Promise<readonly [T, T]> => [await work(model), await work(cramped)];

describe("batches in parts, where memory is short, give what they give as a whole", () => {
  it("predictions and scores", async () => {
    const [whole, parts] = await both(async (one) => {
      const found = await all(classifyBatches(one, images, [0, n], ctx()));
      const { probabilities } = await scoresOf(one, images, ctx());
      return {
        sizes: found.map(({ predictions }) => predictions.length),
        classes: found.flatMap((f) => [...f.predictions]),
        probabilities,
      };
    });
    expect([whole.sizes, parts.sizes]).toEqual([[11], [4, 4, 3]]);
    expect(parts.classes).toEqual(whole.classes);
    expect(near(parts.probabilities, whole.probabilities)).toBeLessThan(1e-6);
  });

  it("attacks, and their count of passes", async () => {
    const attack = { ...bind("attack", { kind: "pgd", eps: 0.1, steps: 2, stepSize: 0.06 }), key: "pgd" };
    const [whole, parts] = await both(async (one) => {
      const outcomes = await all(attackBatches({ attack, model: one, images }, [0, n], ctx()));
      const passes = outcomes.reduce((sum, { gradientEvaluations }) => sum + gradientEvaluations, 0);
      return { pixels: outcomes.flatMap(({ adversarial }) => [...adversarial]), passes };
    });
    expect(near(parts.pixels, whole.pixels)).toBeLessThan(1e-6);
    expect([parts.passes, whole.passes]).toEqual([2 * n, 2 * n]);
  });

  it("detectors", async () => {
    const detector = bind("detector", { kind: "softmaxEntropy" });
    const [whole, parts] = await both((one) => detectImages({ detector, model: one, images }, ctx()));
    expect(near(parts.scores, whole.scores)).toBeLessThan(1e-6);
    expect([parts.predictions, parts.labels, parts.votes]).toEqual([whole.predictions, whole.labels, whole.votes]);
  });

  it("images made on another model", async () => {
    const shown = {
      images,
      adversarial: async (start: number, end: number) => batch.images.slice(64 * start, 64 * end),
      targetOf: () => undefined,
    };
    const cleanPredictions = async (start: number, end: number) => new Int32Array(end - start);
    const [whole, parts] = await both(async (one) =>
      (await all(transferBatches({ ...shown, cleanPredictions, model: one }, [0, n], ctx()))).flat(),
    );
    expect(parts.map(({ index, prediction }) => [index, prediction])).toEqual(whole.map(({ index, prediction }) => [index, prediction]));
  });

  it("explanations", async () => {
    const [whole, parts] = await both((one) => explainImages(one, batch.images, { id: "gradCam", params: {} }, ctx()));
    expect(parts.predictions).toEqual(whole.predictions);
    for (let i = 0; i < n; i++) {
      expect(near(parts.map(i), whole.map(i))).toBeLessThan(1e-5);
      expect(near(parts.grid(i)?.values ?? [], whole.grid(i)?.values ?? [])).toBeLessThan(1e-5);
    }
  });
});
