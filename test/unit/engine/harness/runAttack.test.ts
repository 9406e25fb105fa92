import { Type } from "@sinclair/typebox";
import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { inputGradient } from "../../../../src/engine/classifier/classifier.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { type Attack, type Ball, type Criterion, defineAttack } from "../../../../src/engine/define/index.ts";
import { attackBatch } from "../../../../src/engine/harness/runAttack.ts";
import type { AttackTracePoint } from "../../../../src/engine/harness/types.ts";
import { type Images, tf } from "../../../../src/engine/tf.ts";
import { linearClassifier, near } from "../fixtures.ts";

beforeAll(() => useBackend("cpu"));

/** Class 1 iff the second of two values is the larger. */
const model = () =>
  linearClassifier(
    [
      [1, 0],
      [0, 1],
    ],
    [1, 2, 1],
  );
const batch = { images: Float32Array.from([0.6, 0.4, 0.7, 0.1, 0.2, 0.8]), labels: Int32Array.from([0, 0, 0]), n: 3 };
const run = (attack: Attack, more: object = {}) =>
  attackBatch({ attack, params: {}, model: model(), batch, firstIndex: 10, seedName: "test", ...more }, createContext());

/** An attack that passes through `iterates` and returns the last of them. */
function scripted(ball: Ball, ...iterates: number[][]): Attack {
  return defineAttack({
    id: "scripted",
    title: "",
    paper: "",
    access: "gradients",
    iterative: true,
    params: Type.Object({}),
    ball: () => ball,
    iterations: () => iterates.length - 1,
    async run(classifier, { images }, _, ctx) {
      for (const values of iterates.slice(0, -1)) {
        const x: Images = tf.tensor4d(values, images.shape);
        const logits = classifier.logits(x);
        await ctx.iterate(x, logits);
        tf.dispose([x, logits]);
      }
      return tf.tensor4d(iterates.at(-1) ?? [], images.shape);
    },
  });
}
const linf = (radius: number): Ball => ({ norm: "linf", radius });

