import { beforeAll, describe, expect, it } from "vitest";
import {
  children,
  combine,
  genesOf,
  initialPopulation,
  latinHypercube,
  paint,
  type SearchSpace,
} from "../../../../src/engine/attacks/nPixel/evolution.ts";
import { nPixel } from "../../../../src/engine/attacks/nPixel/nPixel.ts";
import { isDone, startSearch } from "../../../../src/engine/attacks/nPixel/search.ts";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { type ImageBatch, resolveParams } from "../../../../src/engine/define.ts";
import { attackBatch } from "../../../../src/engine/harness/runAttack.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { linearClassifier } from "../fixtures.ts";

beforeAll(() => useBackend("cpu"));

const rgb: SearchSpace = { height: 32, width: 32, channels: 3, pixels: 1 };

/** Class 1 iff red(3,5) ≥ 200/255, p = sigmoid(20·(red − 200/255)), on 8×8 images. */
function toyModel(): ReturnType<typeof linearClassifier> {
  const weights = Array<number>(8 * 8 * 3).fill(0);
  weights[(3 * 8 + 5) * 3] = 20;
  return linearClassifier([weights.map(() => 0), weights], [8, 8, 3], [0, (-20 * 200) / 255]);
}
const black = (n: number): ImageBatch => ({ images: new Float32Array(n * 192).fill(0.1), labels: new Int32Array(n), n });
const attack = (o: object, seed: number, n = 1, firstIndex = 0) => {
  const params = resolveParams(nPixel.params, o as never, "nPixel");
  return attackBatch({ attack: nPixel, params, model: toyModel(), batch: black(n), firstIndex, seedName: "t" }, createContext({ seed }));
};

