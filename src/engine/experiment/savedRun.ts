import path from "node:path";
import { Type } from "@sinclair/typebox";
import { BulwarkError } from "../../shared/errors.ts";
import { runFiles } from "../../shared/runs.ts";
import { anything, list, misfit, orNull, recordOf, type Shape, text } from "../../shared/shapes.ts";
import { readShaped } from "../io/readShaped.ts";
import type { PluginFile } from "../plugins/locate.ts";
import { type Engine, startEngine } from "../session/engine.ts";
import { hashOf } from "./document.ts";

/**
 * What `experiment.json` of a run holds: what it was begun with, for a single attack what was asked for, and the experiment, which is checked
 * where its plugins are known.
 */
export interface Saved {
  readonly environment?: {
    readonly backend?: string;
    readonly experimentHash?: string;
    readonly source?: string;
    readonly modelPath?: string | null;
    readonly models?: Readonly<Record<string, string>>;
    readonly plugins?: readonly PluginFile[];
  };
  readonly request?: unknown;
}
const optional = Type.Optional;
const savedShape: Shape<Saved> = Type.Object({
  environment: optional(
    Type.Object({
      backend: optional(text),
      experimentHash: optional(text),
      source: optional(text),
      modelPath: optional(orNull(text)),
      models: optional(recordOf(text)),
      plugins: optional(list(Type.Object({ file: text, sha256: text }))),
    }),
  ),
  request: optional(anything),
});
const again = "Run the original command again.";

/** @throws RUN_INVALID where it is missing, damaged or no longer what the run was begun with */
export async function savedExperiment(directory: string): Promise<Saved> {
  const file = path.join(directory, runFiles.experiment);
  const saved = await readShaped(file, savedShape, again).catch((cause: unknown) => {
    if (cause instanceof BulwarkError && cause.code === "RUN_INVALID") throw cause;
    throw new BulwarkError("RUN_INVALID", `${file} is missing or cannot be read.`, again, { cause });
  });
  const { environment, request: _request, ...experiment } = saved;
  if (environment?.experimentHash !== undefined && environment.experimentHash !== hashOf(experiment))
    throw new BulwarkError("RUN_INVALID", `${file} has changed since the run began.`, again);
  return saved;
}

/** What was asked for in a run of a single attack. @throws RUN_INVALID, also for a run of a version that kept no request */
export async function savedRequest<Request>(
  directory: string,
  shape: Shape<Request>,
): Promise<{ readonly request: Request; readonly backend: string | undefined }> {
  const { request, environment } = await savedExperiment(directory);
  if (request === undefined)
    throw new BulwarkError("RUN_INVALID", `${directory} does not say what was asked for.`, "Start the attack again.");
  const wrong = misfit(shape, request);
  const file = path.join(directory, runFiles.experiment);
  if (wrong !== null) throw new BulwarkError("RUN_INVALID", `${file} is damaged: ${wrong}.`, "Start the attack again.");
  return { request: request as Request, backend: environment?.backend };
}

/**
 * Numbers of two backends differ in the last digits: a run is finished on the one it was begun on, if that still starts.
 * @param asked "auto" for that one
 */
export async function sameBackend(
  asked: string,
  recorded: string | undefined,
  engine: Engine,
): Promise<{ readonly engine: Engine; readonly warning?: string }> {
  if (asked !== "auto" || recorded === undefined || recorded === engine.backend) return { engine };
  try {
    return { engine: await startEngine(recorded) };
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    return {
      engine,
      warning: `The run was begun on ${recorded}, which does not start here; it goes on with ${engine.backend}. ${reason}`,
    };
  }
}
