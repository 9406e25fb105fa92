import { expect, it } from "vitest";
import { Graph } from "../../../src/engine/backends/onnxruntime/graph.ts";
import { loadNative } from "../../../src/engine/backends/onnxruntime/native.ts";

const numbers = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => i);

it("weights are not copied into the model: onnxruntime reads them from their own array", () => {
  const native = loadNative();
  const graph = new Graph();
  const [x, data] = [graph.input([1, 64], "float32"), numbers(64 * 32)];
  const product = graph.matmul(x, graph.initializer([64, 32], "float32", data));
  const { model, weights } = graph.encode([graph.binary("Add", product, graph.scalar(1))]);
  expect(weights.map((weight) => weight.data.buffer)).toEqual([data.buffer]);
  expect(model.length).toBeLessThan(1024);
  const session = native.create();
  session.loadModel(model.buffer, model.byteOffset, model.byteLength, { externalData: weights, logSeverityLevel: 4 });
  data.fill(0); // compiled graphs keep what the weights were
  const found = session.run({ [x.name]: native.tensor("float32", new Float32Array(64).fill(1), [1, 64]) }, { O0: null }, {})["O0"];
  session.dispose();
  // 1 + Σ_i (32·i + j) over 64 rows i: 32 · 2016 + 64 · j + 1
  expect([...(found?.data ?? [])]).toEqual(Array.from({ length: 32 }, (_, j) => 64_513 + 64 * j));
});

it("a constant that is transposed twice is transposed once, and not at all where that gives it back", () => {
  const graph = new Graph();
  const weights = graph.initializer([2, 3, 4, 5], "float32", numbers(120));
  const once = graph.transpose(graph.transpose(weights, [0, 1, 3, 2]), [3, 2, 0, 1]);
  expect(graph.producer(once)).toMatchObject({ inputs: [weights.name], attributes: { perm: [2, 3, 0, 1] } });
  expect(once.shape).toEqual([4, 5, 2, 3]);
  expect(graph.transpose(once, [2, 3, 0, 1])).toBe(weights);
});

it("weights that no result needs are not handed over", () => {
  const graph = new Graph();
  const [x, data] = [graph.input([64, 64], "float32"), numbers(64 * 64)];
  graph.matmul(x, graph.initializer([64, 64], "float32", data));
  expect(graph.encode([graph.unary("Neg", x)]).weights).toEqual([]);
});
