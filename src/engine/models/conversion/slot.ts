import { BulwarkError } from "../../../shared/errors.ts";
import { tf, type tfl } from "../../tf.ts";
import type { LayerUse } from "../rebuild.ts";
import type { Names } from "./names.ts";

export type Config = tf.serialization.ConfigDict;

/** What all layers of one conversion share. */
export interface Conversion {
  readonly depth: number;
  readonly patch: readonly [number, number];
  readonly kernelDepth: number;
  readonly depthwise: "grouped" | "dense";
  readonly weights: "new" | "inflate";
  readonly addedChannels: number;
  readonly perSliceHead: boolean;
  readonly nextSeed: () => number;
  readonly note: (text: string) => void;
  /** 3-D layers made so far, so that a layer used twice stays one layer. */
  readonly names: Names;
  seenConvolution: boolean;
  /** A dense layer that every place has for itself. */
  seenHead: boolean;
}

/** One use of a 2-D layer: what it was applied to, and the 3-D tensors that stand for that. */
export interface Slot extends LayerUse {
  readonly conversion: Conversion;
}

/** Weights of the 2-D layer → those of the 3-D one, with which it does the same within each slice. */
export type Carry = (weights: readonly tf.Tensor[]) => tf.Tensor[];

/** A 3-D layer to apply. `suffix` names its part of the 2-D layer's work; "" for the layer that does the work itself. */
export interface Use {
  readonly className: string;
  readonly suffix: string;
  readonly config: Config;
  /** For layers with weights; what fits is taken as it is when left out and `suffix` is "". */
  readonly carry?: Carry;
}

export const firstInput = (slot: Slot): tfl.SymbolicTensor => slot.inputs[0] as tfl.SymbolicTensor;

/** Sizes of a converted tensor that has height and width: [b,Z,h,w,C] without b. */
export const volumeShape = (x: tfl.SymbolicTensor): [number, number, number, number] =>
  x.shape.slice(1) as [number, number, number, number];

/** Sides of the tensor's slices; a converted tensor that has any is [b,Z,h,w,C]. */
export const spatialSize = (x: tfl.SymbolicTensor): [number, number] => [x.shape[2] as number, x.shape[3] as number];

/** Applies a layer of the given class, made once for all uses of the 2-D layer. */
export function apply(slot: Slot, use: Use, to: tfl.SymbolicTensor | tfl.SymbolicTensor[]): tfl.SymbolicTensor {
  const { names } = slot.conversion;
  const known = names.find(slot.layer, use.suffix);
  const layer = known ?? create(slot, use);
  if (!known) names.keep(slot.layer, use.suffix, layer);
  const result = joined(slot, layer, to);
  if (!known && slot.conversion.weights === "inflate" && layer.getWeights().length > 0) carryWeights(slot, use, layer);
  return result;
}

function create(slot: Slot, use: Use): tfl.layers.Layer {
  const entry = tf.serialization.SerializationMap.getMap().classNameMap[use.className];
  if (!entry) throw refusal(slot);
  const [cls, fromConfig] = entry;
  const name = slot.conversion.names.unused(`${slot.layer.name}${use.suffix}`);
  return fromConfig(cls, seeded({ ...use.config, name }, slot.conversion.nextSeed)) as tfl.layers.Layer;
}

/** What tfjs says of shapes that do not go together becomes an error that names the layer. */
function joined(slot: Slot, layer: tfl.layers.Layer, to: tfl.SymbolicTensor | tfl.SymbolicTensor[]): tfl.SymbolicTensor {
  try {
    return layer.apply(to) as tfl.SymbolicTensor;
  } catch (thrown) {
    if (!(thrown instanceof Error) || thrown instanceof BulwarkError) throw thrown;
    const [height, width] = slot.conversion.patch;
    throw refusal(slot, `does not work on slices of ${height}×${width}: ${thrown.message.replace(/\.$/, "")}`);
  }
}

function carryWeights(slot: Slot, use: Use, layer: tfl.layers.Layer): void {
  if (!use.carry && use.suffix !== "") return;
  tf.tidy(() => {
    const given = slot.layer.getWeights();
    const wanted = layer.getWeights();
    const weights = (use.carry ? use.carry(given) : given).map((w, i) => withAddedChannels(w, wanted[i]?.shape ?? [], slot.conversion));
    if (weights.length === wanted.length && weights.every((w, i) => tf.util.arraysEqual(w.shape, wanted[i]?.shape ?? [])))
      layer.setWeights(weights);
    else slot.conversion.note(`Layer "${slot.layer.name}": its weights do not fit a slice, so it starts from new weights.`);
  });
}

/** Channels that the 2-D network does not have begin with weights of zero: at first nothing follows from them. */
function withAddedChannels(weight: tf.Tensor, wanted: readonly number[], { addedChannels }: Conversion): tf.Tensor {
  if (addedChannels === 0 || weight.rank !== wanted.length) return weight;
  const more = weight.shape.map((side, axis) => (wanted[axis] as number) - side);
  if (!more.every((n) => n >= 0 && n % addedChannels === 0)) return weight;
  return tf.pad(
    weight,
    more.map((n): [number, number] => [0, n]),
  );
}

/** Initialisers without a seed get one: a network read from a file has none, and two runs must start alike. */
export function seeded(config: Config, next: () => number): Config {
  const result: Config = {};
  for (const [key, value] of Object.entries(config)) {
    const inner = typeof value === "object" && value !== null && !Array.isArray(value) ? value["config"] : undefined;
    const open = typeof inner === "object" && inner !== null && !Array.isArray(inner) && "seed" in inner && inner["seed"] == null;
    result[key] = open && typeof value === "object" ? { ...value, config: { ...inner, seed: next() } } : value;
  }
  return result;
}

export const reshape = (slot: Slot, suffix: string, targetShape: number[], x: tfl.SymbolicTensor): tfl.SymbolicTensor =>
  apply(slot, { className: "Reshape", suffix, config: { targetShape } }, x);

export const permute = (slot: Slot, suffix: string, dims: number[], x: tfl.SymbolicTensor): tfl.SymbolicTensor =>
  apply(slot, { className: "Permute", suffix, config: { dims } }, x);

/** A number, or one number an axis, as tfjs writes sizes into a layer's configuration. */
export const pair = (value: unknown): [number, number] =>
  Array.isArray(value) ? [Number(value[0]), Number(value[1])] : [Number(value), Number(value)];

export const refusal = (slot: Slot, why = "has no counterpart in three dimensions"): BulwarkError =>
  new BulwarkError(
    "MODEL_INVALID",
    `Layer "${slot.layer.name}" (${slot.layer.getClassName()}) ${why}.`,
    "Replace the layer, or train this network without volumizer.",
  );

export const smallSlice = (slot: Slot, h: number, w: number): string =>
  `Layer "${slot.layer.name}": a ${h}×${w} slice is smaller than its kernel, so it is padded.`;
