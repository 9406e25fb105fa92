import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { createContext } from "../../../../src/engine/context.ts";
import {
  type Bound,
  type Defense,
  documented,
  isTraining,
  labelOf,
  type ModelFacts,
  type TrainingPlan,
} from "../../../../src/engine/define/index.ts";
import { bind } from "../../../../src/engine/registry.ts";
import { planOf } from "../../../../src/engine/session/openModel.ts";
import { train } from "../../../../src/engine/training/loop.ts";
import { plainPlan } from "../../../../src/engine/training/plan.ts";
import type { RunEventBody } from "../../../../src/shared/events.ts";
import { defaultTrain, type TrainSettings } from "../../../../src/shared/experiment.ts";
import type { Choice } from "../../../../src/shared/results.ts";
import { convNetwork, linearNetwork, randomBatch } from "../fixtures.ts";

await useBackend("cpu");

/** x = [.6, .4], y = 0: z = [.2, .2, −.2], and FGSM with ε = .1 leads to [.5, .5], z = [0, .25, 0] (algorithms, 2D). */
const rows = [
  [1, -1],
  [0, 0.5],
  [-1, 1],
];
const image = { images: Float32Array.of(0.6, 0.4), labels: Int32Array.of(0), n: 1 };
const cleanLoss = Math.log(2 + Math.exp(-0.4)); // ln(e^.2 + e^.2 + e^−.2) − .2
const attackedLoss = Math.log(2 + Math.exp(0.25)); // ln(1 + e^.25 + 1) − 0
const shape = [1, 2, 1] as const;
const fgsm = { attack: { kind: "fgsm" }, eps: 0.1 };

/** One step that changes next to nothing, from whose events the loss is read. */
async function epochOf(defenses: readonly Choice[]): Promise<Extract<RunEventBody, { kind: "epoch" }>> {
  const directory = mkdtempSync(path.join(tmpdir(), "adversarial-"));
  const events: RunEventBody[] = [];
  const settings: TrainSettings = { ...defaultTrain, epochs: 1, batchSize: 1, learningRate: 1e-12 };
  const source = { size: 1, read: async () => image };
  const network = linearNetwork(rows, [...shape]);
  const o = { network, plan: planOf(defenses, shape, 3), train: source, validation: source, settings, arm: "a", inputShape: shape };
  await train({ ...o, checkpointDirectory: directory }, createContext({ onEvent: (event) => events.push(event) }));
  rmSync(directory, { recursive: true });
  const [epoch] = events.filter((event) => event.kind === "epoch");
  if (!epoch) throw new Error("no epoch");
  return epoch;
}
const adversarial = (params: Record<string, unknown> = {}): Choice => ({ id: "adversarialTraining", params: { ...fgsm, ...params } });
const smoothing: Choice = { id: "labelSmoothing", params: {} };

