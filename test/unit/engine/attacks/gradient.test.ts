import { beforeAll, describe, expect, it } from "vitest";
import { fgsm } from "../../../../src/engine/attacks/fgsm.ts";
import { attackGradient, crossEntropy, margin } from "../../../../src/engine/attacks/gradientDescent.ts";
import { pgd } from "../../../../src/engine/attacks/pgd.ts";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { classifierOf } from "../../../../src/engine/classifier/network.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { type Params, resolveParams } from "../../../../src/engine/define/index.ts";
import { attackBatch } from "../../../../src/engine/harness/runAttack.ts";
import type { AttackTracePoint } from "../../../../src/engine/harness/types.ts";
import { unboundedCheck } from "../../../../src/engine/harness/unbounded.ts";
import { bind } from "../../../../src/engine/registry.ts";
import { tf } from "../../../../src/engine/tf.ts";
import { convNetwork, exactClassifier, labelledByModel, linearClassifier, near, randomBatch } from "../fixtures.ts";

beforeAll(() => useBackend("cpu"));

const batch = { images: Float32Array.from([0.6, 0.4]), labels: Int32Array.from([0]), n: 1 };
const pgdParams = (given: Params) => resolveParams(pgd.params, given, "pgd");
const fgsmParams = (given: Params) => resolveParams(fgsm.params, given, "fgsm");

describe("gradient attacks on an exact model", () => {
  const gradientOf = (loss: typeof margin, target?: number, x: number[] = [0.6, 0.4]) => {
    const images = tf.tensor4d(x, [1, 1, 2, 1]);
    const goal = {
      images,
      labels: tf.tensor1d([0], "int32"),
      ...(target === undefined ? {} : { targets: tf.tensor1d([target], "int32") }),
    };
    return Array.from(attackGradient(exactClassifier(), images, goal, loss).gradient.dataSync());
  };

  it("∇CE = [−.876539, 1.063783], ∇margin = [−1, 1.5]", () => {
    expect(near(gradientOf(crossEntropy), [-0.876539, 1.063783])).toBeLessThan(1e-5);
    expect(near(gradientOf(margin), [-1, 1.5])).toBeLessThan(1e-6); // row 1 less row 0
  });

  it("towards class 2: −∇CE is row 2 less the mean row, the margin row 2 less row 0", () => {
    // the mean row is the gradient above plus row 0: [.123461, .063783]
    expect(near(gradientOf(crossEntropy, 2), [-1 - 0.123461, 1 - 0.063783])).toBeLessThan(1e-5);
    expect(near(gradientOf(margin, 2, [0.8, 0.2]), [-2, 2])).toBeLessThan(1e-6); // z = [.6, .1, −.6]: row 2 less row 0
  });

  it("FGSM 0.1 → [.5, .5]", async () => {
    const outcome = await attackBatch(
      { attack: fgsm, params: fgsmParams({ eps: 0.1 }), model: exactClassifier(), batch, firstIndex: 0, seedName: "t" },
      createContext(),
    );
    expect(near(outcome.adversarial, [0.5, 0.5])).toBeLessThan(1e-6);
    expect(outcome).toMatchObject({ gradientEvaluations: 1, forwardEvaluations: 0 });
  });

  it("PGD of step .04 → [.56,.44], [.52,.48], [.5,.5]", async () => {
    const points: AttackTracePoint[] = [];
    const params = pgdParams({ eps: 0.1, steps: 3, stepSize: 0.04, randomStart: false });
    const outcome = await attackBatch(
      { attack: pgd, params, model: exactClassifier(), batch, firstIndex: 0, seedName: "t", trace: (p) => void points.push(p) },
      createContext(),
    );
    const expected = [
      [0.6, 0.4],
      [0.56, 0.44],
      [0.52, 0.48],
      [0.5, 0.5],
    ];
    expect(points.map((p, i) => near(p.images, expected[i] ?? []) < 1e-6)).toEqual([true, true, true, true]);
    expect(points.map((p) => [p.iteration, p.total])).toEqual([
      [0, 3],
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
    expect(outcome).toMatchObject({ gradientEvaluations: 3, forwardEvaluations: 0 });
  });

  it("PGD of one step of length ε without a random start is FGSM", async () => {
    const model = classifierOf(convNetwork(), { contract: { input: {} }, outputs: "logits" });
    const images = labelledByModel(model, randomBatch(4, model.inputShape, 3));
    const run = (attack: typeof pgd, params: object) =>
      attackBatch({ attack, params: params as never, model, batch: images, firstIndex: 0, seedName: "t" }, createContext());
    const one = await run(pgd, pgdParams({ eps: 0.1, steps: 1, stepSize: 0.1, randomStart: false }));
    const sign = await run(fgsm, fgsmParams({ eps: 0.1 }));
    expect(Array.from(one.adversarial)).toEqual(Array.from(sign.adversarial));
  });

  it("an automatic step is 2.5·ε/steps", async () => {
    const images: Float32Array[] = [];
    const params = pgdParams({ eps: 0.1, steps: 10, stepSize: 0, randomStart: false });
    await attackBatch(
      { attack: pgd, params, model: exactClassifier(), batch, firstIndex: 0, seedName: "t", trace: (p) => void images.push(p.images) },
      createContext(),
    );
    expect(near(images[1] ?? [], [0.575, 0.425])).toBeLessThan(1e-6);
  });

  it("the random start fills the ball, and differs between images and seeds", async () => {
    const zero = linearClassifier([Array(64).fill(0), Array(64).fill(0)], [8, 8, 1]); // no gradient: the start stays
    const grey = { images: new Float32Array(128).fill(0.5), labels: Int32Array.from([0, 0]), n: 2 };
    const start = async (seed: number) =>
      (
        await attackBatch(
          {
            attack: pgd,
            params: pgdParams({ eps: 0.1, steps: 1, stepSize: 0.01 }),
            model: zero,
            batch: grey,
            firstIndex: 0,
            seedName: "t",
          },
          createContext({ seed }),
        )
      ).adversarial;
    const first = await start(1);
    const moved = Array.from(first, (v) => v - 0.5);
    expect(Math.max(...moved)).toBeGreaterThan(0.09);
    expect(Math.min(...moved)).toBeLessThan(-0.09);
    expect(Math.max(...moved.map(Math.abs))).toBeLessThanOrEqual(0.1 + 1e-6);
    expect(near(first.slice(0, 64), first.slice(64))).toBeGreaterThan(0.01);
    expect(near(first, await start(2))).toBeGreaterThan(0.01);
  });
});

describe("unbounded check", () => {
  it("breaks every image of an ordinary model, and none of one whose gradient is masked", async () => {
    const attack = bind("attack", { kind: "pgd", steps: 20 });
    const w = Array.from({ length: 16 }, (_, i) => (i % 2 ? 1 : -1));
    const model = linearClassifier([w, w.map((v) => -v)], [4, 4, 1]);
    const images = labelledByModel(model, randomBatch(12, [4, 4, 1], 2));
    expect(await unboundedCheck({ attack, model, batch: images }, createContext())).toEqual({ survivors: 0, n: 12, classes: 2 });
    const masked = {
      ...model,
      logits: (x: Parameters<typeof model.logits>[0]) =>
        tf.add(model.logits(tf.tensor4d(images.images, x.shape)), tf.mul(tf.sum(x), 0)) as ReturnType<typeof model.logits>,
    };
    expect((await unboundedCheck({ attack, model: masked, batch: images }, createContext()))?.survivors).toBe(12);
    expect(await unboundedCheck({ attack: bind("attack", { kind: "fgsm" }), model, batch: images }, createContext())).toBeNull();
  });
});
