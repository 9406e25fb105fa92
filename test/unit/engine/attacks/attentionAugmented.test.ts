import { beforeAll, describe, expect, it } from "vitest";
import { attentionMap, attentionOf, attentionShift, layersOf } from "../../../../src/engine/attacks/attentionAugmented/attention.ts";
import { distracted } from "../../../../src/engine/attacks/attentionAugmented/distracted.ts";
import { gradCamMap } from "../../../../src/engine/attention/gradCamMap.ts";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { type Classifier, gradientOf } from "../../../../src/engine/classifier/classifier.ts";
import { classifierOf } from "../../../../src/engine/classifier/network.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { documented, evaluationsOf, type ImageBatch, labelOf, type Params } from "../../../../src/engine/define/index.ts";
import { attackBatch } from "../../../../src/engine/harness/runAttack.ts";
import { aimedAt } from "../../../../src/engine/metrics/robustness.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { bind } from "../../../../src/engine/registry.ts";
import { type Images, tf, tfl } from "../../../../src/engine/tf.ts";
import { stackedPlan } from "../../../../src/engine/training/plan.ts";
import { convNetwork, labelledByModel, linearClassifier, near, randomBatch } from "../fixtures.ts";

beforeAll(() => useBackend("cpu"));

const plain = (seed = 4): Classifier => classifierOf(convNetwork({ seed }), { contract: { input: {} }, outputs: "logits" });

/** Behind its convolution, two layers that bend, and a softmax: α is no constant. */
function curved(): Classifier {
  const init = (seed: number) => tfl.initializers.glorotUniform({ seed });
  const network = tfl.sequential({
    layers: [
      tfl.layers.conv2d({ inputShape: [8, 8, 1], filters: 4, kernelSize: 3, activation: "relu", kernelInitializer: init(1) }),
      tfl.layers.averagePooling2d({ poolSize: 2 }),
      tfl.layers.flatten(),
      tfl.layers.dense({ units: 6, activation: "tanh", kernelInitializer: init(2) }),
      tfl.layers.dense({ units: 3, activation: "softmax", kernelInitializer: init(3) }),
    ],
  });
  return classifierOf(network, { contract: { input: {} }, outputs: "probabilities" });
}

function volumized(order?: "raster"): Classifier {
  const inputShape = [8, 8, 1] as const;
  const defense = bind("defense", { kind: "volumizedCurriculum", patch: 4, ...(order ? { order } : {}) });
  const plan = stackedPlan([defense], { inputShape, classes: 3 });
  const network = plan.network(convNetwork({ shape: [...inputShape], classes: 3 }));
  return classifierOf(network, { contract: { input: {} }, outputs: "logits", plan, inputShape, defenses: [documented(defense)] });
}

async function attacked(given: Params, model: Classifier, batch: ImageBatch, kind = "attentionAugmented") {
  const iterates: number[][] = [];
  const { entry: attack, params } = bind("attack", { kind, ...given });
  const trace = ({ images }: { images: Float32Array }) => void iterates.push(Array.from(images));
  const outcome = await attackBatch({ attack, params, model, batch, firstIndex: 0, seedName: "t", trace }, createContext());
  return { outcome, iterates };
}
const batchFor = (model: Classifier, n = 4): ImageBatch => labelledByModel(model, randomBatch(n, model.inputShape, 3, 3));
const imagesOf = ({ images, n }: Pick<ImageBatch, "images" | "n">, model: Classifier): Images =>
  tf.tensor4d(images, [n, ...model.inputShape]);

