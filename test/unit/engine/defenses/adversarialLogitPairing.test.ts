import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { planOf } from "../../../../src/engine/session/openModel.ts";
import { train } from "../../../../src/engine/training/loop.ts";
import { trainingCost } from "../../../../src/engine/training/plan.ts";
import { defaultTrain, type TrainSettings } from "../../../../src/shared/experiment.ts";
import type { Choice } from "../../../../src/shared/results.ts";
import { convNetwork, linearNetwork, randomBatch } from "../fixtures.ts";
import { gradientErrors, valuesOf } from "./losses.ts";

await useBackend("cpu");

const shape = [8, 8, 1] as const;
const pairing = (params: Record<string, unknown> = {}): Choice => ({ id: "adversarialLogitPairing", params });
const noise = randomBatch(12, shape, 3);

describe("adversarialLogitPairing", () => {
  it("adds λ times the mean squared difference of the logits, by hand", () => {
    // z = [1, 2] and z_adv = [0, 4], label 1: MSE (1 + 4) / 2 = 2.5 (algorithms, 2E). CE: ln(1 + e⁻¹) and ln(1 + e⁻⁴).
    const network = linearNetwork(
      [
        [1, 0],
        [0, 1],
      ],
      [1, 2, 1],
    );
    const batch = { images: Float32Array.of(1, 2), labels: Int32Array.of(1), n: 1 };
    const o = { network, plan: planOf([pairing()], [1, 2, 1], 2), batch, crafted: Float32Array.of(0, 4), shape: [1, 2, 1] as const };
    const [clean, adversarial] = [Math.log(1 + Math.exp(-1)), Math.log(1 + Math.exp(-4))];
    const { total, parts } = valuesOf(o);
    expect(parts).toEqual({
      clean: expect.closeTo(clean, 5),
      adversarial: expect.closeTo(adversarial, 5),
      pairing: expect.closeTo(2.5, 5),
    });
    expect(total).toBeCloseTo((clean + adversarial) / 2 + 1.25, 5);
    const two = { ...o, plan: planOf([pairing({ lambda: 2 })], [1, 2, 1], 2) };
    expect(valuesOf(two).total).toBeCloseTo((clean + adversarial) / 2 + 5, 5);
  });

  it("pairs an image with itself where the radius is 0", () => {
    const plan = planOf([pairing()], shape, 3);
    const network = convNetwork({ dropout: 0.5, seed: 5 });
    // The same masks for both, or the term would measure dropout.
    expect(valuesOf({ network, plan, batch: noise, crafted: noise.images, shape }).parts["pairing"]).toBe(0);
  });

  it("has the gradient of finite differences, through both logits", () => {
    const network = convNetwork({ seed: 5 });
    const crafted = noise.images.map((v, i) => Math.min(1, Math.max(0, v + 0.1 * Math.sin(i))));
    const errors = gradientErrors({ network, plan: planOf([pairing({ lambda: 20 })], shape, 3), batch: noise, crafted, shape }, 2e-4);
    expect(Object.keys(errors)).toHaveLength(4);
    for (const [name, error] of Object.entries(errors)) expect(error, name).toBeLessThan(1e-2);
  });

  it("without weight is adversarial training on a mixed batch, to the bit", async () => {
    const mixed: Choice = { id: "adversarialTraining", params: { eps: 0.05, steps: 2, batch: "mixed" } };
    const [first, second] = [await trained(pairing({ eps: 0.05, steps: 2, lambda: 0 })), await trained(mixed)];
    expect(first).toEqual(second);
    expect(await trained(pairing({ eps: 0.05, steps: 2 }))).not.toEqual(second);
  });

  it("pairs what the slices of a volumized network agree on, weighed as beside the loss of one slice, in either order", () => {
    const volumized: Choice = { id: "volumizedCurriculum", params: { patch: 4 } };
    const crafted = noise.images.map((v) => 1 - v);
    const parts = [
      [volumized, pairing()],
      [pairing(), volumized],
    ].map((stack) => {
      const plan = planOf(stack, shape, 3);
      const { total, parts: named } = valuesOf({ network: plan.network(convNetwork({ seed: 5 })), plan, batch: noise, crafted, shape });
      const { clean = 0, adversarial = 0, pairing: term = 0 } = named;
      expect(total).toBeCloseTo((clean + adversarial) / 2 + 0.5 * term, 4);
      return term;
    });
    expect(parts[0]).toBeGreaterThan(0);
    expect(parts[1]).toBe(parts[0]);
  });

  it("costs two passes a step beside its attack", () => {
    expect(trainingCost(planOf([pairing({ steps: 10 })], shape, 3))).toBe(3 * (2 * 2 + 10));
  });

  it("refuses a second defence that crafts, and names itself in messages", () => {
    expect(() => planOf([{ id: "adversarialTraining", params: {} }, pairing()], shape, 3)).toThrow("adversarialLogitPairing stands over");
    expect(() => planOf([pairing({ attack: { kind: "adversarialPatch" } })], shape, 3)).toThrow(
      "adversarialLogitPairing: adversarialPatch",
    );
  });
});

async function trained(defense: Choice): Promise<number[][]> {
  const directory = mkdtempSync(path.join(tmpdir(), "pairing-"));
  const network = convNetwork({ dropout: 0.3, batchNorm: true, seed: 5 });
  const read = async (places: ArrayLike<number>) => ({
    images: Float32Array.from(Array.from(places).flatMap((i) => [...noise.images.subarray(i * 64, (i + 1) * 64)])),
    labels: Int32Array.from(places, (i) => noise.labels[i] ?? 0),
    n: places.length,
  });
  const settings: TrainSettings = { ...defaultTrain, epochs: 2, batchSize: 5 };
  const o = { network, plan: planOf([defense], shape, 3), train: { size: 12, read }, validation: null, settings, arm: "a" };
  await train({ ...o, checkpointDirectory: directory }, createContext());
  rmSync(directory, { recursive: true });
  return network.getWeights().map((weight) => [...weight.dataSync()]);
}
