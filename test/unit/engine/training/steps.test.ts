import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { createContext } from "../../../../src/engine/context.ts";
import type { Attack, Bound, Defense, TrainingPlan, TrainingStep } from "../../../../src/engine/define/index.ts";
import { bind, find } from "../../../../src/engine/registry.ts";
import { planOf } from "../../../../src/engine/session/openModel.ts";
import { type Images, tf, type tfl } from "../../../../src/engine/tf.ts";
import { type ImageSource, train } from "../../../../src/engine/training/loop.ts";
import { plainPlan, stackedPlan, trainingCost } from "../../../../src/engine/training/plan.ts";
import type { RunEventBody } from "../../../../src/shared/events.ts";
import { defaultTrain, type TrainSettings } from "../../../../src/shared/experiment.ts";
import { convNetwork, linearNetwork, near, randomBatch } from "../fixtures.ts";

beforeAll(() => useBackend("cpu"));

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "steps-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const shape = [8, 8, 1] as const;
const facts = { inputShape: shape, classes: 3 };
const noise = randomBatch(20, shape, 3);
const source: ImageSource = {
  size: 20,
  read: async (indices) => ({
    images: Float32Array.from(Array.from(indices).flatMap((i) => [...noise.images.subarray(i * 64, (i + 1) * 64)])),
    labels: Int32Array.from(indices, (i) => noise.labels[i] ?? 0),
    n: indices.length,
  }),
};
const settings: TrainSettings = { ...defaultTrain, epochs: 1, batchSize: 8, learningRate: 0.01 };

async function run(network: tfl.LayersModel, plan: TrainingPlan, o: Partial<Parameters<typeof train>[0]> = {}): Promise<RunEventBody[]> {
  const events: RunEventBody[] = [];
  const base = { network, plan, train: source, validation: null, settings, arm: "a", checkpointDirectory: directory };
  await train({ ...base, ...o }, createContext({ seed: 3, onEvent: (event) => events.push(event) }));
  rmSync(directory, { recursive: true, force: true });
  return events;
}

/** Gives each step to `see` and trains as usual. */
const watching = (see: (step: TrainingStep) => void, changes: Partial<TrainingPlan> = {}): TrainingPlan => ({
  ...plainPlan,
  ...changes,
  loss: (step) => {
    see(step);
    return plainPlan.loss(step);
  },
});

