import { beforeAll, describe, expect, it } from "vitest";
import { jsma } from "../../../../src/engine/attacks/pixels/jsma.ts";
import { saliencyPair } from "../../../../src/engine/attacks/pixels/saliencyPair.ts";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import type { Classifier } from "../../../../src/engine/classifier/classifier.ts";
import { classifierOf } from "../../../../src/engine/classifier/network.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { evaluationsOf, type ImageBatch, type Params, resolveParams } from "../../../../src/engine/define/index.ts";
import { attackBatch } from "../../../../src/engine/harness/runAttack.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { tf, tfl } from "../../../../src/engine/tf.ts";
import { convNetwork, labelledByModel, linearClassifier, randomBatch } from "../fixtures.ts";

const attack = (model: Classifier, batch: ImageBatch, o: Params, { seed = 1, firstIndex = 0 } = {}) => {
  const params = resolveParams(jsma.params, o, "jsma");
  return attackBatch({ attack: jsma, params, model, batch, firstIndex, seedName: "t" }, createContext({ seed }));
};
/** Features of image i that differ, and what they are then. */
function changes({ adversarial, clean }: { adversarial: Float32Array; clean: Float32Array }): [feature: number, value: number][] {
  return Array.from(clean.keys())
    .filter((i) => adversarial[i] !== clean[i])
    .map((i) => [i, adversarial[i] as number]);
}
const all = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

describe("the pair scan", () => {
  // ∂z/∂x of three classes and features, target 0: A and B of the pairs are (.3, −.1), (.6, −.43) and (−.1, .27)
  const u = Float32Array.of(0.5, -0.2, 0.1);
  const v = Float32Array.of(0.3 + 0.1, -0.1 - 0.2, 0.05 - 0.02);

  it("takes the pair of the largest −A·B, and none where the signs are wrong", () => {
    expect(saliencyPair(u, v, [0, 1, 2])).toEqual([0, 2]); // .258 against .03
    expect(saliencyPair(u, v, [0, 1])).toEqual([0, 1]);
    expect(saliencyPair(u, v, [1, 2])).toBeNull();
    expect(saliencyPair(u, v, [0])).toBeNull();
    expect(saliencyPair(new Float32Array(3), new Float32Array(3), [0, 1, 2])).toBeNull();
    expect(saliencyPair(Float32Array.of(Number.NaN, 1, 1), Float32Array.of(1, 1, 1), [0, 1, 2])).toEqual([1, 2]);
  });

  /** The matrix of all scores, as the published code has it, and its first largest entry. */
  function byMatrix(a: Float32Array, b: Float32Array, domain: readonly number[]): [number, number] | null {
    let found: [number, number] | null = null;
    let best = 0;
    for (const i of domain)
      for (const j of domain) {
        const [towards, away] = [(a[i] as number) + (a[j] as number), (b[i] as number) + (b[j] as number)];
        const score = i !== j && towards > 0 && away > 0 ? towards * away : 0;
        if (score > best) [best, found] = [score, [i, j]];
      }
    return found;
  }

  it("is the scan over all pairs, ties included, though it looks at few of them", () => {
    const rng = createRandom(3);
    for (let round = 0; round < 300; round++) {
      const n = 2 + rng.integer(24);
      const coarse = round % 3 === 0 ? 3 : 1e6; // a third with many equal values
      const values = (): Float32Array => rng.uniforms(n, -1, 1).map((value) => Math.round(value * coarse) / coarse);
      const a = values();
      const b = round % 5 === 0 ? a.map((value) => -value) : round % 5 === 1 ? a : values(); // opposed, equal, independent
      const domain = all(n).filter(() => rng.next() < 0.8);
      expect(saliencyPair(a, b, domain)).toEqual(byMatrix(a, b, domain));
    }
  });
});

