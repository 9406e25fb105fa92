import { readFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { lavan } from "../../../../src/engine/attacks/lavan/lavan.ts";
import { placeOf } from "../../../../src/engine/attacks/lavan/place.ts";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { classifierOf } from "../../../../src/engine/classifier/network.ts";
import { createContext } from "../../../../src/engine/context.ts";
import type { Params } from "../../../../src/engine/define/index.ts";
import { readPicture } from "../../../../src/engine/evaluation/picture.ts";
import { attackBatch } from "../../../../src/engine/harness/runAttack.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { bind } from "../../../../src/engine/registry.ts";
import { openModel } from "../../../../src/engine/session/openModel.ts";
import { type Images, tf } from "../../../../src/engine/tf.ts";
import { attackContext, convNetwork, labelledByModel, linearClassifier, near, randomBatch } from "../fixtures.ts";

beforeAll(() => useBackend("onnxruntime"));

const paramsOf = (given: Params) => bind("attack", { kind: "lavan", ...given }).params;

describe("the place of the noise", () => {
  const shape = [299, 299, 3] as const;
  const side = 42;
  const drawn = (place: "border" | "touching" | "anywhere" | "slice", grid = 0) => {
    const rule = { size: 42 / 299, place, grid, top: 0, left: 0 } as const;
    return Array.from({ length: 400 }, (_, i) => placeOf(rule, shape, createRandom(i)));
  };
  /** Distances to top, bottom, left and right border. */
  const distances = ({ top, left }: { top: number; left: number }) => [top, 299 - side - top, left, 299 - side - left];

  it("is at most a tenth of the image away from a border, each as often, or touches one", () => {
    const near29 = drawn("border").map(distances);
    expect(near29.every((one) => one.every((d) => d >= 0) && Math.min(...one) <= 29)).toBe(true); // ⌊29.9⌋
    expect(Math.max(...near29.map((one) => Math.min(...one)))).toBe(29);
    const touching = drawn("touching").map(distances);
    expect(touching.every((one) => one.includes(0))).toBe(true);
    for (const border of [0, 1, 2, 3]) {
      const count = touching.filter((one) => one[border] === 0).length;
      expect(Math.abs(count - 100)).toBeLessThan(4 * Math.sqrt(400 * 0.25 * 0.75) + 4); // a few touch it by chance
    }
  });

  it("is anywhere inside, from corner to corner", () => {
    const places = drawn("anywhere");
    for (const axis of ["top", "left"] as const) {
      const values = places.map((place) => place[axis]);
      expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...values)).toBeLessThanOrEqual(257);
      expect(Math.max(...values) - Math.min(...values)).toBeGreaterThan(240);
    }
  });

  it("lies inside one slice of the grid, any of those that are whole", () => {
    const places = drawn("slice", 56); // 5 whole slices to a side: 5·56 = 280
    const slices = places.map(({ top, left }) => [top, left].map((v) => [Math.floor(v / 56), Math.floor((v + side - 1) / 56)]));
    expect(slices.flat().every(([first, last]) => first === last && (last as number) <= 4)).toBe(true);
    expect(new Set(slices.map(([row, column]) => `${row?.[0]},${column?.[0]}`)).size).toBe(25);
  });

  it("is refused where the noise is empty or does not fit, before anything runs", () => {
    const check = (given: Params, inputShape: readonly [number, number, number] = [8, 6, 1]) => {
      const params = paramsOf(given);
      return () => lavan.check?.(params, { inputShape, classes: 3 });
    };
    expect(check({ size: 0.5, place: "slice", grid: 4, target: 2 })).not.toThrow();
    expect(check({ size: 0.06 })).toThrow("A size of 0.06 is less than half a pixel of an image 8 pixels high");
    expect(check({ size: -1 })).toThrow("A size of -1 is less than half a pixel");
    expect(check({ size: 1 })).toThrow("Noise of 8×8 pixels is larger than an image of 8×6");
    expect(check({ size: 0.5, place: "at", top: 4, left: 2 })).not.toThrow();
    expect(check({ size: 0.5, place: "at", top: 5 })).toThrow("at top 5, left 0 does not lie inside an image of 8×6");
    expect(check({ size: 0.5, place: "at", left: 3 })).toThrow("at top 0, left 3 does not lie inside");
    expect(check({ size: 0.5, place: "slice", grid: 3 })).toThrow("Noise of 4×4 pixels does not fit into one slice of 3×3");
    expect(check({ size: 0.5, place: "slice", grid: 7 })).toThrow("An image of 8×6 has no slice of 7×7");
    expect(check({ target: 3 }, [32, 32, 3])).toThrow("The target is class 3, but the model has 3 classes");
    expect(() => paramsOf({ size: 1.1 })).toThrow("size is 1.1 but must be at most 1");
    expect(() => paramsOf({ place: "at", places: 3 })).toThrow('place "at" is one place, not 3');
    expect(() => paramsOf({ top: 3 })).toThrow("top and left say where the noise lies, but place draws it");
    expect(paramsOf({ size: "42/299" })).toMatchObject({ size: 42 / 299, target: "random", steps: 1000 });
  });
});

