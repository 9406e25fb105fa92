import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import type { Classifier } from "../../../../src/engine/classifier/classifier.ts";
import { classifierOf } from "../../../../src/engine/classifier/network.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { resolveParams } from "../../../../src/engine/define/index.ts";
import { explainImages, usualExplanation } from "../../../../src/engine/evaluation/explain.ts";
import { lime } from "../../../../src/engine/explanations/lime/lime.ts";
import { momentsOf, ridge } from "../../../../src/engine/explanations/lime/ridge.ts";
import { drawMasks, kernelWeights, meanColours } from "../../../../src/engine/explanations/lime/samples.ts";
import { forwardSelection, highestWeights } from "../../../../src/engine/explanations/lime/selection.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { type Images, tf } from "../../../../src/engine/tf.ts";
import { attackContext, convNetwork, linearClassifier, near } from "../fixtures.ts";

const kernelWidth = 0.25;
/** 111, 110, … 000. */
const allMasks = Uint8Array.from({ length: 24 }, (_, i) => ((7 - Math.floor(i / 3)) >> (2 - (i % 3))) & 1);

describe("weights of samples", () => {
  it("fall with the cosine distance to the image", () => {
    const d = [0, 0.183503, 0.183503, 0.42265, 0.183503, 0.42265, 0.42265, 1];
    const w = [1, 0.763847, 0.763847, 0.239533, 0.763847, 0.239533, 0.239533, 0.000335];
    const weights = kernelWeights(allMasks, 8, kernelWidth);
    expect(near(weights, w)).toBeLessThan(1e-6);
    expect(
      near(
        weights.map((weight) => kernelWidth * Math.sqrt(-2 * Math.log(weight))),
        d,
      ),
    ).toBeLessThan(1e-6);
  });

  it("are drawn for masks whose first row is the image, half of the others on", () => {
    const masks = drawMasks(1000, 9, createRandom(1));
    expect(Array.from(masks.subarray(0, 9))).toEqual(Array(9).fill(1));
    const share = masks.subarray(9).reduce((a, b) => a + b, 0) / (masks.length - 9);
    expect(Math.abs(share - 0.5)).toBeLessThan(0.02); // deviation 0.005
    expect([...new Set(masks)].sort()).toEqual([0, 1]);
  });

  it("hidden superpixels have their mean colour, exactly that of a constant one", () => {
    const image = Float32Array.from([0.1, 0.3, 0.1, 0.5, 0.7, 0.2, 0.7, 0.2]); // two channels
    expect(near(meanColours(image, Int32Array.from([0, 0, 1, 1]), 2), [0.1, 0.4, 0.1, 0.4, 0.7, 0.2, 0.7, 0.2])).toBeLessThan(1e-7);
    const flat = new Float32Array(30_000).fill(0.3);
    expect(meanColours(flat, new Int32Array(10_000), 1)).toEqual(flat);
  });
});

