import path from "node:path";
import { Worker } from "node:worker_threads";

/** Seconds that a plugin may keep the process from doing anything else. */
const patience = 300;

/**
 * A thread that ends the process when a plugin holds it in a loop without end. Nothing else can: neither Ctrl-C nor a request to cancel
 * is heard before the loop is left. It sees a counter that this thread raises every second, and says on stderr which plugin it was.
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

/** Beats, calls of plugins under way, and whose the last one is. */
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

/** From now on a plugin may hold the process for so many seconds: few where all it is tried on is small. */
export function setPatience(seconds: number): void {
  thread ??= start();
  thread.postMessage({ patience: seconds });
}

/** Work of a plugin, at once or in promises, under the watch of that thread. */
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
