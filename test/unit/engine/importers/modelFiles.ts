import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { loadNetwork, saveNetwork } from "../../../../src/engine/importers/index.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { tf, tfl } from "../../../../src/engine/tf.ts";
import type { InputContract } from "../../../../src/shared/contract.ts";

/** The parts of a `model.json` that tests change. */
export interface LayerJson {
  name?: string;
  class_name: string;
  config: Record<string, unknown>;
  inbound_nodes?: unknown;
}
export interface ModelJson {
  modelTopology: { class_name: string; config: { name: string; layers: LayerJson[]; [key: string]: unknown }; [key: string]: unknown };
  weightsManifest: { paths: string[]; weights: { name: string; shape: number[]; dtype: string }[] }[];
}
export interface ModelFiles {
  readonly folder: string;
  /** Saves a network by tfjs, changes its JSON, and gives the folder. */
  write(network: tfl.LayersModel, change?: (json: ModelJson) => void, contract?: InputContract): Promise<string>;
}

let count = 0;
export async function modelFiles(): Promise<ModelFiles> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), "bulwark-models-"));
  return {
    folder,
    async write(network, change, contract = { input: {} }) {
      const directory = path.join(folder, `model-${count++}`);
      await saveNetwork(network, directory, contract);
      const file = path.join(directory, "model.json");
      const json = JSON.parse(await fs.readFile(file, "utf8")) as ModelJson;
      change?.(json);
      await fs.writeFile(file, JSON.stringify(json));
      await fs.writeFile(path.join(directory, "model.bulwark.json"), JSON.stringify(contract)); // as a person writes it
      return directory;
    },
  };
}

/** Every weight from a seed, so that no two networks or layers agree by chance; variances are positive. */
export function randomWeights<T extends tfl.LayersModel>(network: T, seed = 1): T {
  const random = createRandom(seed);
  network.setWeights(
    network.weights.map(({ shape, originalName }) => {
      const size = (shape as number[]).reduce((a, b) => a * b, 1);
      const [low, high] = originalName.endsWith("variance") ? [0.5, 2] : [-1, 1];
      return tf.tensor(random.uniforms(size, low, high), shape as number[]);
    }),
  );
  return network;
}

export const randomImages = (shape: readonly number[], seed = 9): tf.Tensor =>
  tf.tensor(createRandom(seed).uniforms(shape.reduce((a, b) => a * b, 1)), [...shape]);

/** What a network gives by tfjs itself. */
export const predictions = (network: tfl.LayersModel, x: tf.Tensor): number[] => [...(network.predict(x) as tf.Tensor).dataSync()];

/** What the file gives by the importer. */
export async function loadedPredictions(directory: string, x: tf.Tensor): Promise<number[]> {
  const { network } = await loadNetwork(directory);
  const found = predictions(network, x);
  network.dispose();
  return found;
}

/** conv – batch normalisation – flatten – dense on 6×6 images of three channels. */
export const plainNetwork = (seed = 1): tfl.Sequential =>
  randomWeights(
    tfl.sequential({
      layers: [
        tfl.layers.conv2d({ inputShape: [6, 6, 3], filters: 4, kernelSize: 3, activation: "relu", name: "c1" }),
        tfl.layers.batchNormalization({ name: "bn" }),
        tfl.layers.flatten({ name: "flat" }),
        tfl.layers.dense({ units: 3, name: "logits" }),
      ],
    }),
    seed,
  );

/** Two convolutions of one nested model, named as asked. */
export const convolutions = (name: string, shape: (number | null)[] = [8, 8, 3]): tfl.Sequential =>
  tfl.sequential({
    name,
    layers: [
      tfl.layers.conv2d({ inputShape: shape as number[], filters: 4, kernelSize: 3, padding: "same", activation: "relu", name: "c1" }),
      tfl.layers.maxPooling2d({ poolSize: 2, name: "pool" }),
      tfl.layers.conv2d({ filters: 4, kernelSize: 3, padding: "same", activation: "relu", name: "c2" }),
    ],
  });

/** A file as tfjs alone reads it. */
export async function byTfjs(directory: string): Promise<tfl.LayersModel> {
  const { modelTopology, weightsManifest } = JSON.parse(await fs.readFile(path.join(directory, "model.json"), "utf8")) as ModelJson;
  const bytes = new Uint8Array(await fs.readFile(path.join(directory, "weights.bin")));
  const weightSpecs = (weightsManifest[0]?.weights ?? []) as tf.io.WeightsManifestEntry[];
  return tfl.loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs, weightData: bytes.buffer }));
}
