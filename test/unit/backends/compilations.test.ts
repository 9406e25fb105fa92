import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, expect, it } from "vitest";
import { pgd } from "../../../src/engine/attacks/pgd.ts";
import { nPixel } from "../../../src/engine/attacks/pixels/nPixel.ts";
import { useBackend } from "../../../src/engine/backends/index.ts";
import { OnnxBackend } from "../../../src/engine/backends/onnxruntime/backend.ts";
import { classifierOf } from "../../../src/engine/classifier/network.ts";
import { type AttackBatch, resolveParams } from "../../../src/engine/define/index.ts";
import { createRandom } from "../../../src/engine/random.ts";
import { type Images, type Labels, tf } from "../../../src/engine/tf.ts";
import { type ImageSource, train } from "../../../src/engine/training/loop.ts";
import { defaultTrain } from "../../../src/shared/experiment.ts";
import { attackContext, convNetwork, plainPlan } from "../engine/fixtures.ts";

beforeEach(async () => {
  await useBackend("onnxruntime");
});
const compilations = (): number => {
  const backend = tf.backend();
  if (!(backend instanceof OnnxBackend)) throw new Error("not our backend");
  return backend.sessions.compilations;
};

/** 8×8 images of noise in three classes. */
function source(size: number, seed: number): ImageSource {
  const images = createRandom(seed).uniforms(size * 64, 0, 1);
  return {
    size,
    read: async (indices) => {
      const chosen = Array.from(indices);
      const batch = new Float32Array(chosen.length * 64);
      for (const [i, from] of chosen.entries()) batch.set(images.subarray(from * 64, (from + 1) * 64), i * 64);
      return { images: batch, labels: Int32Array.from(chosen, (from) => from % 3), n: chosen.length };
    },
  };
}
const batchOf = (n: number): AttackBatch => ({
  images: tf.tensor4d(createRandom(4).uniforms(n * 64, 0, 1), [n, 8, 8, 1]) as Images,
  labels: tf.tensor1d(
    Array.from({ length: n }, (_, i) => i % 3),
    "int32",
  ) as Labels,
});

it("a training with a last partial batch and validation after each epoch compiles nothing after the second epoch", async () => {
  const directory = mkdtempSync(path.join(tmpdir(), "compilations-"));
  const network = convNetwork({ dropout: 0.3, batchNorm: true, seed: 5 });
  const model = classifierOf(network, { contract: { input: {} }, outputs: "logits", inputShape: [8, 8, 1], freeze: false });
  const counts = [compilations()];
  try {
    await train(
      {
        network,
        plan: plainPlan,
        train: source(50, 1),
        validation: source(25, 2),
        settings: { ...defaultTrain, epochs: 5, batchSize: 16, learningRate: 0.01 },
        arm: "a",
        checkpointDirectory: directory,
        onEpochEnd: async () => {
          const batch = batchOf(6);
          tf.dispose([
            await pgd.run(model, batch, resolveParams(pgd.params, { steps: 3 }, "pgd"), attackContext()),
            batch.images,
            batch.labels,
          ]);
          counts.push(compilations());
        },
      },
      attackContext(),
    );
  } finally {
    model.dispose();
    rmSync(directory, { recursive: true });
  }
  const each = counts.slice(1).map((count, i) => count - (counts[i] ?? 0));
  expect(each.slice(2)).toEqual([0, 0, 0]);
  expect(each[0]).toBeLessThanOrEqual(12);
});

it("an evaluation of a frozen network compiles one graph a batch size, however often it runs", () => {
  const model = classifierOf(convNetwork({ seed: 5 }), { contract: { input: {} }, outputs: "logits", inputShape: [8, 8, 1] });
  const images = tf.tensor4d(createRandom(4).uniforms(50 * 64, 0, 1), [50, 8, 8, 1]);
  const before = compilations();
  for (let epoch = 0; epoch < 3; epoch++)
    for (let from = 0; from < 50; from += 16)
      tf.tidy(() => void model.logits(tf.slice(images, [from], [Math.min(16, 50 - from)]) as Images).dataSync());
  expect(compilations() - before).toBe(2);
  tf.dispose(images);
  model.dispose();
});

it("an attack whose images leave one by one pads what is left to a few sizes", async () => {
  const model = classifierOf(convNetwork({ seed: 5 }), { contract: { input: {} }, outputs: "logits", inputShape: [8, 8, 1] });
  const batch = batchOf(9);
  const before = compilations();
  const params = resolveParams(nPixel.params, { pixels: 2, popSize: 20, maxGen: 12 }, "nPixel");
  tf.dispose([await nPixel.run(model, batch, params, attackContext()), batch.images, batch.labels]);
  expect(compilations() - before).toBeLessThanOrEqual(4);
  model.dispose();
});