describe("on linear models, whose Jacobian is known", () => {
  beforeAll(() => useBackend("cpu"));
  const image = (values: readonly number[]): ImageBatch => ({ images: Float32Array.from(values), labels: Int32Array.of(0), n: 1 });
  const grey = (n: number, value = 0.5): ImageBatch => image(all(n).map(() => value));

  it("changes pair after pair to 1 and stops when the target is reached", async () => {
    // A = w_i + w_j = −B: the largest two weights first. z₁ − z₀ = 2·w·x − 14 is −5.3 at .5 and gains w where a feature goes to 1.
    const w = [0.1, 3, -1, 0.2, 4, 2, 0.3, 0.1, 0];
    const model = linearClassifier([w.map((x) => -x), w], [3, 3, 1], [0, -14]);
    const outcome = await attack(model, grey(9), { target: 1, gamma: 1 });
    expect(changes(outcome)).toEqual([
      [1, 1],
      [4, 1],
    ]);
    expect(outcome.records[0]).toMatchObject({ success: true, prediction: 1, target: 1, l0: 2, iterations: 1 });
    expect(outcome.gradientEvaluations).toBe(2 * 2); // two Jacobian rows before the pair, two behind it
  });

  it("leaves alone what is at the end already, adds θ, and darkens with a negative one", async () => {
    const w = [5, 3, 2, 1];
    const hopeless = linearClassifier([w.map((x) => -x), w], [2, 2, 1], [0, -100]);
    const start = image([1, 0.5, 0.25, 0.125]);
    expect(changes(await attack(hopeless, start, { gamma: 0.5, theta: 0.25 }))).toEqual([
      [1, 0.75],
      [2, 0.5],
    ]);
    const falling = linearClassifier([w, w.map((x) => -x)], [2, 2, 1], [0, -100]);
    expect(changes(await attack(falling, start, { gamma: 0.5, theta: -1 }))).toEqual([
      [0, 0],
      [1, 0],
    ]);
    expect(() => resolveParams(jsma.params, { theta: 0 }, "jsma")).toThrow(/theta is 0/);
  });

  it("stops as failed where no pair has the signs", async () => {
    const w = [1, 2, 3, 4];
    const outcome = await attack(linearClassifier([w, w], [2, 2, 1], [1, 0]), grey(4), { gamma: 1 });
    expect(changes(outcome)).toEqual([]);
    expect(outcome.records[0]).toMatchObject({ success: false, target: 1 });
    expect(outcome.gradientEvaluations).toBe(2);
  });

  it.each([
    [[28, 28, 1], 2 * 39],
    [[32, 32, 3], 2 * 153],
  ] as const)("an image of %j changes %i features at most, each to 1, whatever their number of pixels", async (shape, most) => {
    const n = shape[0] * shape[1] * shape[2];
    const w = all(n).map((i) => 1 + (i % 97) / 97);
    const model = linearClassifier([w.map((x) => -x), w], [...shape], [0, -1e6]);
    const outcome = await attack(model, grey(n), {});
    const changed = changes(outcome);
    expect(changed).toHaveLength(most);
    expect(changed.every(([, value]) => value === 1)).toBe(true);
    const pixels = new Set(changed.map(([feature]) => Math.floor(feature / shape[2])));
    expect(outcome.records[0]?.l0).toBe(pixels.size);
    expect(outcome.notes.outOfBall).toBe(0);
    expect(outcome.gradientEvaluations).toBe(most);
    expect(evaluationsOf(jsma, resolveParams(jsma.params, {}, "jsma"), model)).toEqual({ forward: 0, gradient: most });
  });

  it("on probabilities takes the largest ∂p_t, which ends elsewhere than on logits", async () => {
    const rows = [
      [1, 3, 0, 2],
      [3, 3, 2, 2.5],
      [-3, -4, -1, 1],
    ];
    const bias = [9, 0, -1];
    const model = linearClassifier(rows, [2, 2, 1], bias);
    // Logits towards 1: u = (3, 3, 2, 2.5), v = (2, 1, 1, −3), −A·B is 18 of pair (0, 1), 15 of (0, 2). Probabilities: ∂p_t ~ w_t − Σ p_k w_k.
    const z = rows.map((row, k) => row.reduce((sum, x) => sum + x / 2, bias[k] as number));
    const total = z.reduce((sum, x) => sum + Math.exp(x), 0);
    const slopeOf = (t: number, j: number): number =>
      (rows[t]?.[j] as number) - rows.reduce((sum, row, k) => sum + (Math.exp(z[k] as number) / total) * (row[j] as number), 0);
    const best = (t: number): number[] =>
      all(4)
        .sort((i, j) => slopeOf(t, j) - slopeOf(t, i))
        .slice(0, 2)
        .sort();
    const featuresOf = async (target: number, on: string) =>
      changes(await attack(model, grey(4), { target, on, gamma: 0.5 })).map(([feature]) => feature);
    expect(await featuresOf(1, "probabilities")).toEqual(best(1));
    expect(best(1)).toEqual([0, 2]);
    expect(await featuresOf(1, "logits")).toEqual([0, 1]);
    // ∂p₂ is negative everywhere.
    expect(best(2).map((j) => slopeOf(2, j) > 0)).toEqual([false, false]);
    expect(await featuresOf(2, "probabilities")).toEqual([]);
    const { gradientEvaluations } = await attack(model, grey(4), { target: 2, on: "probabilities", gamma: 0.5 });
    expect(gradientEvaluations).toBe(1); // one row: the other is its negative
  });

  it("where classes do not exclude each other, weighs each of the others by the slope of its own sigmoid", async () => {
    const rows = [
      [-4, 0, 0, -1],
      [1, 1, 1, 1],
      [0, -4, -3, 0],
    ];
    // z = (0, −3, −20): v = ¼·(4, 0, 0, 1) of the sigmoids, and (4, 4, 3, 1) of the logits
    const model = { ...linearClassifier(rows, [2, 2, 1], [2.5, -5, -16.5]), isMultiLabel: true };
    const featuresOn = async (on: string) =>
      changes(await attack(model, grey(4), { target: 1, on, gamma: 0.5 })).map(([feature]) => feature);
    expect(await featuresOn("probabilities")).toEqual([0, 3]);
    expect(await featuresOn("logits")).toEqual([0, 1]);
  });

  it("does not lose its way where probabilities underflow", async () => {
    const w = [1, 2, 3, 4].map((x) => 100 * x);
    const model = linearClassifier([w.map((x) => -x), w], [2, 2, 1], [0, -2500]); // p₁ = e^(−1500)
    expect(changes(await attack(model, grey(4), { gamma: 0.5, on: "probabilities" })).map(([feature]) => feature)).toEqual([2, 3]);
  });
});

