// `node bench/imports.mjs speed FOLDER`: a ResNet-50 that PyTorch exported beside the one that our builder makes, forward pass and gradient of
// one image, called in turn. Ratios are medians of pairs, imported over built: below 1.1 is the goal.
import { useBackend } from "../../src/engine/backends/index.ts";
import { classifierOf } from "../../src/engine/classifier/network.ts";
import { loadNetwork } from "../../src/engine/importers/index.ts";
import { classifierOfLoaded } from "../../src/engine/session/openModel.ts";
import type { Images } from "../../src/engine/tf.ts";
import { newNetwork, noise } from "../ours/nets.ts";
import { workOf } from "../ours/networks.ts";

const rounds = 15;
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] as number;

async function timed(run: () => void | Promise<void>): Promise<{ wall: number; cpu: number }> {
  const [start, used] = [performance.now(), process.cpuUsage()];
  await run();
  const { user, system } = process.cpuUsage(used);
  return { wall: performance.now() - start, cpu: (user + system) / 1000 };
}

async function main(): Promise<void> {
  await useBackend("onnxruntime");
  const [file = ""] = process.argv.slice(2);
  const imported = classifierOfLoaded(await loadNetwork(file, { input: { mean: 0, scale: 255 } }, { isUnnamed: true }), file);
  const built = classifierOf(newNetwork("resnet50", 224).network, { contract: { input: {} }, outputs: "logits" });
  let isMissed = false;
  for (const task of ["forward", "gradient"]) {
    const batch = noise(1, imported.inputShape, imported.classes);
    const works = [imported, built].map((model) => workOf(task, (x) => model.logits(x as Images), { batch, shape: model.inputShape }));
    for (const { run } of works) for (let i = 0; i < 2; i++) await run();
    const pairs: { wall: number; cpu: number }[][] = [];
    for (let i = 0; i < rounds; i++) {
      const pair: { wall: number; cpu: number }[] = [];
      for (const { run } of works) pair.push(await timed(run));
      pairs.push(pair);
    }
    const of = (side: number, clock: "wall" | "cpu"): number[] => pairs.map((pair) => pair[side]?.[clock] as number);
    const ratio = (clock: "wall" | "cpu"): number => median(pairs.map(([a, b]) => (a?.[clock] as number) / (b?.[clock] as number)));
    const cpu = ratio("cpu");
    isMissed ||= cpu > 1.1;
    console.log(
      `${task}: imported ${median(of(0, "cpu")).toFixed(0)} ms of processor time, built ${median(of(1, "cpu")).toFixed(0)}; ratio ${cpu.toFixed(2)}, of wall time ${ratio("wall").toFixed(2)}`,
    );
  }
  process.exit(isMissed ? 1 : 0);
}
void main();
