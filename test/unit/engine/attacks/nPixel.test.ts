import { beforeAll, describe, expect, it } from "vitest";
import { chunkLimit, chunksOf } from "../../../../src/engine/attacks/pixels/chunks.ts";
import {
  children,
  combine,
  genesOf,
  initialPopulation,
  latinHypercube,
  paint,
  type SearchSpace,
} from "../../../../src/engine/attacks/pixels/evolution.ts";
import { nPixel } from "../../../../src/engine/attacks/pixels/nPixel.ts";
import { isDone, oddsOf, startSearch } from "../../../../src/engine/attacks/pixels/search.ts";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { type ImageBatch, resolveParams } from "../../../../src/engine/define/index.ts";
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
    expect(isDone([0.05, 0.1, 0.85], { ...aim, target: 2, stopMode: "paper5pct" })).toBe(false);
    const manyClasses = [0.04, ...Array<number>(32).fill(0.03)]; // under 5 %, and yet the prediction
    expect(isDone(manyClasses, { ...aim, stopMode: "paper5pct" })).toBe(false);
  });

  it.each(["rand1", "best1dither"] as const)("%s never gets worse from one generation to the next", (strategy) => {
    const space = { height: 4, width: 4, channels: 1, pixels: 1 };
    const aim = { label: 0, target: undefined, stopMode: "paper5pct" as const };
    const search = startSearch(
      new Float32Array(16),
      Float32Array.from([1, 0]),
      { space, aim, strategy, popSize: 8, budget: 400 },
      createRandom(6),
    );
    const history: number[] = [];
    while (!search.done) {
      // p_true is smallest at the colour 77.3, where it is .4: the search goes on until its budget is spent
      const scores = new Float32Array(16);
      for (let i = 0; i < 8; i++) {
        const p = 0.4 + Math.abs((search.pending[i * 3 + 2] as number) - 77.3) / 510;
        scores.set([p, 1 - p], i * 2);
      }
      search.accept(scores);
      history.push(search.bestOdds);
    }
    expect(history).toHaveLength(50);
    expect(history.every((value, i) => i === 0 || value <= (history[i - 1] as number))).toBe(true);
    expect(history.at(-1)).toBeLessThan(history[0] as number);
  });

  it("tells candidates apart that a confident network gives a probability of 1", () => {
    const aim = { label: 0, target: undefined, stopMode: "misclassify" as const };
    const [sure, surer] = [Float32Array.of(1, 1e-12, 1e-12), Float32Array.of(1, 1e-13, 1e-12)];
    expect(oddsOf(sure, aim)).toBeLessThan(oddsOf(surer, aim));
    expect(oddsOf([0.75, 0.2, 0.05], aim)).toBeCloseTo(3, 9);
    expect(oddsOf([0.7, 0.2, 0.1], { ...aim, target: 1 })).toBeCloseTo(4, 9);
    expect(oddsOf(sure, { ...aim, target: 1 })).toBeLessThan(oddsOf(surer, { ...aim, target: 1 }));
    expect(oddsOf(Float32Array.of(1, 0, 0), aim)).toBe(Number.POSITIVE_INFINITY);
  });

  it("lets a child take its parent's place when it is no worse, and no other", () => {
    const space = { height: 9, width: 9, channels: 1, pixels: 1 };
    const aim = { label: 0, target: undefined, stopMode: "misclassify" as const };
    const search = startSearch(
      new Float32Array(81),
      Float32Array.from([1, 0]),
      { space, aim, strategy: "rand1", popSize: 4, budget: 1000 },
      createRandom(7),
    );
    const parents = Float64Array.from(search.pending);
    search.accept(Float32Array.from([0.9, 0.1, 0.8, 0.2, 0.7, 0.3, 0.6, 0.4]));
    const offspring = Float64Array.from(search.pending);
    search.accept(Float32Array.from([0.91, 0.09, 0.8, 0.2, 0.65, 0.35, 0.99, 0.01]));
    expect(search.bestOdds).toBeCloseTo(0.6 / 0.4, 5); // the fourth parent stays, its child was worse
    // Children of the second generation are v1 + (v2 − v3)/2 of three survivors: parent 0, child 1, child 2, parent 3.
    const survivors = [parents.subarray(0, 3), offspring.subarray(3, 6), offspring.subarray(6, 9), parents.subarray(9, 12)];
    for (let i = 0; i < 4; i++) {
      const others = survivors.filter((_, j) => j !== i);
      const possible = others.flatMap((a) =>
        others.flatMap((b) => others.filter((c) => a !== b && b !== c && a !== c).map((c) => [...combine(space, a, b, c, 0.5)])),
      );
      expect(possible).toContainEqual([...search.pending.subarray(i * 3, i * 3 + 3)]);
    }
  });
});

