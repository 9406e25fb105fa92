import "../../../../src/engine/backends/cpu.ts";
import { describe, expect, it } from "vitest";
import { defended } from "../../../../src/engine/classifier/defended.ts";
import { classifierOf } from "../../../../src/engine/classifier/network.ts";
import { forImages } from "../../../../src/engine/classifier/streams.ts";
import { attackSurface } from "../../../../src/engine/classifier/surface.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { predict } from "../../../../src/engine/harness/predict.ts";
import { attackBatch } from "../../../../src/engine/harness/runAttack.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { bind } from "../../../../src/engine/registry.ts";
import { noisy } from "../classifier/noisy.ts";
import { convNetwork, labelledByModel, near, randomBatch } from "../fixtures.ts";

const shape = [8, 8, 1] as const;
const plain = classifierOf(convNetwork(), { contract: { input: {} }, outputs: "logits" });
const model = defended(plain, [noisy], { random: (i) => createRandom(i) });
const batch = labelledByModel(plain, randomBatch(4, shape, 3));
const pgd = bind("attack", { kind: "pgd", eps: 0.05, steps: 5 });
const attack = (from: number, to: number, seed = 3) => {
  const part = { images: batch.images.slice(from * 64, to * 64), labels: batch.labels.slice(from, to), n: to - from };
  const surface = attackSurface(model, "adaptive", { passes: 3 }).model;
  const task = { attack: pgd.entry, params: pgd.params, model, surface, batch: part, firstIndex: 20 + from, seedName: "pgd" };
  return attackBatch(task, createContext({ seed }));
};

describe("an attack on a randomised model", () => {
  it("gives an image alone what it gives in a batch", async () => {
    const together = await attack(0, 4);
    const alone = await attack(2, 3);
    expect(near(alone.adversarial, together.adversarial.slice(128, 192))).toBeLessThan(1e-6);
    expect(alone.records[0]).toEqual(together.records[2]);
    expect(near((await attack(0, 4, 4)).adversarial, together.adversarial)).toBeGreaterThan(0.01);
  });

  it("averages over the passes of every step, and counts them all", async () => {
    expect((await attack(0, 4)).gradientEvaluations).toBe(4 * 5 * 3);
  });

  it("is judged by the model itself, in the one pass that predicts these images anywhere", async () => {
    const { adversarial, predictions, cleanPredictions } = await attack(0, 4);
    const rng = createContext({ seed: 3 }).rng;
    expect([...(await predict(forImages(model, rng, 20), adversarial))]).toEqual([...predictions]);
    expect([...(await predict(forImages(model, rng, 20), batch.images))]).toEqual([...cleanPredictions]);
  });
});
