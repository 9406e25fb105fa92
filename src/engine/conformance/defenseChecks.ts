import { type Classifier, inputGradient } from "../classifier/classifier.ts";
import { defended } from "../classifier/defended.ts";
import type { InferenceDefense, Params } from "../define/index.ts";
import { createRandom } from "../random.ts";
import { type Images, tf } from "../tf.ts";
import { type Check, cheapParams, demand, demandBounds, distance, outOfBounds, variants } from "./check.ts";

const count = 3;
type Shape = readonly [height: number, width: number, channels: number];

/** One defence in front of a model, on random images. */
class Front {
  readonly noise: Float32Array;
  readonly size: number;
  readonly #entry: InferenceDefense;
  readonly #model: () => Classifier;
  readonly #shape: Shape;

  constructor(entry: InferenceDefense, model: () => Classifier, shape: Shape) {
    this.#entry = entry;
    this.#model = model;
    this.#shape = shape;
    this.size = shape[0] * shape[1] * shape[2];
    this.noise = createRandom(7).uniforms(count * this.size);
  }

  /** Image i of the batch draws from the stream of image `first` + i. */
  transformed(pixels: Float32Array, o: { params?: Params; first?: number; seed?: number } = {}): Float32Array {
    const { params = cheapParams(this.#entry), first = 0, seed = 3 } = o;
    const rng = createRandom(seed);
    const shape = [pixels.length / this.size, ...this.#shape] as [number, number, number, number];
    const see = { model: this.#model(), random: (i: number) => rng.stream(String(first + i)) };
    const output: unknown = tf.tidy(() => this.#entry.transform(tf.tensor4d(pixels, shape), params, see));
    demand(output instanceof tf.Tensor, "transform returns no tensor");
    const result = output as Images;
    const values = Float32Array.from(result.dataSync());
    const got = result.shape.join("×");
    result.dispose();
    demand(got === shape.join("×"), `images of ${shape.join("×")} come back as ${got}`);
    return values;
  }

  demandImages(values: Float32Array, when = ""): void {
    demand(
      values.every((value) => value >= 0 && value <= 1),
      `a value lies outside [0,1]${when}`,
    );
  }

  demandRepeatable(): void {
    const many = this.transformed(this.noise);
    const one = this.transformed(this.noise.slice(this.size, 2 * this.size), { first: 1 });
    const far = distance(one, many.slice(this.size, 2 * this.size));
    demand(far < 1e-5, `an image alone differs by ${far}; take nothing from the other images, and see.random(i) for image i`);
    demand(distance(this.transformed(this.noise), many) === 0, "a second pass with the same seed differs; draw from see.random(i) alone");
  }

  demandRandomised(): void {
    const differs = distance(this.transformed(this.noise), this.transformed(this.noise, { seed: 4 })) > 0;
    const says = this.#entry.randomised(cheapParams(this.#entry));
    demand(
      differs === says,
      differs ? "two passes differ; say randomised: () => true" : "it says it is randomised, and two passes are equal",
    );
  }

  demandTidiness(): void {
    this.transformed(this.noise);
    const before = tf.memory().numTensors;
    this.transformed(this.noise);
    demand(tf.memory().numTensors === before, "it keeps tensors; use no tf.keep");
    const x = tf.tensor4d(this.noise, [count, ...this.#shape]);
    const see = { model: this.#model(), random: (i: number) => createRandom(i) };
    const output = tf.tidy(() => this.#entry.transform(x, cheapParams(this.#entry), see));
    demand(distance(x.dataSync(), this.noise) === 0, "it changes its input");
    tf.dispose(output === x ? [x] : [x, output]);
    demand(tf.memory().numTensors === before, "it keeps tensors, or disposes its input");
  }

  async demandGradient(): Promise<void> {
    const params = cheapParams(this.#entry);
    const chain = [{ id: this.#entry.id, params, entry: this.#entry }];
    const front = defended(this.#model(), chain, { random: (i) => createRandom(i) });
    const x = tf.tensor4d(this.noise.slice(0, this.size), [1, ...this.#shape]);
    const { gradient, logits } = inputGradient(front, x, (z) => tf.sum(tf.square(z)) as tf.Scalar);
    const values = Float32Array.from(await gradient.data());
    tf.dispose([gradient, logits]);
    demand(values.every(Number.isFinite), "its gradient holds values that are no numbers");
    demand(
      values.some((value) => value !== 0),
      'no gradient passes through it; say backward: () => "bpda"',
    );
    if (this.#entry.backward(params) === "exact") this.#demandDerivative(params, x, values);
    x.dispose();
  }

  /** Of Σ_k z_k² behind the defence, against central differences along a few random directions. */
  #demandDerivative(params: Params, x: Images, gradient: Float32Array): void {
    const value = (moved: Float32Array): number =>
      tf.tidy(() => {
        const model = this.#model();
        const see = { model, random: (i: number) => createRandom(i) };
        const z = model.logits(this.#entry.transform(tf.tensor4d(moved, [1, ...this.#shape]), params, see));
        return tf.sum(tf.square(z)).dataSync()[0] ?? Number.NaN;
      });
    const rng = createRandom(9);
    const step = 1e-2;
    const clean = x.dataSync();
    for (let trial = 0; trial < 3; trial++) {
      const direction = rng.uniforms(this.size, -1, 1);
      const length = Math.hypot(...direction);
      const moved = (sign: number) => Float32Array.from(clean, (v, j) => v + (sign * step * (direction[j] ?? 0)) / length);
      const expected = (value(moved(1)) - value(moved(-1))) / (2 * step);
      const along = gradient.reduce((sum, g, j) => sum + (g * (direction[j] ?? 0)) / length, 0);
      const scale = Math.hypot(...gradient) / Math.sqrt(this.size);
      demand(
        Math.abs(along - expected) < 0.05 * Math.abs(expected) + 0.2 * scale,
        `its gradient is ${along} where differences give ${expected}; if it rounds or sorts, say backward: () => "bpda"`,
      );
    }
  }
}

/** Checks that every defence in front of a model has to pass. @param model the same at every call, of images of that shape */
export function defenseChecks(entry: InferenceDefense, model: () => Classifier, shape: Shape): Check[] {
  const front = new Front(entry, model, shape);
  const plain = (value: number): Float32Array => new Float32Array(front.size).fill(value);
  return [
    ...variants(entry).map(([name, params]) => ({
      name: `keeps shape and range (${name})`,
      run: async () => {
        for (const pixels of [front.noise, plain(0), plain(1)]) front.demandImages(front.transformed(pixels, { params }));
      },
    })),
    { name: "gives an image the same result alone as in a batch, and with the same seed", run: async () => front.demandRepeatable() },
    { name: "says whether two passes may differ", run: async () => front.demandRandomised() },
    { name: "leaks no tensor and leaves its input alone", run: async () => front.demandTidiness() },
    { name: "has the gradient that it declares", run: () => front.demandGradient() },
    {
      name: "honours the bounds of its parameters",
      run: async () => {
        demandBounds(entry);
        const cheap = cheapParams(entry);
        for (const [key, { minimum }] of Object.entries(outOfBounds(entry.params)))
          if (minimum !== undefined)
            front.demandImages(front.transformed(front.noise, { params: { ...cheap, [key]: minimum } }), ` with ${key} ${minimum}`);
      },
    },
  ];
}
