import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import type { Classifier } from "../../../../src/engine/classifier/classifier.ts";
import { defended } from "../../../../src/engine/classifier/defended.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { isInference } from "../../../../src/engine/define/index.ts";
import { gradientCheck } from "../../../../src/engine/harness/gradientCheck.ts";
import { attackBatch } from "../../../../src/engine/harness/runAttack.ts";
import { survivorsAmong } from "../../../../src/engine/harness/unbounded.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { bind } from "../../../../src/engine/registry.ts";
import { armRules } from "../../../../src/engine/rules/index.ts";
import { findingsOf } from "../../../../src/engine/rules/rule.ts";
import { openModel } from "../../../../src/engine/session/openModel.ts";
import { type Images, type Logits, tf } from "../../../../src/engine/tf.ts";
import { digits } from "../attacks/digits.ts";

const batch = digits(16);
let plain: Classifier;
beforeAll(async () => {
  await useBackend("onnxruntime");
  plain = (await openModel(path.resolve(import.meta.dirname, "../../../../samples/models/papernot"))).classifier;
});
afterAll(() => plain.dispose());

/** The rules that speak of gradients, on a model. */
async function found(model: Classifier): Promise<string[]> {
  const gradients = await gradientCheck(model, batch, createContext());
  return findingsOf(
    armRules,
    { departures: [], clean: [], isTrainedHere: true, hasFront: false, unbounded: null, gradients, probed: null },
    {},
  ).map(({ rule }) => rule);
}

/** Its value is f(x), its gradient that of `slope`, by default none. */
const masked = (f: (x: tf.Tensor) => tf.Tensor, slope = (dy: tf.Tensor): tf.Tensor => tf.zerosLike(dy)) =>
  tf.customGrad((x) => ({ value: f(x as tf.Tensor), gradFunc: (dy: tf.Tensor) => slope(dy) }));
/** The same predictions with logits 100 times as large: float32 has no more room between 1 and the softmax. */
const hot = (): Classifier => ({ ...plain, logits: (x) => tf.tidy(() => tf.mul(plain.logits(x), 100) as Logits) });
/** Images in 4 levels, as a layer would round them. */
const rounded = (): Classifier => {
  const round = masked((x) => tf.div(tf.round(tf.mul(x, 3)), 3));
  return { ...plain, logits: (x) => tf.tidy(() => plain.logits(round(x) as Images)) };
};
/**
 * The 16 largest of 64 values of a layer stay, the others are 0 (Xiao et al. 2020): the gradient is that of the winners, and winners change
 * at the smallest change of the image.
 */
function winners(): Classifier {
  const random = createRandom(4);
  const kernel = tf.tensor2d(
    Float32Array.from({ length: 784 * 64 }, () => random.normal()),
    [784, 64],
  );
  const head = tf.tensor2d(
    Float32Array.from({ length: 64 * 10 }, () => random.normal()),
    [64, 10],
  );
  const logits = (x: Images): Logits =>
    tf.tidy(() => {
      const all = tf.matMul(tf.reshape(x, [-1, 784]), kernel);
      const threshold = masked(
        (values) => tf.slice(tf.topk(values, 16).values, [0, 15], [-1, 1]),
        () => tf.zeros([all.shape[0] ?? 1, 64]),
      );
      return tf.matMul(tf.mul(all, tf.step(tf.sub(all, threshold(all)))), head) as Logits;
    });
  return { ...plain, logits };
}

describe("gradients that are masked raise a rule", () => {
  it("a temperature: zero, and saturated", async () => {
    const evidence = await gradientCheck(hot(), batch, createContext());
    expect(evidence).toMatchObject({ n: 16, notFinite: 0, saturated: 16 });
    expect(evidence?.zero).toBeGreaterThan(0);
    expect(evidence?.agreement).toBeGreaterThan(0.9); // that of the margin is as it was
    expect(await found(hot())).toEqual(["RB105", "RB107"]);
  });

  it("rounding: zero everywhere", async () => {
    expect(await gradientCheck(rounded(), batch, createContext())).toMatchObject({ zero: 16, saturated: 0 });
    expect(await found(rounded())).toEqual(["RB105"]);
  });

  it("k winners: not the slope of what the model computes", async () => {
    expect(await found(winners())).toEqual(["RB106"]);
  });

  it("a gradient that is no number", async () => {
    const broken = masked(
      (x) => x,
      (dy) => tf.mul(dy, Number.NaN),
    );
    const model = { ...plain, logits: (x: Images) => tf.tidy(() => plain.logits(broken(x) as Images)) };
    expect(await gradientCheck(model, batch, createContext())).toMatchObject({ notFinite: 16, zero: 0, agreement: null });
    expect(await found(model)).toEqual(["RB105"]);
  });
});

it("a plain model raises none of them, and pays for nothing", async () => {
  const before = { ...plain.evaluations };
  expect(await found(plain)).toEqual([]);
  expect(plain.evaluations).toEqual(before);
  const tensors = tf.memory().numTensors;
  await gradientCheck(plain, batch, createContext());
  expect(tf.memory().numTensors).toBe(tensors);
});

it("a defence in front that declares BPDA is not compared with differences, and one that is exact is", async () => {
  const behind = (kind: string, params: object): Classifier => {
    const bound = bind("defense", { kind, ...params });
    if (!isInference(bound)) throw new Error(`${kind} does not stand in front`);
    return defended(plain, [bound], { random: () => createRandom(1) });
  };
  expect((await gradientCheck(behind("bitDepth", { depth: 2 }), batch, createContext()))?.agreement).toBeNull();
  expect((await gradientCheck(behind("gaussianFilter", { window: 3 }), batch, createContext()))?.agreement).toBeGreaterThan(0.95);
});

it("nothing is asked of a model without gradients", async () => {
  const forwardOnly = { file: "m.onnx", reason: "it has a node", fix: "Export it without." };
  expect(await gradientCheck({ ...plain, forwardOnly }, batch, createContext())).toBeNull();
});

it("RB206: an attack that may change an image at will breaks a plain model, and not one whose gradient is masked", async () => {
  const survivors = async (model: Classifier) => {
    const { entry, params } = bind("attack", { kind: "deepFool", steps: 20 });
    const task = { attack: entry, params, model, batch, firstIndex: 0, seedName: "t" };
    const { records } = await attackBatch(task, createContext());
    const unbounded = { attack: "deepFool", attackKey: "deepFool", classes: 10, ...survivorsAmong(records) };
    return findingsOf(
      armRules,
      { departures: [], clean: [], isTrainedHere: true, hasFront: false, unbounded, gradients: null, probed: null },
      {},
    ).map(({ rule }) => rule);
  };
  expect(await survivors(plain)).toEqual([]);
  expect(await survivors(rounded())).toEqual(["RB206"]);
});
