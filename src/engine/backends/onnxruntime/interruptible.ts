/** From this many bytes on, ONNX Runtime may take seconds to load a model. */
const longFrom = 64 * 2 ** 20;
const signals = ["SIGINT", "SIGTERM"] as const;

/**
 * Leaves Ctrl-C to the system while ONNX Runtime loads a large model, which blocks the thread for seconds: listeners would hear of it only
 * afterwards. It then ends the process at once, and a run that it was working on reads as interrupted.
 * @param bytes of the model and its weights
 * @returns puts the listeners back
 */
export function releaseSignals(bytes: number): () => void {
  if (bytes < longFrom) return () => {};
  const listeners = signals.flatMap((name) => process.listeners(name).map((listener) => [name, listener] as const));
  for (const [name, listener] of listeners) process.off(name, listener);
  return () => {
    for (const [name, listener] of listeners) process.on(name, listener);
  };
}

/** Loads a model that way. */
export function whileLoading(bytes: number, load: () => void): void {
  const restore = releaseSignals(bytes);
  try {
    load();
  } finally {
    restore();
  }
}