describe("attackBatch", () => {
  it("projects, decides success itself and leaves a wrong image alone", async () => {
    const outcome = await run(scripted(linf(0.15), [0, 1, 0, 1, 0, 1]));
    expect(near(outcome.adversarial, [0.45, 0.55, 0.55, 0.25, 0.2, 0.8])).toBeLessThan(1e-6);
    expect(Array.from(outcome.cleanPredictions)).toEqual([0, 0, 1]);
    expect(Array.from(outcome.predictions)).toEqual([1, 0, 1]);
    expect(outcome.records.map((r) => [r.index, r.success, r.successAfter8Bit, r.l0, r.iterations])).toEqual([
      [10, true, true, 2, 0],
      [11, false, false, 2, 0],
      [12, false, false, 0, 0],
    ]);
    expect(outcome.records[0]?.linf).toBeCloseTo(0.15, 6);
    expect(outcome.records[0]?.l2).toBeCloseTo(Math.hypot(0.15, 0.15), 6);
    expect(outcome.notes).toMatchObject({ outOfBall: 2, skipped: 1, silentSuccess: 0, notFinite: 0 });
  });

  it("returns an adversarial iterate when the attack lost it, and says so", async () => {
    const outcome = await run(
      scripted(linf(1), [0.6, 0.4, 0.7, 0.1, 0, 0], [0.3, 0.5, 0.7, 0.2, 0, 0], [0.2, 0.5, 0.7, 0.1, 0, 0], [0.9, 0.1, 0.7, 0.1, 0, 0]),
    );
    expect(near(outcome.adversarial.subarray(0, 2), [0.2, 0.5])).toBeLessThan(1e-6); // the one of the smallest margin
    expect(outcome.records[0]).toMatchObject({ success: true, iterations: 1, prediction: 1 });
    expect(outcome.records[1]).toMatchObject({ success: false, iterations: 3 });
    expect(outcome.notes.silentSuccess).toBe(1);
  });

  it("asks a model no more often than it has to: a single step shows the clean scores, and only a success is scored again in 8 bits", async () => {
    const passes = async (radius: number, start: (images: Images) => Images, more: object = {}) => {
      const counted = model();
      let n = 0;
      const logits = counted.logits;
      const asked = (x: Images) => {
        n++;
        return logits(x);
      };
      Object.assign(counted, { logits: asked });
      const step: Attack = {
        ...scripted(linf(radius), []),
        iterative: false,
        async run(classifier, { images }, _, ctx) {
          const x = start(images);
          const { gradient, logits: scores } = inputGradient(
            classifier,
            x,
            (z) => tf.sum(tf.sub(z.slice([0, 1]), z.slice([0, 0], [-1, 1]))) as tf.Scalar,
          );
          await ctx.iterate(x, scores);
          const moved = tf.tidy(() => tf.add(x, tf.mul(tf.sign(gradient), 1)) as Images);
          tf.dispose([x, gradient, scores]);
          return moved;
        },
      };
      const outcome = await run(step, { model: counted, ...more });
      expect(Array.from(outcome.cleanPredictions)).toEqual([0, 0, 1]);
      return [n, outcome.records.filter((r) => r.success).length];
    };
    const same = (images: Images): Images => images.clone();
    const moved = (images: Images): Images => tf.tidy(() => tf.add(images, 0.01) as Images);
    expect(await passes(0.15, same)).toEqual([3, 1]); // gradient, result, result in 8 bits
    expect(await passes(0.05, same)).toEqual([2, 0]);
    expect(await passes(0.15, moved)).toEqual([4, 1]); // and the clean images
    expect(await passes(0.15, same, { surface: model() })).toEqual([3, 1]); // clean, result, 8 bits; the gradient is of another model
  });

  it("does not take an iterate from outside the ball", async () => {
    const outcome = await run(scripted(linf(0.05), [0, 1, 0, 1, 0, 1], [0.6, 0.4, 0.7, 0.1, 0, 0]));
    expect(outcome.records.map((r) => r.success)).toEqual([false, false, false]);
    expect(outcome.records.every((r) => r.linf <= 0.05 + 1e-6)).toBe(true);
  });

  it("re-checks after rounding to 8 bits, and takes 8-bit images where it undoes a success", async () => {
    // 0.5001 against 0.4999: both round to 128/255 and 127/255, the tie break is not needed; 0.50001 and 0.5 both become 128/255.
    const outcome = await run(scripted(linf(1), [0.5, 0.50001, 0.4, 0.9, 0, 0]));
    expect(outcome.records.map((r) => [r.success, r.successAfter8Bit, r.repaired])).toEqual([
      [true, true, true],
      [true, true, undefined],
      [false, false, undefined],
    ]);
    expect(near(outcome.adversarial.subarray(0, 4), [127 / 255, 128 / 255, 0.4, 0.9])).toBeLessThan(1e-6);
    expect(outcome.notes.lostAfter8Bit).toBe(0);
  });

  it("replaces what is no number by the clean value", async () => {
    const outcome = await run(scripted(linf(1), [Number.NaN, 0.4, 0.7, Number.POSITIVE_INFINITY, 0, 0]));
    expect(near(outcome.adversarial.subarray(0, 4), [0.6, 0.4, 0.7, 0.1])).toBeLessThan(1e-6);
    expect(outcome.notes.notFinite).toBe(2);
  });

  it("decides a targeted attack by its target", async () => {
    const outcome = await run(scripted(linf(1), [0, 1, 1, 0, 0, 1]), { targetIndices: [1, 1, 1] });
    expect(outcome.records.map((r) => r.success)).toEqual([true, false, false]); // the third image was class 1 before
    expect(outcome.notes.skipped).toBe(1);
  });

  it("says the target of each image in its record, and nothing where there is none", async () => {
    const aimed = await run(scripted(linf(1), [0, 1, 1, 0, 0, 1]), { targetIndices: [1, 1, 0] });
    expect(aimed.records.map(({ target }) => target)).toEqual([1, 1, 0]);
    expect((await run(scripted(linf(1), [0, 1, 1, 0, 0, 1]))).records[0]).not.toHaveProperty("target");
  });

  it("decides by the attack's own criterion: iterates, result and rounding alike", async () => {
    // Two classes: the probability of the larger value is 1/(1 + e^−d); above .6 for d > ln 1.5 = .405.
    const confident: Criterion = {
      name: "misclassified with confidence",
      isTargeted: false,
      reached: ({ prediction, label, confidence }) => prediction !== label && confidence > 0.6,
    };
    const attack = {
      ...scripted(linf(1), [0.6, 0.4, 0.7, 0.1, 0, 0], [0.5, 0.6, 0.7, 0.1, 0, 0], [0.3, 0.8, 0.4, 0.6, 0, 0], [0.5, 0.6, 0.4, 0.6, 0, 0]),
      criterion: () => confident,
    };
    const { records, adversarial, notes } = await run(attack);
    // Image 0 met it at iterate 2 (d = .5) and lost it (d = .1); image 1 was fooled (d = .2), but never with confidence.
    expect(records[0]).toMatchObject({ success: true, successAfter8Bit: true, iterations: 2, prediction: 1 });
    expect(near(adversarial.subarray(0, 2), [0.3, 0.8])).toBeLessThan(1e-6);
    expect(records[1]).toMatchObject({ success: false, prediction: 1, iterations: 3 });
    expect(records[2]).toMatchObject({ success: false, l0: 0 }); // wrong already, with confidence or not
    expect(notes).toMatchObject({ silentSuccess: 1, skipped: 1 });
  });

  it("gives attacks no random stream that images of a batch would share", async () => {
    const attack = scripted(linf(1), [0.6, 0.4, 0.7, 0.1, 0.2, 0.8]);
    const seen: object[] = [];
    const watched: Attack = {
      ...attack,
      run: (classifier, images, params, ctx) => {
        seen.push(ctx);
        return attack.run(classifier, images, params, ctx);
      },
    };
    await run(watched);
    expect(seen).toHaveLength(1);
    expect(seen[0]).not.toHaveProperty("rng");
  });

  it("finds the first success of a long attack", async () => {
    const still = [0.6, 0.4, 0.7, 0.1, 0, 0];
    const iterates = Array.from({ length: 200 }, (_, t) => (t < 150 ? still : [0.4, 0.6, 0.7, 0.1, 0, 0]));
    const { records } = await run(scripted(linf(1), ...iterates));
    expect(records.map(({ iterations }) => iterations)).toEqual([150, 199, 0]);
  });

  it("shows every iteration to a watcher, and the result at the end", async () => {
    const points: AttackTracePoint[] = [];
    await run(scripted(linf(1), [0.6, 0.4, 0.7, 0.1, 0.2, 0.8], [0.4, 0.6, 0.7, 0.1, 0.2, 0.8]), {
      trace: (p: AttackTracePoint) => {
        points.push(p);
      },
    });
    expect(points.map((p) => p.iteration)).toEqual([0, 1]);
    expect(points[0]?.probabilities[0]).toBeCloseTo(1 / (1 + Math.exp(-0.2)), 6);
    expect(points[1]?.probabilities[0]).toBeCloseTo(1 / (1 + Math.exp(0.2)), 6);
  });

  it("counts the start as 0, whether or not the attack shows what it returns", async () => {
    const shown = [
      [0.6, 0.4, 0.7, 0.1, 0.2, 0.8],
      [0.5, 0.4, 0.7, 0.1, 0.2, 0.8],
      [0.4, 0.6, 0.7, 0.1, 0.2, 0.8],
    ];
    const places = async (attack: Attack): Promise<(number | null)[][]> => {
      const points: AttackTracePoint[] = [];
      await run(attack, { trace: (p: AttackTracePoint) => void points.push(p) });
      return points.map(({ iteration, total }) => [iteration, total]);
    };
    const counted = [
      [0, 2],
      [1, 2],
      [2, 2],
    ];
    expect(await places(scripted(linf(1), ...shown))).toEqual(counted); // as PGD: the last one is returned, not shown
    // As LaVAN: the last one is shown too. It is what is returned, or an earlier one is.
    const early = shown[1] as number[];
    for (const returned of [shown[2] as number[], early]) {
      const attack = { ...scripted(linf(1), ...shown, returned), iterations: () => 2 };
      expect(await places(attack)).toEqual([...counted, [2, 2]]);
    }
    // Stopped early at what it showed last.
    expect(await places({ ...scripted(linf(1), ...shown.slice(0, 2), early), iterations: () => 9 })).toEqual([
      [0, 9],
      [1, 9],
      [1, 1],
    ]);
  });

  it("refuses images and labels that are none", async () => {
    const attack = scripted(linf(1), [0, 0, 0, 0, 0, 0]);
    const images = Float32Array.from(batch.images).fill(Number.NaN, 0, 1);
    await expect(run(attack, { batch: { ...batch, images } })).rejects.toMatchObject({ code: "IMAGE_INVALID" });
    await expect(run(attack, { batch: { ...batch, labels: Int32Array.from([0, 2, 0]) } })).rejects.toMatchObject({ code: "LABEL_RANGE" });
    await expect(run(attack, { batch: { ...batch, n: 2 } })).rejects.toMatchObject({ code: "IMAGE_SIZE" });
  });
});
