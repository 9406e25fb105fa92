import { beforeEach, expect, test } from "vitest";
import { useBackend } from "../../../src/engine/backends/index.ts";
import { OnnxBackend } from "../../../src/engine/backends/onnxruntime/backend.ts";
import { loadNative } from "../../../src/engine/backends/onnxruntime/native.ts";
import { tf } from "../../../src/engine/tf.ts";
import { lenet, noise } from "./nets.ts";

beforeEach(async () => {
  await useBackend("onnxruntime");
});

test("a graph that cannot be built fails once, and not with everything that is computed later", () => {
  const backend = tf.backend() as OnnxBackend;
  const x = tf.tensor1d([1, 2]);
  const lower = (): never => {
    throw new Error("cannot be lowered");
  };
  const bad = backend.record("Impossible", {}, [x], { shape: [2], dtype: "float32" }, lower); // nobody disposes of it, as after an error
  expect(() => backend.readSync(bad.dataId)).toThrow("cannot be lowered");
  const y = tf.mul(x, 2);
  expect([...y.dataSync()]).toEqual([2, 4]);
  tf.dispose([x, y]);
  backend.disposeData(bad.dataId);
});

test("tf.memory counts tensors, buffers and bytes of what is pending as of what is there", () => {
  const before = tf.memory();
  const x = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
  const y = tf.mul(x, 2);
  const view = tf.reshape(y, [6]);
  const flags = tf.greater(x, 3);
  const pending = tf.memory();
  expect(pending.numTensors - before.numTensors).toBe(4);
  expect(pending.numDataBuffers - before.numDataBuffers).toBe(3); // the view has no buffer of its own
  expect(pending.numBytes - before.numBytes).toBe(24 + 24 + 24 + 6); // tfjs counts the view's too
  expect(pending.unreliable ?? false).toBe(false);
  expect([...view.dataSync()]).toEqual([2, 4, 6, 8, 10, 12]);
  expect([...flags.dataSync()]).toEqual([0, 0, 0, 1, 1, 1]);
  expect(tf.memory()).toMatchObject({ numTensors: pending.numTensors, numBytes: pending.numBytes });
  y.dispose();
  expect([...view.dataSync()]).toEqual([2, 4, 6, 8, 10, 12]); // the buffer lives as long as one of the two
  expect(tf.memory().numDataBuffers - before.numDataBuffers).toBe(3);
  tf.dispose([x, view, flags]);
  expect(tf.memory()).toMatchObject({ numTensors: before.numTensors, numDataBuffers: before.numDataBuffers, numBytes: before.numBytes });
});

test("data() and dataSync() give the same values, again and again, and not those of the next step", async () => {
  const x = tf.tensor1d([1, 2, 3]);
  const y = tf.square(x);
  const first = await y.data();
  const z = tf.mul(y, 10);
  expect([...y.dataSync()]).toEqual([...first]);
  expect([...(await z.data())]).toEqual([10, 40, 90]);
  expect([...first]).toEqual([1, 4, 9]);
  const [a, b] = await Promise.all([tf.add(x, 1).data(), tf.sub(x, 1).data()]);
  expect([[...a], [...b]]).toEqual([
    [2, 3, 4],
    [0, 1, 2],
  ]);
  y.dispose();
  await expect(async () => y.data()).rejects.toThrow(/disposed/);
  expect(() => y.dataSync()).toThrow(/disposed/);
});

test("training, attack and evaluation in turn leave no tensor, and few graphs under a tiny limit", () => {
  const small = new OnnxBackend(loadNative(), 1, { bytes: 300_000 });
  tf.registerBackend("tiny", () => small);
  tf.copyRegisteredKernels("onnxruntime", "tiny");
  tf.setBackend("tiny");
  const network = lenet();
  const optimizer = tf.train.momentum(0.01, 0.9);
  const step = (batch: number): void =>
    tf.tidy(() => {
      const x = tf.tensor(noise(batch * 196, { seed: batch }), [batch, 14, 14, 1]);
      const y = tf.oneHot(tf.zeros([batch], "int32"), 10);
      const loss = (input: tf.Tensor): tf.Scalar => tf.losses.softmaxCrossEntropy(y, network.apply(input) as tf.Tensor);
      optimizer.minimize(() => loss(x));
      tf.grad(loss)(x).dataSync();
      (network.predict(x) as tf.Tensor).dataSync();
    });
  step(1);
  const before = tf.memory();
  // Every batch size is three graphs of its own, so the limit is passed many times over.
  for (let batch = 2; batch <= 9; batch++) step(batch);
  expect(tf.memory()).toMatchObject({ numTensors: before.numTensors, numDataBuffers: before.numDataBuffers, numBytes: before.numBytes });
  expect(small.sessions.compilations).toBeGreaterThanOrEqual(18);
  expect(small.sessions.size).toBeLessThan(8);
  network.dispose();
  optimizer.dispose();
});
