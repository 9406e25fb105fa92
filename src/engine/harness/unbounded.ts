import type { Classifier } from "../classifier/classifier.ts";
import type { RunContext } from "../context.ts";
import { type Attack, type ImageBatch, type Params, resolveParams } from "../define/index.ts";
import type { UnboundedEvidence } from "../rules/evidence.ts";
import { attackBatch } from "./runAttack.ts";

/** Accuracy under attack above which it is worth asking whether the attack can win at all. */
export const suspiciousAccuracy = 0.5;

export interface UnboundedCheck {
  /** PGD, or another attack whose parameter `eps` may be 1. */
  readonly attack: Attack;
  readonly params?: Params;
  readonly model: Classifier;
  /** A few images: 32 are plenty. */
  readonly batch: ImageBatch;
  readonly firstIndex?: number;
}

/** Runs the attack with a ball that holds every image (ε = 1) and counts the images that withstand it. */
export async function unboundedCheck(o: UnboundedCheck, ctx: RunContext): Promise<Pick<UnboundedEvidence, "survivors" | "n" | "classes">> {
  const params = resolveParams(o.attack.params, o.params ?? { eps: 1, steps: 20 }, o.attack.id);
  const outcome = await attackBatch(
    { attack: o.attack, params, model: o.model, batch: o.batch, firstIndex: o.firstIndex ?? 0, seedName: "unbounded" },
    ctx,
  );
  const attacked = outcome.records.filter((record) => record.cleanPrediction === record.label);
  const survivors = attacked.filter((record) => record.prediction === record.label).length;
  return { survivors, n: attacked.length, classes: o.model.classes };
}
