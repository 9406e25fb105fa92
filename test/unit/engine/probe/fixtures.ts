import { promises as fs } from "node:fs";
import path from "node:path";
import { saveNetwork } from "../../../../src/engine/importers/index.ts";
import { writeNpz } from "../../../../src/engine/io/npz.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { tf, tfl } from "../../../../src/engine/tf.ts";
import type { InputContract } from "../../../../src/shared/contract.ts";

export type Input = InputContract["input"];

/** Mean colours of the classes, in bytes; some are one another with red and blue exchanged. */
export const colours: readonly (readonly [number, number, number])[] = [
  [200, 60, 60],
  [60, 60, 200],
  [70, 180, 90],
  [220, 200, 80],
  [80, 200, 220],
  [30, 40, 50],
];
export const side = 4;

const listOf = (value: number | readonly number[] | undefined, otherwise: number): number[] =>
  [0, 1, 2].map((i) => (typeof value === "object" ? (value[i] as number) : (value ?? otherwise)));

/**
 * Classifies pictures by the nearest mean colour as it sees them under its true contract: logits s·(2 f·μ − |μ|²) of the mean f of each
 * channel, with s such that a byte counts the same under every range. Wrong ranges shift f and so the boundaries.
 */
export function colourNetwork({ mean, scale, channels }: Input, classes = colours): tfl.LayersModel {
  const [means, scales] = [listOf(mean, 0), listOf(scale, 255)];
  const seen = classes.map((colour) => {
    const bytes = channels === "bgr" ? [...colour].reverse() : colour;
    return bytes.map((byte, i) => (byte - (means[i] as number)) / (scales[i] as number));
  });
  const s = 0.002 * ((scales[0] as number) * (scales[0] as number));
  const kernel = tf.tensor2d(seen.map((mu) => mu.map((value) => 2 * s * value))).transpose();
  const bias = tf.tensor1d(seen.map((mu) => -s * mu.reduce((sum, value) => sum + value * value, 0)));
  return tfl.sequential({
    layers: [
      tfl.layers.globalAveragePooling2d({ inputShape: [side, side, 3] }),
      tfl.layers.dense({ units: classes.length, weights: [kernel, bias] }),
    ],
  });
}

/** n pictures of the classes in turn, uint8, with noise that makes some of them hard; labels as `label` writes them. */
export async function writePictures(file: string, n: number, label: (c: number) => number = (c) => c, only?: number): Promise<void> {
  const random = createRandom("pictures");
  const images = new Uint8Array(n * side * side * 3);
  const labels = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    const c = only ?? i % colours.length;
    labels[i] = label(c);
    const shift = [0, 1, 2].map(() => 28 * random.normal());
    for (let p = 0; p < side * side; p++)
      for (let k = 0; k < 3; k++) {
        const value = (colours[c]?.[k] as number) + (shift[k] as number) + 6 * random.normal();
        images[(i * side * side + p) * 3 + k] = Math.max(0, Math.min(255, Math.round(value)));
      }
  }
  await writeNpz(file, { images: { data: images, shape: [n, side, side, 3] }, labels: { data: labels, shape: [n] } });
}

/** A saved network with no contract, or with the one that is declared for it. */
export async function saveModel(directory: string, network: tfl.LayersModel, declared?: InputContract): Promise<string> {
  await saveNetwork(network, directory, { input: {} });
  const file = path.join(directory, "model.bulwark.json");
  if (declared) await fs.writeFile(file, JSON.stringify(declared));
  else await fs.rm(file);
  return directory;
}
