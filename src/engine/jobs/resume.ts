import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";
import type { RunExperimentResult } from "../../shared/protocol.ts";
import { attackDocument } from "../../shared/reportShape.ts";
import type { AttackDocument } from "../../shared/results.ts";
import { runFiles } from "../../shared/runs.ts";
import type { RunHost } from "../experiment/execute.ts";
import { type ResumeParams, resumeRun } from "../experiment/runExperiment.ts";
import { readShaped } from "../io/readShaped.ts";
import { readRunState } from "../io/runStore.ts";
import { readReport } from "../report/reportFiles.ts";
import { resumeAttack } from "./attackDataset.ts";

/** `document`: of a single attack. */
export type Resumed = RunExperimentResult & { readonly document?: AttackDocument };

/**
 * Goes on with a run of any kind that consists of pieces, on the backend it was begun on; ends with the result that it would have had
 * uninterrupted. A finished run is left as it is, unless its result is damaged or gone.
 * @throws RUN_NOT_FOUND, RUN_INVALID, RUN_LOCKED
 */
export async function resume(params: ResumeParams, host: RunHost): Promise<Resumed> {
  const { kind, status } = await readRunState(params.directory);
  const isAttack = kind === "attack";
  const finished = status === "done" ? await (isAttack ? attackResult : experimentResult)(params.directory).catch(unlessThere) : null;
  if (finished) {
    host.note?.("the run is finished: there is nothing to go on with");
    return finished;
  }
  if (!isAttack) return resumeRun(params, host);
  return { ...(await resumeAttack(params, host)), expectationsMet: true };
}

async function attackResult(directory: string): Promise<Resumed> {
  const document = await readShaped(path.join(directory, runFiles.result), attackDocument, "Start the attack again.");
  return { directory, document, expectationsMet: true };
}

async function experimentResult(directory: string): Promise<Resumed> {
  const { expect } = await readReport(directory);
  return { directory, expectationsMet: expect.every(({ met }) => met) };
}

/** A result that is damaged or gone is made again. */
function unlessThere(thrown: unknown): null {
  if (thrown instanceof BulwarkError && ["RUN_INVALID", "RUN_NOT_FOUND", "FILE_NOT_FOUND"].includes(thrown.code)) return null;
  throw thrown;
}