describe("weighted ridge regression", () => {
  const values = Float64Array.from({ length: 8 }, (_, i) => {
    const [a, b, c] = allMasks.subarray(3 * i, 3 * i + 3) as unknown as [number, number, number];
    return 0.1 + 0.5 * a - 0.2 * b + 0.05 * c;
  });
  const moments = momentsOf(allMasks, values, kernelWeights(allMasks, 8, kernelWidth));

  it("finds a linear function again, and shrinks it", () => {
    const exact = ridge(moments, [0, 1, 2], 1e-9);
    expect(near(exact.coefficients, [0.5, -0.2, 0.05])).toBeLessThan(1e-6);
    expect(exact.intercept).toBeCloseTo(0.1, 6);
    const shrunk = ridge(moments, [0, 1, 2], 1);
    expect(near(shrunk.coefficients, [0.234193, -0.116397, 0.008814])).toBeLessThan(1e-6);
    expect(shrunk.intercept).toBeCloseTo(0.254139, 6);
  });

  it("gives columns that are left out or never change a weight of 0", () => {
    expect(Array.from(ridge(moments, [0], 1).coefficients.subarray(1))).toEqual([0, 0]);
    const constant = momentsOf(Uint8Array.from([1, 1, 1, 0]), Float64Array.from([1, 0]), Float64Array.from([1, 1]));
    expect(near(ridge(constant, [0, 1], 1).coefficients, [0, 1 / 3])).toBeLessThan(1e-12); // gram ½, cross ½
  });

  // Rows of a linear congruence, and values of them, fitted by NumPy: numpy.linalg.solve of the centred and weighted system.
  const state = { value: 12345 };
  const bit = (): number => {
    state.value = Number((1103515245n * BigInt(state.value) + 12345n) % 2147483648n);
    return (state.value >> 16) & 1;
  };
  const masks = Uint8Array.from({ length: 120 }, bit).map((value, i) => (i < 5 ? 1 : value));
  const fitted = (coefficients: readonly number[], mixed: (row: Uint8Array) => number) => {
    const y = Float64Array.from({ length: 24 }, (_, i) => {
      const row = masks.subarray(5 * i, 5 * i + 5);
      return 1 / (1 + Math.exp(1 - row.reduce((sum, on, j) => sum + on * (coefficients[j] as number), 0) - mixed(row)));
    });
    return momentsOf(masks, y, kernelWeights(masks, 24, kernelWidth));
  };

  it("is NumPy's", () => {
    const numpy = fitted([1.5, -1, 0.25, 2, 0], ([a, , , d]) => (a as number) * (d as number));
    const all = ridge(numpy, [0, 1, 2, 3, 4], 0.01);
    expect(near(all.coefficients, [0.3273309864, -0.1272003437, 0.0769567677, 0.4464624847, -0.0340880051])).toBeLessThan(1e-9);
    expect(all.intercept).toBeCloseTo(0.216841539488339, 10);
    const two = ridge(numpy, [3, 0], 1);
    expect(near(two.coefficients, [0.2399495584, 0, 0, 0.329446211, 0])).toBeLessThan(1e-9);
    expect(two.intercept).toBeCloseTo(0.2308873346280308, 10);
  });

  it("chooses columns by their weights or one by one, as NumPy does", () => {
    const numpy = fitted([1, 1, 0, 2.5, -2], ([a, b, c, , e]) => 2 * (b as number) * (e as number) - 2 * (a as number) * (c as number));
    expect(highestWeights(numpy, 5, 0.01)).toEqual([3, 1, 2, 4, 0]);
    expect(forwardSelection(numpy, 5)).toEqual([3, 2, 1, 4, 0]);
    expect(forwardSelection(numpy, 2)).toEqual([3, 2]);
    expect(highestWeights(numpy, 9, 0.01)).toHaveLength(5);
  });

  it("one by one leaves out what repeats others", () => {
    const twice = Uint8Array.from([1, 1, 1, 1, 1, 0, 0, 0, 1]);
    const moments3 = momentsOf(twice, Float64Array.from([3, 2, 1]), Float64Array.from([1, 1, 1]));
    expect(forwardSelection(moments3, 3)).toEqual([0, 2]);
  });
});

