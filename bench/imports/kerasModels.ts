// Small Keras models whose damaged copies `node bench/imports.mjs fuzz` opens, for `node bench/imports.mjs keras FOLDER`: chain.h5 and
// nested.h5 as Keras 2 writes them, chain.keras and nested.keras as Keras 3 does. They have the weights of the same seed each time.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { useBackend } from "../../src/engine/backends/index.ts";
import { tfl } from "../../src/engine/tf.ts";
import { archiveEntries, configOf, hdf5Bytes, legacyContents, zipOf } from "../../test/unit/engine/importers/keras/contents.ts";
import { randomWeights } from "../../test/unit/engine/importers/modelFiles.ts";

/** One of each kind of layer with weights, one after the other. */
const chain = (): tfl.LayersModel =>
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
function nested(): tfl.LayersModel {
  const input = tfl.input({ shape: [8, 8, 3], name: "picture" });
  const inner = tfl.input({ shape: [8, 8, 3], name: "inside" });
  const conv = tfl.layers.conv2d({ filters: 3, kernelSize: 3, padding: "same", activation: "relu", name: "c1" }).apply(inner);
  const block = tfl.model({ name: "block", inputs: inner, outputs: conv as tfl.SymbolicTensor });
  const sum = tfl.layers.add({ name: "sum" }).apply([block.apply(input) as tfl.SymbolicTensor, input]);
  const flat = tfl.layers.flatten({ name: "flat" }).apply(sum);
  return tfl.model({ inputs: input, outputs: tfl.layers.dense({ units: 3, name: "head" }).apply(flat) as tfl.SymbolicTensor });
}

async function main([folder = "."]: readonly string[]): Promise<void> {
  await useBackend("cpu");
  mkdirSync(folder, { recursive: true });
  for (const [name, build] of Object.entries({ chain, nested })) {
    const network = randomWeights(build());
    const config = configOf(network);
    writeFileSync(path.join(folder, `${name}.h5`), await hdf5Bytes(legacyContents(network)));
    for (const layer of config.config.layers) if (layer.class_name === "Model") layer.class_name = "Functional";
    writeFileSync(path.join(folder, `${name}.keras`), zipOf(await archiveEntries(network, config)));
  }
  process.exit(0); // readers of HDF5 keep their threads
}
void main(process.argv.slice(2));
