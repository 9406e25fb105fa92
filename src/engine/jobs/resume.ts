import type { RunExperimentResult } from "../../shared/protocol.ts";
import type { AttackDocument } from "../../shared/results.ts";
import type { RunHost } from "../experiment/execute.ts";
import { type ResumeParams, resumeRun } from "../experiment/runExperiment.ts";
import { readRunState } from "../io/runStore.ts";
import { resumeAttack } from "./attackDataset.ts";

/** `document`: of a single attack. */
export type Resumed = RunExperimentResult & { readonly document?: AttackDocument };

/**
 * Goes on with a run of any kind that consists of pieces, on the backend it was begun on; ends with the result that it would have had
 * uninterrupted.
 * @throws RUN_NOT_FOUND, RUN_INVALID, RUN_LOCKED
 */
export async function resume(params: ResumeParams, host: RunHost): Promise<Resumed> {
  const { kind } = await readRunState(params.directory);
  if (kind !== "attack") return resumeRun(params, host);
  return { ...(await resumeAttack(params, host)), expectationsMet: true };
}