describe("lime", () => {
  /** Four quarters of an 8×8 image, each of stripes around its own grey; the class of the test is that of bright stripes in the first and, half as much, of none in the last. */
  const quarter = (p: number): number => 2 * Math.floor(p / 32) + Math.floor((p % 8) / 4);
  const stripe = (p: number): number => p % 2;
  const pixels = Float32Array.from({ length: 64 }, (_, p) => 0.2 + 0.15 * quarter(p) + 0.1 * stripe(p));
  const row = (sign: number): number[] =>
    Array.from({ length: 64 }, (_, p) => (quarter(p) === 0 ? sign : quarter(p) === 3 ? -sign / 2 : 0) * (stripe(p) === 1 ? 2 : -2));
  const quarters = Int32Array.from({ length: 64 }, (_, p) => quarter(p));
  let model: Classifier;
  beforeAll(async () => {
    await useBackend("cpu");
    model = linearClassifier([row(1), row(-1), Array(64).fill(0)], [8, 8, 1]);
  });
  const explain = (params: object = {}, images = pixels, of = model, ctx = createContext()) =>
    explainImages(of, images, { id: "lime", params: { samples: 200, ...params } }, ctx, { classIndex: 0, superpixels: [quarters] });

  it("finds the superpixel that speaks for the class and the one that speaks against it", async () => {
    const before = model.evaluations.forward;
    const explained = await explain();
    const found = explained.superpixels(0);
    expect(found?.segments).toEqual(quarters);
    const [first = 0, second = 1, third = 1, fourth = 0] = found?.coefficients ?? [];
    expect(first).toBeGreaterThan(0.1);
    expect(fourth).toBeLessThan(-0.05);
    expect(Math.max(Math.abs(second), Math.abs(third))).toBeLessThan(0.02);
    expect(explained.map(0)[0]).toBe(1);
    expect(explained.map(0)[63]).toBe(0);
    expect(explained.area(0)[0]).toBe(1);
    expect(explained.degenerate).toEqual([false]);
    expect([explained.layer, explained.grid(0)]).toEqual([null, null]);
    // The image itself is classified once, then the samples.
    expect(model.evaluations).toMatchObject({ forward: before + 201 });
    expect(found?.probability).toHaveLength(200);
    expect(found?.probability[0]).toBeCloseTo((explained.scores[0] as number) ?? 0, 6);
  });

  it("its weights follow from what it hands back", async () => {
    const found = (await explain({ features: 2, ridge: 0.5 })).superpixels(0);
    if (!found) throw new Error("no superpixels");
    const { masks, probability, weight, coefficients, intercept } = found;
    expect(near(weight, kernelWeights(masks, 200, 0.25))).toBe(0);
    const moments = momentsOf(masks, probability, weight);
    const again = ridge(moments, highestWeights(moments, 2, 0.01), 0.5);
    expect(near(coefficients, again.coefficients)).toBe(0);
    expect(intercept).toBe(again.intercept);
    expect(Array.from(coefficients.keys()).filter((j) => coefficients[j] !== 0)).toEqual([0, 3]);
  });

  it("takes the first superpixels of positive weight, all of them where there are fewer", async () => {
    const sizes = await Promise.all([1, 4, 9].map(async (features) => (await explain({ features })).area(0).reduce((a, b) => a + b, 0)));
    expect(sizes[0]).toBe(16);
    const positive = (await explain({ features: 9 })).superpixels(0)?.coefficients.filter((c) => c > 1e-6).length ?? 0;
    expect(sizes.slice(1)).toEqual([16 * positive, 16 * positive]);
  });

  it("of a constant image, and of one superpixel, says that there is nothing to see", async () => {
    const flat = await explain({}, new Float32Array(64).fill(0.3));
    expect(flat.degenerate).toEqual([true]);
    expect(Math.max(...flat.map(0), ...flat.area(0))).toBe(0);
    const own = { id: "lime", params: { samples: 50, segmentation: "slic", segments: 1 } };
    const one = await explainImages(model, pixels, own, createContext(), { classIndex: 0 });
    const [weight = 0, ...others] = one.superpixels(0)?.coefficients ?? [];
    expect(others).toEqual([]);
    expect(new Set(one.map(0))).toEqual(new Set([weight > 1e-6 ? 1 : 0]));
    const pixel = linearClassifier([[1], [-1]], [1, 1, 1]);
    const single = await explainImages(pixel, Float32Array.of(0.4), { id: "lime", params: { samples: 50 } }, createContext());
    expect(single.degenerate).toEqual([true]);
  });

  it("takes superpixels that it is given", async () => {
    const halves = Int32Array.from({ length: 64 }, (_, p) => Math.floor(p / 32));
    const o = { classIndex: 0, superpixels: [halves] };
    const explained = await explainImages(model, pixels, { id: "lime", params: { samples: 50 } }, createContext(), o);
    expect(explained.superpixels(0)?.segments).toEqual(halves);
    expect(explained.superpixels(0)?.coefficients).toHaveLength(2);
  });

  it("works on a model that gives scores only", async () => {
    const scoresOnly: Classifier = { ...model, layers: undefined, forwardOnly: { file: "m.onnx", reason: "", fix: "" } };
    expect((await explain({}, pixels, scoresOnly)).map(0)).toEqual((await explain()).map(0));
    await expect(explainImages(scoresOnly, pixels, { id: "saliency", params: {} }, createContext())).rejects.toMatchObject({
      code: "MODEL_FORWARD_ONLY",
    });
    expect([
      usualExplanation(scoresOnly).id,
      usualExplanation(classifierOf(convNetwork(), { contract: { input: {} }, outputs: "logits" })).id,
    ]).toEqual(["lime", "gradCam"]);
  });

  it("draws other samples for another seed, and refuses scores that are no numbers", async () => {
    const [one, other] = await Promise.all([1, 2].map((seed) => explain({}, pixels, model, createContext({ seed }))));
    expect(one?.superpixels(0)?.masks).not.toEqual(other?.superpixels(0)?.masks);
    const broken = linearClassifier([Array(64).fill(Number.NaN), Array(64).fill(0)], [8, 8, 1]);
    await expect(explain({}, pixels, broken)).rejects.toMatchObject({ code: "MODEL_NAN" });
  });

  it("is cancelled within one batch of samples", async () => {
    const controller = new AbortController();
    const seen: number[] = [];
    const context = attackContext({ signal: controller.signal });
    const ctx = {
      ...context,
      checkpoint: async (progress?: { done: number }) => {
        if (progress) seen.push(progress.done);
        if (seen.length === 2) controller.abort();
        await context.checkpoint();
      },
    };
    const x: Images = tf.tensor4d(pixels, [1, 8, 8, 1]);
    const params = resolveParams(lime.params, { segmentation: "slic", segments: 4 }, "lime");
    await expect(lime.explain(model, x, tf.tensor1d([0], "int32"), params, ctx)).rejects.toMatchObject({ code: "CANCELLED" });
    expect(seen).toEqual([100, 200]);
  });
});
