import { beforeAll, describe, expect, it } from "vitest";
import { ballAround } from "../../../../src/engine/attacks/ball.ts";
import { attackGradient, crossEntropy, descend } from "../../../../src/engine/attacks/gradientDescent.ts";
import { momentum } from "../../../../src/engine/attacks/momentum.ts";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import type { Classifier } from "../../../../src/engine/classifier/classifier.ts";
import { classifierOf } from "../../../../src/engine/classifier/network.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { type ImageBatch, labelOf, type Params } from "../../../../src/engine/define/index.ts";
import { attackBatch } from "../../../../src/engine/harness/runAttack.ts";
import type { AttackTracePoint } from "../../../../src/engine/harness/types.ts";
import { marginLoss } from "../../../../src/engine/losses/marginLoss.ts";
import { bind } from "../../../../src/engine/registry.ts";
import { type Images, tf } from "../../../../src/engine/tf.ts";
import { attackContext, convNetwork, exactClassifier, labelledByModel, linearClassifier, near, randomBatch } from "../fixtures.ts";

beforeAll(() => useBackend("cpu"));

const batch: ImageBatch = { images: Float32Array.from([0.6, 0.4]), labels: Int32Array.from([0]), n: 1 };

async function attacked(kind: string, given: Params, model: Classifier = exactClassifier(), images = batch) {
  const points: AttackTracePoint[] = [];
  const { entry: attack, params } = bind("attack", { kind, ...given });
  const task = { attack, params, model, batch: images, firstIndex: 0, seedName: "t", trace: (p: AttackTracePoint) => void points.push(p) };
  const outcome = await attackBatch(task, createContext());
  return { outcome, iterates: points.map((point) => Array.from(point.images)) };
}
const walk = [
  [0.6, 0.4],
  [0.56, 0.44],
  [0.52, 0.48],
  [0.5, 0.5],
];
const isWalk = (iterates: readonly number[][], expected = walk): boolean =>
  iterates.length === expected.length && iterates.every((iterate, i) => near(iterate, expected[i] ?? []) < 1e-6);

describe("towards the least likely class", () => {
  it("StepLL of .1 → [.5, .5], y_LL = 2", async () => {
    const { outcome } = await attacked("stepLL", { eps: 0.1 });
    expect(near(outcome.adversarial, [0.5, 0.5])).toBeLessThan(1e-6);
    expect(outcome.records[0]).toMatchObject({ target: 2 });
    expect(outcome).toMatchObject({ gradientEvaluations: 1, forwardEvaluations: 1 }); // the latter finds y_LL
  });

  it("StepLL counts any wrong class as a success", async () => {
    // z = [.3, −.1, −.3] at [.8, .5], and [−.1, .1, −.2] after .2 along (−1, 1): class 1 overtakes class 0, class 2 does not
    const model = linearClassifier(
      [
        [1, -1],
        [0, 1],
        [-0.5, 0],
      ],
      [1, 2, 1],
      [0, -0.6, 0.1],
    );
    const { outcome } = await attacked("stepLL", { eps: 0.2 }, model, { ...batch, images: Float32Array.of(0.8, 0.5) });
    expect(near(outcome.adversarial, [0.6, 0.7])).toBeLessThan(1e-6);
    expect(outcome.records[0]).toMatchObject({ target: 2, cleanPrediction: 0, prediction: 1, success: true });
  });

  it("Iter-StepLL goes there in small steps and stays in the ball; 0 takes ε/steps", async () => {
    expect(isWalk((await attacked("iterStepLL", { eps: 0.1, stepSize: 0.04 })).iterates)).toBe(true);
    const { iterates } = await attacked("iterStepLL", { eps: 0.1, steps: 4 });
    expect(near(iterates[1] ?? [], [0.575, 0.425])).toBeLessThan(1e-6);
  });

  it("Iter-StepLL keeps the class that was least likely at first", async () => {
    // z = [5, 0, x − .55]: class 2 is the least likely at .5, class 1 from .55 on; towards that x would fall again
    const model = linearClassifier([[0], [0], [1]], [1, 1, 1], [5, 0, -0.55]);
    const { iterates } = await attacked("iterStepLL", { eps: 0.3 }, model, { ...batch, images: Float32Array.of(0.5) });
    expect(isWalk(iterates, [[0.5], [0.6], [0.7], [0.8]])).toBe(true);
  });
});

