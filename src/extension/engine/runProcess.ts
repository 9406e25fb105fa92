import { BulwarkError } from "../../shared/errors.ts";
import type { RunEvent } from "../../shared/events.ts";
import { runProgress } from "../../shared/protocol.ts";
import { type EngineProcess, restarts } from "./process.ts";

export interface RunProcessOptions<R> {
  readonly start: () => Promise<EngineProcess>;
  readonly send: (engine: EngineProcess, signal: AbortSignal) => Promise<R>;
  readonly onEvent: (event: RunEvent) => void;
  readonly signal: AbortSignal;
  /** How long a cancelled run may take to write down what it has, before it is killed. */
  readonly graceSeconds?: number;
}

export const resumeAdvice = "Resume the run: what was finished is kept.";

/** A run that lost its process goes on where it was; no engine has to be restarted for it. */
function ofRun(thrown: unknown): unknown {
  if (!(thrown instanceof BulwarkError) || thrown.code !== "ENGINE_EXITED") return thrown;
  const { message, detail, fix = "" } = thrown;
  const said = message.replace("The engine", "The process of the run");
  return new BulwarkError("ENGINE_EXITED", said, fix.replace(restarts, resumeAdvice), detail === undefined ? {} : { detail });
}

/** One run in a process of its own: memory is freed at its end, and a crash ends one run only. */
export async function runInProcess<R>(o: RunProcessOptions<R>): Promise<R> {
  const engine = await o.start();
  const progress = engine.onProgress(runProgress, "run", o.onEvent);
  let timer: NodeJS.Timeout | undefined;
  const onAbort = (): void => {
    timer = setTimeout(() => engine.kill("SIGKILL"), (o.graceSeconds ?? 10) * 1000);
  };
  if (o.signal.aborted) onAbort();
  else o.signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await o.send(engine, o.signal);
  } catch (thrown) {
    throw ofRun(thrown);
  } finally {
    clearTimeout(timer);
    o.signal.removeEventListener("abort", onAbort);
    progress.dispose();
    engine.kill();
  }
}