describe("differential evolution", () => {
  it("child of (3,4,100,150,200), (10,31,0,255,50), (2,1,255,0,250) is (7,19,0,255,100)", () => {
    const child = combine(rgb, [3, 4, 100, 150, 200], [10, 31, 0, 255, 50], [2, 1, 255, 0, 250], 0.5);
    expect(Array.from(child)).toEqual([7, 19, 0, 255, 100]);
  });

  it("starts inside the image: uniform places, Normal(128, 127) colours clamped to bytes", () => {
    const population = initialPopulation(rgb, 4000, createRandom(1));
    const gene = (g: number) => Array.from({ length: 4000 }, (_, i) => population[i * 5 + g] as number);
    const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    expect(Math.max(...gene(0))).toBeLessThan(32);
    expect(mean(gene(1))).toBeCloseTo(16, 0);
    expect(mean(gene(2).map((v) => Number(v === 0)))).toBeCloseTo(0.157, 1); // Φ(−128/127)
    expect(mean(gene(4).map((v) => Number(v < 128)))).toBeCloseTo(0.5, 1);
  });

  it("draws a Latin hypercube: one candidate in every part of every gene's range", () => {
    const population = latinHypercube(rgb, 10, createRandom(2));
    for (let g = 0; g < genesOf(rgb); g++) {
      const parts = Array.from({ length: 10 }, (_, i) => Math.floor(((population[i * 5 + g] as number) / (g < 2 ? 32 : 255)) * 10));
      expect(parts.sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
  });

  it("breeds no child from its own parent or twice from one, and stays inside", () => {
    // Four members at the corners of one gene: with rand1 every child of i is built of the other three.
    const population = Float64Array.from([0, 0, 0, 10, 0, 0, 20, 0, 0, 31, 0, 0]);
    const grey = { ...rgb, channels: 1 };
    const offspring = children(grey, population, 0, "rand1", createRandom(3));
    const others = [
      [10, 20, 31],
      [0, 20, 31],
      [0, 10, 31],
      [0, 10, 20],
    ];
    others.forEach((o, i) => {
      const possible = o.flatMap((a) =>
        o.flatMap((b) => o.map((c) => (a !== b && b !== c && a !== c ? Math.min(Math.max(a + (b - c) / 2, 0), 32 - 1e-6) : -1))),
      );
      expect(possible).toContain(offspring[i * 3]);
    });
    const dithered = children(rgb, latinHypercube(rgb, 50, createRandom(4)), 3, "best1dither", createRandom(5));
    expect(dithered.every((v, j) => v >= 0 && v <= (j % 5 < 2 ? 32 : 255))).toBe(true);
  });

  it("paints tuples in order, later ones over earlier ones", () => {
    const image = new Float32Array(12).fill(0.5);
    paint({ height: 2, width: 2, channels: 3, pixels: 2 }, image, [1.9, 0.2, 255, 0, 51, 1.1, 0.9, 0, 255, 102]);
    expect(Array.from(image.slice(0, 6))).toEqual([0.5, 0.5, 0.5, 0.5, 0.5, 0.5]);
    expect(Array.from(image.slice(6, 9), (v) => Math.round(v * 255))).toEqual([0, 255, 102]);
  });

  it("stops as the mode says", () => {
    const aim = { label: 0, target: undefined, stopMode: "misclassify" as const };
    expect(isDone([0.4, 0.35, 0.25], aim)).toBe(false);
    expect(isDone([0.3, 0.35, 0.35], aim)).toBe(true);
    expect(isDone([0.3, 0.35, 0.35], { ...aim, stopMode: "paper5pct" })).toBe(false);
    expect(isDone([0.04, 0.5, 0.46], { ...aim, stopMode: "paper5pct" })).toBe(true);
    expect(isDone([0.3, 0.35, 0.35], { ...aim, target: 2 })).toBe(false);
    expect(isDone([0.05, 0.04, 0.91], { ...aim, target: 2, stopMode: "paper5pct" })).toBe(true);
  });

  it("never gets worse from one generation to the next", () => {
    const space = { height: 4, width: 4, channels: 1, pixels: 1 };
    const aim = { label: 0, target: undefined, stopMode: "paper5pct" as const };
    const search = startSearch(
      new Float32Array(16),
      Float32Array.from([1, 0]),
      { space, aim, strategy: "rand1", popSize: 8, budget: 400 },
      createRandom(6),
    );
    const history: number[] = [];
    while (!search.done) {
      // p_true is smallest at the colour 77.3, where it is .4: the search goes on until its budget is spent
      const scores = new Float32Array(16);
      for (let i = 0; i < 8; i++) scores.set([0.4 + Math.abs((search.pending[i * 3 + 2] as number) - 77.3) / 510, 0], i * 2);
      search.accept(scores);
      history.push(search.bestFitness);
    }
    expect(history).toHaveLength(50);
    expect(history.every((value, i) => i === 0 || value <= (history[i - 1] as number))).toBe(true);
    expect(history.at(-1)).toBeLessThan(history[0] as number);
  });
});

describe("N-pixel attack", () => {
  it("finds the one pixel that matters for most seeds", async () => {
    let found = 0;
    for (const seed of [1, 2, 3, 4]) {
      const outcome = await attack({ popSize: 60, maxGen: 100 }, seed);
      const [record] = outcome.records;
      expect(record?.l0).toBeLessThanOrEqual(1);
      if (!record?.success) continue;
      found++;
      const changed = Array.from(outcome.adversarial).flatMap((v, i) => (v === outcome.clean[i] ? [] : [Math.floor(i / 3)]));
      expect(new Set(changed)).toEqual(new Set([3 * 8 + 5]));
      expect(outcome.adversarial[(3 * 8 + 5) * 3]).toBeGreaterThanOrEqual(200 / 255 - 1e-6);
    }
    expect(found).toBeGreaterThanOrEqual(3);
  });

  it("gives an image the same result alone and among others, with the same seed", async () => {
    const many = await attack({ popSize: 20, maxGen: 5, pixels: 2 }, 9, 3);
    const again = await attack({ popSize: 20, maxGen: 5, pixels: 2 }, 9, 3);
    const alone = await attack({ popSize: 20, maxGen: 5, pixels: 2 }, 9, 1, 2);
    expect(Array.from(again.adversarial)).toEqual(Array.from(many.adversarial));
    expect(Array.from(alone.adversarial)).toEqual(Array.from(many.adversarial.slice(2 * 192)));
  });

  it("counts queries and keeps to the budget", async () => {
    const outcome = await attack({ popSize: 20, maxGen: 50, queryBudget: 70, stopMode: "paper5pct" }, 1, 2);
    expect(outcome.forwardEvaluations).toBe(2 + 2 * 60); // one clean pass, three generations of 20
    expect((await attack({ popSize: 20, queryBudget: 10 }, 1)).forwardEvaluations).toBe(1);
  });

  it("aims at a class", async () => {
    const outcome = await attack({ popSize: 60, maxGen: 100, target: 1 }, 1, 2);
    expect(outcome.records.some((r) => r.success && r.prediction === 1)).toBe(true);
  });

  it("shifts N random pixels by 128 levels as a baseline", async () => {
    const { adversarial, clean, records } = await attack({ strategy: "randomShift", pixels: 3 }, 1);
    const changes = Array.from(adversarial, (v, i) => v - (clean[i] as number)).filter((d) => d !== 0);
    expect(changes).toHaveLength(9);
    expect(changes.every((d) => Math.abs(d - 128 / 255) < 1e-6)).toBe(true);
    expect(records[0]?.l0).toBe(3);
  });

  it("refuses more pixels than there are", async () => {
    await expect(attack({ pixels: 64, popSize: 4, maxGen: 1 }, 1)).resolves.toBeDefined();
    const params = resolveParams(nPixel.params, { pixels: 3 }, "nPixel");
    const tiny = linearClassifier(
      [
        [1, 0],
        [0, 1],
      ],
      [1, 2, 1],
    );
    const batch = { images: Float32Array.from([1, 0]), labels: Int32Array.from([0]), n: 1 };
    await expect(
      attackBatch({ attack: nPixel, params, model: tiny, batch, firstIndex: 0, seedName: "t" }, createContext()),
    ).rejects.toMatchObject({ code: "PARAMETER_INVALID" });
  });
});
