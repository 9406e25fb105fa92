import { expect, it } from "vitest";
import { useBackend } from "../../../src/engine/backends/index.ts";
import { createRandom } from "../../../src/engine/random.ts";
import { tf } from "../../../src/engine/tf.ts";
import { near } from "../engine/fixtures.ts";

/** ∂/∂w of Σ(conv(x, w) ∘ r), and the number of tensors that it left behind. */
async function gradient(backend: "cpu" | "wasm", stride: number | [number, number], pad: "same" | "valid"): Promise<Float32Array> {
  await useBackend(backend);
  const before = tf.memory().numTensors;
  const result = tf.tidy(() => {
    const x = tf.tensor4d(createRandom(1).uniforms(2 * 7 * 6 * 3, -1, 1), [2, 7, 6, 3]);
    const w = tf.tensor4d(createRandom(2).uniforms(3 * 2 * 3 * 4, -1, 1), [3, 2, 3, 4]);
    return tf.grad((filter) => {
      const y = tf.conv2d(x, filter as tf.Tensor4D, stride, pad);
      return tf.sum(tf.mul(y, tf.tensor(createRandom(3).uniforms(y.size, -1, 1), y.shape)));
    })(w);
  });
  const values = Float32Array.from(await result.data());
  result.dispose();
  expect(tf.memory().numTensors).toBe(before);
  return values;
}

it.each([
  [1, "same"],
  [1, "valid"],
  [2, "same"],
  [2, "valid"],
  [[1, 2], "same"],
] as const)("the filter's gradient on wasm is that of cpu: stride %j, padding %s", async (stride, pad) => {
  const strides = typeof stride === "number" ? stride : ([...stride] as [number, number]);
  const expected = await gradient("cpu", strides, pad);
  expect(near(await gradient("wasm", strides, pad), expected)).toBeLessThan(1e-4);
});