describe("BIM", () => {
  it("walks from the clean image; 0 takes ε/steps", async () => {
    expect(isWalk((await attacked("bim", { eps: 0.1, steps: 3, stepSize: 0.04 })).iterates)).toBe(true);
    const { iterates } = await attacked("bim", { eps: 0.1, steps: 4 });
    expect(near(iterates[1] ?? [], [0.575, 0.425])).toBeLessThan(1e-6);
    expect(near(iterates[4] ?? [], [0.5, 0.5])).toBeLessThan(1e-6);
  });

  it("is PGD without a random start, value for value", async () => {
    const model = classifierOf(convNetwork(), { contract: { input: {} }, outputs: "logits" });
    const images = labelledByModel(model, randomBatch(3, model.inputShape, 3));
    const settings = { eps: 0.1, steps: 5, stepSize: 0.03 };
    const [a, b] = [
      await attacked("bim", settings, model, images),
      await attacked("pgd", { ...settings, randomStart: false }, model, images),
    ];
    expect(a.iterates).toEqual(b.iterates);
  });
});

describe("PGD with the margin loss of Carlini & Wagner", () => {
  const gradient = (confidence: number, target?: number, x: number[] = [0.6, 0.4]): number[] => {
    const goal = {
      images: tf.tensor4d(x, [1, 1, 2, 1]),
      labels: tf.tensor1d([0], "int32"),
      ...(target === undefined ? {} : { targets: tf.tensor1d([target], "int32") }),
    };
    const loss: typeof crossEntropy = (logits, of) => marginLoss(logits, of, confidence, "sum");
    return Array.from(attackGradient(exactClassifier(), goal.images, goal, loss).gradient.dataSync());
  };

  it("∇ = [−1, 1.5] (class 0 against the best other, 1); towards class 2 it is row 2 less row 0", () => {
    expect(near(gradient(50), [-1, 1.5])).toBeLessThan(1e-6);
    expect(near(gradient(50, 2, [0.8, 0.2]), [-2, 2])).toBeLessThan(1e-6); // z = [.6, .1, −.6]
  });

  it("pushes no further than a lead of κ", async () => {
    // z₁ − z₀ = 1.5·y − x: 0 at [.6, .4], .25 at [.5, .5], .75 at [.3, .7]
    expect(near(gradient(0.3, undefined, [0.5, 0.5]), [-1, 1.5])).toBeLessThan(1e-6);
    expect(gradient(0.2, undefined, [0.5, 0.5])).toEqual([0, 0]);
    const settings = { eps: 0.3, steps: 6, stepSize: 0.1, randomStart: false };
    const end = async (confidence: number) => (await attacked("cwPgd", { ...settings, confidence })).outcome.adversarial;
    expect(near(await end(50), [0.3, 0.7])).toBeLessThan(1e-6);
    expect(near(await end(0.3), [0.4, 0.6])).toBeLessThan(1e-6); // .25 falls short of .3, .5 does not
  });

  it("walks as PGD does where the signs agree", async () => {
    expect(isWalk((await attacked("cwPgd", { eps: 0.1, steps: 3, stepSize: 0.04, randomStart: false })).iterates)).toBe(true);
  });
});