describe("the shift of attention", () => {
  it("∂(−D)/∂g = [1, −1] for Att₀ = [1, 0], g = [.6, .3], and D = .7", () => {
    const area = tf.tensor2d([[1, 0]]);
    const map = tf.tensor2d([[0.6, 0.3]]);
    const d = (g: tf.Tensor, reduction: "sum" | "mean") => tf.sum(attentionShift(area, g as tf.Tensor2D, reduction)) as tf.Scalar;
    expect(d(map, "sum").dataSync()[0]).toBeCloseTo(0.7, 6);
    expect(d(map, "mean").dataSync()[0]).toBeCloseTo(0.35, 6);
    expect(
      Array.from(
        tf
          .grad((g: tf.Tensor) => tf.neg(d(g, "sum")))(map)
          .dataSync(),
      ),
    ).toEqual([1, -1]);
    // at the ends of [0,1] too, where |Att₀ − g| has a corner
    expect(
      Array.from(
        tf
          .grad((g: tf.Tensor) => tf.neg(d(g, "sum")))(tf.tensor2d([[1, 0]]))
          .dataSync(),
      ),
    ).toEqual([1, -1]);
  });

  it("is nothing where the clean image has no area", () => {
    const map = tf.tensor2d([0.6, 0.3, 0.6, 0.3], [2, 2]);
    expect(attentionShift(tf.tensor2d([0, 0, 1, 0], [2, 2]), map, "sum").dataSync()[0]).toBe(0);
  });

  it.each([
    ["a piecewise linear head", () => plain()],
    ["a head that bends, and a softmax", curved],
    ["a volumized network", () => volumized("raster")],
  ])("has the gradient of finite differences: %s", (_, make) => {
    const model = make();
    const x = imagesOf(randomBatch(1, model.inputShape, 3, 7), model);
    const attention = attentionOf(model, imagesOf(randomBatch(1, model.inputShape, 3, 2), model), "");
    const { layer, classes, area } = attention;
    const gradient = gradientOf(model, x, (input) =>
      tf.sum(attentionShift(area, attentionMap(layersOf(model), input, classes, layer), "sum")),
    );
    const raw = (at: Images) => tf.reshape(gradCamMap(layersOf(model), at, classes, layer), area.shape) as tf.Tensor2D;
    const divided = (map: tf.Tensor2D): tf.Tensor2D => tf.div(map, tf.max(map));
    const value = (at: Images) => attentionShift(area, divided(raw(at)), "sum").dataSync()[0] as number;
    const slopes = gradient.dataSync();
    const random = createRandom(9);
    for (let trial = 0; trial < 4; trial++) {
      const direction = tf.tensor4d(random.uniforms(x.size, -1, 1), x.shape);
      const step = 3e-4; // no pool of these images has two values so close to its maximum
      const expected = (value(tf.add(x, tf.mul(direction, step))) - value(tf.sub(x, tf.mul(direction, step)))) / (2 * step);
      const along = direction.dataSync<"float32">().reduce((sum, d, j) => sum + d * (slopes[j] as number), 0);
      expect(Math.abs(along - expected)).toBeLessThan(2e-3 * Math.hypot(...slopes));
      expect(Math.abs(expected)).toBeGreaterThan(0);
    }
  });
});

