import { beforeAll, expect, test } from "vitest";
import { useBackend } from "../../../src/engine/backends/index.ts";
import { createRandom } from "../../../src/engine/random.ts";
import { groupedConv2d, tf } from "../../../src/engine/tf.ts";
import { difference } from "./nets.ts";

// Channels that fill blocks, that do not, and that are fewer than one; batches that fill blocks of images and that do not; every way a
// window can lie. What is written differently for each of them must come to what the cpu backend's loops come to.

beforeAll(async () => {
  await useBackend("cpu");
  await useBackend("onnxruntime");
});

type Numbers = Float32Array | Int32Array | Uint8Array;

/** Results of `body` on both backends. */
async function onBoth(body: () => tf.Tensor[]): Promise<[Numbers[], Numbers[]]> {
  const results: Numbers[][] = [];
  for (const backend of ["cpu", "onnxruntime"]) {
    await tf.setBackend(backend);
    results.push(tf.tidy(() => body().map((tensor) => tensor.dataSync<"float32">())));
  }
  return results as [Numbers[], Numbers[]];
}

async function expectAgreement(body: () => tf.Tensor[]): Promise<void> {
  const [wanted, actual] = await onBoth(body);
  for (const [i, values] of wanted.entries()) expect(difference(actual[i] ?? [], values), `tensor ${i}`).toBeLessThan(1e-5);
}

const rng = createRandom("convolutions");
const pick = <T>(...of: readonly T[]): T => of[rng.integer(of.length)] as T;
const values = (shape: number[], seed: number) => tf.randomUniform(shape, -1, 1, "float32", seed);

const cases2d = Array.from({ length: 24 }, (_, i) => {
  const stride = pick(1, 1, 2, 3);
  return {
    i,
    batch: pick(1, 5, 13, 16, 33),
    size: [5 + rng.integer(6), 5 + rng.integer(6)] as const,
    inputs: pick(1, 3, 5, 16, 20, 32),
    outputs: pick(1, 3, 8, 16, 24, 48),
    kernel: [1 + rng.integer(4), 1 + rng.integer(4)] as const,
    stride,
    dilation: stride === 1 ? pick(1, 1, 2) : 1,
    pad: pick<"same" | "valid" | number>("same", "valid"),
  };
});

test.each(cases2d)("conv2d and both its gradients: case $i", async ({ batch, size, inputs, outputs, kernel, stride, dilation, pad }) => {
  await expectAgreement(() => {
    const x = values([batch, ...size, inputs], 1) as tf.Tensor4D;
    const w = values([...kernel, inputs, outputs], 2) as tf.Tensor4D;
    const convolve = (a: tf.Tensor4D, b: tf.Tensor4D) => tf.conv2d(a, b, stride, pad, "NHWC", dilation);
    const y = convolve(x, w);
    if (dilation > 1) return [y]; // tfjs has no gradient of it
    const [dx, dw] = tf.grads((a, b) => convolve(a as tf.Tensor4D, b as tf.Tensor4D).mul(values(y.shape, 3)))([x, w]);
    return [y, dx as tf.Tensor, dw as tf.Tensor];
  });
});

const cases3d = Array.from({ length: 16 }, (_, i) => ({
  i,
  batch: pick(1, 3, 4, 16),
  size: [1 + rng.integer(5), 4 + rng.integer(4), 4 + rng.integer(4)] as const,
  inputs: pick(1, 3, 16, 20, 32),
  outputs: pick(1, 3, 16, 24, 32),
  kernel: [pick(1, 2, 3), pick(1, 3), pick(1, 3, 4)] as const,
  stride: [pick(1, 1, 2), pick(1, 2), pick(1, 2)] as const,
}));

test.each(cases3d)("conv3d and both its gradients: case $i", async ({ batch, size, inputs, outputs, kernel, stride }) => {
  await expectAgreement(() => {
    const x = values([batch, ...size, inputs], 1) as tf.Tensor5D;
    const w = values([...kernel, inputs, outputs], 2) as tf.Tensor5D;
    const convolve = (a: tf.Tensor5D, b: tf.Tensor5D) => tf.conv3d(a, b, [...stride], "same");
    const y = convolve(x, w);
    const [dx, dw] = tf.grads((a, b) => convolve(a as tf.Tensor5D, b as tf.Tensor5D).mul(values(y.shape, 3)))([x, w]);
    return [y, dx as tf.Tensor, dw as tf.Tensor];
  });
});

// Kernels that reach beyond the first or the last slice, and networks whose bias and ReLU go into the convolutions.
test.each([
  { slices: 4, deep: 3, batch: 8 },
  { slices: 2, deep: 3, batch: 16 },
  { slices: 1, deep: 3, batch: 8 },
  { slices: 4, deep: 4, batch: 8 },
  { slices: 3, deep: 5, batch: 3 },
  { slices: 7, deep: 2, batch: 1 },
])("conv3d of $slices slices by a kernel $deep deep, with bias and ReLU, and all its gradients", async ({ slices, deep, batch }) => {
  await expectAgreement(() => {
    const x = values([batch, slices, 5, 6, 16], 1) as tf.Tensor5D;
    const w = values([deep, 3, 3, 16, 24], 2) as tf.Tensor5D;
    const bias = values([24], 3);
    const layer = (a: tf.Tensor, b: tf.Tensor, c: tf.Tensor) => tf.relu(tf.conv3d(a as tf.Tensor5D, b as tf.Tensor5D, 1, "same").add(c));
    const y = layer(x, w, bias);
    const gradients = tf.grads((a, b, c) => layer(a, b, c).mul(values(y.shape, 4)))([x, w, bias]);
    return [y, ...gradients];
  });
});

