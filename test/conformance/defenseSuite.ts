import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../src/engine/backends/index.ts";
import { type Classifier, inputGradient } from "../../src/engine/classifier/classifier.ts";
import { defended } from "../../src/engine/classifier/defended.ts";
import { classifierOf } from "../../src/engine/classifier/network.ts";
import { type InferenceDefense, type Params, resolveParams } from "../../src/engine/define/index.ts";
import { createRandom } from "../../src/engine/random.ts";
import { type Images, tf } from "../../src/engine/tf.ts";
import { convNetwork, near, randomBatch } from "../unit/engine/fixtures.ts";
import { backends, cheapParams, outOfBounds, shapes, variants } from "./subjects.ts";

const count = 3;
const rows = backends.flatMap((backend) => shapes.map((shape) => [backend, shape.join("×"), shape] as const));

/** What every defence in front of a model keeps, whatever it does. */
export function defenseConformance(entries: readonly InferenceDefense[]): void {
  describe.each(rows)("on %s, images of %s", (backend, _, shape) => {
    beforeAll(() => useBackend(backend));
    describe.each(entries.map((entry) => [entry.id, entry] as const))("%s", (_id, entry) => keepsPromises(entry, shape));
  });
}

function keepsPromises(entry: InferenceDefense, shape: readonly [number, number, number]): void {
  const size = shape[0] * shape[1] * shape[2];
  const noise = randomBatch(count, shape, 3).images;
  let model: Classifier;
  beforeAll(() => {
    model = classifierOf(convNetwork({ shape: [...shape] }), { contract: { input: {} }, outputs: "logits" });
  });
  afterAll(() => model.dispose());
  /** Image i of the batch draws from the stream of image `first` + i. */
  const transformed = (pixels: Float32Array, o: { params?: Params; first?: number; seed?: number } = {}): Float32Array => {
    const { params = cheapParams(entry), first = 0, seed = 3 } = o;
    const rng = createRandom(seed);
    const see = { model, random: (i: number) => rng.stream(String(first + i)) };
    const output = tf.tidy(() => entry.transform(tf.tensor4d(pixels, [pixels.length / size, ...shape]), params, see));
    expect(output.shape).toEqual([pixels.length / size, ...shape]);
    const values = Float32Array.from(output.dataSync());
    output.dispose();
    return values;
  };
  const expectImages = (values: Float32Array): void => expect(values.every((value) => value >= 0 && value <= 1)).toBe(true);

  it.each(variants(entry))("keeps shape and range (%s)", (_, params) => {
    for (const pixels of [noise, new Float32Array(size), new Float32Array(size).fill(1)]) expectImages(transformed(pixels, { params }));
  });

  it("gives an image the same result alone as in a batch, and with the same seed", () => {
    const many = transformed(noise);
    expect(near(transformed(noise.slice(size, 2 * size), { first: 1 }), many.slice(size, 2 * size))).toBeLessThan(1e-5);
    expect(transformed(noise)).toEqual(many);
  });

  it("says whether two passes may differ", () => {
    const [one, other] = [transformed(noise), transformed(noise, { seed: 4 })];
    expect(near(one, other) > 0).toBe(entry.randomised(cheapParams(entry)));
  });

  it("leaks no tensor and leaves its input alone", () => {
    transformed(noise);
    const before = tf.memory().numTensors;
    transformed(noise);
    expect(tf.memory().numTensors).toBe(before);
    const x = tf.tensor4d(noise, [count, ...shape]);
    const see = { model, random: (i: number) => createRandom(i) };
    const output = tf.tidy(() => entry.transform(x, cheapParams(entry), see));
    expect(near(x.dataSync(), noise)).toBe(0);
    tf.dispose(output === x ? [x] : [x, output]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("has the gradient that it declares", async () => {
    const params = cheapParams(entry);
    const front = defended(model, [{ id: entry.id, params, entry }], { random: (i) => createRandom(i) });
    const x = tf.tensor4d(noise.slice(0, size), [1, ...shape]);
    const { gradient, logits } = inputGradient(front, x, (z) => tf.sum(tf.square(z)) as tf.Scalar);
    const values = Float32Array.from(await gradient.data());
    tf.dispose([gradient, logits]);
    expect(values.every(Number.isFinite)).toBe(true);
    expect(values.some((value) => value !== 0)).toBe(true);
    if (entry.backward(params) === "exact") expectDerivative(params, x, values);
    x.dispose();
  });

  /** Of Σ_k z_k² behind the defence, against central differences along a few random directions. */
  const expectDerivative = (params: Params, x: Images, gradient: Float32Array): void => {
    const value = (moved: Float32Array): number =>
      tf.tidy(() => {
        const see = { model, random: (i: number) => createRandom(i) };
        const z = model.logits(entry.transform(tf.tensor4d(moved, [1, ...shape]), params, see));
        return tf.sum(tf.square(z)).dataSync()[0] ?? Number.NaN;
      });
    const rng = createRandom(9);
    const step = 1e-2;
    const clean = x.dataSync();
    for (let trial = 0; trial < 3; trial++) {
      const direction = rng.uniforms(size, -1, 1);
      const length = Math.hypot(...direction);
      const moved = (sign: number) => Float32Array.from(clean, (v, j) => v + (sign * step * (direction[j] ?? 0)) / length);
      const expected = (value(moved(1)) - value(moved(-1))) / (2 * step);
      const along = gradient.reduce((sum, g, j) => sum + (g * (direction[j] ?? 0)) / length, 0);
      const scale = Math.hypot(...gradient) / Math.sqrt(size);
      expect(Math.abs(along - expected)).toBeLessThan(0.05 * Math.abs(expected) + 0.2 * scale);
    }
  };

  it("honours the bounds of its parameters", () => {
    const cheap = cheapParams(entry);
    for (const [key, { minimum, outside }] of Object.entries(outOfBounds(entry.params))) {
      for (const value of outside) expect(() => resolveParams(entry.params, { [key]: value }, entry.id), `${key} = ${value}`).toThrow(key);
      if (minimum !== undefined) expectImages(transformed(noise, { params: { ...cheap, [key]: minimum } }));
    }
  });
}
