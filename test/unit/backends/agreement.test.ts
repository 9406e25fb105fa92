import { beforeAll, expect, test } from "vitest";
import { useBackend } from "../../../src/engine/backends/index.ts";
import { tf } from "../../../src/engine/tf.ts";
import { difference, evaluate, lenet, lenet3d, wide, wide3d } from "./nets.ts";

beforeAll(async () => {
  await useBackend("cpu");
  await useBackend("onnxruntime");
});

test.each([
  ["2-D", lenet, 1],
  ["2-D", lenet, 33],
  ["3-D", lenet3d, 1],
  ["3-D", lenet3d, 33],
  ["wide 2-D", wide, 1],
  ["wide 2-D", wide, 33],
  ["wide 3-D", wide3d, 1],
  ["wide 3-D", wide3d, 33],
] as const)("%s network: logits, input and weight gradients as on cpu (%#)", async (_, build, batch) => {
  await tf.setBackend("cpu");
  const wanted = evaluate(build(), batch);
  await tf.setBackend("onnxruntime");
  const actual = evaluate(build(), batch);
  expect(actual.length).toBe(wanted.length);
  for (const [i, values] of wanted.entries()) expect(difference(actual[i] ?? [], values), `tensor ${i}`).toBeLessThan(1e-4);
});
