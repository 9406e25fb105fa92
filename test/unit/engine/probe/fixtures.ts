import { promises as fs } from "node:fs";
import path from "node:path";
import { saveNetwork } from "../../../../src/engine/importers/index.ts";
import { writeNpz } from "../../../../src/engine/io/npz.ts";
import { writePng } from "../../../../src/engine/io/png.ts";
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

/** The network of 0…1 behind a convolution and a batch normalisation that change nothing, with the statistics of other pictures of the kind. */
export function normedNetwork(): tfl.LayersModel {
  const pixels = [...picturesOf(300)].map((byte) => byte / 255);
  const of = (k: number): number[] => pixels.filter((_, i) => i % 3 === k);
  const mean = [0, 1, 2].map((k) => of(k).reduce((sum, value) => sum + value, 0) / of(k).length);
  const variance = [0, 1, 2].map((k) => of(k).reduce((sum, value) => sum + (value - (mean[k] as number)) ** 2, 0) / of(k).length);
  const epsilon = 1e-3;
  const gamma = variance.map((value) => Math.sqrt(value + epsilon));
  const input = tfl.input({ shape: [side, side, 3] });
  const conv = tfl.layers.conv2d({ filters: 3, kernelSize: 1, useBias: false, weights: [tf.reshape(tf.eye(3), [1, 1, 3, 3])] });
  const norm = tfl.layers.batchNormalization({ epsilon, weights: [gamma, mean, mean, variance].map((values) => tf.tensor1d(values)) });
  const same = norm.apply(conv.apply(input)) as tfl.SymbolicTensor;
  return tfl.model({ inputs: input, outputs: colourNetwork({ mean: 0, scale: 255 }).apply(same) as tfl.SymbolicTensor });
}

/** n pictures [side·side·3] of the classes in turn, bytes, with noise that makes some of them hard. */
export function picturesOf(n: number, only?: number): Uint8Array {
  const random = createRandom("pictures");
  const images = new Uint8Array(n * side * side * 3);
  for (let i = 0; i < n; i++) {
    const shift = [0, 1, 2].map(() => 28 * random.normal());
    for (let p = 0; p < side * side; p++)
      for (let k = 0; k < 3; k++) {
        const value = (colours[only ?? i % colours.length]?.[k] as number) + (shift[k] as number) + 6 * random.normal();
        images[(i * side * side + p) * 3 + k] = Math.max(0, Math.min(255, Math.round(value)));
      }
  }
  return images;
}

/** The same in a file; labels as `label` writes them, of class and place. */
export async function writePictures(
  file: string,
  n: number,
  label: (c: number, i: number) => number = (c) => c,
  only?: number,
): Promise<void> {
  const labels = Int32Array.from({ length: n }, (_, i) => label(only ?? i % colours.length, i));
  await writeNpz(file, { images: { data: picturesOf(n, only), shape: [n, side, side, 3] }, labels: { data: labels, shape: [n] } });
}

/**
 * n pictures twice as high as wide, in numbered class folders: the middle half is noisy, above and below it is the plain colour of the class.
 * The centre square of such a picture tells less than the whole.
 */
export async function writeTallPictures(folder: string, n: number): Promise<void> {
  const random = createRandom("tall");
  const [width, height] = [2 * side, 4 * side];
  for (let i = 0; i < n; i++) {
    const c = i % colours.length;
    const shift = [0, 1, 2].map(() => 42 * random.normal());
    const data = new Uint8Array(width * height * 3);
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        for (let k = 0; k < 3; k++) {
          const isMiddle = y >= height / 4 && y < (3 * height) / 4;
          const value = (colours[c]?.[k] as number) + (isMiddle ? (shift[k] as number) : 0);
          data[(y * width + x) * 3 + k] = Math.max(0, Math.min(255, Math.round(value)));
        }
    await fs.mkdir(path.join(folder, String(c)), { recursive: true });
    await writePng(path.join(folder, String(c), `${i}.png`), data, height, width, 3);
  }
}

/** A saved network with no contract, or with the one that is declared for it. */
export async function saveModel(directory: string, network: tfl.LayersModel, declared?: InputContract): Promise<string> {
  await saveNetwork(network, directory, { input: {} });
  const file = path.join(directory, "model.bulwark.json");
  if (declared) await fs.writeFile(file, JSON.stringify(declared));
  else await fs.rm(file);
  return directory;
}
