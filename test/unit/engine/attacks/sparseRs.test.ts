import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { alphaOf, distinct, patchSquare, pixelSet } from "../../../../src/engine/attacks/pixels/sparseMoves.ts";
import { sparseRs } from "../../../../src/engine/attacks/pixels/sparseRs.ts";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import type { Classifier } from "../../../../src/engine/classifier/classifier.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { type ImageBatch, resolveParams } from "../../../../src/engine/define/index.ts";
import { attackBatch } from "../../../../src/engine/harness/runAttack.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { startEngine } from "../../../../src/engine/session/engine.ts";
import { linearClassifier } from "../fixtures.ts";
import { changedPixels, digits } from "./digits.ts";

const attack = (model: Classifier, batch: ImageBatch, o: object, { seed = 1, firstIndex = 0 } = {}) => {
  const params = resolveParams(sparseRs.params, o as never, "sparseRs");
  return attackBatch({ attack: sparseRs, params, model, batch, firstIndex, seedName: "t" }, createContext({ seed }));
};

describe("the schedule", () => {
  it("divides α as the paper does, at queries of 10,000", () => {
    const at = (mode: "l0" | "patch", queries: readonly number[]) => queries.map((query) => 1 / alphaOf(mode, 1, query, 10_000));
    const divisors = [1, 2, 2, 4, 4, 5, 6, 8, 10, 12, 15, 20, 20];
    at("l0", [0, 1, 50, 51, 200, 201, 501, 1001, 2001, 4001, 6001, 8001, 9999]).forEach((divisor, i) => {
      expect(divisor).toBeCloseTo(divisors[i] as number, 9);
    });
    const squares = [1, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
    at("patch", [0, 10, 11, 51, 201, 501, 1001, 2001, 4001, 6001, 8001]).forEach((divisor, i) => {
      expect(divisor).toBeCloseTo(squares[i] as number, 9);
    });
  });

  it("is stretched over the queries that there are", () => {
    for (const query of [0, 1, 5, 6, 20, 21, 999]) expect(alphaOf("l0", 0.3, query, 1000)).toBe(alphaOf("l0", 0.3, 10 * query, 10_000));
  });
});

describe("moves", () => {
  const space = { height: 6, width: 5, channels: 3, pixels: 8 };
  const clean = new Float32Array(90).fill(0.5);

  it("draw different numbers, every one equally often", () => {
    const rng = createRandom(1);
    const counts = new Float64Array(6);
    for (let i = 0; i < 3000; i++) {
      const drawn = distinct(6, 3, rng);
      expect(new Set(drawn).size).toBe(3);
      for (const value of drawn) counts[value] = (counts[value] as number) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 1500)).toBeLessThan(4 * Math.sqrt(3000 / 4)); // four deviations of Binomial(3000, ½)
    expect(distinct(4, 4, rng).sort()).toEqual([0, 1, 2, 3]);
  });

  it("exchange as many pixels as α says, and keep k of them", () => {
    const state = pixelSet(clean, { space, alphaInit: 0.8, queries: 10_000 }, createRandom(2));
    const drawn = (draw: (image: Float32Array) => void) => {
      const image = new Float32Array(90);
      draw(image);
      return image;
    };
    let before = drawn((image) => state.draw(image));
    for (const [query, exchanged] of [
      [1, 3],
      [51, 1],
      [9000, 1],
    ] as const) {
      // prettier-ignore
      const move = state.propose(query, createRandom(query));
      const after = drawn(move.draw);
      expect(drawn((image) => state.draw(image))).toEqual(before); // to propose changes nothing
      const [old, now] = [changedPixels(before, clean, 3), changedPixels(after, clean, 3)];
      expect([old.length, now.length]).toEqual([8, 8]);
      expect(now.filter((pixel) => !old.includes(pixel))).toHaveLength(exchanged); // ⌊0.8/2·8⌋, ⌊0.8/4·8⌋, at least one
      expect(Array.from(after).every((value) => [0, 0.5, 1].includes(value))).toBe(true);
      move.commit();
      expect(drawn((image) => state.draw(image))).toEqual(after);
      before = after;
    }
  });

  it("recolour where every pixel is taken", () => {
    const state = pixelSet(clean, { space: { ...space, pixels: 30 }, alphaInit: 0.8, queries: 100 }, createRandom(3));
    const image = new Float32Array(90);
    state.propose(1, createRandom(4)).draw(image);
    expect(image.every((value) => value === 0 || value === 1)).toBe(true);
  });

  it("of a patch give a square part one colour, or shift it every fourth query", () => {
    const state = patchSquare(clean, 3, { space, alphaInit: 0.4, queries: 10_000, isTargeted: false }, createRandom(5));
    const drawn = (draw: (image: Float32Array) => void) => {
      const image = new Float32Array(90);
      draw(image);
      return image;
    };
    const start = drawn((image) => state.draw(image));
    const places = changedPixels(start, clean, 3);
    expect(places).toHaveLength(9);
    for (const query of [1, 2, 3, 5, 6]) {
      const move = drawn(state.propose(query, createRandom(query)).draw);
      expect(changedPixels(move, clean, 3)).toEqual(places);
      expect(changedPixels(move, start, 3)).toHaveLength(1); // ⌊√0.4·3⌋ = 1, and another colour
    }
    const shifted = [4, 8, 12, 16, 20].map((query) => changedPixels(drawn(state.propose(query, createRandom(query)).draw), clean, 3));
    expect(new Set(shifted.map(String)).size).toBeGreaterThan(1);
    for (const shift of shifted) expect(shift).toHaveLength(9);
  });
});