describe("A³", () => {
  const settings = { eps: 0.1, steps: 4, stepSize: 0.03 };

  it.each([
    ["pgd", { norm: "l2" }, { eps: 1 }],
    ["pgd", { restarts: 2, momentum: 0.5 }, {}],
    ["cwPgd", { retire: true }, { randomStart: false }],
    ["bim", { loss: "margin" }, {}],
    ["fgsm", {}, {}],
    ["stepLL", {}, {}],
    ["iterStepLL", {}, {}],
  ])("σ = 0 is its base, bit for bit: %s %j %j", async (kind, inside, beside) => {
    const model = plain();
    const batch = batchFor(model);
    const given = { ...settings, randomStart: true, ...beside };
    const { properties } = bind("attack", { kind }).entry.params;
    const own = Object.fromEntries(Object.entries(given).filter(([name]) => name in properties));
    const [a, b] = [
      await attacked({ base: { kind, ...inside }, ...given, sigma: 0 }, model, batch),
      await attacked({ ...inside, ...own }, model, batch, kind),
    ];
    expect(a.iterates).toEqual(b.iterates);
    expect(a.outcome.records).toEqual(b.outcome.records);
    expect([a, b].map(({ outcome: o }) => [o.gradientEvaluations, o.forwardEvaluations])[0]).toEqual([
      b.outcome.gradientEvaluations,
      b.outcome.forwardEvaluations,
    ]);
    const shifted = await attacked({ base: { kind, ...inside }, ...given, sigma: 100 }, model, batch);
    expect(near(shifted.iterates.at(-1) ?? [], a.iterates.at(-1) ?? [])).toBeGreaterThan(0.01);
  });

  it.each([
    ["a plain model", () => plain()],
    // where the measure orders the slices, another order of them may undo what a step has gained
    ["a volumized model", () => volumized("raster")],
  ])("moves attention further with every iteration where nothing else counts: %s", async (_, make) => {
    const model = make();
    const batch = batchFor(model, 12);
    const attention = attentionOf(model, imagesOf(batch, model), "");
    const shiftOf = (images: readonly number[]): number => {
      const x = imagesOf({ ...batch, images: Float32Array.from(images) }, model);
      const map = attentionMap(layersOf(model), x, attention.classes, attention.layer);
      return tf.mean(attentionShift(attention.area, map, "sum")).dataSync()[0] as number;
    };
    for (const base of ["bim", "iterStepLL"]) {
      const { iterates } = await attacked({ base, eps: 0.1, steps: 5, sigma: 1e6 }, model, batch);
      const shifts = iterates.slice(0, -1).map(shiftOf); // the last one is the result, which the harness may have chosen
      expect(shifts).toHaveLength(5);
      for (let i = 1; i < shifts.length; i++) expect(shifts[i]).toBeGreaterThan(shifts[i - 1] as number);
    }
  });

  it("adds σ·D to what is ascended, with and without a target, and to a penalty that is there", () => {
    const model = plain();
    const batch = batchFor(model);
    const x = imagesOf(batch, model);
    const attention = attentionOf(model, x, "");
    const d = tf
      .sum(attentionShift(attention.area, attentionMap(layersOf(model), x, attention.classes, attention.layer), "mean"))
      .dataSync()[0];
    const penalised: Classifier = { ...model, penalty: (images) => tf.sum(images) as tf.Scalar };
    const of = (one: Classifier) => distracted(one, attention, { sigma: 3, reduction: "mean" }).penalty?.(x).dataSync()[0];
    expect(of(model)).toBeCloseTo(-3 * (d as number), 5);
    expect(of(penalised)).toBeCloseTo(-3 * (d as number) + (tf.sum(x).dataSync()[0] as number), 3);
  });

  it("is its base where the clean map is zero everywhere", async () => {
    // The class that is seen has but negative weights on what a ReLU lets through, and a bias: nothing speaks for it.
    const network = tfl.sequential({
      layers: [
        tfl.layers.conv2d({ inputShape: [4, 4, 1], filters: 2, kernelSize: 3, padding: "same", activation: "relu" }),
        tfl.layers.flatten(),
        tfl.layers.dense({ units: 2 }),
      ],
    });
    const weights = Array.from({ length: 64 }, (_, i) => (i % 2 === 0 ? -0.1 : 0.05));
    network.setWeights([tf.fill([3, 3, 1, 2], 0.2), tf.zeros([2]), tf.tensor2d(weights, [32, 2]), tf.tensor1d([20, 0])]);
    const model = classifierOf(network, { contract: { input: {} }, outputs: "logits" });
    const batch = batchFor(model, 2);
    expect(Array.from(batch.labels)).toEqual([0, 0]);
    const [a, b] = [await attacked({ base: "bim", ...settings }, model, batch), await attacked(settings, model, batch, "bim")];
    expect(a.iterates).toEqual(b.iterates);
    expect(a.outcome.notes.notFinite).toBe(0);
  });

  it("wraps an attack that computes on parts of its batch", async () => {
    const model = plain();
    const batch = batchFor(model, 5);
    const base = { kind: "lavan", size: 0.5, target: -1, confidence: 0.4 };
    const { entry: attack, params } = bind("attack", { kind: "attentionAugmented", base, steps: 12, sigma: 0.1 });
    const run = (one: ImageBatch, firstIndex: number) =>
      attackBatch({ attack, params, model, batch: one, firstIndex, seedName: "t" }, createContext());
    const all = await run(batch, 0);
    expect(new Set(all.records.map(({ iterations }) => iterations)).size).toBeGreaterThan(1);
    for (let i = 0; i < 5; i++) {
      const alone = await run({ images: batch.images.slice(i * 64, (i + 1) * 64), labels: batch.labels.slice(i, i + 1), n: 1 }, i);
      expect(near(alone.adversarial, all.adversarial.slice(i * 64, (i + 1) * 64))).toBeLessThan(1e-6);
    }
    const surface = distracted(model, attentionOf(model, imagesOf(batch, model), ""), { sigma: 1, reduction: "sum" });
    const two = imagesOf(randomBatch(2, model.inputShape, 3), model);
    expect(() => surface.penalty?.(two)).toThrow(/parts of its batch/);
    expect(() => surface.ofRows?.([4, 1]).penalty?.(two)).not.toThrow();
  });

  it("refuses a model without a convolution, a layer that is none, and attacks without a gradient of their own", async () => {
    const flat = linearClassifier([Array(16).fill(0.1), Array(16).fill(0)], [4, 4, 1]);
    await expect(attacked({}, flat, batchFor(flat, 1))).rejects.toMatchObject({
      code: "PARAMETER_INVALID",
      message: "The model has no layer with a grid, which A³ reads.",
      fix: "Choose a model with convolutions.",
    });
    const model = plain();
    await expect(attacked({ layer: "nowhere" }, model, batchFor(model, 1))).rejects.toThrow(/no layer "nowhere" with a grid/);
    for (const base of ["sparseRs", "nPixel", "adversarialPatch", "attentionAugmented"])
      await expect(attacked({ base }, model, batchFor(model, 1))).rejects.toThrow(`attentionAugmented: ${base} does not follow`);
    await expect(attacked({ base: { kind: "pgd", eps: 0.3 } }, model, batchFor(model, 1))).rejects.toMatchObject({
      message: `attentionAugmented: eps is 0.3 in the base attack and ${4 / 255} beside it.`,
    });
    await expect(attacked({ eps: 8 }, model, batchFor(model, 1))).rejects.toThrow(/eps is 8, but pixels lie between 0 and 1/);
    await expect(attacked({ base: { kind: "pgd", target: 3 } }, model, batchFor(model, 1))).rejects.toThrow(/class 3.*has 3/);
  });

  it("says what it wraps, and aims where that aims", () => {
    const bound = bind("attack", { kind: "attentionAugmented", base: { kind: "pgd", target: 2 } });
    expect(labelOf(bound)).toBe("A³, σ 10, around PGD-3, ε 4/255, target 2");
    expect(labelOf(bind("attack", { kind: "attentionAugmented", reduction: "mean" }))).toBe("A³, σ 10 (mean), around PGD-3, ε 4/255");
    expect(aimedAt(documented(bound))).toBe(2);
    expect(evaluationsOf(bound.entry, bound.params)).toEqual({ forward: 2, gradient: 6 });
    const least = bind("attack", { kind: "attentionAugmented", base: "iterStepLL" });
    expect(least.entry.target?.(least.params)).toBe("leastLikely");
  });
});