describe("a training step", () => {
  it("passes the same dropout masks at every call, and others in the next step", async () => {
    const sums: number[][] = [];
    const plan = watching((step) => {
      const sum = () => tf.sum(step.forward(step.images).output).dataSync()[0] ?? 0;
      sums.push([sum(), sum()]);
    });
    await run(convNetwork({ dropout: 0.5, seed: 5 }), plan, { settings: { ...settings, learningRate: 1e-12 } });
    for (const [first, second] of sums) expect(second).toBe(first);
    const masksAlone = sums.slice(0, 2).map(([sum]) => sum);
    expect(masksAlone[0]).not.toBe(masksAlone[1]);
  });

  it("draws the masks of an epoch from one stream, so that a second pass changes no training", async () => {
    const [once, twice] = [convNetwork({ dropout: 0.5, seed: 5 }), convNetwork({ dropout: 0.5, seed: 5 })];
    await run(once, plainPlan);
    await run(
      twice,
      watching((step) => step.forward(step.images)),
    );
    expect(near(weights(twice), weights(once))).toBe(0);
  });

  it("takes layers along, and refuses one that is not there", async () => {
    const network = convNetwork({ seed: 5 });
    const pool = network.layers.find(({ name }) => name.startsWith("pool"))?.name ?? "";
    const shapes: unknown[] = [];
    const plan = watching((step) => shapes.push(step.forward(step.images, { take: [pool] }).taken.get(pool)?.shape));
    await run(network, plan);
    expect(shapes[0]).toEqual([8, 4, 4, 4]);
    const wrong = watching((step) => void step.forward(step.images, { take: ["nowhere"] }));
    await expect(run(convNetwork(), wrong)).rejects.toThrow("nowhere");
  });

  it("is differentiable twice: the gradient of a squared input gradient with respect to the weights, by hand", async () => {
    // z = W·x, and the mean squared gradient of Σ z by x is (Σ_c W_c)² for each of the pixels: its derivative by W is 2·Σ_c W_c.
    const penalty = (step: TrainingStep) => {
      const gradient = tf.grad((x: tf.Tensor) => tf.sum(step.forward(x as Images).output))(step.images);
      return tf.div(tf.sum(tf.square(gradient)), step.images.shape[0]) as tf.Scalar;
    };
    const plan: TrainingPlan = { ...plainPlan, loss: (step) => ({ total: penalty(step), output: step.forward(step.images).output }) };
    const rows = Array.from({ length: 3 }, (_, c) => Array.from({ length: 64 }, (_, j) => Math.sin(7 * c + j)));
    const network = linearNetwork(rows, [8, 8, 1]);
    const sgd: TrainSettings = { ...settings, optimizer: "sgd", momentum: 0, learningRate: 0.1, batchSize: 20 };
    await run(network, plan, { settings: sgd });
    const moved = rows.map((row) => row.map((w, j) => w - 0.1 * 2 * rows.reduce((sum, other) => sum + (other[j] ?? 0), 0)));
    const expected = Array.from({ length: 64 }, (_, j) => moved.map((row) => row[j] ?? 0)).flat();
    expect(near(weights(network), expected)).toBeLessThan(1e-5);
  });

  it("reports named parts of the loss, of steps and as means of the epoch", async () => {
    const plan: TrainingPlan = {
      ...plainPlan,
      loss: (step) => {
        const { total, output } = plainPlan.loss(step);
        return { total, output, parts: { half: tf.mul(total, 0.5), images: tf.scalar(step.images.shape[0]) } };
      },
    };
    const events = await run(convNetwork({ seed: 5 }), plan);
    const [last] = events.filter((event) => event.kind === "step").slice(-1);
    expect(last).toMatchObject({ parts: { half: expect.closeTo((last?.loss ?? 0) / 2, 6), images: 4 } });
    const [epoch] = events.filter((event) => event.kind === "epoch");
    // Batches of 8, 8 and 4 images.
    expect(epoch?.parts).toEqual({ half: expect.closeTo((epoch?.trainLoss ?? 0) / 2, 6), images: expect.closeTo((64 + 64 + 16) / 20, 6) });
    expect((await run(convNetwork({ seed: 5 }), plainPlan)).some((event) => "parts" in event)).toBe(false);
  });

  it("reports the loss of one slice where it adds up over slices", async () => {
    const by = (slices: number, learningRateScale: number): TrainingPlan => ({
      ...plainPlan,
      learningRateScale,
      loss: (step) => {
        const { total, output } = plainPlan.loss(step);
        return { total: tf.mul(total, slices), output, parts: { half: tf.mul(total, slices / 2) } };
      },
    });
    const told = (events: RunEventBody[]) =>
      events.flatMap((event) => {
        if (event.kind === "step" && event.step === event.steps) return [event.loss, event.parts?.["half"] ?? 0];
        return event.kind === "epoch" ? [event.trainLoss, event.validationLoss ?? 0, event.parts?.["half"] ?? 0] : [];
      });
    const adam = { validation: source, settings: { ...settings, optimizer: "adam" } } as const;
    const mean = told(await run(convNetwork({ seed: 5 }), by(1, 1), adam));
    const sum = told(await run(convNetwork({ seed: 5 }), by(4, 1 / 4), adam)); // powers of two: nothing is rounded otherwise
    expect(near(sum, mean)).toBeLessThan(1e-5);
    expect(mean.every((loss) => loss > 0)).toBe(true);
  });
});
const weights = (network: tfl.LayersModel): number[] => network.getWeights().flatMap((weight) => [...weight.dataSync()]);

