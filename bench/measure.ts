// One process of the benchmark: measures every network on one backend and prints a JSON document. Threads: BULWARK_THREADS.
import { type BackendName, freeze, useBackend } from "../src/engine/backends/index.ts";
import { OnnxBackend } from "../src/engine/backends/onnxruntime/backend.ts";
import { loadNative, threadCount } from "../src/engine/backends/onnxruntime/native.ts";
import { tf } from "../src/engine/tf.ts";
import { handwritten } from "./handwritten.ts";
import { nets, tasks } from "./nets.ts";
import { pgdAttack } from "./pgdAttack.ts";

const repeats = Number(process.env["REPEATS"] ?? 9);
const only = process.env["NETS"]?.split(",");

/** Fastest of some repeats, in milliseconds of wall time and of processor time (which a busy machine disturbs less). */
function timed(body: () => void): { wall: number; cpu: number } {
  body();
  body();
  let [wall, cpu] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let i = 0; i < repeats; i++) {
    const [start, used] = [performance.now(), process.cpuUsage()];
    body();
    wall = Math.min(wall, performance.now() - start);
    const { user, system } = process.cpuUsage(used);
    cpu = Math.min(cpu, (user + system) / 1000);
  }
  const round = (ms: number): number => Math.round(ms * 100) / 100;
  return { wall: round(wall), cpu: round(cpu) };
}

/** Share of the time of `body` that is not ONNX Runtime's: recording, keying, binding, tfjs' own bookkeeping. */
function outside(body: () => void): number {
  const backend = tf.backend();
  if (!(backend instanceof OnnxBackend)) return Number.NaN;
  const { sessions } = backend;
  const run = sessions.run.bind(sessions);
  let inside = 0;
  sessions.run = (compiled, leaves) => {
    const start = performance.now();
    try {
      return run(compiled, leaves);
    } finally {
      inside += performance.now() - start;
    }
  };
  body();
  const shares = Array.from({ length: repeats }, () => {
    inside = 0;
    const start = performance.now();
    body();
    return 1 - inside / (performance.now() - start);
  });
  sessions.run = run;
  return shares.sort((a, b) => a - b)[Math.floor(shares.length / 2)] ?? Number.NaN;
}

async function main(): Promise<void> {
  const name = (process.argv[2] ?? "onnxruntime") as BackendName;
  const { device } = await useBackend(name);
  const results: Record<string, unknown> = { backend: name, device };
  for (const [id, net] of Object.entries(nets)) {
    if (only && !only.includes(id)) continue;
    const { network, forward, inputGradient, trainStep } = tasks(net);
    const thaw = freeze(network);
    const frozen = { forward: timed(forward), inputGradient: timed(inputGradient) };
    const attackShare = outside(inputGradient);
    thaw();
    const trainable = { forwardTrainable: timed(forward), trainStep: timed(trainStep) };
    results[id] = { batch: net.input[0], ...frozen, ...trainable, outside: { inputGradient: attackShare, trainStep: outside(trainStep) } };
  }
  const [a, b] = [tf.randomUniform([1024, 1024]), tf.randomUniform([1024, 1024])];
  results["matmul"] = timed(() => tf.tidy(() => void tf.matMul(a, b).dataSync()));
  if (name === "onnxruntime" && (!only || only.includes("cnn2d"))) {
    const graph = handwritten(loadNative(), threadCount());
    results["handwritten"] = { forward: timed(graph.forward), inputGradient: timed(graph.inputGradient) };
  }
  if (!only || only.includes("papernot")) results["pgd"] = await pgdAttack(process.argv[3] ?? ".");
  console.log(JSON.stringify(results));
}

void main();
