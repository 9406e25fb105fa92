import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { type ContextOptions, createContext } from "../../../../src/engine/context.ts";
import type { TrainingPlan } from "../../../../src/engine/define/index.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { planOf } from "../../../../src/engine/session/openModel.ts";
import { tf, type tfl } from "../../../../src/engine/tf.ts";
import { type ImageSource, train } from "../../../../src/engine/training/loop.ts";
import type { RunEventBody } from "../../../../src/shared/events.ts";
import { defaultTrain, type TrainSettings } from "../../../../src/shared/experiment.ts";
import { convNetwork, near, plainPlan } from "../fixtures.ts";

beforeAll(() => useBackend("cpu"));

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "training-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** 8×8 images of three classes: a bright stripe in the upper, middle or lower rows, with noise. */
function stripes(size: number, seed: number): ImageSource {
  const rng = createRandom(seed);
  const images = rng.uniforms(size * 64, 0, 0.5);
  const labels = Int32Array.from({ length: size }, (_, i) => i % 3);
  labels.forEach((label, i) => {
    for (let j = 0; j < 16; j++) images[i * 64 + label * 3 * 8 + j] = 0.9;
  });
  return {
    size,
    read: async (indices) => {
      const chosen = Array.from(indices);
      const batch = new Float32Array(chosen.length * 64);
      chosen.forEach((from, i) => {
        batch.set(images.subarray(from * 64, (from + 1) * 64), i * 64);
      });
      return { images: batch, labels: Int32Array.from(chosen, (i) => labels[i] ?? 0), n: chosen.length };
    },
  };
}
function flipped(bytes: Buffer): Buffer {
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] as number) ^ 0x40;
  return bytes;
}
const settings: TrainSettings = { ...defaultTrain, epochs: 4, batchSize: 16, learningRate: 0.01 };
const network = () => convNetwork({ dropout: 0.3, batchNorm: true, seed: 5 });
const weightsOf = (model: tfl.LayersModel) => model.getWeights().map((w) => Array.from(w.dataSync()));

function run(model: tfl.LayersModel, o: Partial<Parameters<typeof train>[0]> = {}, context: ContextOptions = {}) {
  return train(
    {
      network: model,
      plan: plainPlan,
      train: stripes(50, 1),
      validation: stripes(30, 2),
      settings,
      arm: "a",
      checkpointDirectory: directory,
      ...o,
    },
    createContext({ seed: 3, ...context }),
  );
}

