import { beforeEach, expect, test } from "vitest";
import { flush, freeze, useBackend } from "../../../src/engine/backends/index.ts";
import { OnnxBackend } from "../../../src/engine/backends/onnxruntime/backend.ts";
import { loadNative } from "../../../src/engine/backends/onnxruntime/native.ts";
import { dependentRead, tf } from "../../../src/engine/tf.ts";
import { evaluate, lenet, noise } from "./nets.ts";

beforeEach(async () => {
  await useBackend("cpu");
  await useBackend("onnxruntime");
});
const backend = (): OnnxBackend => tf.backend() as OnnxBackend;

test("training and attack steps leave no tensor behind", () => {
  const network = lenet();
  const optimizer = tf.train.adam(0.01);
  const x = tf.tensor(noise(4 * 196, { seed: 3 }), [4, 14, 14, 1]);
  const y = tf.oneHot(tf.tensor1d([1, 2, 3, 4], "int32"), 10);
  const loss = (input: tf.Tensor): tf.Scalar => tf.losses.softmaxCrossEntropy(y, network.apply(input) as tf.Tensor);
  const train = (): number => tf.tidy(() => optimizer.minimize(() => loss(x), true)?.dataSync()[0] ?? Number.NaN);
  const attack = (): void =>
    tf.tidy(
      () =>
        void tf
          .grad((input: tf.Tensor) => loss(input))(x)
          .sign()
          .dataSync(),
    );
  const first = train();
  attack();
  const before = { tensors: tf.memory().numTensors, data: tf.memory().numDataBuffers, sessions: backend().sessions.compilations };
  let last = first;
  for (let i = 0; i < 30; i++) last = train();
  for (let i = 0; i < 5; i++) attack();
  // The optimiser makes its moments in the first step, so the second one is a graph of its own.
  expect(backend().sessions.compilations - before.sessions).toBeLessThanOrEqual(1);
  expect(tf.memory().numTensors).toBe(before.tensors);
  expect(tf.memory().numDataBuffers).toBe(before.data);
  expect(last).toBeLessThan(first / 2);
});

test("a frozen network computes what the same one computes unfrozen, and follows its weights", () => {
  const network = lenet();
  const [plain] = evaluate(network, 5);
  const thaw = freeze(network);
  const compiled = backend().sessions.compilations;
  const [frozen] = evaluate(network, 5);
  expect(backend().sessions.compilations).toBeGreaterThan(compiled);
  for (const [i, value] of (plain ?? []).entries()) expect(frozen?.[i]).toBeCloseTo(value, 4);

  // New weights while frozen: not the old ones' results.
  network.setWeights(network.getWeights().map((weight) => weight.mul(2)));
  const [doubled] = evaluate(network, 5);
  expect(Math.abs((doubled?.[0] ?? 0) - (plain?.[0] ?? 0))).toBeGreaterThan(1e-3);
  thaw();
  const [thawed] = evaluate(network, 5);
  for (const [i, value] of (doubled ?? []).entries()) expect(thawed?.[i]).toBeCloseTo(value, 4);
});

test("sessions are bounded by bytes, and graphs that were dropped are compiled again", () => {
  const small = new OnnxBackend(loadNative(), 1, { bytes: 4000 });
  tf.registerBackend("bounded", () => small);
  tf.copyRegisteredKernels("onnxruntime", "bounded");
  tf.setBackend("bounded");
  const x = tf.tensor1d([1, 2, 3]);
  const add = (steps: number): number =>
    tf.tidy(() => {
      let y: tf.Tensor = x;
      for (let i = 0; i < steps; i++) y = y.add(1);
      return y.dataSync()[0] ?? Number.NaN;
    });
  for (let steps = 1; steps <= 40; steps++) expect(add(steps)).toBe(1 + steps);
  expect(small.sessions.compilations).toBe(40);
  expect(small.sessions.size).toBeLessThan(20);
  expect(add(1)).toBe(2);
  expect(small.sessions.compilations).toBe(41);
  x.dispose();
});

test("values may be read in the middle of a gradient", () => {
  const seen: number[] = [];
  const gradient = tf.grad((x: tf.Tensor) => {
    const square = x.square();
    seen.push(...dependentRead(square));
    return square.mul(x).sum();
  })(tf.tensor1d([1, 2, -3]));
  expect(seen).toEqual([1, 4, 9]);
  expect(Array.from(gradient.dataSync())).toEqual([3, 12, 27]);
});

test("a disposed tensor still feeds what was recorded from it", () => {
  const x = tf.tensor1d([1, 2]);
  const y = x.add(1);
  const z = y.mul(10);
  x.dispose();
  y.dispose();
  expect(Array.from(z.dataSync())).toEqual([20, 30]);
  expect(() => y.dataSync()).toThrow(/disposed/);
});

test("the caller's buffer may be reused before anything is computed", () => {
  const buffer = Float32Array.of(1, 2);
  const y = tf.tensor1d(buffer).mul(3);
  buffer.fill(0);
  expect(Array.from(y.dataSync())).toEqual([3, 6]);
});

test("loops that read nothing compute by themselves and stay right", () => {
  let x: tf.Tensor = tf.scalar(0);
  for (let i = 0; i < 2500; i++) {
    const next = x.add(1);
    x.dispose();
    x = next;
  }
  flush();
  expect(x.dataSync()[0]).toBe(2500);
});

test("steps that read nothing are one graph, compiled once", () => {
  const network = lenet();
  const thaw = freeze(network);
  const y = tf.oneHot(tf.tensor1d([1, 2], "int32"), 10);
  const loss = (input: tf.Tensor): tf.Scalar => tf.losses.softmaxCrossEntropy(y, network.apply(input) as tf.Tensor);
  let x: tf.Tensor = tf.tensor(noise(2 * 196, { seed: 5 }), [2, 14, 14, 1]);
  const before = backend().sessions.compilations;
  for (let i = 0; i < 12; i++) {
    const next = tf.tidy(() => x.add(tf.grad(loss)(x).sign().mul(0.01)).clipByValue(0, 1));
    x.dispose();
    x = next;
  }
  x.dataSync();
  expect(backend().sessions.compilations - before).toBeLessThanOrEqual(2);
  thaw();
});

test("the gradient of a maximum goes to the first of equal values", () => {
  const x = tf.tensor([1, 1, 0, 2, 1, 1, 2, 0, 3, 3, 3, 3, 0, 0, 3, 3], [1, 4, 2, 2]);
  const weights = tf.tensor([1, 10, 100, 1000], [1, 2, 1, 2]);
  const gradient = tf.grad((input: tf.Tensor) =>
    tf
      .maxPool(input as tf.Tensor4D, 2, 2, "valid")
      .mul(weights)
      .sum(),
  )(x);
  expect(Array.from(gradient.dataSync())).toEqual([0, 0, 0, 10, 0, 0, 1, 0, 100, 1000, 0, 0, 0, 0, 0, 0]);
});

test("integers are exact beyond what float32 holds", () => {
  const big = tf.tensor1d([16777217, 33554433], "int32");
  expect(Array.from(big.add(tf.scalar(2, "int32")).dataSync())).toEqual([16777219, 33554435]);
  expect(Array.from(big.sum().dataSync())).toEqual([50331650]);
});

test("a kernel that is missing is named", () => {
  expect(() => tf.engine().runKernel("Draw", {}, {})).toThrow(/no Draw kernel/);
});
