import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import type { Classifier, LayerSource } from "../../../../src/engine/classifier/classifier.ts";
import { defended } from "../../../../src/engine/classifier/defended.ts";
import { classifierOf } from "../../../../src/engine/classifier/network.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { type Images, tf, tfl } from "../../../../src/engine/tf.ts";
import { near } from "../fixtures.ts";
import { noisy } from "./noisy.ts";

beforeAll(() => useBackend("cpu"));

const init = (seed: number) => tfl.initializers.glorotUniform({ seed });
const conv = (name: string, seed: number) =>
  tfl.layers.conv2d({ filters: 2, kernelSize: 3, padding: "same", activation: "relu", kernelInitializer: init(seed), name });
type Symbolic = tfl.SymbolicTensor;

/** conv a, then conv b; c beside them, from the picture; all added to a's value, then a dense layer. */
function branches(): Classifier {
  const input = tfl.input({ shape: [4, 4, 1], name: "picture" });
  const a = conv("a", 1).apply(input) as Symbolic;
  const sum = tfl.layers.add({ name: "sum" }).apply([a, conv("b", 2).apply(a) as Symbolic, conv("c", 3).apply(input) as Symbolic]);
  const scores = tfl.layers.dense({ units: 3, kernelInitializer: init(4) }).apply(tfl.layers.flatten().apply(sum));
  return classifierOf(tfl.model({ inputs: input, outputs: scores as Symbolic }), { contract: { input: {} }, outputs: "logits" });
}
const random = (shape: [number, number, number, number]): Images =>
  tf.tensor4d(createRandom(5).uniforms(shape.reduce((p, q) => p * q)), shape);
const sourceOf = ({ layers }: Classifier): LayerSource => layers ?? expect.unreachable("no layers");
/** Passes of images 0, 0, 1 by these factors: the same for a whole layer. */
const rows = [0, 0, 1];
const times = (factors: readonly number[]) => (value: tf.Tensor) => tf.mul(value, tf.tensor4d([...factors], [factors.length, 1, 1, 1]));

describe("layers that are sampled", () => {
  it("give each pass what the layers give one by one, along every path", () => {
    const model = branches();
    const source = sourceOf(model);
    const x = random([2, 4, 4, 1]);
    const [a, b] = [
      [1, 0, 2],
      [3, 1, 0],
    ];
    const sampling = { rows, change: new Map(Object.entries({ a: times(a as number[]), b: times(b as number[]) })) };
    const together = source.run(x, { sampling }).logits;
    expect(together.shape).toEqual([3, 3]);
    rows.forEach((image, pass) => {
      const one = tf.slice(x, [image, 0, 0, 0], [1, 4, 4, 1]) as Images;
      const value = times([a?.[pass] as number])(source.run(one, { take: ["a"] }).taken.get("a") as tf.Tensor);
      const behind = source.run(one, { from: { layer: "a", value }, take: ["b"] }).taken.get("b") as tf.Tensor;
      const c = source.run(one, { take: ["c"] }).taken.get("c") as tf.Tensor;
      const sum = tf.addN([value, times([b?.[pass] as number])(behind), c]);
      const expected = source.run(one, { from: { layer: "sum", value: sum } }).logits.dataSync();
      expect(near(tf.slice(together, [pass, 0], [1, 3]).dataSync(), expected)).toBeLessThan(1e-6);
    });
  });

  it("go on from the plain value of the first of them, for passes of several images", () => {
    const source = sourceOf(branches());
    const x = random([2, 4, 4, 1]);
    const change = new Map(Object.entries({ a: times([1, 0.5, 2]), b: times([0, 1, 1]) }));
    const value = source.run(x, { take: ["a"] }).taken.get("a") as tf.Tensor;
    const whole = source.run(x, { sampling: { rows, change } }).logits.dataSync();
    expect(near(source.run(x, { from: { layer: "a", value }, sampling: { rows, change } }).logits.dataSync(), whole)).toBe(0);
  });

  it("let gradients through to the images, each pass to its own", async () => {
    const source = sourceOf(branches());
    const x = random([2, 4, 4, 1]);
    const passesOf = (which: readonly number[], factors: readonly number[]) => (input: tf.Tensor) =>
      tf.sum(source.run(input as Images, { sampling: { rows: which, change: new Map([["a", times(factors)]]) } }).logits);
    const all = await tf
      .grad(passesOf(rows, [1, 2, 3]))(x)
      .data();
    const first = await tf
      .grad(passesOf([0, 0], [1, 2]))(x)
      .data();
    const second = await tf
      .grad(passesOf([1], [3]))(x)
      .data();
    expect(
      near(
        all,
        Float32Array.from(first, (value, i) => value + (second[i] as number)),
      ),
    ).toBeLessThan(1e-5);
    expect(near(first.slice(16), new Float32Array(16))).toBe(0);
  });

  it("count a forward pass for every row, and see one draw of a randomised defence in front", () => {
    const model = defended(branches(), [noisy], { random: (i) => createRandom(i) });
    const source = sourceOf(model);
    const x = random([2, 4, 4, 1]);
    const before = model.evaluations.forward;
    const same = source.run(x, { sampling: { rows, change: new Map([["a", times([1, 1, 1])]]) } }).logits.dataSync();
    expect(model.evaluations.forward - before).toBe(3);
    const plain = source.run(x).logits.dataSync();
    expect(near(same, [...plain.slice(0, 3), ...plain.slice(0, 3), ...plain.slice(3)])).toBeLessThan(1e-6);
  });

  it("leave no tensor behind", () => {
    const source = sourceOf(branches());
    const x = random([2, 4, 4, 1]);
    const sampling = { rows, change: new Map([["a", times([1, 2, 3])]]) };
    const before = tf.memory().numTensors;
    tf.tidy(() => void source.run(x, { sampling }));
    source.run(x, { sampling }).logits.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
