import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";
import type { Experiment } from "../../shared/experiment.ts";
import { runFiles } from "../../shared/runs.ts";
import { readText } from "../io/files.ts";
import type { PluginFile } from "../plugins/locate.ts";
import { type Engine, startEngine } from "../session/engine.ts";

/** What `experiment.json` of a run holds: the experiment, what it was begun with, and for a single attack what was asked for. */
export type Saved<Request = unknown> = Experiment & {
  readonly environment?: {
    readonly backend?: string;
    readonly source?: string;
    readonly modelPath?: string | null;
    readonly models?: Readonly<Record<string, string>>;
    readonly plugins?: readonly PluginFile[];
  };
  readonly request?: Request;
};

/** @throws RUN_INVALID */
export async function savedExperiment<Request>(directory: string): Promise<Saved<Request>> {
  const file = path.join(directory, runFiles.experiment);
  try {
    return JSON.parse(await readText(file)) as Saved<Request>;
  } catch (cause) {
    throw new BulwarkError("RUN_INVALID", `${file} is missing or damaged.`, "Run the original command again.", { cause });
  }
}

/** What was asked for in a run of a single attack. @throws RUN_INVALID, also for a run of a version that kept no request */
export async function savedRequest<Request>(
  directory: string,
): Promise<{ readonly request: Request; readonly backend: string | undefined }> {
  const { request, environment } = await savedExperiment<Request>(directory);
  if (request === undefined)
    throw new BulwarkError("RUN_INVALID", `${directory} does not say what was asked for.`, "Start the attack again.");
  return { request, backend: environment?.backend };
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
