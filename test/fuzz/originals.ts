// What is whole: small files of each kind, the same each time, whose copies the kinds damage.
import { writeFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { saveNetwork } from "../../src/engine/importers/index.ts";
import { createRandom } from "../../src/engine/random.ts";
import { tfl } from "../../src/engine/tf.ts";
import { archiveEntries, configOf, hdf5Bytes, legacyContents, zipOf } from "../unit/engine/importers/keras/contents.ts";
import { randomWeights } from "../unit/engine/importers/modelFiles.ts";
import { node, numbers, onnx, type Tensor } from "../unit/engine/importers/onnx/encoder.ts";

/** One of each kind of layer with weights, one after the other. */
export const chain = (): tfl.LayersModel =>
  tfl.sequential({
    layers: [
      tfl.layers.conv2d({ inputShape: [8, 8, 3], filters: 4, kernelSize: 3, padding: "same", strides: 2, name: "c" }),
      tfl.layers.batchNormalization({ name: "bn" }),
      tfl.layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, name: "dw" }),
      tfl.layers.globalAveragePooling2d({ name: "mean" }),
      tfl.layers.dense({ units: 3, activation: "softmax", name: "classes" }),
    ],
  });

/** A graph with two branches, one of which is a model of its own. */
export function nested(): tfl.LayersModel {
  const input = tfl.input({ shape: [8, 8, 3], name: "picture" });
  const inner = tfl.input({ shape: [8, 8, 3], name: "inside" });
  const conv = tfl.layers.conv2d({ filters: 3, kernelSize: 3, padding: "same", activation: "relu", name: "c1" }).apply(inner);
  const block = tfl.model({ name: "block", inputs: inner, outputs: conv as tfl.SymbolicTensor });
  const sum = tfl.layers.add({ name: "sum" }).apply([block.apply(input) as tfl.SymbolicTensor, input]);
  const flat = tfl.layers.flatten({ name: "flat" }).apply(sum);
  return tfl.model({ inputs: input, outputs: tfl.layers.dense({ units: 3, name: "head" }).apply(flat) as tfl.SymbolicTensor });
}

/** chain and nested as Keras 2 (`.h5`) and Keras 3 (`.keras`) write them. */
export async function writeKeras(folder: string): Promise<readonly string[]> {
  const files: string[] = [];
  const write = (name: string, bytes: Uint8Array): void => {
    files.push(path.join(folder, name));
    writeFileSync(path.join(folder, name), bytes);
  };
  for (const [name, build] of Object.entries({ chain, nested })) {
    const network = randomWeights(build());
    const config = configOf(network);
    write(`${name}.h5`, await hdf5Bytes(legacyContents(network)));
    for (const layer of config.config.layers) if (layer.class_name === "Model") layer.class_name = "Functional";
    write(`${name}.keras`, zipOf(await archiveEntries(network, config)));
    network.dispose();
  }
  return files;
}

/** `model.json` and `weights.bin` of chain, with a contract, in `folder`. */
export async function writeTfjs(folder: string): Promise<void> {
  const network = randomWeights(chain());
  await saveNetwork(network, folder, { input: { mean: 0, scale: 255 }, output: { classes: ["a", "b", "c"] } });
  network.dispose();
}

const drawn = (shape: readonly number[], seed: number): Tensor =>
  numbers(
    shape,
    ...createRandom(seed).uniforms(
      shape.reduce((a, b) => a * b, 1),
      -1,
      1,
    ),
  );

/** An exported network: convolutions with normalisation, a branch that joins again, a pool, a dense layer. */
export const onnxBytes = (): Uint8Array =>
  onnx({
    input: ["n", 3, 8, 8],
    initializers: {
      w1: drawn([4, 3, 3, 3], 1),
      b1: drawn([4], 2),
      scale: drawn([4], 3),
      shift: drawn([4], 4),
      mean: drawn([4], 5),
      variance: numbers([4], 1, 2, 1, 0.5),
      w2: drawn([4, 4, 1, 1], 6),
      w3: drawn([3, 4], 7),
      b3: drawn([3], 8),
    },
    nodes: [
      node("Conv", "x w1 b1", "c1", { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [2, 2] }, "first"),
      node("BatchNormalization", "c1 scale shift mean variance", "n1"),
      node("Relu", "n1", "r1"),
      node("Conv", "r1 w2", "c2", { kernel_shape: [1, 1] }),
      node("Add", "r1 c2", "sum"),
      node("GlobalAveragePool", "sum", "pooled"),
      node("Flatten", "pooled", "flat"),
      node("Gemm", "flat w3 b3", "y", { transB: 1 }),
    ],
  });

/** A picture of 28×28 pixels in every format that is read. */
export async function pictures(): Promise<Readonly<Record<string, Uint8Array>>> {
  const side = 28;
  const bytes = Uint8Array.from({ length: side * side * 3 }, (_, i) => (i * 37) % 256);
  const raw = () => sharp(bytes, { raw: { width: side, height: side, channels: 3 } });
  return {
    png: await raw().png().toBuffer(),
    jpg: await raw().jpeg().toBuffer(),
    webp: await raw().webp().toBuffer(),
    gif: await raw().gif().toBuffer(),
    tiff: await raw().tiff().toBuffer(),
    bmp: bmpOf(bytes, side),
  };
}

/** A Windows bitmap of 24 bits: two headers, then rows of blue, green and red, padded to four bytes. */
function bmpOf(pixels: Uint8Array, side: number): Uint8Array {
  const row = side * 3;
  const bmp = Buffer.alloc(54 + row * side);
  bmp.write("BM");
  bmp.writeUInt32LE(bmp.length, 2);
  bmp.writeUInt32LE(54, 10);
  bmp.writeUInt32LE(40, 14);
  bmp.writeInt32LE(side, 18);
  bmp.writeInt32LE(side, 22);
  bmp.writeUInt16LE(1, 26);
  bmp.writeUInt16LE(24, 28);
  bmp.set(pixels, 54);
  return bmp;
}
