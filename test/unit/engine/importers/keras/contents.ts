import path from "node:path";
import { strToU8, type Zippable, zipSync } from "fflate";
import * as h5wasm from "h5wasm";
import { snakeCase } from "../../../../../src/engine/importers/keras/paths.ts";
import type { tfl } from "../../../../../src/engine/tf.ts";

/** What the tests change of a model's configuration. */
export interface LayerConfig {
  name?: string;
  class_name: string;
  config: Record<string, unknown>;
  [key: string]: unknown;
}
export interface ModelConfig {
  class_name: string;
  config: { name: string; layers: LayerConfig[]; [key: string]: unknown };
  [key: string]: unknown;
}
export interface Numbers {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
}
export interface Contents {
  readonly attributes?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
  readonly datasets?: Readonly<Record<string, Numbers>>;
  /** Further things, such as links. */
  also?(file: h5wasm.File): void;
}

let count = 0;
/** The bytes of an HDF5 file. Paths begin with a slash; the root is "/". */
export async function hdf5Bytes({ attributes = {}, datasets = {}, also }: Contents): Promise<Uint8Array> {
  const { FS } = await h5wasm.ready;
  const name = `/test-${count++}.h5`;
  const file = new h5wasm.File(name, "w");
  const made = new Set<string>();
  const group = (place: string): void => {
    const parts = place.split("/").filter((part) => part !== "");
    parts.forEach((_, i) => {
      const at = `/${parts.slice(0, i + 1).join("/")}`;
      if (!made.has(at)) file.create_group(at);
      made.add(at);
    });
  };
  for (const [place, { shape, values }] of Object.entries(datasets)) {
    group(path.posix.dirname(place));
    file.create_dataset({ name: place, data: Float32Array.from(values), shape: [...shape], dtype: "<f4" });
  }
  for (const [place, named] of Object.entries(attributes)) {
    group(place);
    const target = place === "/" ? file : (file.get(place) as h5wasm.Group);
    for (const [key, value] of Object.entries(named)) target.create_attribute(key, value as string | string[]);
  }
  also?.(file);
  file.close();
  const bytes = FS?.readFile(name) as Uint8Array;
  FS?.unlink(name);
  return bytes;
}

/** The configuration of a network as Keras 2 writes it, which tfjs does too. */
export const configOf = (network: tfl.LayersModel): ModelConfig => {
  const { class_name, config } = network.toJSON(null, false) as unknown as ModelConfig;
  return JSON.parse(JSON.stringify({ class_name, config })) as ModelConfig;
};

const numbersOf = (variable: tfl.LayerVariable): Numbers => ({
  shape: variable.shape as number[],
  values: variable.read().dataSync(),
});

/** A whole model as Keras 2 keeps it in `.h5`: one group for each layer, with the names of its weights. */
export function legacyContents(network: tfl.LayersModel, config: ModelConfig = configOf(network)) {
  const attributes: Record<string, Record<string, string | readonly string[]>> = {
    "/": { model_config: JSON.stringify(config), keras_version: "2.4.0", backend: "tensorflow" },
    "/model_weights": { layer_names: network.layers.map(({ name }) => name) },
  };
  const datasets: Record<string, Numbers> = {};
  for (const layer of network.layers) {
    const names = layer.weights.map((weight) => [nameOf(weight), weight] as const);
    attributes[`/model_weights/${layer.name}`] = names.length === 0 ? {} : { weight_names: names.map(([name]) => name) };
    for (const [name, weight] of names) datasets[`/model_weights/${layer.name}/${name}`] = numbersOf(weight);
  }
  return { attributes, datasets };
}
/** The last two parts, which Keras gives weights within a nested model too. */
const nameOf = ({ originalName }: tfl.LayerVariable): string => `${originalName.split("/").slice(-2).join("/")}:0`;

/** The weights of an archive: a place for each layer, by its class. */
export function archiveDatasets(layers: readonly tfl.layers.Layer[], list = "layers", place = ""): Record<string, Numbers> {
  const counts = new Map<string, number>();
  return Object.assign(
    {},
    ...layers.map((layer) => {
      const inner = (layer as unknown as { readonly layers?: tfl.layers.Layer[] }).layers;
      const snake = snakeCase(inner && layer.getClassName() !== "Sequential" ? "Functional" : layer.getClassName());
      const before = counts.get(snake) ?? 0;
      counts.set(snake, before + 1);
      const own = `${place}/${list}/${before === 0 ? snake : `${snake}_${before}`}`;
      if (inner) return archiveDatasets(inner, list, own);
      return Object.fromEntries(layer.weights.map((weight, i) => [`${own}/vars/${i}`, numbersOf(weight)]));
    }),
  ) as Record<string, Numbers>;
}

export type Entries = Readonly<Record<string, Uint8Array | string>>;
/** A zip; its entries are stored as they are, as Keras does. */
export const zipOf = (entries: Entries, level: 0 | 6 = 0): Uint8Array =>
  zipSync(
    Object.fromEntries(
      Object.entries(entries).map(([name, content]) => [name, typeof content === "string" ? strToU8(content) : content]),
    ) as Zippable,
    { level },
  );

/** The entries of a `.keras` archive. */
export async function archiveEntries(
  network: tfl.LayersModel,
  config: ModelConfig = configOf(network),
  list?: string,
): Promise<Record<string, Uint8Array | string>> {
  return {
    "metadata.json": JSON.stringify({ keras_version: "3.8.0", date_saved: "2025-01-01@00:00:00" }),
    "config.json": JSON.stringify(config),
    "model.weights.h5": await hdf5Bytes({ datasets: archiveDatasets(network.layers, list) }),
  };
}
