import { describe, expect, it } from "vitest";
import { createSyllabus, shuffledSteps } from "../../../../src/engine/curriculum/syllabus.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { find } from "../../../../src/engine/registry.ts";
import { presets } from "../../../../src/engine/volumizer/presets.ts";

const rule = (measure: string, order: "asc" | "desc" = "asc") => ({ ...presets.paper, measure: find("measure", measure), order });
/** n images of 16 pixels, image i with at most `levels(i)` grey values. */
const batch = (n: number, levels: (i: number) => number): Float32Array => {
  const rng = createRandom(3);
  return Float32Array.from({ length: 16 * n }, (_, i) => rng.integer(levels(Math.floor(i / 16))) / 255);
};

describe("syllabus", () => {
  it("feeds the four slices of the hand-made image as the volumizer orders them", () => {
    const images = Float32Array.from([0, 0, 0, 0, 10, 20, 30, 40, 5, 5, 5, 9, 7, 7, 7, 7], (v) => v / 255);
    expect([...createSyllabus(rule("entropy"), 0).order(images, 4)]).toEqual([0, 3, 2, 1]);
    expect([...createSyllabus(rule("mutualInformation", "desc"), 0).order(images, 4)]).toEqual([1, 2, 0, 3]);
  });

  it("scores never fall along the order, nor rise when descending", () => {
    const images = batch(12, (i) => 1 + ((i * 7) % 12));
    const entropyOf = (i: number): number =>
      find("measure", "entropy").measure(
        Uint8Array.from(images.subarray(16 * i, 16 * i + 16), (v) => Math.round(255 * v)),
        undefined,
        {},
      );
    for (const order of ["asc", "desc"] as const) {
      const scores = [...createSyllabus(rule("entropy", order), 0).order(images, 12)].map(entropyOf);
      expect(scores).toEqual(scores.toSorted((a, b) => (order === "asc" ? a - b : b - a)));
      expect(new Set(scores).size).toBeGreaterThan(4);
    }
  });

  it.each(["mse", "mutualInformation", "klDivergence"])("scores never fall by %s against the image of highest entropy", (id) => {
    const images = batch(12, (i) => 1 + ((i * 7) % 12));
    const bytes = Array.from({ length: 12 }, (_, i) => Uint8Array.from(images.subarray(16 * i, 16 * i + 16), (v) => Math.round(255 * v)));
    const entropies = bytes.map((image) => find("measure", "entropy").measure(image, undefined, {}));
    const reference = bytes[entropies.indexOf(Math.max(...entropies))] as Uint8Array;
    const order = [...createSyllabus(rule(id), 0).order(images, 12)];
    const scores = order.map((i) => find("measure", id).measure(bytes[i] as Uint8Array, reference, {}));
    expect(scores).toEqual(scores.toSorted((a, b) => a - b));
    expect(new Set(scores).size).toBeGreaterThan(4);
  });

  it("gives the same order for the same images, and one of all images", () => {
    const images = batch(9, (i) => 2 + i);
    const order = createSyllabus(rule("mutualInformation"), 0).order(images, 9);
    expect(createSyllabus(rule("mutualInformation"), 0).order(images, 9)).toEqual(order);
    expect([...order].toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it("leaves one image alone", () => {
    expect([
      ...createSyllabus(rule("mutualInformation"), 0).order(
        batch(1, () => 9),
        1,
      ),
    ]).toEqual([0]);
  });

  it("takes an eighth of the batch a step, or what it is told, and never more than the batch", () => {
    const { microBatch } = createSyllabus(rule("mse"), 0);
    expect([64, 100, 7, 1].map(microBatch)).toEqual([8, 12, 1, 1]);
    expect([64, 4].map(createSyllabus(rule("mse"), 16).microBatch)).toEqual([16, 4]);
  });

  it("has a control of as many images a step, in the order that they come in", () => {
    expect([64, 4].map(shuffledSteps(8).microBatch)).toEqual([8, 4]);
    expect([...shuffledSteps(8).order(new Float32Array(12), 3)]).toEqual([0, 1, 2]);
  });
});