describe("on a network", () => {
  beforeAll(() => useBackend("cpu"));
  const network = (): Classifier =>
    classifierOf(convNetwork({ shape: [6, 6, 3], classes: 4 }), { contract: { input: {} }, outputs: "logits" });

  it("gives an image alone what it gives in a batch, with a target of its own", async () => {
    const model = network();
    const batch = labelledByModel(model, randomBatch(6, model.inputShape, 4));
    const many = await attack(model, batch, { gamma: 0.3 });
    const targets = many.records.map(({ target }) => target);
    expect(targets.every((target, i) => target !== batch.labels[i])).toBe(true);
    expect(new Set(targets).size).toBeGreaterThan(1);
    const features = many.records.map(({ success, prediction, target }) => success === (prediction === target));
    expect(features).toEqual(features.map(() => true));
    const one = { images: batch.images.slice(4 * 108, 5 * 108), labels: batch.labels.slice(4, 5), n: 1 };
    const alone = await attack(model, one, { gamma: 0.3 }, { firstIndex: 4 });
    expect(alone.records[0]).toEqual(many.records[4]);
    expect(alone.adversarial).toEqual(many.adversarial.slice(4 * 108, 5 * 108));
  });

  it("refuses a class that the model lacks", async () => {
    const model = network();
    const batch = labelledByModel(model, randomBatch(1, model.inputShape, 4));
    await expect(attack(model, batch, { target: 4 })).rejects.toMatchObject({ code: "PARAMETER_INVALID" });
    expect(() => resolveParams(jsma.params, { target: -1 }, "jsma")).toThrow(/target/);
  });
});

