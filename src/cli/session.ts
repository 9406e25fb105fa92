import { setTimeout as wait } from "node:timers/promises";
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
  /** The command that goes on with what is done; null where there is nothing to go on with. */
  readonly goesOn: string | null;
  /** Rejects when Ctrl-C has come and the step that is being done does not end soon. */
  readonly stopped: Promise<never>;
  close(): void;
}

/** Milliseconds that a step may go on once it was asked to stop: of the processor, and of the clock where it waits for something. */
const grace = { processor: 150, clock: 1000 } as const;

/** @param o `endsAtOnce`: Ctrl-C is left to the system, as nothing is lost that goes on */
export function openSession(args: Args, o: { readonly endsAtOnce: boolean; readonly again: string | null }): Session {
  const progress = new ProgressLine(args.flag("quiet") ? "off" : process.stderr.isTTY ? "line" : "lines");
  const signal = o.endsAtOnce ? new AbortController().signal : interruptSignal(progress);
  const seed = args.integer("seed", 0) ?? 1;
  const onEvent = (event: RunEvent | RunEventBody): void => {
    progress.event(event.kind === "note" && args.has("dataset-set") ? { ...event, message: asFlags(event.message) } : event);
  };
  const stopped = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => void outOfPatience().then(() => reject(cancelled())), { once: true });
  });
  stopped.catch(() => undefined); // it may come when nobody waits any more
  const session: Session = {
    workspace: process.cwd(),
    signal,
    seed,
    progress,
    onEvent,
    run: null,
    get goesOn() {
      return session.run === null ? o.again : `bulwark resume ${session.run}`;
    },
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
  onRelease((why) => {
    const { goesOn } = session;
    if (!isSaid) progress.say(`${why}: Ctrl-C ends at once${goesOn === null ? "" : `; \`${goesOn}\` goes on`}`);
    isSaid = true;
  });
  return session;
}

async function outOfPatience(): Promise<void> {
  const [used, started] = [process.cpuUsage(), performance.now()];
  const processor = (): number => {
    const { user, system } = process.cpuUsage(used);
    return (user + system) / 1000;
  };
  while (processor() < grace.processor && performance.now() - started < grace.clock) await wait(10);
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
      progress.say("stopping; once more kills");
      abort.abort();
    });
  return abort.signal;
}
