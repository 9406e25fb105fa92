import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { createContext } from "../../../../src/engine/context.ts";
import type { TrainingPlan } from "../../../../src/engine/define/index.ts";
import { tf, tfl } from "../../../../src/engine/tf.ts";
import { train } from "../../../../src/engine/training/loop.ts";
import type { RunEventBody } from "../../../../src/shared/events.ts";
import { defaultTrain, type TrainSettings } from "../../../../src/shared/experiment.ts";
import { near, plainPlan, randomBatch } from "../fixtures.ts";

await useBackend("cpu");
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "penalties-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

// Half the learning rate is what a plan takes whose loss adds up over two slices: the penalty counts twice then, and is reported once.
it.each([1, 0.5])("penalties of layers, l2·Σw² of kernel and bias, are part of loss and gradient: by hand, scale %f", async (scale) => {
  const l2 = tfl.regularizers.l2({ l2: 0.01 });
  const network = tfl.sequential({
    layers: [
      tfl.layers.flatten({ inputShape: [4, 4, 1] }),
      tfl.layers.dense({ units: 3, kernelRegularizer: l2, biasRegularizer: l2, name: `penalized${scale}` }),
    ],
  });
  const before = Array.from({ length: 16 * 3 + 3 }, (_, j) => Math.sin(j));
  network.setWeights([tf.tensor2d(before.slice(0, 48), [16, 3]), tf.tensor1d(before.slice(48))]);
  const plan: TrainingPlan = {
    ...plainPlan,
    learningRateScale: scale,
    loss: (step) => {
      const { output } = step.forward(step.images);
      return { total: tf.mul(tf.sum(output), 0) as tf.Scalar, output };
    },
  };
  const settings: TrainSettings = { ...defaultTrain, epochs: 1, batchSize: 6, optimizer: "sgd", momentum: 0, learningRate: 0.1 };
  const batch = randomBatch(6, [4, 4, 1], 3);
  const source = { size: 6, read: async () => batch };
  const events: RunEventBody[] = [];
  const task = { network, plan, train: source, validation: null, settings, arm: "a", checkpointDirectory: directory };
  await train(task, createContext({ seed: 3, onEvent: (event) => events.push(event) }));
  const after = network.getWeights().flatMap((weight) => [...weight.dataSync()]);
  const expected = before.map((w) => w * (1 - 0.1 * 2 * 0.01));
  expect(near(after, expected)).toBeLessThan(1e-6);
  const penalty = 0.01 * before.reduce((sum, w) => sum + w * w, 0);
  expect(events.find((event) => event.kind === "epoch")?.trainLoss).toBeCloseTo(penalty, 5);
});