describe("Sparse-RS", () => {
  beforeAll(() => useBackend("cpu"));

  /** Class 1 iff the mean of the four pixels in the middle is over 0.8, on 4×4 images. */
  const middle = [5, 6, 9, 10];
  const weights = Array.from({ length: 16 }, (_, i) => (middle.includes(i) ? 1 : 0));
  const model = () => linearClassifier([weights.map(() => 0), weights], [4, 4, 1], [0, -3.2]);
  const grey = (n: number): ImageBatch => ({ images: new Float32Array(n * 16).fill(0.1), labels: new Int32Array(n), n });

  it("finds the four pixels that matter", async () => {
    const { adversarial, clean, records } = await attack(model(), grey(3), { pixels: 4, queries: 3000 });
    expect(records.map(({ success }) => success)).toEqual([true, true, true]);
    const changed = changedPixels(adversarial.subarray(0, 16), clean.subarray(0, 16), 1);
    expect(changed).toEqual(middle);
  });

  it("finds place and colours of a patch for most images", async () => {
    // Not for all: a patch that is black where it covers none of the four may stay beside them, where every shift makes it worse at first.
    const { adversarial, clean, records } = await attack(model(), grey(12), { mode: "patch", side: 2, queries: 600 });
    const found = records.flatMap(({ success }, i) => (success ? [i] : []));
    expect(found.length).toBeGreaterThan(6);
    for (const i of found)
      expect(changedPixels(adversarial.subarray(i * 16, (i + 1) * 16), clean.subarray(i * 16, (i + 1) * 16), 1)).toEqual(middle);
  });

  it("counts no more than its queries and the clean image, and keeps to k pixels", async () => {
    const hopeless = linearClassifier([weights.map(() => 0), weights], [4, 4, 1], [0, -100]);
    const { forwardEvaluations, records } = await attack(hopeless, grey(3), { pixels: 3, queries: 37 });
    expect(forwardEvaluations).toBe(3 * 38);
    expect(records.every(({ l0 }) => l0 <= 3)).toBe(true);
  });

  it("aims at a class", async () => {
    const { records } = await attack(model(), grey(1), { pixels: 4, queries: 3000, target: 1 });
    expect(records[0]).toMatchObject({ success: true, prediction: 1 });
  });

  it("refuses what does not fit", async () => {
    const refused = { code: "PARAMETER_INVALID" };
    await expect(attack(model(), grey(1), { pixels: 17 })).rejects.toMatchObject({ ...refused, fix: "Use at most 16." });
    await expect(attack(model(), grey(1), { mode: "patch", side: 5 })).rejects.toMatchObject({
      ...refused,
      fix: "Use a side of at most 4.",
    });
    await expect(attack(model(), grey(1), { target: 2 })).rejects.toMatchObject(refused);
    await expect(attack(model(), grey(1), { mode: "patch", side: 4, pixels: 99, queries: 5 })).resolves.toBeDefined();
    expect(() => resolveParams(sparseRs.params, { queries: 0 }, "sparseRs")).toThrow(/queries/);
  });
});

describe("on the sample network", () => {
  let network: Classifier;
  beforeAll(async () => {
    const engine = await startEngine("onnxruntime", "cpu");
    network = await engine.model(path.resolve(import.meta.dirname, "../../../../samples/models/papernot"));
  });

  it("gives the same images for a seed, and an image the same alone, where its queries are asked several at a time, as in a batch", async () => {
    const batch = digits(9);
    const o = { pixels: 12, queries: 40 };
    const many = await attack(network, batch, o);
    expect((await attack(network, batch, o)).adversarial).toEqual(many.adversarial);
    for (const i of [7]) {
      const one = { images: batch.images.slice(i * 784, (i + 1) * 784), labels: batch.labels.slice(i, i + 1), n: 1 };
      const alone = await attack(network, one, o, { firstIndex: i });
      expect(alone.adversarial).toEqual(many.adversarial.slice(i * 784, (i + 1) * 784));
    }
  });

  it("changes the pixels of one square and no other in mode patch", async () => {
    const { adversarial, clean, records } = await attack(network, digits(4), { mode: "patch", side: 6, queries: 60 });
    for (let i = 0; i < 4; i++) {
      const changed = changedPixels(adversarial.subarray(i * 784, (i + 1) * 784), clean.subarray(i * 784, (i + 1) * 784), 1);
      expect(changed.length).toBe(records[i]?.l0);
      const [rows, columns] = [changed.map((pixel) => Math.floor(pixel / 28)), changed.map((pixel) => pixel % 28)];
      for (const along of [rows, columns]) expect(Math.max(...along) - Math.min(...along)).toBeLessThan(6);
    }
  });
});
