import type { Covering, ImageRecord } from "../../shared/results.ts";
import type { RunContext } from "../context.ts";
import { type AttackTask, evaluateAttack, recordsOf } from "../evaluation/evaluate.ts";
import { accuracies, isCorrect } from "../metrics/robustness.ts";
import type { Patch } from "./patch.ts";

/** What a grey patch does to the same images at the same places: covering alone fools some of them. */
export interface Covered {
  readonly covering: Covering;
  readonly records: readonly ImageRecord[];
}

/** The same attack with a patch of the same size and mask whose cells are all 0.5; its places come from the same random streams. */
export async function coverWithGrey(task: Omit<AttackTask, "patch" | "partial">, patch: Patch, ctx: RunContext): Promise<Covered> {
  const grey = { ...patch, pixels: new Float32Array(patch.pixels.length).fill(0.5) };
  const records = recordsOf(await evaluateAttack({ ...task, patch: grey }, ctx));
  return { covering: { attacked: { accuracy: accuracies(records).attacked, correct: records.filter(isCorrect).length } }, records };
}