describe("momentum", () => {
  const images = (...values: number[]): Images => tf.tensor4d(values, [values.length / 2, 1, 2, 1]);
  const directions = (decay: number, ...gradients: number[][]): number[][] => {
    const before = tf.memory().numTensors;
    const followed = momentum(decay);
    const found = gradients.map((values) => tf.tidy(() => Array.from(followed.along(images(...values)).dataSync())));
    followed.dispose();
    expect(tf.memory().numTensors).toBe(before);
    return found;
  };

  it("g ← μ·g + ∇/‖∇‖₁, image by image", () => {
    // image 0: [.75, −.25], then [−.5, .5]; image 1: nothing, then [.5, .5]
    const given = [
      [3, -1, 0, 0],
      [-1e-25, 1e-25, 7, 7],
    ];
    expect(near(directions(1, ...given)[1] ?? [], [0.25, 0.25, 0.5, 0.5])).toBeLessThan(1e-6);
    expect(near(directions(0.5, ...given)[1] ?? [], [-0.125, 0.375, 0.5, 0.5])).toBeLessThan(1e-6);
    expect(directions(1, ...given)[0]).toEqual([0.75, -0.25, 0, 0]);
    expect(directions(0, [3, -1])).toEqual([[3, -1]]);
  });

  it("carries an image on where its gradient turns, and none is the plain loop bit for bit", async () => {
    const model = classifierOf(convNetwork({ seed: 4 }), { contract: { input: {} }, outputs: "logits" });
    const given = labelledByModel(model, randomBatch(3, model.inputShape, 3));
    const settings = { eps: 0.2, steps: 8, stepSize: 0.05 };
    const ends = async (decay: number) =>
      Array.from((await attacked("bim", { ...settings, momentum: decay }, model, given)).iterates.at(-2) ?? []);
    const x = tf.tensor4d(given.images, [3, ...model.inputShape]);
    const ball = ballAround(x, "linf", 0.2);
    const plain: number[][] = [];
    const ctx = { ...attackContext(), iterate: async (now: Images) => void plain.push(Array.from(now.dataSync())) };
    const next = (now: Images, gradient: Images): Images => ball.step(now, gradient, 0.05);
    const goal = { images: x, labels: tf.tensor1d(given.labels, "int32") };
    await descend({ model, batch: goal, start: x.clone(), steps: 8, loss: crossEntropy, next }, ctx);
    expect(await ends(0)).toEqual(plain[7]);
    expect(near(await ends(1), plain[7] ?? [])).toBeGreaterThan(0.01);
  });
});

