// One process of the measurement of an attack on many large images: see dataset.mjs. Ends with code 1 above 1.5 GB or 250 ms.
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { saveNetwork } from "../src/engine/importers/index.ts";
import { writeNpz } from "../src/engine/io/npz.ts";
import { attackDataset } from "../src/engine/jobs/attackDataset.ts";
import { createRandom } from "../src/engine/random.ts";
import { startEngine } from "../src/engine/session/engine.ts";
import { tfl } from "../src/engine/tf.ts";

const n = Number(process.env["IMAGES"] ?? 1000);
const side = Number(process.env["SIDE"] ?? 299);
const steps = Number(process.env["STEPS"] ?? 2);
const classes = 10;
const [mostBytes, longest] = [1.5e9, 250];

/** Blobs of a class's own colour with noise: what a network says of them does not matter here. */
async function writeImages(file: string): Promise<void> {
  const random = createRandom(1);
  const size = side * side * 3;
  function* images(): Generator<Uint8Array> {
    for (let i = 0; i < n; i++) {
      const next = random.stream(`image/${i}`);
      yield Uint8Array.from({ length: size }, () => next.integer(256));
    }
  }
  await writeNpz(file, {
    images: { type: "uint8", shape: [n, side, side, 3], chunks: images },
    labels: { data: Int32Array.from({ length: n }, (_, i) => i % classes), shape: [n] },
  });
}

async function writeModel(folder: string): Promise<void> {
  const { conv2d, dense, globalAveragePooling2d } = tfl.layers;
  const network = tfl.sequential({
    layers: [
      conv2d({ inputShape: [side, side, 3], filters: 8, kernelSize: 3, strides: 2, activation: "relu" }),
      conv2d({ filters: 16, kernelSize: 3, strides: 2, activation: "relu" }),
      globalAveragePooling2d({ name: "average" }),
      dense({ units: classes }),
    ],
  });
  const output = { kind: "logits", classes: Array.from({ length: classes }, (_, i) => String(i)) } as const;
  await saveNetwork(network, folder, { input: { layout: "nhwc", size: [side, side], channels: "rgb" }, output });
  network.dispose();
}

/** The longest time between two turns of the event loop, in milliseconds, from now until it is asked. */
function watchTurns(): () => { readonly longest: number; readonly at: string } {
  let [last, most, phase, at] = [performance.now(), 0, "", ""];
  const turn = setInterval(() => {
    const now = performance.now();
    if (now - last - 10 > most) [most, at] = [now - last - 10, phase];
    last = now;
  }, 10);
  onPhase = (name) => {
    phase = name;
  };
  return () => {
    clearInterval(turn);
    return { longest: most, at };
  };
}
let onPhase: (name: string) => void = () => undefined;

async function measure(): Promise<void> {
  const workspace = await mkdtemp(path.join(os.tmpdir(), "bulwark-bench-"));
  try {
    const engine = await startEngine("auto");
    const [data, model] = [path.join(workspace, "images.npz"), path.join(workspace, "model")];
    await writeImages(data);
    await writeModel(model);
    const before = process.memoryUsage.rss();
    const stop = watchTurns();
    const started = performance.now();
    const attack = { id: "pgd", params: { eps: 8 / 255, steps } };
    const request = {
      model,
      images: [],
      dataset: `arrays:${data}`,
      split: "test",
      limit: null,
      attack,
      defenses: [],
      mode: null,
      seed: 1,
      workspace,
    } as const;
    const onEvent = (event: { readonly kind: string; readonly phase?: string }): void => {
      if (event.kind === "phase") onPhase(event.phase ?? "");
    };
    const { document } = await attackDataset(request, { engine, signal: new AbortController().signal, onEvent });
    const turns = stop();
    const peak = process.resourceUsage().maxRSS * 1024;
    const isGood = peak < mostBytes && turns.longest < longest;
    console.log(
      `${document.n} images of ${side}×${side}×3, PGD-${steps}, ${engine.device}: peak ${(peak / 1e6).toFixed(0)} MB (${(before / 1e6).toFixed(0)} MB before), ` +
        `longest block ${turns.longest.toFixed(0)} ms (${turns.at}), ${((performance.now() - started) / 1000).toFixed(0)} s: ${isGood ? "good" : "NOT GOOD"}`,
    );
    if (!isGood) process.exitCode = 1;
  } finally {
    await rm(workspace, { recursive: true, force: true });
  }
}

void measure();
