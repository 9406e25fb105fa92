import { BulwarkError } from "../../../shared/errors.ts";
import { tf, type tfl } from "../../tf.ts";

export type Config = tf.serialization.ConfigDict;

/** What all layers of one conversion share. */
export interface Conversion {
  readonly depth: number;
  readonly patch: readonly [number, number];
  readonly kernelDepth: number;
  readonly nextSeed: () => number;
  readonly note: (text: string) => void;
  /** 3-D layers by name, so that a layer used twice stays one layer. */
  readonly made: Map<string, tfl.layers.Layer>;
  seenConvolution: boolean;
}

/** One use of a 2-D layer: what it was applied to, and the 3-D tensors that stand for that. */
export interface Slot {
  readonly layer: tfl.layers.Layer;
  readonly sources: readonly tfl.SymbolicTensor[];
  readonly inputs: readonly tfl.SymbolicTensor[];
  readonly conversion: Conversion;
}

export const firstInput = (slot: Slot): tfl.SymbolicTensor => slot.inputs[0] as tfl.SymbolicTensor;

/** Sides of the tensor's slices; a converted tensor that has any is [b,Z,h,w,C]. */
export const spatialSize = (x: tfl.SymbolicTensor): [number, number] => [x.shape[2] as number, x.shape[3] as number];

/** Applies a layer of the given class, made once a name. */
export function apply(slot: Slot, className: string, config: Config, to: tfl.SymbolicTensor | tfl.SymbolicTensor[]): tfl.SymbolicTensor {
  const name = config["name"] as string;
  const { made } = slot.conversion;
  const layer = made.get(name) ?? create(slot, className, config);
  made.set(name, layer);
  return layer.apply(to) as tfl.SymbolicTensor;
}

function create(slot: Slot, className: string, config: Config): tfl.layers.Layer {
  const entry = tf.serialization.SerializationMap.getMap().classNameMap[className];
  if (!entry) throw refusal(slot);
  const [cls, fromConfig] = entry;
  return fromConfig(cls, seeded(config, slot.conversion.nextSeed)) as tfl.layers.Layer;
}

/** Initialisers without a seed get one: a network read from a file has none, and two runs must start alike. */
function seeded(config: Config, next: () => number): Config {
  const result: Config = {};
  for (const [key, value] of Object.entries(config)) {
    const inner = typeof value === "object" && value !== null && !Array.isArray(value) ? value["config"] : undefined;
    const open = typeof inner === "object" && inner !== null && !Array.isArray(inner) && "seed" in inner && inner["seed"] == null;
    result[key] = open && typeof value === "object" ? { ...value, config: { ...inner, seed: next() } } : value;
  }
  return result;
}

export const reshape = (slot: Slot, suffix: string, targetShape: number[], x: tfl.SymbolicTensor): tfl.SymbolicTensor =>
  apply(slot, "Reshape", { name: `${slot.layer.name}${suffix}`, targetShape }, x);

export const permute = (slot: Slot, suffix: string, dims: number[], x: tfl.SymbolicTensor): tfl.SymbolicTensor =>
  apply(slot, "Permute", { name: `${slot.layer.name}${suffix}`, dims }, x);

/** A number, or one number an axis, as tfjs writes sizes into a layer's configuration. */
export const pair = (value: unknown): [number, number] =>
  Array.isArray(value) ? [Number(value[0]), Number(value[1])] : [Number(value), Number(value)];

export const refusal = (slot: Slot, why = "has no counterpart in three dimensions"): BulwarkError =>
  new BulwarkError(
    "MODEL_INVALID",
    `Layer "${slot.layer.name}" (${slot.layer.getClassName()}) ${why}.`,
    "Replace the layer, or train this network without volumizer.",
  );
