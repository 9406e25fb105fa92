import { describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { type Params, resolveParams, type TrainingDefense, type TrainingPlan } from "../../../../src/engine/define/index.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { find } from "../../../../src/engine/registry.ts";
import { type Images, type Labels, tf, tfl } from "../../../../src/engine/tf.ts";
import { plainPlan } from "../../../../src/engine/training/plan.ts";

await useBackend("cpu");

const side = 8;
const facts = { inputShape: [side, side, 1], classes: 3 } as const;
const planOf = (id: string, params: Params = {}): TrainingPlan => {
  const defense = find("defense", id) as TrainingDefense;
  return defense.plan(plainPlan, resolveParams(defense.params, params, id), facts);
};
const volumized = (params: Params = {}): TrainingPlan => planOf("volumizedCurriculum", { patch: 4, kernelDepth: 3, ...params });

/** Without dropout, the same at every call. */
const tiny = (): tfl.LayersModel =>
  tfl.sequential({
    layers: [
      tfl.layers.conv2d({
        inputShape: [side, side, 1],
        filters: 4,
        kernelSize: 3,
        padding: "same",
        activation: "relu",
        kernelInitializer: tfl.initializers.heNormal({ seed: 1 }),
      }),
      tfl.layers.flatten(),
      tfl.layers.dense({ units: 3, kernelInitializer: tfl.initializers.heNormal({ seed: 2 }) }),
    ],
  });

const oneHot = (y: Labels): tf.Tensor2D => tf.oneHot(y, facts.classes).toFloat() as tf.Tensor2D;

/** Class y has bright bars in columns y and y + 4, on noise: every slice shows its class, wherever it is in the volume. */
function data(n: number): { images: Float32Array; labels: Int32Array } {
  const rng = createRandom(11);
  const labels = Int32Array.from({ length: n }, (_, i) => i % 3);
  const images = Float32Array.from({ length: n * side * side }, (_, i) => {
    const bar = i % 4 === (labels[Math.floor(i / (side * side))] as number);
    return bar ? 0.9 : rng.uniform(0, 0.3 + 0.3 * rng.next());
  });
  return { images, labels };
}

const pick = (from: ReturnType<typeof data>, places: ArrayLike<number>): { x: Images; y: Labels } => {
  const size = side * side;
  const pixels = Array.from(places, (i) => [...from.images.subarray(i * size, (i + 1) * size)]).flat();
  const labels = Array.from(places, (i) => from.labels[i] as number);
  return { x: tf.tensor4d(pixels, [places.length, side, side, 1]), y: tf.tensor1d(labels, "int32") };
};

/** One macro-batch: ordered by the syllabus, one step of gradient descent for each micro-batch. Returns all weights. */
function train(plan: TrainingPlan, network: tfl.LayersModel, batch: ReturnType<typeof data>, learningRate = 0.1): number[] {
  const n = batch.labels.length;
  const order = plan.syllabus?.order(batch.images, n) ?? Int32Array.from({ length: n }, (_, i) => i);
  const micro = plan.syllabus?.microBatch(n) ?? n;
  const optimizer = tf.train.sgd(learningRate * plan.learningRateScale);
  for (let at = 0; at < n; at += micro) {
    const { x, y } = pick(batch, order.subarray(at, at + micro));
    optimizer.minimize(() => plan.criterion(network.apply(plan.prepare(x), { training: true }) as tf.Tensor, oneHot(y)));
  }
  return network.getWeights().flatMap((w) => [...w.dataSync()]);
}
const farthest = (a: readonly number[], b: readonly number[]): number => Math.max(...a.map((v, i) => Math.abs(v - (b[i] as number))));

describe("standard", () => {
  it("is the network as it is, with the mean cross-entropy", () => {
    const plan = planOf("standard");
    const base = tiny();
    expect(plan.network(base)).toBe(base);
    expect(plan).toMatchObject({ learningRateScale: 1, relativeCost: 1, syllabus: undefined });
    const z = tf.tensor2d([
      [2, 1, -1],
      [2, 1, -1],
    ]);
    expect(plan.toLogits(z)).toBe(z);
    expect(plan.criterion(z, oneHot(tf.tensor1d([0, 0], "int32"))).dataSync()[0]).toBeCloseTo(0.349012, 5);
  });
});

describe("volumizedCurriculum", () => {
  it("goes from images to logits through volumes, and says how it cut", () => {
    const plan = volumized();
    const { x } = pick(data(2), [0, 1]);
    const volume = plan.prepare(x);
    expect(volume.shape).toEqual([2, 4, 4, 4, 1]);
    const output = plan.network(tiny()).predict(volume) as tf.Tensor;
    expect(output.shape).toEqual([2, 4, 3]);
    expect(plan.toLogits(output).shape).toEqual([2, 3]);
    expect(plan.volumizer).toMatchObject({ patch: 4, order: "asc", reference: "mostSalient", refScore: "true", onRemainder: "error" });
    expect(plan.volumizer?.measure.id).toBe("mutualInformation");
  });

  it("sums the slices' losses at a learning rate of 1/Z for SGD, or averages them at the full one: the same steps", () => {
    const output = tf.tensor3d([
      [
        [2, 0],
        [0, 2],
      ],
    ]);
    const targets = tf.tensor2d([[1, 0]]);
    const [sum, mean] = [volumized(), volumized({ palReduction: "mean" })];
    expect(sum.learningRateScale).toBe(1 / 4);
    expect(mean.learningRateScale).toBe(1);
    expect(sum.criterion(output, targets).dataSync()[0]).toBeCloseTo(2.253856, 5);
    expect(mean.criterion(output, targets).dataSync()[0]).toBeCloseTo(1.126928, 5);
    const steps = [sum, mean].map((plan) => train(plan, plan.network(tiny()), data(4)));
    expect(farthest(steps[0] as number[], steps[1] as number[])).toBeLessThan(1e-5);
  });

  it("the ablation switches one half off each", () => {
    const flat = volumized({ volumizer: false });
    const base = tiny();
    expect(flat.network(base)).toBe(base);
    expect(flat.volumizer).toBeUndefined();
    expect(flat.learningRateScale).toBe(1);
    expect(flat.syllabus).toBeDefined();
    const unordered = volumized({ curriculum: false });
    expect(unordered.syllabus).toBeUndefined();
    expect(unordered.volumizer).toBeDefined();
    const control = volumized({ curriculum: false, microBatch: 8 });
    expect(control.syllabus?.microBatch(64)).toBe(volumized().syllabus?.microBatch(64)); // 64 / 8
    expect([...(control.syllabus?.order(data(6).images, 6) ?? [])]).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("passes the options of the measure on", () => {
    expect(volumized({ measure: "maxNorm", maxNormMode: "chebyshev" }).volumizer?.measureParams).toEqual({ mode: "chebyshev" });
    expect(volumized({ measure: "jointEntropy", jeMode: "pooled" }).volumizer?.measureParams).toEqual({ jeMode: "pooled" });
    expect(volumized({ reference: "index", referenceIndex: 2 }).volumizer?.reference).toEqual({ index: 2 });
    const given = volumized({ reference: "slice", referenceSlice: "AAEC/w==" });
    expect(given.volumizer?.reference).toEqual({ slice: Uint8Array.of(0, 1, 2, 255) });
    expect(() => volumized({ reference: "slice" })).toThrow(expect.objectContaining({ code: "PARAMETER_INVALID" }));
  });

  it("has the authors' code as a preset, whose values give way to what is given", () => {
    const authors = volumized({ preset: "authorsCode" });
    expect(authors.volumizer).toMatchObject({ order: "desc", reference: "minEntropy", refScore: "zero", onRemainder: "drop" });
    expect(authors.syllabus?.microBatch(64)).toBe(64); // a batch is one step: no curriculum in effect
    expect(volumized({ preset: "authorsCode", measure: "jointEntropy" }).volumizer?.measureParams).toEqual({ jeMode: "pooled" });
    const mixed = volumized({ preset: "authorsCode", order: "asc", microBatch: 4 });
    expect(mixed.volumizer).toMatchObject({ order: "asc", reference: "minEntropy" });
    expect(mixed.syllabus?.microBatch(64)).toBe(4);
    expect(volumized({ preset: "paperMi" }).volumizer).toMatchObject({ order: "desc", reference: "minEntropy", refScore: "true" });
    expect(volumized({ preset: "paper" }).volumizer).toEqual(volumized().volumizer);
    expect(() => volumized({ preset: "mine" })).toThrow(expect.objectContaining({ code: "PARAMETER_INVALID" }));
  });

  it("tells where the network departs from the one that was named", () => {
    const notes: string[] = [];
    volumized().network(tiny(), (text) => notes.push(text));
    expect(notes).toEqual([expect.stringContaining("3×3 kernel covers more than half of a 4×4 slice")]);
  });

  it("refuses a patch that does not divide the images, before any training", () => {
    expect(() => volumized({ patch: 3 })).toThrow(expect.objectContaining({ code: "PARAMETER_INVALID" }));
    expect(volumized({ patch: 3, onRemainder: "reflectPad" }).prepare(pick(data(1), [0]).x).shape).toEqual([1, 9, 3, 3, 1]);
  });

  it("has a gradient from the loss back to the image", () => {
    const plan = volumized();
    const network = plan.network(tiny());
    const { x, y } = pick(data(3), [0, 1, 2]);
    const gradient = tf.grad((input: tf.Tensor) => plan.criterion(network.apply(plan.prepare(input as Images)) as tf.Tensor, oneHot(y)))(x);
    expect(gradient.shape).toEqual(x.shape);
    expect(gradient.abs().max().dataSync()[0]).toBeGreaterThan(1e-4);
  });
});

describe("curriculum", () => {
  const run = (order: "asc" | "desc", microBatch: number): number[] => {
    const plan = volumized({ measure: "entropy", order, microBatch });
    // Slices keep one order, so that only the order of the images differs.
    const fixed = { ...plan, prepare: volumized({ measure: "entropy" }).prepare };
    return train(fixed, plan.network(tiny()), data(12));
  };

  it("changes nothing when the whole batch is one step", () => {
    expect(farthest(run("asc", 12), run("desc", 12))).toBeLessThan(1e-5);
  });

  it("changes the weights when a batch is several steps", () => {
    expect(farthest(run("asc", 3), run("desc", 3))).toBeGreaterThan(1e-3);
  });

  it("takes the labels along: the network learns", () => {
    const plan = volumized({ microBatch: 4 });
    const network = plan.network(tiny());
    const batch = data(24);
    for (let epoch = 0; epoch < 12; epoch++) train(plan, network, batch, 0.3);
    const { x, y } = pick(batch, [...batch.labels.keys()]);
    const right = plan
      .toLogits(network.predict(plan.prepare(x)) as tf.Tensor)
      .argMax(-1)
      .equal(y)
      .sum()
      .dataSync()[0];
    expect(right).toBeGreaterThanOrEqual(22);
  });
});
