import { createContext, type RunContext } from "../engine/context.ts";
import { readNamedContract } from "../engine/importers/contract.ts";
import { onRelease } from "../engine/io/signals.ts";
import { type Engine, startEngine } from "../engine/session/engine.ts";
import type { InputContract } from "../shared/contract.ts";
import { cancelled } from "../shared/errors.ts";
import type { RunEvent, RunEventBody } from "../shared/events.ts";
import type { Args } from "./args.ts";
import { asFlags } from "./flags.ts";
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
  /** Of the run that `bulwark resume` can go on with; null where there is none yet. */
  run: string | null;
  /** Rejects when Ctrl-C comes while models and data are opened, where no step ends soon. */
  readonly stopped: Promise<never>;
  close(): void;
}

/** Milliseconds that what is being opened has to stop by itself. */
const grace = 1000;
/** Events of work that has steps to stop after. */
const steps: readonly string[] = ["batch", "phase", "progress", "step", "epoch"];

export function openSession(args: Args): Session {
  const progress = new ProgressLine(args.flag("quiet") ? "off" : process.stderr.isTTY ? "line" : "lines");
  const signal = interruptSignal(progress);
  const seed = args.integer("seed", 0) ?? 1;
  let isOpening = true;
  const onEvent = (event: RunEvent | RunEventBody): void => {
    if (steps.includes(event.kind)) isOpening = false;
    progress.event(event.kind === "note" && args.has("dataset-set") ? { ...event, message: asFlags(event.message) } : event);
  };
  const stopped = new Promise<never>((_, reject) => {
    const end = (): void => void (isOpening && reject(cancelled()));
    signal.addEventListener("abort", () => setTimeout(end, grace), { once: true });
  });
  stopped.catch(() => undefined); // it may come when nobody waits any more
  const session: Session = {
    workspace: process.cwd(),
    signal,
    seed,
    progress,
    onEvent,
    run: null,
    stopped,
    async engine() {
      const engine = await startEngine(args.text("backend") ?? "auto", args.text("device"), await contractOf(args));
      for (const warning of engine.warnings) progress.tell(`warning: ${warning}`);
      return engine;
    },
    context: () => createContext({ seed, signal, onEvent }),
    close: () => progress.close(),
  };
  let isSaid = false;
  onRelease(() => {
    if (!isSaid) progress.say(`opening a large model: Ctrl-C ends at once${session.run === null ? "" : `; ${goesOn(session.run)}`}`);
    isSaid = true;
  });
  return session;
}

export const goesOn = (run: string): string => `\`bulwark resume ${run}\` goes on`;

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