describe("LaVAN on many images", () => {
  const conv = () => classifierOf(convNetwork(), { contract: { input: {} }, outputs: "logits" });
  const run = async (given: Params, n = 20) => {
    const model = conv();
    const batch = labelledByModel(model, randomBatch(n, model.inputShape, model.classes));
    const task = { attack: lavan, params: paramsOf(given), model, batch, firstIndex: 0, seedName: "lavan" };
    return { batch, ...(await attackBatch(task, createContext({ seed: 3 }))) };
  };
  /** Changed pixels of each image, [row, column]. */
  const changes = ({ clean, adversarial }: { clean: Float32Array; adversarial: Float32Array }, n: number) =>
    Array.from({ length: n }, (_, i) =>
      Array.from({ length: 64 }, (__, j) => j)
        .filter((j) => clean[64 * i + j] !== adversarial[64 * i + j])
        .map((j) => [Math.floor(j / 8), j % 8] as const),
    );

  it("changes nothing outside its window, aims at a class other than the label, and gives each image a place of its own", async () => {
    const outcome = await run({ size: 3 / 8, steps: 5 });
    const corners = changes(outcome, 20).map((pixels) => {
      const [rows, columns] = [pixels.map(([y]) => y), pixels.map(([, x]) => x)];
      expect(Math.max(...rows) - Math.min(...rows)).toBeLessThan(3);
      expect(Math.max(...columns) - Math.min(...columns)).toBeLessThan(3);
      return `${Math.min(...rows)},${Math.min(...columns)}`;
    });
    expect(new Set(corners).size).toBeGreaterThan(5);
    expect(outcome.records.every(({ target, label }) => target !== undefined && target !== label)).toBe(true);
    expect(outcome.notes).toMatchObject({ outOfBall: 0, notFinite: 0 });
  });

  it("changes exactly one slice of the grid", async () => {
    const outcome = await run({ size: 3 / 8, steps: 5, place: "slice", grid: 4 });
    const slices = changes(outcome, 20).map((pixels) => new Set(pixels.map(([y, x]) => `${Math.floor(y / 4)},${Math.floor(x / 4)}`)));
    expect(slices.every(({ size }) => size === 1)).toBe(true);
    expect(new Set(slices.flatMap((slice) => [...slice])).size).toBe(4);
  });

  it("succeeds more often the larger it is", async () => {
    const rates = [];
    for (const size of [1 / 8, 3 / 8, 6 / 8])
      rates.push((await run({ size, steps: 40, target: -1 })).records.filter(({ success }) => success).length);
    const [small = 0, middle = 0, large = 0] = rates;
    expect(small).toBeLessThan(middle);
    expect(middle).toBeLessThan(large);
  });

  it("counts the worst of several places: of those that fail it keeps the one of the largest margin, and the first that succeeds", async () => {
    // Class 1 gains w_j·v_j from each pixel, w_j = j + 1: pixel 8 is worth most. At −100 nothing succeeds, at −6.5 pixels 6, 7 and 8 do.
    const weights = Array.from({ length: 9 }, (_, j) => j + 1);
    const attack = async (bias: number) => {
      const model = linearClassifier([weights.map(() => 0), weights], [3, 3, 1], [0, bias]);
      const batch = { images: new Float32Array(18), labels: Int32Array.of(0, 0), n: 2 };
      const steps = { steps: 2, optimizer: "raw", learningRate: 1 }; // one step is enough: the gradient is 1 at least
      const params = paramsOf({ size: 1 / 3, place: "anywhere", places: 60, target: 1, ...steps });
      const task = { attack: lavan, params, model, batch, firstIndex: 0, seedName: "lavan" };
      return attackBatch(task, createContext({ seed: 1 }));
    };
    const pixelsOf = ({ adversarial }: { readonly adversarial: Float32Array }) =>
      [0, 1].map((i) => [...adversarial.subarray(9 * i, 9 * i + 9)].flatMap((value, j) => (value > 0 ? [[j, value]] : [])));
    const failed = await attack(-100); // (8/9)^60 = .0009: pixel 8 is among those that are tried
    expect(pixelsOf(failed)).toEqual([[[8, 1]], [[8, 1]]]);
    expect(failed.records.map(({ success }) => success)).toEqual([false, false]);
    expect(failed.gradientEvaluations).toBe(2 * 60 * 2);
    const reached = await attack(-6.5);
    expect(reached.records.map(({ success, l0 }) => [success, l0])).toEqual([
      [true, 1],
      [true, 1],
    ]);
    expect(reached.gradientEvaluations).toBeLessThan(60 * 2);
  });
});

describe("LaVAN on the network of the samples", () => {
  const root = path.join(import.meta.dirname, "../../../..");
  const reference = JSON.parse(readFileSync(path.join(import.meta.dirname, "fixtures/lavanReference.json"), "utf8")) as {
    readonly label: number;
    readonly target: number;
    readonly side: number;
    readonly top: number;
    readonly left: number;
    readonly steps: number;
    readonly logits: readonly number[];
    readonly delta: Readonly<Record<"adam" | "sign" | "raw", readonly number[]>>;
  };

  it("finds the noise that PyTorch finds from the same start, at the same place, for the same target", async () => {
    const { classifier: model } = await openModel(path.join(root, "samples/models/papernot"));
    const { pixels: digit } = await readPicture(path.join(root, "samples/seven.png"), model);
    const pixels = digit.map((value, i) => 0.7 * value + 0.3 * ((i * 0.6180339887498949) % 1)); // no equal values: pooling orders those by convention
    const { side, top, left, target, steps } = reference;
    const images: Images = tf.tensor4d(pixels, [1, 28, 28, 1]);
    const logits = model.logits(images);
    expect(near(await logits.data(), reference.logits)).toBeLessThan(1e-3);
    const batch = { images, labels: tf.tensor1d([reference.label], "int32"), targets: tf.tensor1d([target], "int32") };
    for (const optimizer of ["adam", "sign", "raw"] as const) {
      const params = paramsOf({ size: side / 28, steps, target, optimizer, start: "fromImage", place: "at", top, left });
      const end = await lavan.run(model, batch, params, attackContext());
      const noise = tf.slice(end, [0, top, left, 0], [1, side, side, 1]);
      expect(near(await noise.data(), reference.delta[optimizer])).toBeLessThan(1e-5);
    }
  });
});
