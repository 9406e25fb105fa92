import { setImmediate as yieldToEvents } from "node:timers/promises";
import { cancelled } from "../shared/errors.ts";
import type { RunEventBody } from "../shared/events.ts";
import { StepSignals } from "./io/signals.ts";
import { createRandom, type Random } from "./random.ts";
import { tf } from "./tf.ts";

export interface Progress {
  readonly phase: string;
  readonly done: number;
  readonly total: number;
}

/** All that a computation may know of the world around it. */
export interface RunContext {
  readonly rng: Random;
  readonly signal: AbortSignal;
  /** Call once per step of every loop: runs what the backend has queued, lets messages in, throws CANCELLED when asked to stop. */
  checkpoint(progress?: Progress): Promise<void>;
  emit(event: RunEventBody): void;
  log(message: string): void;
  /** Milliseconds of a monotonic clock. */
  clock(): number;
}

/**
 * For what computes on a batch: random numbers by image, so that an image gets in a batch what it gets alone. There is no stream of the
 * batch as a whole, whose numbers would depend on how images are packed.
 */
export interface StreamContext extends Omit<RunContext, "rng"> {
  /** Random numbers of image i of the batch, always the same stream for the same image of a run. Call once an image and keep it. */
  random(i: number): Random;
}
/** The context of a batch whose images draw from these streams. */
export function streamContext({ rng: _, ...ctx }: RunContext, random: StreamContext["random"]): StreamContext {
  return { ...ctx, random };
}

export interface ContextOptions {
  readonly seed?: number | string;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEventBody) => void;
  readonly onProgress?: (progress: Progress) => void;
  readonly log?: (message: string) => void;
}

export function createContext(options: ContextOptions = {}): RunContext {
  const signal = options.signal ?? new AbortController().signal;
  const steps = new StepSignals();
  return {
    rng: createRandom(options.seed ?? 1),
    signal,
    async checkpoint(progress) {
      if (signal.aborted) throw cancelled();
      flushBackend();
      if (progress) options.onProgress?.(progress);
      await yieldToEvents();
      if (signal.aborted) throw cancelled();
      steps.step();
    },
    emit: (event) => options.onEvent?.(event),
    log: (message) => options.log?.(message),
    clock: () => performance.now(),
  };
}

/** The same context, which also stops when `signal` says so. */
export function stoppedBy(signal: AbortSignal, ctx: RunContext): RunContext {
  const stop = (): void => {
    if (signal.aborted) throw cancelled();
  };
  return {
    ...ctx,
    signal: AbortSignal.any([ctx.signal, signal]),
    async checkpoint(progress) {
      stop();
      await ctx.checkpoint(progress);
      stop();
    },
  };
}

/** Backends that queue work (ours) offer `flush`; the others compute at once. */
function flushBackend(): void {
  if (!tf.getBackend()) return; // fetching data needs none
  const backend: unknown = tf.backend();
  if (typeof backend === "object" && backend !== null && "flush" in backend && typeof backend.flush === "function") backend.flush();
}
