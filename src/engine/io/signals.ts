const signals = ["SIGINT", "SIGTERM"] as const;

let announce: ((why: string) => void) | undefined;
/** Has `listener` called whenever Ctrl-C is about to be left to the system, after which nobody can say anything. */
export function onRelease(listener: (why: string) => void): void {
  announce = listener;
}

/**
 * Leaves Ctrl-C to the system, until the returned function is called: for work that blocks the thread for seconds, as listeners would hear of
 * it only afterwards. It then ends the process at once, and a run that it was working on reads as interrupted.
 */
export function releaseSignals(why = "opening a large model"): () => void {
  const listeners = signals.flatMap((name) => process.listeners(name).map((listener) => [name, listener] as const));
  if (listeners.length > 0) announce?.(why);
  for (const [name, listener] of listeners) process.off(name, listener);
  return () => {
    for (const [name, listener] of listeners) process.on(name, listener);
  };
}

/** Milliseconds of processor time that a step may take before nobody should wait for its end. */
const patience = 150;
const few = 3;

const processorTime = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/**
 * Call `step` at every step of a loop, where nothing is half done. After a few steps that took long the next one takes long too: Ctrl-C is left
 * to the system until it ends, in a process that says how to go on (`onRelease`). The first ones may only have compiled something.
 */
export class StepSignals {
  #last = Number.NaN;
  #long = 0;
  #restore: (() => void) | undefined;

  /** @param now milliseconds of processor time */
  step(now: number = processorTime()): void {
    this.#restore?.();
    this.#long = now - this.#last > patience ? this.#long + 1 : 0;
    this.#restore = announce !== undefined && this.#long >= few ? releaseSignals("a step takes long") : undefined;
    this.#last = now;
  }
}
