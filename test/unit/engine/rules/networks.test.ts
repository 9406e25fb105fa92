import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import type { Classifier } from "../../../../src/engine/classifier/classifier.ts";
import { classifierOf } from "../../../../src/engine/classifier/network.ts";
import { createContext } from "../../../../src/engine/context.ts";
import type { ImageBatch } from "../../../../src/engine/define/index.ts";
import { attackBatch } from "../../../../src/engine/harness/runAttack.ts";
import { summarizeAttack } from "../../../../src/engine/harness/summarize.ts";
import { unboundedCheck } from "../../../../src/engine/harness/unbounded.ts";
import { binomialTail } from "../../../../src/engine/metrics/statistics.ts";
import { bind, find } from "../../../../src/engine/registry.ts";
import { comparedFindings } from "../../../../src/engine/rules/compare.ts";
import type { ComparedAttack } from "../../../../src/engine/rules/evidence.ts";
import { armRules, pairRules } from "../../../../src/engine/rules/index.ts";
import { findingsOf } from "../../../../src/engine/rules/rule.ts";
import { tf, type tfl } from "../../../../src/engine/tf.ts";
import type { Chosen } from "../../../../src/shared/experiment.ts";
import type { ImageRecord } from "../../../../src/shared/results.ts";
import { convNetwork, labelledByModel, randomBatch } from "../fixtures.ts";

const classifier = (network: tfl.LayersModel): Classifier => classifierOf(network, { contract: { input: {} }, outputs: "logits" });

async function outcomeOf(model: Classifier, batch: ImageBatch, chosen: Chosen, seed = 1) {
  const { entry, params } = bind("attack", chosen);
  const task = { attack: entry, params, model, batch, firstIndex: 0, seedName: chosen.kind };
  return attackBatch(task, createContext({ seed }));
}
const recordsOf = async (...args: Parameters<typeof outcomeOf>): Promise<readonly ImageRecord[]> => (await outcomeOf(...args)).records;

beforeAll(async () => {
  await useBackend("onnxruntime");
});

describe("a constant classifier", () => {
  const lenet = (zeroWeights: boolean) =>
    classifier(find("model", "lenet").build({ dropout: 0 }, { inputShape: [28, 28, 1], classes: 4, seed: 1, zeroWeights }));
  const armFindings = async (model: Classifier) => {
    const batch = randomBatch(12, [28, 28, 1], 4);
    const clean = await recordsOf(model, batch, { kind: "fgsm", eps: 0.3 });
    model.dispose();
    return findingsOf(
      armRules,
      { departures: [], clean, isTrainedHere: true, hasFront: false, unbounded: null, gradients: null, probed: null },
      { arm: "constant" },
    );
  };

  it("is found: LeNet whose weights are all zero answers class 0 whatever the attack does", async () => {
    expect(await armFindings(lenet(true))).toMatchObject([
      { rule: "RB407", severity: "warning", arm: "constant", message: expect.stringContaining("class 0 for 9 of 9 images") },
    ]);
  });

  it("is not made of LeNet with weights that an attack can use", async () => {
    expect(await armFindings(lenet(false))).toEqual([]);
  });
});

describe("a network whose gradient is masked", () => {
  const images = randomBatch(16, [8, 8, 1], 3);
  /** Logits times `scale`: in float32 the softmax is exactly 1, and the gradient of the cross-entropy exactly 0, from about 100 on. */
  const scaled = (scale: number): Classifier => {
    const network = convNetwork();
    const weights = network.getWeights();
    const [kernel, bias] = weights.slice(-2) as [tf.Tensor, tf.Tensor];
    const larger = [...weights.slice(0, -2), tf.mul(kernel, scale), tf.mul(bias, scale)];
    network.setWeights(larger);
    tf.dispose(larger.slice(-2));
    return classifier(network);
  };
  const checked = async (scale: number, chosen: Chosen) => {
    const model = scaled(scale);
    const batch = labelledByModel(model, images);
    const found = await unboundedCheck({ attack: bind("attack", chosen), model, batch }, createContext());
    const summary = summarizeAttack([await outcomeOf(model, batch, { kind: "fgsm", eps: 0.1 })], {
      attack: { id: "fgsm", params: {} },
      defenses: [],
      backend: "cpu",
      seed: 1,
    });
    model.dispose();
    const unbounded = found && { attack: chosen.kind, attackKey: chosen.kind, ...found };
    return [
      ...findingsOf(
        armRules,
        { departures: [], clean: [], isTrainedHere: true, hasFront: false, unbounded, gradients: null, probed: null },
        {},
      ),
      ...summary.findings,
    ].map(({ rule }) => rule);
  };
  const pgd = { kind: "pgd", steps: 20 };

  it("is found by an attack without limits that does not win, and by one that changes nothing", async () => {
    expect(await checked(1e5, pgd)).toEqual(["RB206", "RB202"]);
  });

  it("is not, where the same network shows its gradient", async () => {
    expect(await checked(1, pgd)).toEqual([]);
  });

  it("falls to what the finding advises: the margin, whose gradient does not saturate", async () => {
    expect(await checked(1e5, { ...pgd, loss: "margin" })).toEqual(["RB202"]); // FGSM still follows the cross-entropy
  });
});

describe("equally strong attacks on one network", () => {
  const runs = 60;

  it("raise a rule in at most 1 run in 20", async () => {
    const model = classifier(convNetwork({ filters: 2 }));
    const batch = labelledByModel(model, randomBatch(40, [8, 8, 1], 3));
    let [seed, raised, broken] = [0, 0, 0];
    for (let run = 0; run < runs; run++) {
      const attacks: ComparedAttack[] = [];
      for (const id of ["fgsm", "pgd"])
        for (const radius of [0.1, 0.2, 0.3]) {
          // All six take one small step from a random place: which images they break is chance.
          const records = await recordsOf(model, batch, { kind: "pgd", eps: 0.12, steps: 1, stepSize: 0.01 }, ++seed);
          broken += records.filter(({ success }) => success).length;
          const ball = { norm: "linf", radius } as const;
          attacks.push({
            arm: "a",
            id,
            key: `${id}-${radius}`,
            name: id,
            iterative: id === "pgd",
            access: "gradients",
            ball,
            target: null,
            records,
            minimizes: null,
            knowledge: null,
          });
        }
      if (comparedFindings(pairRules, attacks).length > 0) raised++;
    }
    model.dispose();
    const share = broken / (6 * runs * batch.n);
    expect(share).toBeGreaterThan(0.05); // there is something to compare
    expect(share).toBeLessThan(0.95);
    expect(binomialTail(raised, runs, 0.05)).toBeGreaterThan(0.001);
  }, 60_000);
});
