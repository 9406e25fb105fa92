// LIME of a photograph of 224×224 beside as many plain forward passes in the same batches. One JSON document.
import { readFileSync } from "node:fs";
import path from "node:path";
import { useBackend } from "../src/engine/backends/index.ts";
import { batchSizeFor } from "../src/engine/classifier/batchSizes.ts";
import type { Classifier } from "../src/engine/classifier/classifier.ts";
import { classifierOf } from "../src/engine/classifier/network.ts";
import { createContext } from "../src/engine/context.ts";
import { resolveParams } from "../src/engine/define/index.ts";
import { explainImages } from "../src/engine/evaluation/explain.ts";
import { imageFromBytes } from "../src/engine/io/images.ts";
import { efficientNetB0 } from "../src/engine/models/efficientNetB0.ts";
import { tf, tfl } from "../src/engine/tf.ts";
import { median, timed } from "./volumes.ts";

const side = 224;
const inputShape = [side, side, 3] as const;
const samples = Number(process.env["SAMPLES"] ?? 1000);
const repeats = Number(process.env["REPEATS"] ?? 3);
const only = process.env["NETS"]?.split(",");
const { conv2d, dense, globalAveragePooling2d } = tfl.layers;

const networks: Readonly<Record<string, () => tfl.LayersModel>> = {
  /** 41 million multiplications an image: next to nothing. */
  small: () =>
    tfl.sequential({
      layers: [
        conv2d({ inputShape: [...inputShape], filters: 16, kernelSize: 3, strides: 2, activation: "relu" }),
        conv2d({ filters: 32, kernelSize: 3, strides: 2, activation: "relu" }),
        conv2d({ filters: 64, kernelSize: 3, strides: 2, activation: "relu" }),
        globalAveragePooling2d({}),
        dense({ units: 10 }),
      ],
    }),
  efficientNetB0: () =>
    efficientNetB0.build(resolveParams(efficientNetB0.params, {}, efficientNetB0.id), { inputShape, classes: 10, seed: 1 }),
};

/** As many passes as LIME takes, each read back. */
async function passes(model: Classifier, image: Float32Array): Promise<void> {
  const { most } = batchSizeFor(model, "forward");
  for (let from = 0; from < samples; from += most) {
    const n = Math.min(most, samples - from);
    const batch = new Float32Array(n * image.length);
    for (let i = 0; i < n; i++) batch.set(image, i * image.length);
    const logits = tf.tidy(() => model.logits(tf.tensor4d(batch, [n, ...inputShape])));
    await logits.data();
    logits.dispose();
  }
}

async function main(): Promise<void> {
  const { device } = await useBackend("onnxruntime");
  const kitten = path.resolve("media/samples/photos/pictures/cat/kitten.jpg");
  const { pixels } = await imageFromBytes(readFileSync(kitten), kitten, { size: [side, side], channels: 3, resize: "cover" });
  const rows: object[] = [];
  for (const [name, build] of Object.entries(networks).filter(([name]) => !only || only.includes(name))) {
    const model = classifierOf(build(), { contract: { input: {} }, outputs: "logits" });
    const lime = () => explainImages(model, pixels, { id: "lime", params: { samples } }, createContext());
    const explained = await lime(); // warm
    const pairs: { lime: number; passes: number; cpu: number }[] = [];
    for (let i = 0; i < repeats; i++) {
      const alone = await timed(() => passes(model, pixels));
      const whole = await timed(lime);
      pairs.push({ lime: whole.wall, passes: alone.wall, cpu: whole.cpu / alone.cpu });
    }
    rows.push({
      name,
      superpixels: explained.superpixels(0)?.coefficients.length,
      batch: batchSizeFor(model, "forward").most,
      passes: median(pairs.map((pair) => pair.passes)),
      lime: median(pairs.map((pair) => pair.lime)),
      wall: median(pairs.map((pair) => pair.lime / pair.passes)),
      cpu: median(pairs.map(({ cpu }) => cpu)),
    });
    model.dispose();
  }
  console.log(JSON.stringify({ device, samples, repeats, rows }));
}
void main();
