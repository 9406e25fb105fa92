import { afterEach, beforeEach, expect, it } from "vitest";
import { fgsm } from "../../../src/engine/attacks/fgsm.ts";
import { pgd } from "../../../src/engine/attacks/pgd.ts";
import { freeze, useBackend } from "../../../src/engine/backends/index.ts";
import { OnnxBackend } from "../../../src/engine/backends/onnxruntime/backend.ts";
import { loadNative } from "../../../src/engine/backends/onnxruntime/native.ts";
import { classifierOf } from "../../../src/engine/classifier/network.ts";
import { type Attack, resolveParams } from "../../../src/engine/define/index.ts";
import { attackBatch } from "../../../src/engine/harness/runAttack.ts";
import { createRandom } from "../../../src/engine/random.ts";
import { tf, tfl } from "../../../src/engine/tf.ts";
import { attackContext } from "../engine/fixtures.ts";
import { lenet, noise } from "./nets.ts";

beforeEach(async () => {
  await useBackend("onnxruntime");
});
afterEach(() => {
  if (tf.findBackend("bounded")) tf.removeBackend("bounded");
});
const backend = (): OnnxBackend => tf.backend() as OnnxBackend;

it.each<[string, Attack]>([
  ["fgsm", fgsm],
  ["pgd", pgd],
])("%s compiles one forward and one gradient graph of the network, and nothing after its first batch", async (_, attack) => {
  const model = classifierOf(lenet(), { contract: { input: {} }, outputs: "logits", inputShape: [14, 14, 1] });
  const counts: number[] = [];
  const { sessions } = backend();
  const [networks, all] = [sessions.networkCompilations, () => sessions.compilations];
  for (let at = 0; at < 4; at++) {
    const batch = { images: createRandom(at).uniforms(6 * 196, 0, 1), labels: Int32Array.of(0, 1, 2, 0, 1, 2), n: 6 };
    const params = resolveParams(attack.params, {}, attack.id);
    await attackBatch({ attack, params, model, batch, firstIndex: 6 * at, seedName: "test" }, attackContext());
    counts.push(all());
  }
  expect(counts.slice(1)).toEqual(Array(3).fill(counts[0]));
  expect(sessions.networkCompilations - networks).toBeLessThanOrEqual(2);
  model.dispose();
});

it("a large frozen matrix is fed from tfjs' own memory, and computes what the cpu backend does", async () => {
  const network = tfl.sequential({
    layers: [tfl.layers.dense({ inputShape: [2500], units: 2000, useBias: true }), tfl.layers.dense({ units: 3 })],
  });
  const [large, , small] = network.weights;
  large?.write(tf.tensor(noise(2500 * 2000, { seed: 7 }), [2500, 2000]));
  small?.write(tf.tensor(noise(2000 * 3, { seed: 8 }), [2000, 3]));
  const x = tf.tensor(noise(2 * 2500, { seed: 9 }), [2, 2500]);
  const compute = (): Float32Array[] => {
    const score = (input: tf.Tensor): tf.Tensor => network.apply(input) as tf.Tensor;
    const { value, grad } = tf.valueAndGrad((input: tf.Tensor) => tf.sum(tf.square(score(input))))(x);
    return [score(x), value, grad].map((tensor) => tensor.dataSync() as Float32Array);
  };
  const thaw = freeze(network);
  const before = backend().sessions.heldBytes;
  const found = compute();
  const forward = tf.tidy(() => network.apply(x) as tf.Tensor).dataSync();
  // Twenty megabytes of weights; what is held are graphs, the small matrix and activations.
  expect(backend().sessions.heldBytes - before).toBeLessThan(2 ** 20);
  thaw();
  const weights = network.getWeights().map((weight) => ({ shape: weight.shape, values: weight.dataSync() }));
  await useBackend("cpu");
  network.setWeights(weights.map(({ shape, values }) => tf.tensor(values, shape)));
  for (const [i, values] of compute().entries()) {
    const size = Math.max(...values.map(Math.abs));
    for (const [j, value] of values.entries()) expect(Math.abs((found[i]?.[j] ?? Number.NaN) - value)).toBeLessThan(1e-4 * size);
    if (i === 0) for (const [j, value] of values.entries()) expect(Math.abs((forward[j] ?? Number.NaN) - value)).toBeLessThan(1e-4 * size);
  }
});

it("graphs of the same step stay, whatever they hold; older ones go", () => {
  const bounded = new OnnxBackend(loadNative(), 1, { bytes: 1 });
  tf.registerBackend("bounded", () => bounded);
  tf.copyRegisteredKernels("onnxruntime", "bounded");
  tf.setBackend("bounded");
  const power = (exponent: number): number => tf.tidy(() => tf.tensor1d(Array(exponent).fill(2)).prod().dataSync()[0] ?? Number.NaN);
  for (let step = 0; step < 5; step++) for (const exponent of [1, 2, 3]) expect(power(exponent)).toBe(2 ** exponent);
  expect(bounded.sessions.compilations).toBe(3);
  for (const exponent of [4, 5, 6, 7, 8, 9, 10]) expect(power(exponent)).toBe(2 ** exponent);
  expect(bounded.sessions.size).toBeLessThanOrEqual(7);
  expect(power(1)).toBe(2);
  expect(bounded.sessions.compilations).toBe(11);
});
