import { beforeAll, expect, test } from "vitest";
import { useBackend } from "../../../src/engine/backends/index.ts";
import { tf, type tfl } from "../../../src/engine/tf.ts";
import { difference, evaluate, lenet, lenet3d, noise, normed, normed3d, wide, wide3d } from "./nets.ts";

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
  ["normalised 2-D", normed, 4],
  ["normalised 2-D", normed, 33],
  ["normalised 3-D", normed3d, 4],
  ["normalised 3-D", normed3d, 33],
] as const)("%s network: logits, input and weight gradients as on cpu (%#)", async (_, build, batch) => {
  await tf.setBackend("cpu");
  const wanted = evaluate(build(), batch);
  await tf.setBackend("onnxruntime");
  const actual = evaluate(build(), batch);
  expect(actual.length).toBe(wanted.length);
  for (const [i, values] of wanted.entries()) expect(difference(actual[i] ?? [], values), `tensor ${i}`).toBeLessThan(1e-4);
});

/** Images and labels that a network can learn: the label says which quarter of the image is brighter. */
function quarters(n: number): { x: tf.Tensor; y: tf.Tensor } {
  const pixels = noise(n * 196, { seed: 11 }, 0.5);
  const labels = Int32Array.from({ length: n }, (_, i) => i % 4);
  for (const [i, label] of labels.entries())
    for (let j = 0; j < 49; j++) {
      const [row, column] = [Math.floor(j / 7) + 7 * Math.floor(label / 2), (j % 7) + 7 * (label % 2)];
      pixels[i * 196 + row * 14 + column] = (pixels[i * 196 + row * 14 + column] ?? 0) + 0.3;
    }
  return { x: tf.tensor(pixels, [n, 14, 14, 1]), y: tf.oneHot(tf.tensor1d(labels, "int32"), 10) };
}

/** The losses of 200 steps on batches of four out of twenty images. */
function losses(optimizer: tf.Optimizer): number[] {
  const network: tfl.LayersModel = lenet();
  const { x, y } = quarters(20);
  const found = Array.from({ length: 200 }, (_, step) =>
    tf.tidy(() => {
      const from = (step * 4) % 20;
      const [images, labels] = [tf.slice(x, [from], [4]), tf.slice(y, [from], [4])];
      const loss = (): tf.Scalar => tf.sum(tf.mul(tf.logSoftmax(network.apply(images) as tf.Tensor), tf.mul(labels, -1 / 4)));
      return optimizer.minimize(loss, true)?.dataSync()[0] ?? Number.NaN;
    }),
  );
  tf.dispose([x, y]);
  network.dispose();
  optimizer.dispose();
  return found;
}

test.each([
  ["Adam", () => tf.train.adam(0.0005)],
  ["SGD with momentum", () => tf.train.momentum(0.002, 0.9)],
] as const)("200 steps of %s end at cpu's loss", async (_, optimizer) => {
  await tf.setBackend("cpu");
  const wanted = losses(optimizer());
  await tf.setBackend("onnxruntime");
  const actual = losses(optimizer());
  // It has learned something, and not everything: the end says as much as the beginning.
  expect(wanted.at(-1)).toBeLessThan((wanted[0] ?? 0) / 2);
  expect(wanted.at(-1)).toBeGreaterThan(0.005);
  expect(Math.abs((actual.at(-1) ?? Number.NaN) - (wanted.at(-1) ?? 0))).toBeLessThan(1e-3);
});

test.each([
  ["2-D", lenet],
  ["wide 2-D", wide],
  ["wide 3-D", wide3d],
] as const)("%s network: the image gradient is what central differences say, at the eight places where it is largest", async (_, build) => {
  await tf.setBackend("onnxruntime");
  const network = build();
  const shape = [1, ...(network.inputs[0]?.shape.slice(1).map((size) => size ?? 1) ?? [])];
  const size = shape.reduce((a, b) => a * b, 1);
  const values = noise(size, { seed: 7 });
  const x = tf.tensor(values, shape);
  const loss = (input: tf.Tensor): tf.Scalar => tf.sum(tf.square(network.apply(input) as tf.Tensor));
  const gradient = tf.tidy(() => tf.grad(loss)(x).dataSync());
  const largest = [...gradient.keys()].sort((a, b) => Math.abs(gradient[b] ?? 0) - Math.abs(gradient[a] ?? 0)).slice(0, 8);
  const h = 5e-4;
  // All shifted images in one batch, their losses summed in double precision.
  const shifted = largest.flatMap((at) => [h, -h].map((step) => values.with(at, (values[at] ?? 0) + step)));
  const batch = tf.tensor(Float32Array.from(shifted.flatMap((image) => [...image])), [shifted.length, ...shape.slice(1)]);
  const scores = tf.tidy(() => (network.apply(batch) as tf.Tensor).dataSync<"float32">());
  const classes = scores.length / shifted.length;
  const lossOf = (image: number): number =>
    Array.from(scores.subarray(image * classes, (image + 1) * classes)).reduce((sum, z) => sum + z * z, 0);
  const scale = Math.abs(gradient[largest[0] ?? 0] ?? 0);
  for (const [i, at] of largest.entries()) {
    const slope = (lossOf(2 * i) - lossOf(2 * i + 1)) / (2 * h);
    expect(Math.abs((gradient[at] ?? Number.NaN) - slope) / scale, `element ${at}`).toBeLessThan(5e-2); // a maximum may change hands within the step
  }
  tf.dispose([x, batch]);
});