describe("an inner attack", () => {
  const pgd = bind("attack", { kind: "pgd", eps: 0.1, steps: 2 });

  it("crafts images in its ball, of all images of the batch, for the network as it is", async () => {
    const seen: { moved: number; label: number }[] = [];
    const plan = watching(
      ({ images, crafted, labels }) => {
        if (!crafted) throw new Error("nothing was crafted");
        const moved = tf.max(tf.abs(tf.sub(crafted, images)), [1, 2, 3]).dataSync();
        expect(Math.max(...moved)).toBeLessThanOrEqual(0.1 + 1e-6);
        labels.dataSync().forEach((label, i) => void seen.push({ moved: moved[i] ?? 0, label }));
      },
      { craft: pgd },
    );
    await run(convNetwork({ seed: 5 }), plan);
    expect(seen).toHaveLength(20);
    expect(seen.every(({ moved }) => moved > 0.05)).toBe(true);
  });

  it("grows to its strength over the first epochs of the plan, step by step", async () => {
    const largest: number[] = [];
    const plan = watching(
      ({ images, crafted }) => void largest.push(crafted ? (tf.max(tf.abs(tf.sub(crafted, images))).dataSync()[0] ?? 0) : 0),
      { craft: pgd, craftRamp: 2 },
    );
    await run(convNetwork({ seed: 5 }), plan, { settings: { ...settings, epochs: 3 } }); // three steps an epoch
    const expected = [1, 2, 3, 4, 5, 6, 6, 6, 6].map((part) => (0.1 * part) / 6);
    expect(near(largest, expected)).toBeLessThan(1e-6);
  });

  it("gives an image the same random numbers in whatever batch of an epoch it comes", async () => {
    const started = async (batchSize: number): Promise<Map<string, string>> => {
      const found = new Map<string, string>();
      const plan = watching(
        ({ images, crafted }) => {
          const [clean, moved] = [images.dataSync(), crafted?.dataSync() ?? new Float32Array()];
          for (let i = 0; i < images.shape[0]; i++)
            found.set(String(clean.subarray(i * 64, (i + 1) * 64)), String(moved.subarray(i * 64, (i + 1) * 64)));
        },
        { craft: uniformNoise },
      );
      await run(convNetwork({ seed: 5 }), plan, { settings: { ...settings, batchSize } });
      return found;
    };
    expect(await started(3)).toEqual(await started(20));
  });

  it("is drawn for each batch where there are several, by the seed, the epoch and the step: a training that goes on draws as one that was not stopped", async () => {
    const told: string[] = [];
    const named = (id: string): Bound<Attack> => ({
      ...pgd,
      id,
      entry: {
        ...pgd.entry,
        run: (...args) => {
          told.push(id);
          return pgd.entry.run(...args);
        },
      },
    });
    const plan = { ...plainPlan, craft: named("a"), craftAlternatives: [named("b"), named("c")] };
    const drawn = async (seed: number, epochs: readonly number[]): Promise<string[]> => {
      told.length = 0;
      const network = convNetwork({ seed: 5 });
      for (const end of epochs) {
        const o = { network, plan, train: source, validation: null, arm: "a", checkpointDirectory: directory };
        await train({ ...o, settings: { ...settings, batchSize: 2, epochs: end } }, createContext({ seed }));
      }
      rmSync(directory, { recursive: true, force: true });
      network.dispose();
      return [...told];
    };
    const whole = await drawn(3, [2]);
    expect(whole).toHaveLength(20);
    for (const id of ["a", "b", "c"]) expect(whole.filter((one) => one === id).length, id).toBeGreaterThan(2);
    expect(whole.slice(10)).not.toEqual(whole.slice(0, 10));
    expect(await drawn(3, [1, 2])).toEqual(whole);
    expect(await drawn(4, [2])).not.toEqual(whole);
  });

  it("works with micro-batches: each is attacked on the network that the one before it left", async () => {
    const sizes: number[] = [];
    const syllabus = { microBatch: () => 3, order: (_: Float32Array, n: number) => Int32Array.from({ length: n }, (_, i) => n - 1 - i) };
    const plan = watching(({ crafted }) => void sizes.push(crafted?.shape[0] ?? 0), { craft: pgd, syllabus });
    await run(convNetwork({ seed: 5 }), plan);
    expect(sizes).toEqual([3, 3, 2, 3, 3, 2, 3, 1]);
  });

  it("stops within an iteration, and leaks no tensor", async () => {
    const network = convNetwork({ seed: 5 });
    const before = tf.memory().numTensors;
    const stop = new AbortController();
    const plan: TrainingPlan = { ...plainPlan, craft: bind("attack", { kind: "pgd", eps: 0.1, steps: 1000 }) };
    let iterations = 0;
    const counting: Bound<Attack> = {
      ...(plan.craft as Bound<Attack>),
      entry: {
        ...find("attack", "pgd"),
        run: (model, batch, params, ctx) =>
          find("attack", "pgd").run(model, batch, params, {
            ...ctx,
            iterate: async (images, logits) => {
              if (++iterations === 3) stop.abort();
              await ctx.iterate(images, logits);
            },
          }),
      },
    };
    const options = { network, plan: { ...plan, craft: counting }, train: source, validation: null, settings, arm: "a" };
    const ctx = createContext({ seed: 3, signal: stop.signal });
    await expect(train({ ...options, checkpointDirectory: directory }, ctx)).rejects.toMatchObject({ code: "CANCELLED" });
    expect(iterations).toBe(3);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("attacks the validation images too, and the epoch that withstands best is kept", async () => {
    const network = convNetwork({ seed: 5 });
    const perEpoch: number[][] = [];
    const plan: TrainingPlan = { ...plainPlan, craft: bind("attack", { kind: "pgd", eps: 0.02, steps: 2 }) };
    const spoil: TrainSettings = { ...settings, epochs: 4, schedule: { kind: "steps", at: [2], factor: 3000 } };
    const events = await run(network, plan, {
      validation: source,
      settings: spoil,
      onEpochEnd: async () => void perEpoch.push(weights(network)),
    });
    const under = events.flatMap((event) => (event.kind === "epoch" ? [event.attackedAccuracy ?? Number.NaN] : []));
    expect(under.every((accuracy) => accuracy >= 0 && accuracy <= 1)).toBe(true);
    expect(new Set(under).size).toBeGreaterThan(1);
    expect(weights(network)).toEqual(perEpoch[under.indexOf(Math.max(...under))]);
  });
});
/** The clean images and uniform noise: random numbers alone decide, the network does not. */
const uniformNoise: Bound<Attack> = {
  id: "uniformNoise",
  params: {},
  entry: {
    ...find("attack", "fgsm"),
    ball: () => ({ norm: "linf", radius: 0.1 }),
    run: async (_model, { images }, _params, ctx) => {
      const moved = Array.from({ length: images.shape[0] }, (_, i) => [...ctx.random(i).uniforms(64, -0.1, 0.1)]).flat();
      return tf.tidy(() => tf.clipByValue(tf.add(images, tf.tensor4d(moved, images.shape)), 0, 1)) as Images;
    },
  },
};

describe("plans stack", () => {
  const named = (id: string, loss: (total: tf.Scalar) => tf.Scalar): Bound<Defense> => ({
    id,
    params: {},
    entry: {
      ...find("defense", "standard"),
      kind: "training",
      id,
      plan: (base) => ({
        ...base,
        loss: (step) => {
          const losses = base.loss(step);
          return { ...losses, total: loss(losses.total) };
        },
      }),
    },
  });

  it("in the order of the list, the first nearest to plain training", () => {
    const add = named("add", (total) => tf.add(total, 1));
    const double = named("double", (total) => tf.mul(total, 2));
    const step = { forward: () => ({ output: tf.scalar(0), taken: new Map() }), criterion: () => tf.scalar(5) } as unknown as TrainingStep;
    const totalOf = (defenses: Bound<Defense>[]) => stackedPlan(defenses, facts).loss(step).total.dataSync()[0];
    expect([totalOf([add, double]), totalOf([double, add]), totalOf([])]).toEqual([12, 11, 5]);
  });

  it("refuses a defence in front of a network, and one that is listed twice", () => {
    const front = bind("defense", { kind: "bitDepth" });
    expect(() => stackedPlan([front], facts)).toThrow(expect.objectContaining({ code: "EXPERIMENT_INVALID" }));
    const twice = [1, 2].map(() => ({ id: "volumizedCurriculum", params: { patch: 4 } }));
    expect(() => planOf(twice, shape, 3)).toThrow("volumizedCurriculum is listed twice");
    expect(planOf([{ id: "bitDepth", params: {} }], shape, 3)).toBe(plainPlan); // in front: no matter of training
  });

  it("costs what its passes cost: three times as much in 3-D, and a step of the training as much as two of the attack", () => {
    expect(trainingCost(plainPlan)).toBe(3 * 2);
    const volumized = planOf([{ id: "volumizedCurriculum", params: { patch: 4 } }], shape, 3);
    expect(volumized.relativeCost).toBe(3);
    expect(trainingCost({ ...volumized, craft: bind("attack", { kind: "pgd", steps: 4 }) })).toBe(3 * 3 * (2 + 4));
    expect(planOf([{ id: "volumizedCurriculum", params: { volumizer: false } }], shape, 3).relativeCost).toBe(1);
    const [four, one] = [bind("attack", { kind: "pgd", steps: 4 }), bind("attack", { kind: "fgsm" })];
    expect(trainingCost({ ...plainPlan, craft: four, craftAlternatives: [one] })).toBe(3 * (2 + 2.5));
  });
});