// Whole numbers: many windows hold their maximum twice.
const casesPool = Array.from({ length: 12 }, (_, i) => ({
  i,
  channels: pick(1, 3, 16, 32),
  size: 4 + rng.integer(6),
  window: pick(2, 3),
  batch: pick(1, 16),
}));

test.each(casesPool)("convolution, ReLU and max pool with ties: case $i", async ({ channels, size, window, batch }) => {
  await expectAgreement(() => {
    const x = tf.floor(values([batch, size, size, channels], 1).mul(2)) as tf.Tensor4D;
    const w = tf.floor(values([1, 1, channels, 16], 2).mul(3)) as tf.Tensor4D;
    const pooled = (a: tf.Tensor, b: tf.Tensor) =>
      tf.maxPool(tf.relu(tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, 1, "same")), window, window, "valid");
    const y = pooled(x, w);
    const [dx, dw] = tf.grads((a, b) => pooled(a, b).mul(values(y.shape, 3)))([x, w]);
    const raw = tf.grad((a: tf.Tensor) =>
      tf.maxPool(a as tf.Tensor4D, window, window, "valid").mul(values([batch, ...y.shape.slice(1, 3), channels], 4)),
    )(x);
    return [y, dx as tf.Tensor, dw as tf.Tensor, raw];
  });
});

// One image's map that meets many masks, maps that have one each, channels that fill blocks and that do not; what is masked is read twice.
const casesMasked = [1, 3, 4].flatMap((images) => [3, 16, 32].map((channels) => ({ images, channels })));

test.each(casesMasked)(
  "places of maps that are masked between convolutions: $images images of $channels channels",
  async ({ images, channels }) => {
    const masks = images === 1 ? 4 : images;
    await expectAgreement(() => {
      const x = values([images, 6, 5, channels], 1) as tf.Tensor4D;
      const w = values([3, 3, channels, 32], 2) as tf.Tensor4D;
      const [before, behind] = [values([masks, 6, 5, 1], 3), values([masks, 4, 3, 1], 4)];
      const masked = (a: tf.Tensor) => tf.mul(tf.relu(tf.conv2d(tf.mul(a, before) as tf.Tensor4D, w, 1, "valid")), behind) as tf.Tensor4D;
      const y = masked(x);
      const [pooled, mean] = [tf.maxPool(y, 2, 1, "valid"), tf.mean(y, [1, 2])];
      return [y, pooled, mean, tf.grad((a: tf.Tensor) => tf.maxPool(masked(a), 2, 1, "valid").mul(values(pooled.shape, 5)))(x)];
    });
  },
);

test.each(["same", "valid"] as const)("max pool of integers beyond float32, and of booleans: %s", async (pad) => {
  const pooled = (x: tf.Tensor) => tf.maxPool(x as tf.Tensor4D, 2, 2, pad);
  const integers = () => tf.tensor4d([16777217, 16777216, -5, 3, 2147483647, 0, 7, 1, 2], [1, 3, 3, 1], "int32");
  const booleans = () => tf.tensor4d([0, 0, 1, 0, 0, 0, 0, 1, 1], [1, 3, 3, 1], "bool");
  const [wanted, actual] = await onBoth(() => [pooled(integers()), pooled(booleans())]);
  expect(actual.map((values) => [...values])).toEqual(wanted.map((values) => [...values]));
});

const groupedCases = Array.from({ length: 16 }, (_, i) => ({
  i,
  batch: pick(1, 3, 8),
  size: [4 + rng.integer(6), 4 + rng.integer(6)] as const,
  groups: pick(2, 3, 4, 8),
  inputs: pick(1, 2, 4, 8, 16),
  outputs: pick(1, 2, 4, 8, 16),
  kernel: [1 + rng.integer(3), 1 + rng.integer(3)] as const,
  strides: [pick(1, 1, 2, 3), pick(1, 1, 2)] as [number, number],
  pad: pick<"same" | "valid">("same", "valid"),
}));

test.each(groupedCases)("a grouped convolution and both its gradients, as one for each group: case $i", async (one) => {
  const { batch, size, groups, inputs, outputs, kernel, strides, pad } = one;
  const separately = (x: tf.Tensor4D, w: tf.Tensor4D): tf.Tensor4D => {
    const [channels, filters] = [x, w].map((all) => tf.split(all, groups, 3)) as [tf.Tensor4D[], tf.Tensor4D[]];
    return tf.concat(
      channels.map((part, k) => tf.conv2d(part, filters[k] as tf.Tensor4D, strides, pad) as tf.Tensor4D),
      3,
    );
  };
  const results: Numbers[][] = [];
  for (const backend of ["cpu", "onnxruntime"])
    for (const convolve of [separately, (x: tf.Tensor4D, w: tf.Tensor4D) => groupedConv2d(x, w, { strides, pad, groups })]) {
      await tf.setBackend(backend);
      tf.tidy(() => {
        const x = values([batch, ...size, groups * inputs], 1) as tf.Tensor4D;
        const w = values([...kernel, inputs, groups * outputs], 2) as tf.Tensor4D;
        const y = convolve(x, w);
        const [dx, dw] = tf.grads((a, b) => convolve(a as tf.Tensor4D, b as tf.Tensor4D).mul(values(y.shape, 3)))([x, w]);
        results.push([y, dx as tf.Tensor, dw as tf.Tensor].map((tensor) => tensor.dataSync<"float32">()));
      });
    }
  for (const [k, tensors] of results.entries())
    for (const [t, found] of tensors.entries())
      expect(difference(found, results[0]?.[t] ?? []), `way ${k}, tensor ${t}`).toBeLessThan(1e-5);
});
