import path from "node:path";
import { attackDocument } from "../../shared/reportShape.ts";
import type { AttackDocument } from "../../shared/results.ts";
import { runFiles } from "../../shared/runs.ts";
import { createContext } from "../context.ts";
import { documented } from "../define/index.ts";
import { type AttackRequest, type AttackRun, attackRequest, attackRun, attackSource } from "../experiment/attackRun.ts";
import { execute, type RunHost, tell } from "../experiment/execute.ts";
import { refuseOtherData } from "../experiment/plan.ts";
import type { ResumeParams } from "../experiment/runExperiment.ts";
import { sameBackend, savedRequest } from "../experiment/savedRun.ts";
import { readShaped } from "../io/readShaped.ts";
import { createRun, openRun, type RunStore } from "../io/runStore.ts";
import { bind } from "../registry.ts";

export interface AttackDatasetParams extends Omit<AttackRequest, "contract"> {
  readonly directory?: string | undefined;
  /** Replaces what lies in `directory`. */
  readonly force?: boolean | undefined;
}
export interface AttackDatasetResult {
  readonly directory: string;
  readonly document: AttackDocument;
}

/**
 * One attack on a data set or some pictures: `result.json`, `adversarial.npz` and `images/` in a run folder. Into a folder that holds the
 * same attack, an unfinished one goes on.
 */
export async function attackDataset(params: AttackDatasetParams, host: RunHost): Promise<AttackDatasetResult> {
  const { directory, force, ...asked } = params;
  const attack = documented(bind("attack", { ...asked.attack.params, kind: asked.attack.id }));
  const request = placed({ ...asked, attack, contract: host.engine.contract });
  const { workspace } = request;
  const create = async ({ title, data }: AttackRun): Promise<RunStore> => {
    if (directory !== undefined && !force) await refuseOtherData(path.resolve(directory), data);
    return createRun({ workspace, directory, kind: "attack", title, request, force });
  };
  return runAttack(request, create, false, host);
}

/** Goes on with an attack that was interrupted, cancelled or failed; ends with the result that it would have had uninterrupted. */
export async function resumeAttack({ directory, backend, force }: ResumeParams, host: RunHost): Promise<AttackDatasetResult> {
  const { request, backend: recorded } = await savedRequest(directory, attackRequest);
  const { engine, warning } = await sameBackend(backend, recorded, host.engine);
  const open = async (): Promise<RunStore> => {
    const store = await openRun(directory, { force, signal: host.signal, note: host.note });
    if (warning) tell(store, host, { kind: "warning", code: "BACKEND_UNAVAILABLE", message: warning });
    return store;
  };
  return runAttack(request, open, true, { ...host, engine });
}

async function runAttack(
  request: AttackRequest,
  open: (run: AttackRun) => Promise<RunStore>,
  isResumed: boolean,
  host: RunHost,
): Promise<AttackDatasetResult> {
  const run = await attackRun(request, createContext({ seed: request.seed, signal: host.signal }));
  try {
    const store = await open(run);
    await execute({ ...run, store, source: attackSource, request, isResumed, mustMatch: isResumed }, host);
    const document = await readShaped(store.file(runFiles.result), attackDocument, "Start the attack again.");
    return { directory: store.directory, document };
  } finally {
    await run.close();
  }
}

/** With absolute paths, so that the run can be resumed from anywhere. */
const placed = (request: AttackRequest): AttackRequest => ({
  ...request,
  model: path.resolve(request.model),
  images: request.images.map((file) => path.resolve(file)),
  ...(request.surrogate === undefined ? {} : { surrogate: path.resolve(request.surrogate) }),
  workspace: path.resolve(request.workspace),
});
