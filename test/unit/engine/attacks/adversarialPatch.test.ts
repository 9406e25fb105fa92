import { beforeAll, describe, expect, it } from "vitest";
import { adversarialPatch } from "../../../../src/engine/attacks/adversarialPatch/adversarialPatch.ts";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { classifierOf } from "../../../../src/engine/classifier/network.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { type Params, resolveParams } from "../../../../src/engine/define/index.ts";
import { attackBatch } from "../../../../src/engine/harness/runAttack.ts";
import { summarizeAttack } from "../../../../src/engine/harness/summarize.ts";
import type { AttackTracePoint } from "../../../../src/engine/harness/types.ts";
import { tf } from "../../../../src/engine/tf.ts";
import type { ImageRecord } from "../../../../src/shared/results.ts";
import { convNetwork, labelledByModel, linearClassifier, randomBatch } from "../fixtures.ts";

beforeAll(() => useBackend("cpu"));
const paramsOf = (given: Params) => resolveParams(adversarialPatch.params, { steps: 8, batchSize: 4, ...given }, "adversarialPatch");
const shape = [12, 12, 1] as const;
const conv = () => classifierOf(convNetwork({ shape: [...shape] }), { contract: { input: {} }, outputs: "logits" });
const common = { attack: adversarialPatch, firstIndex: 0, seedName: "patch" };

describe("an adversarial patch that nobody prepared", () => {
  it("is trained on the images of the batch, and every step of it can be watched", async () => {
    const model = conv();
    const batch = labelledByModel(model, randomBatch(2, shape, 3));
    const points: AttackTracePoint[] = [];
    const before = tf.memory().numTensors;
    const task = { ...common, params: paramsOf({ area: 0.2 }), model, batch };
    const outcome = await attackBatch({ ...task, trace: (point) => void points.push(point) }, createContext());
    expect(tf.memory().numTensors).toBe(before);
    expect(points.map(({ iteration }) => iteration)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 8]); // the best of them comes last
    expect(points[0]?.total).toBe(8);
    expect(outcome.gradientEvaluations).toBe(8 * 4);
    expect(outcome.notes.outOfBall).toBe(0);
    // Unwatched it is the same patch.
    expect((await attackBatch(task, createContext())).adversarial).toEqual(outcome.adversarial);
    model.dispose();
  });

  it("of area 0 changes nothing, which RB202 tells", async () => {
    const model = conv();
    const batch = labelledByModel(model, randomBatch(2, shape, 3));
    const params = paramsOf({ area: 0 });
    const outcome = await attackBatch({ ...common, params, model, batch }, createContext());
    expect(outcome.adversarial).toEqual(batch.images);
    const summary = summarizeAttack([outcome], { attack: { id: "adversarialPatch", params }, defenses: [], backend: "cpu", seed: 1 });
    expect(summary).toMatchObject({ successRate: 0, defenseSuccess: 1 });
    expect(summary.findings.map(({ rule }) => rule)).toEqual(["RB202"]);
    model.dispose();
  });

  it("is refused when it is larger than the image", async () => {
    const model = linearClassifier(
      Array.from({ length: 2 }, () => new Array<number>(4 * 16).fill(0.1)),
      [4, 16, 1],
    );
    const batch = randomBatch(1, [4, 16, 1], 2);
    const attack = attackBatch({ ...common, params: paramsOf({ area: 0.5 }), model, batch }, createContext());
    await expect(attack).rejects.toMatchObject({
      code: "PARAMETER_INVALID",
      message: expect.stringContaining("6×6 pixels, larger than the image of 4×16"),
    });
    model.dispose();
  });
});

describe("figures of a patch with a target", () => {
  it("leave out the images of the target class", () => {
    // Clean-correct images of classes 0, 1, 2, 2 and one that was wrong already; the patch aims at 2.
    const predictions = [2, 0, 2, 2, 2];
    const labels = [0, 1, 2, 2, 1];
    const clean = [0, 1, 2, 2, 0];
    const records = labels.map(
      (label, index): ImageRecord => ({
        index,
        label,
        cleanPrediction: clean[index] ?? -1,
        prediction: predictions[index] ?? -1,
        success: clean[index] === label && predictions[index] !== label,
        successAfter8Bit: false,
        linf: 1,
        l2: 1,
        l0: 1,
        iterations: 1,
      }),
    );
    const notes = {
      outOfBall: 0,
      notFinite: 0,
      silentSuccess: 0,
      lostAfter8Bit: 0,
      skipped: 1,
      zeroGradient: 0,
      zeroMargin: 0,
      usesGradients: false,
    };
    const outcome = { records, gradientEvaluations: 0, forwardEvaluations: 0, seconds: 1, notes };
    const facts = (target: number) => ({ attack: { id: "adversarialPatch", params: { target } }, defenses: [], backend: "cpu", seed: 1 });
    expect(summarizeAttack([outcome], facts(2))).toMatchObject({
      clean: { accuracy: 4 / 5 },
      attacked: { accuracy: 2 / 5 },
      successRate: 1, // images 0 and 1
      targetRate: 1 / 2, // image 0
      defenseSuccess: 0,
    });
    const untargeted = summarizeAttack([outcome], facts(-1));
    expect(untargeted).toMatchObject({ successRate: 2 / 4, defenseSuccess: 2 / 4 });
    expect(untargeted).not.toHaveProperty("targetRate");
  });
});