describe("training loop", () => {
  it("learns, and says how it goes", async () => {
    const events: RunEventBody[] = [];
    const result = await run(network(), { settings: { ...settings, epochs: 12 } }, { onEvent: (e) => events.push(e) });
    const epochs = events.filter((e) => e.kind === "epoch");
    expect(epochs.map((e) => e.epoch)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(epochs.at(-1)?.validationAccuracy).toBeGreaterThan(0.9);
    expect(epochs.at(-1)?.trainLoss).toBeLessThan(epochs[0]?.trainLoss ?? 0);
    expect(events.filter((e) => e.kind === "step").at(-1)).toMatchObject({ arm: "a", epoch: 12, epochs: 12, step: 4, steps: 4 });
    const accuracies = epochs.map((e) => e.validationAccuracy ?? 0);
    expect(epochs[(result.bestEpoch ?? 0) - 1]?.validationAccuracy).toBe(Math.max(...accuracies));
    expect(result.epochs).toBe(12);
  });

  it.each([
    {},
    { optimizer: "rmsprop", epsilon: 1, schedule: { kind: "exponential", every: 2, factor: 0.5 } },
    { optimizer: "adadelta", learningRate: 1 },
  ] as const)("continues a stopped training to exactly the same weights: %o", async (own) => {
    const o = { settings: { ...settings, ...own } };
    const whole = network();
    await run(whole, o);
    rmSync(directory, { recursive: true });

    const stop = new AbortController();
    let epochs = 0;
    let stepsOfThird = 0;
    const onProgress = () => {
      if (epochs === 2 && ++stepsOfThird === 2) stop.abort();
    };
    const onEvent = (e: RunEventBody) => {
      if (e.kind === "epoch") epochs++;
    };
    await expect(run(network(), o, { signal: stop.signal, onEvent, onProgress })).rejects.toMatchObject({ code: "CANCELLED" });
    expect(stepsOfThird).toBe(2);

    const continued = network();
    const seen: number[] = [];
    await run(continued, o, { onEvent: (e) => e.kind === "epoch" && seen.push(e.epoch) });
    expect(seen).toEqual([3, 4]);
    expect(weightsOf(continued)).toEqual(weightsOf(whole));
    expect(readdirSync(directory).sort()).toEqual(["best.bin", "checkpoint.bin"]);
  });

  it("continues that of overlapping slices with places and heads of their own likewise", async () => {
    const own = { patch: 4, stride: 2, kernelDepth: 1, positionChannel: true, perSliceHead: true, order: "raster", abstain: 0.4 };
    const plan = planOf([{ id: "volumizedCurriculum", params: own }], [8, 8, 1], 3);
    const two = { plan, inputShape: [8, 8, 1] as const, settings: { ...settings, epochs: 2 } };
    const [whole, stopped, continued] = [0, 0, 0].map(() => plan.network(network())) as [tfl.LayersModel, tfl.LayersModel, tfl.LayersModel];
    const before = weightsOf(whole);
    await run(whole, two);
    rmSync(directory, { recursive: true });
    const stop = new AbortController();
    const onEvent = (e: RunEventBody) => e.kind === "epoch" && stop.abort();
    await expect(run(stopped, two, { signal: stop.signal, onEvent })).rejects.toMatchObject({ code: "CANCELLED" });
    expect((await run(continued, two)).epochs).toBe(2);
    expect(weightsOf(continued)).toEqual(weightsOf(whole));
    expect(weightsOf(whole)).not.toEqual(before);
  });

  it("depends on the seed, and on nothing else", async () => {
    const results: number[][][] = [];
    for (const seed of [3, 3, 4]) {
      const model = network();
      await run(model, { settings: { ...settings, epochs: 1 }, validation: null }, { seed });
      results.push(weightsOf(model));
      rmSync(directory, { recursive: true });
    }
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).not.toEqual(results[0]);
  });

  it("restores the best epoch's weights", async () => {
    const model = convNetwork({ seed: 5 });
    const perEpoch: number[][][] = [];
    const events: RunEventBody[] = [];
    // A rate that grows a thousandfold after the second epoch spoils what was learnt.
    const spoil: TrainSettings = { ...settings, epochs: 5, schedule: { kind: "steps", at: [2], factor: 1000 } };
    const onEpochEnd = async () => void perEpoch.push(weightsOf(model));
    const { bestEpoch } = await run(model, { settings: spoil, onEpochEnd }, { onEvent: (e) => events.push(e) });
    const accuracies = events.filter((e) => e.kind === "epoch").map((e) => e.validationAccuracy ?? 0);
    expect(accuracies[4]).toBeLessThan(Math.max(...accuracies));
    expect(bestEpoch).not.toBeNull();
    expect(weightsOf(model)).toEqual(perEpoch[(bestEpoch ?? 0) - 1]);
  });

  it("stops early, and keeps stopped when called again", async () => {
    const frozen: TrainSettings = { ...settings, epochs: 9, learningRate: 1e-12, earlyStop: 2 };
    const first = await run(convNetwork({ seed: 5 }), { settings: frozen });
    expect(first).toMatchObject({ epochs: 3, bestEpoch: 1 });
    const events: RunEventBody[] = [];
    expect(await run(convNetwork({ seed: 5 }), { settings: frozen }, { onEvent: (e) => events.push(e) })).toMatchObject({ epochs: 3 });
    expect(events).toEqual([]);
  });

  it("stops when the loss is no number, and leaves the last good checkpoint", async () => {
    let epoch = 0;
    const plan: TrainingPlan = {
      ...plainPlan,
      criterion: (output, targets) => tf.mul(plainPlan.criterion(output, targets), epoch < 2 ? 1 : Number.NaN),
    };
    const onEpochEnd = async (done: number) => {
      epoch = done;
    };
    await expect(run(network(), { plan, onEpochEnd })).rejects.toMatchObject({
      code: "TRAINING_DIVERGED",
      message: "The loss became NaN in epoch 3.",
    });
    const seen: number[] = [];
    await run(network(), {}, { onEvent: (e) => e.kind === "epoch" && seen.push(e.epoch) });
    expect(seen).toEqual([3, 4]);
  });

  it.each([
    ["checkpoint.bin", "is cut off", (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
    ["checkpoint.bin", "is empty", () => Buffer.alloc(0)],
    ["checkpoint.bin", "has a flipped bit", flipped],
    ["best.bin", "has a flipped bit", flipped],
    ["best.bin", "is gone", () => null],
  ] as const)("begins again where %s %s, says so, and ends with the same weights", async (name, _, damage) => {
    const two = { settings: { ...settings, epochs: 2 } };
    const whole = network();
    await run(whole, two);
    rmSync(directory, { recursive: true });
    await run(network(), { settings: { ...settings, epochs: 1 } });
    const file = path.join(directory, name);
    const left = damage(readFileSync(file));
    if (left) writeFileSync(file, left);
    else rmSync(file);
    const events: RunEventBody[] = [];
    const again = network();
    await run(again, two, { onEvent: (e) => events.push(e) });
    expect(events[0]).toEqual({ kind: "warning", message: "a: the training checkpoint is damaged; training starts over." });
    expect(events.flatMap((e) => (e.kind === "epoch" ? [e.epoch] : []))).toEqual([1, 2]);
    expect(weightsOf(again)).toEqual(weightsOf(whole));
  });

  it("takes no checkpoint of another network", async () => {
    await run(network(), { settings: { ...settings, epochs: 1 } });
    const other = { settings: { ...settings, epochs: 1 } };
    expect((await run(convNetwork({ filters: 7 }), other)).history).toHaveLength(1);
  });

  it("tells the epochs that a checkpoint holds to whoever goes on with it", async () => {
    const { history } = await run(network(), { settings: { ...settings, epochs: 2 } });
    const told: unknown[] = [];
    await run(network(), { settings: { ...settings, epochs: 2 }, onContinue: async (epochs) => void told.push(...epochs) });
    expect(told).toEqual(history);
  });

  it("has no images, no training", async () => {
    await expect(run(network(), { train: stripes(0, 1) })).rejects.toMatchObject({ code: "DATASET_EMPTY" });
  });

  it("says that it scales the learning rate of SGD, and leaves Adam's", async () => {
    const said = async (optimizer: "sgd" | "adam"): Promise<string[]> => {
      const log: string[] = [];
      const scaled = { ...plainPlan, learningRateScale: 0.25 };
      const options = { plan: scaled, settings: { ...settings, epochs: 1, optimizer, learningRate: 0.001 } };
      await run(network(), options, { log: (message) => log.push(message) });
      rmSync(directory, { recursive: true });
      return log;
    };
    expect(await said("sgd")).toEqual([expect.stringContaining("multiplied by 0.25")]);
    expect(await said("adam")).toEqual([expect.stringContaining("left as it is")]);
  });

  it.each(["sgd", "adam", "rmsprop", "adadelta"] as const)(
    "takes the same %s steps for a sum over slices as for their mean, with weight decay too",
    async (optimizer) => {
      const weightsAfter = async (plan: TrainingPlan): Promise<number[]> => {
        const model = network();
        await run(model, { plan, settings: { ...settings, epochs: 1, optimizer, learningRate: 0.01, weightDecay: 0.3 } });
        rmSync(directory, { recursive: true });
        return model.getWeights().flatMap((weight) => [...weight.dataSync()]);
      };
      const mean = await weightsAfter(plainPlan);
      const criterion: TrainingPlan["criterion"] = (output, targets) => tf.mul(plainPlan.criterion(output, targets), 4);
      const sum = await weightsAfter({ ...plainPlan, criterion, learningRateScale: 1 / 4 });
      // Where a gradient is no more than rounding, Adam makes a whole step of its sign: not every weight can agree.
      const apart = sum.map((value, i) => Math.abs(value - (mean[i] as number))).sort((a, b) => a - b);
      expect(apart[Math.floor(0.95 * apart.length)]).toBeLessThan(1e-5);
    },
  );

  it("leaks no tensor, cancelled or not", async () => {
    const model = network();
    const before = tf.memory().numTensors;
    await run(model, { settings: { ...settings, epochs: 2 } });
    expect(tf.memory().numTensors).toBe(before);
    rmSync(directory, { recursive: true });
    const stop = new AbortController();
    await expect(run(model, {}, { signal: stop.signal, onProgress: () => stop.abort() })).rejects.toMatchObject({ code: "CANCELLED" });
    expect(tf.memory().numTensors).toBe(before);
  });

  it("tells the attack of each epoch, and passes its answer on", async () => {
    const events: RunEventBody[] = [];
    const quickAttack = async (epoch: number) => ({ id: "fgsm", successRate: epoch / 10 });
    await run(network(), { quickAttack, settings: { ...settings, epochs: 2 } }, { onEvent: (e) => events.push(e) });
    expect(events.filter((e) => e.kind === "epoch").map((e) => e.quickAttack)).toEqual([
      { id: "fgsm", successRate: 0.1 },
      { id: "fgsm", successRate: 0.2 },
    ]);
  });
});

describe("syllabus", () => {
  const ordered = (microBatch: number, sign: number): TrainingPlan => ({
    ...plainPlan,
    syllabus: {
      microBatch: () => microBatch,
      order: (images, n) => {
        const sum = (i: number) => images.subarray(i * 64, (i + 1) * 64).reduce((a, b) => a + b, 0);
        return Int32Array.from({ length: n }, (_, i) => i).sort((a, b) => sign * (sum(a) - sum(b)));
      },
    },
  });
  const weightsAfter = async (plan: TrainingPlan) => {
    const model = convNetwork({ seed: 5 });
    await run(model, { plan, validation: null, settings: { ...settings, epochs: 1, batchSize: 50, optimizer: "sgd", learningRate: 0.1 } });
    rmSync(directory, { recursive: true });
    return weightsOf(model).flat();
  };

  it("does nothing inside one step, and something across steps", async () => {
    expect(near(await weightsAfter(ordered(50, 1)), await weightsAfter(ordered(50, -1)))).toBeLessThan(1e-5);
    expect(near(await weightsAfter(ordered(10, 1)), await weightsAfter(ordered(10, -1)))).toBeGreaterThan(1e-4);
  });
});
