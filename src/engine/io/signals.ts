const signals = ["SIGINT", "SIGTERM"] as const;

let announce: (() => void) | undefined;
/** Has `listener` called whenever Ctrl-C is about to be left to the system, after which nobody can say anything. */
export function onRelease(listener: () => void): void {
  announce = listener;
}

/**
 * Leaves Ctrl-C to the system, until the returned function is called: for work that blocks the thread for seconds, as listeners would hear of
 * it only afterwards. It then ends the process at once, and a run that it was working on reads as interrupted.
 */
export function releaseSignals(): () => void {
  const listeners = signals.flatMap((name) => process.listeners(name).map((listener) => [name, listener] as const));
  if (listeners.length > 0) announce?.();
  for (const [name, listener] of listeners) process.off(name, listener);
  return () => {
    for (const [name, listener] of listeners) process.on(name, listener);
  };
}
