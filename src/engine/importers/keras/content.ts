import { type Config, record } from "../topology/graph.ts";
import { modelClasses } from "../topology/read.ts";
import type { NamedShape } from "../topology/weights.ts";
import type { StoredDataset } from "./hdf5/file.ts";

/** A weight in the form in which the network takes it, and how it comes from what is stored. */
export interface KerasWeight extends NamedShape {
  readonly dataset: StoredDataset;
  /** Axes of what is stored, in the order of the network's. */
  readonly axes?: readonly number[];
  /** Turned by 180°: Theano's convolutions do that to their kernels. */
  readonly isTurned?: boolean;
}

/** What a Keras file holds, whichever of its formats it has. */
export interface KerasContent {
  /** `{class_name, config}` of the model. */
  readonly model: Config;
  /** Of the program that saved it, such as "2.4.0". */
  readonly version: string | undefined;
  readonly weights: readonly KerasWeight[];
}

/** A layer of a model's configuration, or a model that is used as a layer. */
export interface ListedLayer {
  readonly name: string;
  readonly className: string;
  readonly config: Config;
  /** Of a model: its layers. */
  readonly layers?: readonly ListedLayer[];
}

const deepest = 32;

/** The layers of a model's configuration in its order. What cannot be read is left out: reading the topology says what is wrong. */
export function listedLayers(model: Config, depth = 0): ListedLayer[] {
  const own: unknown = model["config"];
  const listed: unknown = Array.isArray(own) ? own : record(own)?.["layers"];
  if (!Array.isArray(listed) || depth > deepest) return [];
  return listed.flatMap((value: unknown): ListedLayer[] => {
    const entry = record(value);
    if (!entry) return [];
    const config = record(entry["config"]) ?? {};
    const className = String(entry["class_name"] ?? "");
    const name = String(entry["name"] ?? config["name"] ?? "");
    const layers = modelClasses.includes(className) ? { layers: listedLayers(entry, depth + 1) } : {};
    return [{ name, className, config, ...layers }];
  });
}
