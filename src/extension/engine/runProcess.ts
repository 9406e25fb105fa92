import type { RunEvent } from "../../shared/events.ts";
import { runProgress } from "../../shared/protocol.ts";
import type { EngineProcess } from "./process.ts";

export interface RunProcessOptions<R> {
  readonly start: () => Promise<EngineProcess>;
  readonly send: (engine: EngineProcess, signal: AbortSignal) => Promise<R>;
  readonly onEvent: (event: RunEvent) => void;
  readonly signal: AbortSignal;
  /** How long a cancelled run may take to write down what it has, before it is killed. */
  readonly graceSeconds?: number;
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
  } finally {
    clearTimeout(timer);
    o.signal.removeEventListener("abort", onAbort);
    progress.dispose();
    engine.kill();
  }
}
