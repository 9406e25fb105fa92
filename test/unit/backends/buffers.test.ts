import { beforeEach, expect, test } from "vitest";
import { flush, useBackend } from "../../../src/engine/backends/index.ts";
import type { OnnxBackend } from "../../../src/engine/backends/onnxruntime/backend.ts";
import { tf } from "../../../src/engine/tf.ts";

const size = 2 ** 15; // large enough for an array that is used again
beforeEach(async () => {
  await useBackend("cpu");
  await useBackend("onnxruntime");
});
const arrayOf = (x: tf.Tensor): unknown => (tf.backend() as OnnxBackend).entry(x as never).values;
const ramp = (): tf.Tensor => tf.tensor1d(Float32Array.from({ length: size }, (_, i) => i));

test("a variable that is assigned at every step is computed into two arrays in turn", () => {
  const weight = tf.variable(ramp());
  const arrays = Array.from({ length: 8 }, () => {
    tf.tidy(() => weight.assign(tf.add(weight, 1)));
    flush();
    return arrayOf(weight);
  });
  expect(arrays[4]).toBe(arrays[2]);
  expect(arrays[5]).toBe(arrays[3]);
  expect(arrays[5]).not.toBe(arrays[4]);
  expect(Array.from(weight.dataSync().slice(0, 3))).toEqual([8, 9, 10]);
});

test("an array that was read is the reader's for good", () => {
  const first = tf.tidy(() => ramp().mul(2));
  const values = first.dataSync();
  first.dispose();
  for (let i = 0; i < 4; i++) tf.tidy(() => ramp().mul(3 + i)).dataSync();
  expect(values[1]).toBe(2);
  expect(values[size - 1]).toBe(2 * (size - 1));
});

test("an array is not used again while something recorded still reads it", () => {
  const x = tf.tidy(() => ramp().mul(2));
  flush();
  const sum = x.add(1); // recorded, not computed
  const twice = sum.mul(2);
  x.dispose();
  const other = tf.tidy(() => ramp().mul(7));
  expect([...sum.dataSync().slice(0, 3), ...twice.dataSync().slice(0, 3), ...other.dataSync().slice(0, 3)]).toEqual([
    1, 3, 5, 2, 6, 10, 0, 7, 14,
  ]);
});

test("the same data under two shapes keeps its array until both are gone", () => {
  const x = tf.tidy(() => ramp().mul(2));
  flush();
  const square = x.reshape([size / 2, 2]);
  x.dispose();
  const others = [3, 4, 5].map((factor) => tf.tidy(() => ramp().mul(factor)));
  flush();
  expect(Array.from(square.dataSync().slice(0, 4))).toEqual([0, 2, 4, 6]);
  tf.dispose([square, ...others]);
});

test("an array that nothing takes is let go", () => {
  const weight = tf.variable(ramp());
  const steps = (): unknown => {
    tf.tidy(() => weight.assign(tf.add(weight, 1)));
    flush();
    return arrayOf(weight);
  };
  steps();
  const [kept] = [steps(), steps()];
  for (let i = 0; i < 12; i++) tf.tidy(() => tf.scalar(i).add(1).dataSync());
  expect(steps()).not.toBe(kept);
});