describe("beside another implementation", () => {
  beforeAll(() => useBackend("cpu"));

  /** The same weights as the reference has: ReLU(x·W1 + b1)·W2 + b2, rounded to hundredths. */
  function network(): Classifier {
    const [features, hidden, classes] = [12, 6, 4];
    const hundredths = (n: number, value: (i: number) => number) => Array.from({ length: n }, (_, i) => Math.round(100 * value(i)) / 100);
    const kernel = (rows: number, columns: number, by: number) =>
      tf.tensor2d(
        hundredths(rows * columns, (i) => Math.sin(1 + by * i)),
        [rows, columns],
      );
    const { dense, flatten } = tfl.layers;
    const layers = [flatten({ inputShape: [2, 2, 3] }), dense({ units: hidden, activation: "relu" }), dense({ units: classes })];
    const made = tfl.sequential({ layers });
    const [b1, b2] = [hundredths(hidden, Math.cos), hundredths(classes, (i) => Math.cos(2 * i) / 2)];
    made.setWeights([kernel(features, hidden, 1.7), tf.tensor1d(b1), kernel(hidden, classes, 2.3), tf.tensor1d(b2)]);
    return classifierOf(made, { contract: { input: {} }, outputs: "logits" });
  }
  const imageOf = (s: number): ImageBatch => ({
    images: Float32Array.from({ length: 12 }, (_, i) => Math.round(50 * (Math.sin(3 * s + 5 * i) + 1)) / 100),
    labels: Int32Array.of(0),
    n: 1,
  });

  // The loop of cleverhans in Python: float64, Jacobian by torch 1.13, all pairs one by one. In each step, the best pair is ahead by 3 % or more.
  it.each([
    [0, 1, 1, "logits", "4,7 1,9 2,6 5,10", false],
    [0, 1, 1, "probabilities", "4,9 1,7 2,10 6,11 0,5 3,8", false],
    [0, 1, -1, "logits", "0,8 3,5 1,6 4,9 2,10", false],
    [0, 3, -1, "probabilities", "1,6 3,9", true],
    [1, 1, -1, "probabilities", "3,11 0,5 6,8 2,10 1,9", false],
    [2, 1, 0.4, "logits", "4,7 1,2 9,10 6,11", false],
    [2, 1, 1, "probabilities", "4,9 2,7 1,6 5,10 3,11", false],
    [3, 1, 0.4, "probabilities", "4,7 6,9 2,10 3,11", false],
    [4, 1, -1, "logits", "0,8 3,5", false],
    [5, 2, 1, "logits", "1,6 9,11", true],
    [5, 1, 1, "probabilities", "4,7 1,9 5,10 2,6", false],
  ] as const)(
    "image %i towards class %i with θ %f on %s changes the same pairs in the same order",
    async (s, target, theta, on, order, reached) => {
      const model = network();
      let before: number[] = [];
      const pairs: string[] = [];
      for (let most = 1; most <= 6; most++) {
        const outcome = await attack(model, imageOf(s), { target, theta, on, gamma: most / 6 });
        const changed = changes(outcome).map(([feature]) => feature);
        const added = changed.filter((feature) => !before.includes(feature));
        if (added.length > 0) pairs.push(added.join(","));
        before = changed;
        expect(outcome.records[0]?.prediction === target).toBe(reached && pairs.length === order.split(" ").length);
      }
      expect(pairs.join(" ")).toBe(order);
    },
  );
});