describe("adversarialTraining", () => {
  it("takes the loss of the adversarial images, by hand; validation is clean, and attacked besides", async () => {
    const epoch = await epochOf([adversarial()]);
    expect(epoch.trainLoss).toBeCloseTo(attackedLoss, 5);
    expect(epoch.trainAccuracy).toBe(0); // z = [0, .25, 0]
    expect(epoch.validationLoss).toBeCloseTo(cleanLoss, 5);
    expect(epoch.validationAccuracy).toBe(1); // a tie: the lower class
    expect(epoch.attackedAccuracy).toBe(0);
    expect(epoch.parts).toBeUndefined();
  });

  it("or half of either, and names the halves", async () => {
    const epoch = await epochOf([adversarial({ batch: "mixed" })]);
    expect(epoch.trainLoss).toBeCloseTo((cleanLoss + attackedLoss) / 2, 5);
    expect(epoch.trainAccuracy).toBe(1);
    expect(epoch.parts).toEqual({ clean: expect.closeTo(cleanLoss, 5), adversarial: expect.closeTo(attackedLoss, 5) });
  });

  it("trains towards smoothed targets on both, in whichever order the two are listed; the attack ascends the hard label's loss", async () => {
    const soft = (z: number[]) => {
      const sum = Math.log(z.reduce((total, value) => total + Math.exp(value), 0));
      return 0.9 * (sum - (z[0] ?? 0)) + 0.05 * (sum - (z[1] ?? 0)) + 0.05 * (sum - (z[2] ?? 0));
    };
    const [clean, attacked] = [soft([0.2, 0.2, -0.2]), soft([0, 0.25, 0])];
    for (const stack of [
      [smoothing, adversarial({ batch: "mixed" })],
      [adversarial({ batch: "mixed" }), smoothing],
    ]) {
      const epoch = await epochOf(stack);
      expect(epoch.parts).toEqual({ clean: expect.closeTo(clean, 5), adversarial: expect.closeTo(attacked, 5) });
      expect(epoch.trainLoss).toBeCloseTo((clean + attacked) / 2, 5);
    }
  });

  it("with a radius of 0 is plain training, to the bit", async () => {
    const weights: number[][][] = [];
    for (const plan of [plainPlan, planOf([{ id: "adversarialTraining", params: { eps: 0, steps: 2 } }], [8, 8, 1], 3)]) {
      const directory = mkdtempSync(path.join(tmpdir(), "adversarial-"));
      const network = convNetwork({ dropout: 0.3, batchNorm: true, seed: 5 });
      const batch = randomBatch(12, [8, 8, 1], 3);
      const read = async (places: ArrayLike<number>) => ({
        images: Float32Array.from(Array.from(places).flatMap((i) => [...batch.images.subarray(i * 64, (i + 1) * 64)])),
        labels: Int32Array.from(places, (i) => batch.labels[i] ?? 0),
        n: places.length,
      });
      const settings: TrainSettings = { ...defaultTrain, epochs: 2, batchSize: 5 };
      const o = { network, plan, train: { size: 12, read }, validation: null, settings, arm: "a" };
      await train({ ...o, checkpointDirectory: directory }, createContext());
      rmSync(directory, { recursive: true });
      weights.push(network.getWeights().map((weight) => [...weight.dataSync()]));
    }
    expect(weights[1]).toEqual(weights[0]);
  });

  it("gives its strength to the inner attack, and takes other parameters from it", () => {
    const plan = planOf([adversarial({ attack: { kind: "pgd", randomStart: false }, steps: 3, stepSize: 0.05 })], [8, 8, 1], 3);
    expect(plan.craft).toMatchObject({ id: "pgd", params: { eps: 0.1, steps: 3, stepSize: 0.05, randomStart: false } });
    expect(planOf([adversarial()], [8, 8, 1], 3).craft).toMatchObject({ id: "fgsm", params: { eps: 0.1 } });
  });

  it("may begin with a weak attack: half of it in the first of two epochs, all of it in validation, by hand", async () => {
    const epoch = await epochOf([adversarial({ ramp: 2 })]);
    const halfway = Math.log(Math.exp(0.1) + Math.exp(0.225) + Math.exp(-0.1)) - 0.1; // [.55, .45]: z = [.1, .225, −.1]
    expect(epoch.trainLoss).toBeCloseTo(halfway, 5);
    expect(epoch.attackedAccuracy).toBe(0);
  });

  it("takes a list of attacks, each strong as the defence says", () => {
    const several = { attack: ["stepLL", { kind: "pgd", randomStart: false }], eps: 0.1, steps: 3 };
    const plan = planOf([{ id: "adversarialTraining", params: several }], [8, 8, 1], 3);
    expect(plan.craft).toMatchObject({ id: "stepLL", params: { eps: 0.1 } });
    expect(plan.craftAlternatives).toMatchObject([{ id: "pgd", params: { eps: 0.1, steps: 3, randomStart: false } }]);
    const bound = bind("defense", { kind: "adversarialTraining", ...several });
    expect(labelOf(bound)).toMatch(/^Adversarial training with .* or PGD-3/);
    // As a model file names it, and opens it again.
    const { id, params } = documented(bound);
    expect(params["attack"]).toMatchObject([{ kind: "stepLL" }, { kind: "pgd", randomStart: false }]);
    expect(documented(bind("defense", { kind: id, ...params }))).toEqual({ id, params });
  });

  it("changes neither network nor targets: over a volumized network it attacks through the volumizer and trains with its loss", () => {
    const volumized: Choice = { id: "volumizedCurriculum", params: { patch: 4 } };
    const alone = planOf([volumized], [8, 8, 1], 3);
    for (const stack of [
      [volumized, adversarial()],
      [adversarial(), volumized],
    ]) {
      const plan = planOf(stack, [8, 8, 1], 3);
      expect(plan.craft?.id).toBe("fgsm");
      expect(plan.volumizer).toMatchObject({ patch: 4 });
      expect([plan.learningRateScale, plan.relativeCost]).toEqual([alone.learningRateScale, alone.relativeCost]);
      expect(plan.syllabus).toBeDefined();
    }
  });

  const refusal = (defense: Choice): string => {
    try {
      planOf([defense], [8, 8, 1], 3);
    } catch (thrown) {
      return String(thrown);
    }
    return "";
  };
  it.each([
    ["an attack that prepares once for many images", { attack: { kind: "adversarialPatch" } }, "adversarialPatch makes a patch once"],
    ["a strength that stands at two places", { attack: { kind: "pgd", eps: 0.2 }, eps: 0.3 }, "eps is 0.2 in the inner attack and 0.3"],
    ["an empty list", { attack: [] }, "attack is an empty list"],
    ["a wrong attack of several", { attack: ["pgd", "pdg"] }, 'adversarialTraining.attack[1]: There is no attack "pdg"'],
    ["an unknown attack", { attack: "pdg" }, 'no attack "pdg"'],
    ["a parameter that the inner attack does not have", { attack: { kind: "fgsm", momentum: 1 } }, 'no parameter "momentum"'],
    ["a radius that the inner attack refuses", { attack: "pgd", eps: 3 }, "eps is 3"],
    ["an attack that the images are too small for", { attack: { kind: "nPixel", pixels: 65 } }, "65"],
  ])("refuses %s", (_, params, message) => {
    expect(refusal({ id: "adversarialTraining", params })).toContain(message);
  });

  it("refuses to stand over another defence that crafts images", () => {
    const defense: Bound<Defense> = bind("defense", { kind: "adversarialTraining", ...fgsm });
    if (!isTraining(defense)) throw new Error("no training defence");
    const facts: ModelFacts = { inputShape: [8, 8, 1], classes: 3 };
    const other: TrainingPlan = { ...plainPlan, craft: bind("attack", { kind: "pgd" }) };
    expect(() => defense.entry.plan(other, defense.params, facts)).toThrow(expect.objectContaining({ code: "EXPERIMENT_INVALID" }));
  });

  it("is called after its attack", () => {
    const { entry, params } = bind("defense", { kind: "adversarialTraining", ...fgsm });
    expect(entry.label?.(params)).toMatch(/^Adversarial training with .*(FGSM|Fast gradient sign)/);
  });
});
