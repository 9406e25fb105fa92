import { createContext, type RunContext } from "../engine/context.ts";
import { readNamedContract } from "../engine/importers/contract.ts";
import { type Engine, startEngine } from "../engine/session/engine.ts";
import type { InputContract } from "../shared/contract.ts";
import type { RunEvent, RunEventBody } from "../shared/events.ts";
import type { Args } from "./args.ts";
import { ProgressLine } from "./progress.ts";

/** One command: how it talks, and how it is stopped. */
export interface Session {
  readonly workspace: string;
  readonly signal: AbortSignal;
  readonly seed: number;
  readonly progress: ProgressLine;
  engine(): Promise<Engine>;
  context(): RunContext;
  onEvent(event: RunEvent | RunEventBody): void;
  close(): void;
}

export function openSession(args: Args): Session {
  const progress = new ProgressLine(args.flag("quiet") ? "off" : process.stderr.isTTY ? "line" : "lines");
  const signal = interruptSignal(progress);
  const seed = args.integer("seed", 0) ?? 1;
  const onEvent = (event: RunEvent | RunEventBody): void => progress.event(event);
  return {
    workspace: process.cwd(),
    signal,
    seed,
    progress,
    onEvent,
    async engine() {
      const engine = await startEngine(args.text("backend") ?? "auto", args.text("device"), await contractOf(args));
      for (const warning of engine.warnings) progress.tell(`warning: ${warning}`);
      return engine;
    },
    context: () => createContext({ seed, signal, onEvent }),
    close: () => progress.close(),
  };
}

/** The input contract that replaces the one beside the model. @throws USAGE where no model is named, FILE_NOT_FOUND, MODEL_INVALID */
async function contractOf(args: Args): Promise<InputContract | undefined> {
  const file = args.text("contract");
  if (file === undefined) return undefined;
  if (args.text("model") === undefined && args.positionals.length === 0)
    throw args.usage("--contract says how a model takes its images, and --model is missing.");
  return readNamedContract(file);
}

/** The first Ctrl-C asks to stop at the next step, the second one kills. */
function interruptSignal(progress: ProgressLine): AbortSignal {
  const abort = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.on(name, () => {
      if (abort.signal.aborted) process.exit(130);
      progress.say("stopping after this step; once more kills");
      abort.abort();
    });
  return abort.signal;
}
