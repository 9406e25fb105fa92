// The probabilities of 1,024 rows by number of draws, and R passes of detectors that sample beside as many plain forward passes. One JSON document.
import { useBackend } from "../src/engine/backends/index.ts";
import { batchSizeFor } from "../src/engine/classifier/batchSizes.ts";
import type { Classifier } from "../src/engine/classifier/classifier.ts";
import { classifierOf } from "../src/engine/classifier/network.ts";
import { createContext, streamContext } from "../src/engine/context.ts";
import { createRandom } from "../src/engine/random.ts";
import { bind } from "../src/engine/registry.ts";
import { minimumVariance } from "../src/engine/sampling/varianceMinimization.ts";
import { type Images, tf, tfl } from "../src/engine/tf.ts";
import { median, stopwatch, timed } from "./volumes.ts";

const repeats = Number(process.env["REPEATS"] ?? 5);
const images = Number(process.env["IMAGES"] ?? 4);
const only = process.env["DETECTORS"]?.split(",");
const runs = 100;
const side = 28;
const { conv2d, dense, flatten, maxPooling2d } = tfl.layers;

/** Milliseconds for the norms of 1,024 rows, spread as those of a feature map are: medians and minima. */
function solver(): object[] {
  const random = createRandom(1);
  const alpha = Float64Array.from({ length: 1024 }, () => Math.exp(random.normal(0, 2)));
  return [2, 32, 392, 784, 1568, 2048].map((c) => {
    const times = Array.from({ length: 400 }, () => {
      const read = stopwatch();
      minimumVariance(alpha, c);
      return read().wall;
    }).slice(100);
    return { c, median: median(times), fastest: Math.min(...times) };
  });
}

/** The convolutions of the network that the paper measures on digits. */
const network = (): tfl.LayersModel =>
  tfl.sequential({
    layers: [
      conv2d({ inputShape: [side, side, 1], filters: 64, kernelSize: 3, activation: "relu" }),
      conv2d({ filters: 64, kernelSize: 3, activation: "relu" }),
      maxPooling2d({ poolSize: 2 }),
      flatten(),
      dense({ units: 128, activation: "relu" }),
      dense({ units: 10 }),
    ],
  });

/** As many passes as a detector makes of the images, in full batches, each read back. */
async function passes(model: Classifier, pixels: Float32Array): Promise<void> {
  const { most } = batchSizeFor(model, "forward");
  for (let from = 0; from < images * runs; from += most) {
    const n = Math.min(most, images * runs - from);
    const batch = new Float32Array(n * side * side);
    for (let i = 0; i < n; i++) {
      const image = Math.floor((from + i) / runs);
      batch.set(pixels.subarray(image * side * side, (image + 1) * side * side), i * side * side);
    }
    const labels = tf.tidy(() => tf.argMax(model.logits(tf.tensor4d(batch, [n, side, side, 1])), 1));
    await labels.data();
    labels.dispose();
  }
}

async function main(): Promise<void> {
  const { device } = await useBackend("onnxruntime");
  const model = classifierOf(network(), { contract: { input: {} }, outputs: "logits" });
  const pixels = createRandom(1).uniforms(images * side * side);
  const ctx = streamContext(createContext(), (i) => createRandom(i));
  const x = tf.tensor4d(pixels, [images, side, side, 1]) as Images;
  const rows: object[] = [];
  const all = [
    { kind: "varianceMinimization" },
    { kind: "dropoutUncertainty" },
    { kind: "stochasticActivationPruning", draws: "independent" },
    { kind: "stochasticActivationPruning", draws: "replacement" },
  ];
  for (const chosen of all.filter(({ kind }) => !only || only.includes(kind))) {
    const kind = Object.values(chosen).join(", ");
    const { entry, params } = bind("detector", { ...chosen, runs });
    const score = () => entry.score(model, x, params, ctx);
    await score(); // warm
    const pairs: { wall: number; cpu: number; score: number; passes: number }[] = [];
    for (let i = 0; i < repeats; i++) {
      const plain = await timed(() => passes(model, pixels));
      const whole = await timed(score);
      pairs.push({ wall: plain.wall / whole.wall, cpu: plain.cpu / whole.cpu, score: whole.wall, passes: plain.wall });
    }
    const of = (key: keyof (typeof pairs)[number]): number => median(pairs.map((pair) => pair[key]));
    rows.push({ kind, wall: of("wall"), cpu: of("cpu"), score: of("score"), passes: of("passes") });
  }
  console.log(JSON.stringify({ device, images, runs, repeats, solver: solver(), rows }));
}

void main();
