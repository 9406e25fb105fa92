// One process of the benchmark: measures every network on one backend and prints a JSON document. Threads: BULWARK_THREADS.
import { type BackendName, freeze, useBackend } from "../src/engine/backends/index.ts";
import { tf } from "../src/engine/tf.ts";
import { nets, tasks } from "./nets.ts";

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

async function main(): Promise<void> {
  const name = (process.argv[2] ?? "onnxruntime") as BackendName;
  const { device } = await useBackend(name);
  const results: Record<string, unknown> = { backend: name, device };
  for (const [id, net] of Object.entries(nets)) {
    if (only && !only.includes(id)) continue;
    const { network, forward, inputGradient, trainStep } = tasks(net);
    const thaw = freeze(network);
    const frozen = { forward: timed(forward), inputGradient: timed(inputGradient) };
    thaw();
    results[id] = { batch: net.input[0], ...frozen, forwardTrainable: timed(forward), trainStep: timed(trainStep) };
  }
  const [a, b] = [tf.randomUniform([1024, 1024]), tf.randomUniform([1024, 1024])];
  results["matmul"] = timed(() => tf.tidy(() => void tf.matMul(a, b).dataSync()));
  console.log(JSON.stringify(results));
}

void main();