describe("passes of the network", () => {
  const used = (searches: number, popSize: number, limit: number): number => {
    const passes = chunksOf(searches, popSize, limit);
    return (searches * popSize) / passes.reduce((sum, { size }) => sum + size, 0);
  };

  it("split a large population into equal parts, with nothing to pad", () => {
    expect(chunksOf(2, 400, 334)).toEqual([200, 200, 200, 200].map((size) => ({ size, count: 200 })));
    expect(chunkLimit(28 * 28)).toBe(334);
    expect([chunkLimit(32 * 32 * 3), chunkLimit(224 * 224 * 3), chunkLimit(16)]).toEqual([85, 16, 512]);
  });

  it("put small populations together, and the last ones alone or padded, whichever costs less", () => {
    expect(chunksOf(12, 30, 334)).toEqual([
      { size: 330, count: 330 },
      { size: 30, count: 30 },
    ]);
    expect(chunksOf(10, 30, 334)).toEqual([{ size: 330, count: 300 }]);
  });

  it("hold all candidates, have two sizes at most, and are full to four fifths once there are some", () => {
    for (const popSize of [4, 7, 30, 100, 333, 334, 335, 400, 401, 10_000]) {
      const sizes = new Set<number>();
      for (let searches = 1; searches <= 120; searches++) {
        const passes = chunksOf(searches, popSize, 334);
        expect(passes.reduce((sum, { count }) => sum + count, 0)).toBe(searches * popSize);
        expect(passes.every(({ size, count }) => count > 0 && count <= size && size <= 334)).toBe(true);
        if (searches * popSize >= 334) expect(used(searches, popSize, 334)).toBeGreaterThan(searches * popSize >= 4 * 334 ? 0.85 : 0.5);
        for (const { size } of passes) sizes.add(size);
      }
      expect(sizes.size).toBeLessThanOrEqual(2);
      expect(Math.min(...sizes)).toBeGreaterThan(1); // one image alone may be summed in another order
    }
    for (let searches = 1; searches <= 100; searches++) expect(used(searches, 400, 334)).toBe(1);
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

  it("changes N pixels at most and nothing else, duplicates counted once", async () => {
    const outcome = await attack({ pixels: 16, popSize: 12, maxGen: 4, stopMode: "paper5pct" }, 3, 6);
    const counts = outcome.records.map(({ l0 }) => l0);
    counts.forEach((l0, n) => {
      const changed = new Set<number>();
      for (let i = 0; i < 192; i++)
        if (!Object.is(outcome.adversarial[n * 192 + i], outcome.clean[n * 192 + i])) changed.add(Math.floor(i / 3));
      expect(changed.size).toBe(l0);
    });
    // Of 64 pixels, 16 draws with replacement hit some twice: 1 − Π(1 − i/64) = 87 % of the time.
    expect(Math.max(...counts)).toBeLessThanOrEqual(16);
    expect(Math.min(...counts)).toBeLessThan(16);
    expect(Math.min(...counts)).toBeGreaterThan(4);
  });

  it("works on grey images: a row, a column and one level a pixel", async () => {
    expect(genesOf({ ...rgb, channels: 1, pixels: 2 })).toBe(6);
    const weights = Array<number>(16).fill(0);
    weights[6] = 20;
    const grey = linearClassifier([weights.map(() => 0), weights], [4, 4, 1], [0, -16]); // class 1 iff pixel 6 > 0.8
    const params = resolveParams(nPixel.params, { popSize: 40, maxGen: 40 }, "nPixel");
    const batch = { images: new Float32Array(32), labels: new Int32Array(2), n: 2 };
    const outcome = await attackBatch({ attack: nPixel, params, model: grey, batch, firstIndex: 0, seedName: "t" }, createContext());
    expect(outcome.records.map((r) => [r.success, r.l0])).toEqual([
      [true, 1],
      [true, 1],
    ]);
    expect([outcome.adversarial[6], outcome.adversarial[22]].every((v) => (v as number) > 0.8)).toBe(true);
  });

  it.each(["rand1", "best1dither"])("%s takes the images that it has solved out of the search", async (strategy) => {
    // The second image is one hair from class 1 and done in the first generation, the others are searched on.
    const images = new Float32Array(3 * 192).fill(0.1);
    const model = toyModel();
    images[192 + (3 * 8 + 5) * 3] = 199.9 / 255;
    const params = resolveParams(nPixel.params, { strategy, popSize: 200, maxGen: 3, stopMode: "misclassify" }, "nPixel");
    const batch = { images, labels: new Int32Array(3), n: 3 };
    const done: number[] = [];
    const ctx = createContext({ seed: 2, onProgress: (p) => done.push(p.done) });
    const outcome = await attackBatch({ attack: nPixel, params, model, batch, firstIndex: 0, seedName: "t" }, ctx);
    const generations = outcome.records.map(({ success, iterations }) => (success ? iterations : 4));
    expect(outcome.forwardEvaluations).toBe(3 + 200 * generations.reduce((a, b) => a + b, 0));
    expect(done).toEqual(
      Array.from({ length: done.length }, (_, g) => generations.filter((n, i) => outcome.records[i]?.success && n <= g + 1).length),
    );
  });

  it.each(["misclassify", "paper5pct"])("does not search for an image that is wrong already (%s)", async (stopMode) => {
    const model = toyModel();
    const images = new Float32Array(192).fill(0.1);
    images[(3 * 8 + 5) * 3] = 201 / 255; // class 1 by a hair: p_true is nearly a half
    const params = resolveParams(nPixel.params, { stopMode, popSize: 20, maxGen: 5 }, "nPixel");
    const batch = { images, labels: new Int32Array(1), n: 1 };
    const outcome = await attackBatch({ attack: nPixel, params, model, batch, firstIndex: 0, seedName: "t" }, createContext());
    expect(outcome.forwardEvaluations).toBe(1);
    expect(Array.from(outcome.adversarial)).toEqual(Array.from(images));
  });

  it("goes on to 5 % of the true class when told so", async () => {
    const params = { popSize: 60, maxGen: 100 };
    const [sooner, later] = [await attack(params, 1), await attack({ ...params, stopMode: "paper5pct" }, 1)];
    const red = (outcome: typeof later): number => outcome.adversarial[(3 * 8 + 5) * 3] as number;
    expect([sooner, later].map((outcome) => outcome.records[0]?.success)).toEqual([true, true]);
    // sigmoid(20·(red − 200/255)) > 0.95 from red = 0.9315 on
    expect(red(later)).toBeGreaterThan(0.9315);
    expect(later.forwardEvaluations).toBeGreaterThanOrEqual(sooner.forwardEvaluations);
  });

  it("is cancelled between two passes and tells of every generation", async () => {
    const stop = new AbortController();
    const told: string[] = [];
    const ctx = createContext({
      signal: stop.signal,
      onProgress: ({ phase, done, total }) => {
        told.push(`${phase}: ${done} of ${total}`);
        if (told.length === 3) stop.abort();
      },
    });
    const params = resolveParams(nPixel.params, { popSize: 8, maxGen: 50, stopMode: "paper5pct", pixels: 1 }, "nPixel");
    const run = attackBatch({ attack: nPixel, params, model: toyModel(), batch: black(2), firstIndex: 0, seedName: "t" }, ctx);
    await expect(run).rejects.toMatchObject({ code: "CANCELLED" });
    expect(told.map((line) => line.replace(/fitness [\d.]+/, "fitness f"))).toEqual(
      [0, 1, 2].map((g) => `N-pixel attack, generation ${g} of 50, best fitness f: 0 of 2`),
    );
  });

  it("counts queries and keeps to the budget", async () => {
    const outcome = await attack({ popSize: 20, maxGen: 50, queryBudget: 70, stopMode: "paper5pct" }, 1, 2);
    expect(outcome.forwardEvaluations).toBe(2 + 2 * 60); // one clean pass, three generations of 20
    await expect(attack({ popSize: 20, queryBudget: 19 }, 1)).rejects.toMatchObject({ code: "PARAMETER_INVALID" });
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
    await expect(attack({ target: 2, popSize: 4 }, 1)).rejects.toMatchObject({
      code: "PARAMETER_INVALID",
      fix: "Use a target from 0 to 1.",
    });
  });
});
