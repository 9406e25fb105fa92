import type { ImageRecord } from "../../shared/results.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { attackSurface } from "../classifier/surface.ts";
import type { RunContext } from "../context.ts";
import type { Attack, Bound, ImageBatch } from "../define/index.ts";
import { isCleanCorrect, isCorrect } from "../metrics/robustness.ts";
import type { UnboundedEvidence } from "../rules/evidence.ts";
import { attackBatch } from "./runAttack.ts";

/** Accuracy under attack above which it is worth asking whether the attack can win at all. */
export const suspiciousAccuracy = 0.5;

export interface UnboundedCheck {
  readonly attack: Bound<Attack>;
  readonly model: Classifier;
  /** A few images: 32 are plenty. */
  readonly batch: ImageBatch;
  readonly firstIndex?: number;
}

/** Runs an attack adaptively with a ball that holds every image and counts the images that withstand it; null where it has no such form. */
export async function unboundedCheck(
  { attack, model, batch, firstIndex = 0 }: UnboundedCheck,
  ctx: RunContext,
): Promise<Pick<UnboundedEvidence, "survivors" | "n" | "classes"> | null> {
  const { inputShape, classes } = model;
  const params = attack.entry.unbounded?.(attack.params, { inputShape, classes });
  if (!params) return null;
  const surface = attackSurface(model, "adaptive").model;
  const outcome = await attackBatch({ attack: attack.entry, params, model, surface, batch, firstIndex, seedName: "unbounded" }, ctx);
  return { ...survivorsAmong(outcome.records), classes };
}

/** Of the images that were right before an attack, those that still are. */
export function survivorsAmong(records: readonly ImageRecord[]): Pick<UnboundedEvidence, "survivors" | "n"> {
  const attacked = records.filter(isCleanCorrect);
  return { survivors: attacked.filter(isCorrect).length, n: attacked.length };
}
