import { beforeEach, expect, test } from "vitest";
import { DeviceFailure } from "../../../src/engine/backends/failures.ts";
import { attempt, flush, useBackend } from "../../../src/engine/backends/index.ts";
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

test("arrays that no result takes are let go: small ones at once, others after a few computations", () => {
  const { buffers } = tf.backend() as OnnxBackend;
  const most = Array.from({ length: 60 }, (_, step) => {
    tf.tidy(() => {
      const small = Array.from({ length: 20 }, (_, i) => tf.tensor1d([step, i]));
      const large = Array.from({ length: 3 }, () => ramp());
      return tf.add(tf.sum(tf.addN(large)), tf.sum(tf.addN(small)));
    }).dataSync();
    return buffers.size;
  });
  // Three arrays a step, each kept for eight computations after its own.
  expect(Math.max(...most)).toBeLessThanOrEqual(3 * 10);
  for (let i = 0; i < 10; i++) tf.tidy(() => tf.sum(tf.tensor1d([i, 1]))).dataSync();
  expect(buffers.size).toBe(0);
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

test("a step that fails once its moments are written over is lost, and nothing else is", () => {
  const moment = tf.variable(tf.scalar(0).broadcastTo([size]));
  tf.tidy(() => moment.assign(tf.add(ramp(), 1)));
  flush();
  tf.tidy(() => {
    const outside = tf.cast(tf.add(tf.fill([size], size), 1), "int32"); // indices that onnxruntime refuses when it runs
    moment.assign(tf.add(tf.mul(moment, 0.5), tf.gather(ramp(), outside)));
  });
  expect(flush).toThrow(/out of data bounds/);
  expect(Array.from(tf.add([1, 2], 1).dataSync())).toEqual([2, 3]);
  expect(() => moment.dataSync()).toThrow("nothing computes this tensor");
});

test("once memory has run out, no array is held for later", async () => {
  const first = tf.tidy(() => ramp().mul(2));
  flush();
  const array = arrayOf(first);
  const failing = attempt(2, async () => {
    first.dispose();
    throw new DeviceFailure("");
  });
  await expect(failing).rejects.toThrow(DeviceFailure);
  const second = tf.tidy(() => ramp().mul(3));
  flush();
  expect(arrayOf(second)).not.toBe(array);
  expect(second.dataSync()[2]).toBe(6);
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

test("moments are updated in place, once nothing else reads the old ones", () => {
  const moment = tf.variable(tf.tidy(() => ramp().mul(0)));
  const step = (): unknown => {
    tf.tidy(() => moment.assign(tf.add(tf.mul(moment, 0.5), ramp())));
    flush();
    return arrayOf(moment);
  };
  const arrays = [step(), step(), step()];
  expect(arrays[1]).toBe(arrays[0]);
  expect(arrays[2]).toBe(arrays[0]);
  // 1, 1.5, 1.75 times i; the fourth step is read beside the third.
  const before = moment.clone();
  const after = step();
  expect(after).not.toBe(arrays[0]);
  expect([...before.dataSync().slice(0, 3), ...moment.dataSync().slice(0, 3)]).toEqual([0, 1.75, 3.5, 0, 1.875, 3.75]);
});

test("an old moment that the same graph reads for something else is not written over", () => {
  const moment = tf.variable(tf.tidy(() => ramp().mul(1)));
  flush();
  const change = tf.tidy(() => {
    const next = tf.add(tf.mul(moment, 0.5), 1);
    const difference = tf.sub(next, moment); // reads the old values after the new ones are there
    moment.assign(next);
    return difference;
  });
  expect(Array.from(change.dataSync().slice(0, 4))).toEqual([1, 0.5, 0, -0.5]);
  expect(Array.from(moment.dataSync().slice(0, 4))).toEqual([1, 1.5, 2, 2.5]);
});
