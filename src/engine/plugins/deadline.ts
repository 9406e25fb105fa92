import path from "node:path";
import { Worker } from "node:worker_threads";

/** Seconds that a plugin may block the process. */
const patience = 300;

/**
 * A thread that ends the process if a plugin blocks it in an endless loop: Ctrl-C and requests to cancel are only handled between steps. It
 * watches a counter that the main thread increments every second, and names the plugin on stderr.
 */
const watcher = `
const { parentPort, workerData: state } = require("node:worker_threads");
const names = [];
let patience = 0, beat = -1, since = 0;
parentPort.on("message", (said) => { if (said.name) names.push(said.name); if (said.patience) patience = said.patience; });
setInterval(() => {
  const now = Atomics.load(state, 0);
  if (now !== beat || Atomics.load(state, 1) === 0) { beat = now; since = performance.now(); return; }
  if (performance.now() - since < 1000 * patience) return;
  const name = names[Atomics.load(state, 2)] ?? "a plugin";
  require("node:fs").writeSync(2, "error PLUGIN_FAILED: " + name + " has kept the process busy for " + patience + " seconds without a pause, so it is ended. A loop of an attack needs await ctx.iterate or await ctx.checkpoint in every step, and an end.\\n");
  process.kill(process.pid, "SIGKILL");
}, 500);
`;

/** The counter, the number of plugin calls in progress, and the index of the last plugin called. */
const state = new Int32Array(new SharedArrayBuffer(12));
const names: string[] = [];
let thread: Worker | undefined;

function start(): Worker {
  const worker = new Worker(watcher, { eval: true, workerData: state, execArgv: [] });
  worker.unref();
  setInterval(() => Atomics.add(state, 0, 1), 1000).unref();
  worker.postMessage({ patience });
  return worker;
}

/** Sets how many seconds a plugin may block the process. Checks on small networks need only a few. */
export function setPatience(seconds: number): void {
  thread ??= start();
  thread.postMessage({ patience: seconds });
}

/** Runs work of a plugin, synchronous or a promise, watched by that thread. */
export function watched<T>(file: string, work: () => T): T {
  thread ??= start();
  const name = path.basename(file);
  if (!names.includes(name)) {
    names.push(name);
    thread.postMessage({ name });
  }
  Atomics.store(state, 2, names.indexOf(name));
  Atomics.add(state, 1, 1);
  const left = (): void => void Atomics.sub(state, 1, 1);
  let isPending = false;
  try {
    const result = work();
    if (result instanceof Promise) {
      isPending = true;
      return result.finally(left) as T;
    }
    return result;
  } finally {
    if (!isPending) left();
  }
}
