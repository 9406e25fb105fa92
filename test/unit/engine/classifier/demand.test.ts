import "../../../../src/engine/backends/cpu.ts";
import { describe, expect, it } from "vitest";
import { averaged } from "../../../../src/engine/classifier/averaged.ts";
import { batchSizeFor, batchText, roomFor, shortageText, sizesFor, withBatchSizes } from "../../../../src/engine/classifier/batchSizes.ts";
import type { Classifier } from "../../../../src/engine/classifier/classifier.ts";
import { defended } from "../../../../src/engine/classifier/defended.ts";
import { demandOf } from "../../../../src/engine/classifier/demand.ts";
import { classifierOf } from "../../../../src/engine/classifier/network.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { frontDefenses } from "../../../../src/engine/session/frontDefenses.ts";
import { tfl } from "../../../../src/engine/tf.ts";

const { conv2d, conv3d, dense, flatten, maxPooling2d, reshape } = tfl.layers;
const classifier = (layers: tfl.layers.Layer[]): Classifier =>
  classifierOf(tfl.sequential({ layers }), { contract: { input: {} }, outputs: "logits" });

/** 64 → 144 values (relu) → 36 → 72 (sigmoid) → 72 → 3; kernels of 36, 288 and 216 weights. */
const model = classifier([
  conv2d({ inputShape: [8, 8, 1], filters: 4, kernelSize: 3, activation: "relu" }),
  maxPooling2d({ poolSize: 2 }),
  conv2d({ filters: 8, kernelSize: 3, padding: "same", activation: "sigmoid" }),
  flatten(),
  dense({ units: 3 }),
]);
// Kept for the gradient: 144 + 36 + 2 · 72 = 324 values. The largest layer: 144 values, or 72 twice.
const [forward, transient, kept] = [4 * 4 * 144, 4 * 8 * 144, 4 * 324];

describe("the memory that an image needs", () => {
  it("is what derivatives are taken from, beside what is alive at the largest layer", () => {
    expect(demandOf(model)).toEqual({ weights: 25e6 + 4 * (8 * (36 + 288) + 2 * 216), forward, gradient: transient + kept });
  });

  it("counts what stands in front of the network, and every pass that is averaged", () => {
    const front = 48 * 4 * 64;
    const behind = defended(model, frontDefenses([{ id: "bitDepth", params: {} }]), { random: (i) => createRandom(i) });
    expect(demandOf(behind)).toMatchObject({ forward: forward + front, gradient: transient + kept + front });
    expect(demandOf(averaged(behind, 20)).gradient).toBe(transient + 20 * (kept + front));
    expect(demandOf(averaged(averaged(model, 2), 5)).gradient).toBe(transient + 10 * kept);
  });

  it("counts a 3-D convolution once for every depth of its kernel, up to four", () => {
    const deep = (depth: number): Classifier =>
      classifier([
        reshape({ inputShape: [8, 8, 1], targetShape: [4, 4, 4, 1] }),
        conv3d({ filters: 2, kernelSize: [depth, 1, 1], padding: "same" }),
        flatten(),
        dense({ units: 2 }),
      ]);
    expect(demandOf(deep(3))).toMatchObject({ forward: 4 * 4 * 3 * 128, gradient: 4 * 8 * 3 * 128 });
    expect(demandOf(deep(7)).forward).toBe(4 * 4 * 4 * 128);
  });
});

describe("the images to a batch", () => {
  const demand = demandOf(model);
  /** Memory in which so many images fit in a gradient step. */
  const free = (images: number): number => demand.weights + 3 * images * demand.gradient;

  it("are as many as a third of the free memory holds beside the weights, at least one and at most a hundred", () => {
    const at = (bytes: number) => sizesFor(model, model, roomFor(demand, bytes));
    expect(at(free(2.5))).toEqual({ forward: 6, gradient: 2 }); // 14,760 bytes for 2,304 or 5,904 an image
    expect(at(free(1000))).toEqual({ forward: 100, gradient: 100 });
    expect(at(0)).toEqual({ forward: 1, gradient: 1 });
    expect(sizesFor(model, averaged(model, 20), roomFor(demand, free(20)))).toEqual({ forward: 51, gradient: 3 }); // 118,080 / 30,528
  });

  it("are those of the run where it has settled them, in parts where there is less room now", () => {
    const settled = withBatchSizes(model, { forward: 100, gradient: 50 }, roomFor(demand, free(2.5)));
    expect(batchSizeFor(settled, "gradient")).toEqual({ size: 50, most: 2 });
    expect(batchSizeFor(settled, "forward")).toEqual({ size: 100, most: 6 });
    expect(batchSizeFor(settled, "gradient", averaged(settled, 20))).toEqual({ size: 50, most: 1 });
  });

  it("are said, and so is a network that is too large for a single one", () => {
    const room = roomFor(demand, free(2.5));
    expect(batchText({ forward: 5, gradient: 2 }, demand, room)).toBe(
      "2 images at a time (5 where no gradient is taken): one needs about 5.9 kB, and 25.1 MB of memory are free.",
    );
    expect(batchText({ forward: 1 }, demand, room)).toBe("1 image at a time: one needs about 2.3 kB, and 25.1 MB of memory are free.");
    expect(shortageText(demand, room)).toBeNull();
    expect(shortageText(demand, roomFor(demand, 10_000))).toMatch(/^The network needs about 25 MB .* and 10 kB are free: .* Close other/);
  });
});