describe("early retirement", () => {
  const model = () => classifierOf(convNetwork({ seed: 4 }), { contract: { input: {} }, outputs: "logits" });
  const settings = { eps: 0.06, steps: 10, stepSize: 0.012 };
  const many = (network: Classifier): ImageBatch => labelledByModel(network, randomBatch(12, network.inputShape, 3, 5));
  const kinds: readonly (readonly [string, Params])[] = [
    ["bim", { momentum: 1 }],
    ["pgd", { momentum: 0.7, restarts: 3 }],
    ["pgd", { norm: "l2", eps: 0.3, stepSize: 0.06 }],
    ["pgd", { target: "runnerUp", eps: 0.12, stepSize: 0.03 }],
    ["cwPgd", { target: 1, restarts: 2, eps: 0.12 }],
  ];

  it.each(kinds)("%s %j: the same successes at the same iterations, from fewer gradients", async (kind, given) => {
    const network = model();
    const run = async (retire: boolean) => (await attacked(kind, { ...settings, ...given, retire }, network, many(network))).outcome;
    const [on, off] = [await run(true), await run(false)];
    const outcomes = ({ records }: typeof on) => records.map(({ success, iterations }) => [success, iterations]);
    expect(new Set(off.records.map(({ success }) => success))).toEqual(new Set([true, false]));
    if (!("restarts" in given)) expect(outcomes(on)).toEqual(outcomes(off)); // another attempt begins as soon as all are broken
    expect(on.records.map(({ success }) => success)).toEqual(off.records.map(({ success }) => success));
    expect(on.gradientEvaluations).toBeLessThan(off.gradientEvaluations);
  });

  it.each(kinds)("%s %j: an image alone gives what it gives among others", async (kind, given) => {
    const network = model();
    const { entry: attack, params } = bind("attack", { kind, ...settings, ...given, retire: true });
    const batch = many(network);
    const size = batch.images.length / batch.n;
    const all = await attackBatch({ attack, params, model: network, batch, firstIndex: 0, seedName: "t" }, createContext());
    for (let i = 0; i < batch.n; i++) {
      const one = { images: batch.images.slice(i * size, (i + 1) * size), labels: batch.labels.slice(i, i + 1), n: 1 };
      const alone = await attackBatch({ attack, params, model: network, batch: one, firstIndex: i, seedName: "t" }, createContext());
      expect(near(alone.adversarial, all.adversarial.slice(i * size, (i + 1) * size))).toBeLessThan(1e-6);
      expect(alone.records[0]?.iterations).toBe(all.records[i]?.iterations);
    }
  });

  it("leaves an image where it is first broken, and ends when all are", async () => {
    // z₁ − z₀ = 1.5·y − x − .15 is −.05 at [.56, .44] and .05 at [.52, .48], the third iterate
    const biased = linearClassifier(
      [
        [1, -1],
        [0, 0.5],
      ],
      [1, 2, 1],
      [0.15, 0],
    );
    const { outcome, iterates } = await attacked("bim", { eps: 0.3, steps: 9, stepSize: 0.04, retire: true }, biased);
    expect(near(outcome.adversarial, [0.52, 0.48])).toBeLessThan(1e-6);
    expect(iterates).toHaveLength(4); // three iterates, and the result
    expect(outcome).toMatchObject({ gradientEvaluations: 3 });
    expect(outcome.records[0]).toMatchObject({ success: true, iterations: 2 });
    // BIM-B goes on to the edge of the ball, which nine steps reach, and gives the last iterate
    const last = (await attacked("bim", { eps: 0.3, steps: 9, stepSize: 0.04 }, biased)).outcome;
    expect(near(last.adversarial, [0.3, 0.7])).toBeLessThan(1e-6);
    expect(last.records[0]).toMatchObject({ success: true, iterations: 2 });
    const labels = [true, false].map((retire) => labelOf(bind("attack", { kind: "bim", eps: 0.3, steps: 50, retire })));
    expect(labels).toEqual(["BIM-A-50, ε 0.3", "BIM-50, ε 0.3"]);
  });

  it("BIM-A of an image that is never broken is the last iterate", async () => {
    const far = linearClassifier(
      [
        [1, -1],
        [0, 0],
      ],
      [1, 2, 1],
      [9, 0],
    );
    const { outcome } = await attacked("bim", { eps: 0.3, steps: 5, stepSize: 0.04, retire: true, loss: "margin" }, far);
    expect(near(outcome.adversarial, [0.4, 0.6])).toBeLessThan(1e-6);
    expect(outcome.records[0]).toMatchObject({ success: false });
  });

  it("does not trust one pass of a randomised model, nor the margin alone where a detector is to be evaded", async () => {
    const network = model();
    const batch = many(network);
    const gradients = async (surface: Classifier): Promise<number> =>
      (await attacked("bim", { ...settings, retire: true }, surface, batch)).outcome.gradientEvaluations;
    expect(await gradients(network)).toBeLessThan(120);
    expect(await gradients({ ...network, randomised: true })).toBe(120);
    expect(await gradients({ ...network, penalty: (x) => tf.mul(tf.sum(x), 0) as tf.Scalar })).toBe(120);
  });

  it("leaves no tensor behind, finished or cancelled", async () => {
    const network = model();
    const batch = many(network);
    const images = tf.tensor4d(batch.images, [batch.n, ...network.inputShape]);
    const goal = { images, labels: tf.tensor1d(batch.labels, "int32") };
    const { entry, params } = bind("attack", { kind: "pgd", ...settings, momentum: 1, restarts: 2, retire: true });
    const run = async (cancelAt: number): Promise<number> => {
      const before = tf.memory().numTensors;
      let steps = 0;
      const iterate = async (): Promise<void> => {
        if (++steps === cancelAt) throw new Error("stop");
      };
      await entry.run(network, goal, params, { ...attackContext(), iterate }).then(
        (end) => end.dispose(),
        () => undefined,
      );
      return tf.memory().numTensors - before;
    };
    for (const cancelAt of [0, 1, 2, 5, 8, 12]) expect(await run(cancelAt)).toBe(0);
  });
});
