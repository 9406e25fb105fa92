import { type Config, record, wordOf } from "../topology/graph.ts";
import { modelClasses } from "../topology/read.ts";
import type { NamedShape } from "../topology/weights.ts";
import type { StoredDataset } from "./hdf5/file.ts";

/** A weight with the name and shape it has in the network, and how to get it from the stored data set. */
export interface KerasWeight extends NamedShape {
  readonly dataset: StoredDataset;
  /** Transposition of the stored array, as numpy's `axes`. */
  readonly axes?: readonly number[];
  /** Rotated by 180°: Theano's convolutions flip their kernels. */
  readonly isTurned?: boolean;
}

/** Content of a Keras file in either format. */
export interface KerasContent {
  /** `{class_name, config}` of the model. */
  readonly model: Config;
  /** Version of Keras that saved it, such as "2.4.0". */
  readonly version: string | undefined;
  readonly weights: readonly KerasWeight[];
}

/** A layer in a model's configuration, or a model used as a layer. */
export interface ListedLayer {
  readonly name: string;
  readonly className: string;
  readonly config: Config;
  /** The layers of a model used as a layer. */
  readonly layers?: readonly ListedLayer[];
}

const deepest = 32;

/** The layers in a model's configuration, in order. Unreadable ones are skipped: `readTopology` reports them. */
export function listedLayers(model: Config, depth = 0): ListedLayer[] {
  const own: unknown = model["config"];
  const listed: unknown = Array.isArray(own) ? own : record(own)?.["layers"];
  if (!Array.isArray(listed) || depth > deepest) return [];
  return listed.flatMap((value: unknown): ListedLayer[] => {
    const entry = record(value);
    if (!entry) return [];
    const config = record(entry["config"]) ?? {};
    const className = wordOf(entry["class_name"]);
    const name = wordOf(entry["name"] ?? config["name"]);
    const layers = modelClasses.includes(className) ? { layers: listedLayers(entry, depth + 1) } : {};
    return [{ name, className, config, ...layers }];
  });
}
