import { beforeEach, expect, it } from "vitest";
import { useBackend } from "../../../src/engine/backends/index.ts";
import { dependentRead, tf } from "../../../src/engine/tf.ts";

beforeEach(async () => {
  await useBackend("onnxruntime");
});

const strict = "BULWARK_NO_READS_IN_GRADIENTS";
const x = () => tf.tensor1d([1, 2, 3]);
const gradientWith = (read: (y: tf.Tensor) => void) =>
  tf.tidy(() =>
    tf.grad((input: tf.Tensor) => {
      const y = tf.square(input);
      read(y);
      return tf.sum(y);
    })(x()),
  );

it("tests run with the guard, and its error names the place of the read", () => {
  expect(process.env[strict]).toBe("1");
  expect(() => gradientWith((y) => y.dataSync())).toThrow(/within a gradient.*gradientReads\.test\.ts/);
  const inside = tf.customGrad((input) => ({
    value: tf.square(input as tf.Tensor),
    gradFunc: (dy: tf.Tensor) => {
      const seen = tf.mul(dy, 2);
      seen.dataSync();
      return seen;
    },
  }));
  expect(() => tf.tidy(() => tf.grad((input: tf.Tensor) => tf.sum(inside(input)))(x()))).toThrow(/within a gradient/);
});

it("also where the read is not awaited", async () => {
  let reading: Promise<unknown> | undefined;
  gradientWith((y) => {
    reading = y.data();
  });
  await expect(reading).rejects.toThrow(/within a gradient/);
});

it("without it the read gives its values and the gradient is the same: 2x", () => {
  process.env[strict] = "0";
  try {
    const seen: number[] = [];
    const gradient = gradientWith((y) => seen.push(...y.dataSync()));
    expect(seen).toEqual([1, 4, 9]);
    expect([...gradient.dataSync()]).toEqual([2, 4, 6]);
  } finally {
    process.env[strict] = "1";
  }
});

it("values that are there may be read, and what is pending may be read before and after", () => {
  const known = tf.tensor1d([4, 5]);
  const before = tf.mul(known, 2);
  expect([...before.dataSync()]).toEqual([8, 10]);
  const gradient = gradientWith(() => known.dataSync());
  expect([...gradient.dataSync()]).toEqual([2, 4, 6]);
});

it("a read on which the graph depends is let through", () => {
  const seen: number[] = [];
  const gradient = gradientWith((y) => seen.push(...dependentRead(y)));
  expect(seen).toEqual([1, 4, 9]);
  expect([...gradient.dataSync()]).toEqual([2, 4, 6]);
});
