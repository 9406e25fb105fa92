import { type Call, type Config, invalidModel, isInput, type LayerNode, type Ref, refTo, type Topology } from "./graph.ts";

/** Axes of [b,C,H,W] as axes of [b,H,W,C]. */
const moved = [0, 3, 1, 2] as const;
const toFirst = [3, 1, 2];
const toLast = [2, 3, 1];

/** Elementwise layers, and others that do not depend on the order of axes. */
const anyOrder =
  /^(Activation|ReLU|LeakyReLU|ELU|ThresholdedReLU|Dropout|Add|Subtract|Multiply|Average|Maximum|Minimum|Rescaling|Masking|Gelu|Clip)$/;
const alongAxis = /^(BatchNormalization|LayerNormalization|GroupNormalization|Concatenate|Softmax|Normalization)$/;
/** Layers that depend on the order of numbers. Their input is transposed to [b,C,H,W], and their output back. */
const ordered = /^(Reshape|Permute|Dense)$/;

/**
 * Converts a flat topology from [b,C,H,W] to [b,H,W,C]. Weights do not change: Keras stores kernels alike for both. Layers that depend on
 * the order of numbers, such as Flatten, get a Permute in front. Other topologies are returned unchanged.
 * @throws MODEL_UNSUPPORTED naming a layer that cannot be converted
 */
export function toChannelsLast(topology: Topology, file: string): Topology {
  const orders = new Set(topology.layers.filter(hasPlace).map(({ config }) => config["data_format"]));
  if (!orders.has("channels_first")) return topology;
  const refuse = (what: string): never => {
    throw invalidModel(file, what, 'Build the model with data_format "channels_last" throughout, and save it again.', "MODEL_UNSUPPORTED");
  };
  const mixed = topology.layers.find((layer) => hasPlace(layer) && layer.config["data_format"] !== "channels_first");
  if (mixed) return refuse(`mixes layers of both data formats, such as "${mixed.name}"`);
  return new Conversion(topology, refuse).result();
}

/** Whether the data format decides what a layer computes. For Flatten it only decides the order of the output. */
const hasPlace = ({ className, config }: LayerNode): boolean => className !== "Flatten" && typeof config["data_format"] === "string";

class Conversion {
  private readonly topology: Topology;
  private readonly refuse: (what: string) => never;
  private readonly known: ReadonlyMap<string, LayerNode>;
  private readonly ranks = new Map<string, number>();
  private readonly layers: LayerNode[] = [];
  /** Layers whose output is transposed back, and the Permute that does it: users take its output instead. */
  private readonly turnedBack = new Map<string, string>();

  constructor(topology: Topology, refuse: (what: string) => never) {
    this.topology = topology;
    this.refuse = refuse;
    this.known = new Map(topology.layers.map((layer) => [layer.name, layer]));
  }

  result(): Topology {
    for (const layer of this.topology.layers) this.add(layer);
    const behind = (ref: Ref): Ref => {
      const name = this.turnedBack.get(ref.layer);
      return name === undefined ? ref : { ...ref, layer: name };
    };
    const isOwn = new Set(this.turnedBack.values());
    const layers = this.layers.map((layer) => {
      if (isOwn.has(layer.name)) return layer;
      return { ...layer, calls: layer.calls.map((call) => ({ ...call, inputs: call.inputs.map(behind) })) };
    });
    return { ...this.topology, kind: "Functional", layers, outputs: this.topology.outputs.map(behind) };
  }

  private add(layer: LayerNode): void {
    const { className, config, name } = layer;
    if (isInput(layer)) this.layers.push({ ...layer, config: rotated(config) });
    else if (this.inputRank(layer) !== 4) {
      this.layers.push(layer);
      if (this.rank(name) === 4) this.turnBack(layer);
    } else if (hasPlace(layer)) this.layers.push({ ...layer, config: { ...config, data_format: "channels_last" } });
    else if (className === "Flatten") this.addFlatten(layer);
    else if (ordered.test(className)) {
      this.layers.push(this.turnedInFront(layer));
      if (this.rank(name) === 4) this.turnBack(layer);
    } else this.layers.push({ ...layer, config: this.withAxes(layer) });
  }

  /** Keras' Flatten with channels first moves the channels last itself; without it, it takes numbers as they are. */
  private addFlatten(layer: LayerNode): void {
    const isPlain = layer.config["data_format"] === "channels_first";
    const flat = { ...layer, config: { ...layer.config, data_format: "channels_last" } };
    this.layers.push(isPlain ? flat : this.turnedInFront(flat));
  }

  private withAxes({ name, className, config }: LayerNode): Config {
    if (className === "Activation" && config["activation"] === "softmax")
      this.refuse(`has a softmax over the width of images in its layer "${name}"`);
    if (className === "PReLU")
      return this.refuse(`has a PReLU "${name}" on images with their channels first, which Bulwark does not compute`);
    if (anyOrder.test(className)) return config;
    if (!alongAxis.test(className))
      return this.refuse(`has a layer "${name}" (${className}) on images with their channels first, which Bulwark does not compute`);
    const axis = config["axis"] ?? -1;
    if (typeof axis !== "number")
      return this.refuse(`has a layer "${name}" (${className}) along several axes of images with their channels first`);
    const place = moved[axis < 0 ? axis + 4 : axis];
    const isChannel = place === 3;
    if (place === undefined || (!isChannel && /Normalization$/.test(className)))
      return this.refuse(`normalises along axis ${axis} of images with their channels first in its layer "${name}"`);
    return { ...config, axis: isChannel ? -1 : place };
  }

  /** The layer, with its inputs transposed to channels first. */
  private turnedInFront(layer: LayerNode): LayerNode {
    const calls = layer.calls.map((call, i): Call => {
      const inputs = call.inputs.map((ref, k) => {
        const name = `${layer.name}_channels_first${i + k === 0 ? "" : `_${i}_${k}`}`;
        this.layers.push(permute(name, toFirst, ref));
        return refTo(name);
      });
      return { ...call, inputs };
    });
    return { ...layer, calls };
  }

  private turnBack({ name, calls }: LayerNode): void {
    const behind = `${name}_channels_last`;
    this.layers.push({ ...permute(behind, toLast, refTo(name)), calls: calls.map((_, i) => ({ inputs: [refTo(name, i)], kwargs: {} })) });
    this.turnedBack.set(name, behind);
  }

  private inputRank(layer: LayerNode): number {
    return this.rank(layer.calls[0]?.inputs[0]?.layer ?? "");
  }

  /** Rank of a layer's output, with the batch. Not recursive, as topologies can be deep; they have no cycles. */
  private rank(name: string): number {
    const stack = [name];
    for (let top = stack.at(-1); top !== undefined && !this.ranks.has(name); top = stack.at(-1)) {
      const layer = this.known.get(top);
      const own = layer ? ownRank(layer) : 0;
      const source = layer?.calls[0]?.inputs[0]?.layer ?? "";
      const known = own ?? this.ranks.get(source);
      if (known === undefined) stack.push(source);
      else {
        this.ranks.set(top, known);
        stack.pop();
      }
    }
    return this.ranks.get(name) ?? 0;
  }
}

/** Undefined: the same as the rank of the input. */
function ownRank({ className, config }: LayerNode): number | undefined {
  const sides = (key: string): number | undefined => (Array.isArray(config[key]) ? config[key].length : undefined);
  if (className === "InputLayer") return sides("batch_input_shape") ?? 4;
  if (className === "Reshape") return 1 + (sides("target_shape") ?? 1);
  if (className === "Flatten") return 2;
  if (/^Global\w+2D$/.test(className)) return config["keepdims"] === true ? 4 : 2;
  return className === "RepeatVector" ? 3 : undefined;
}

function rotated(config: Config): Config {
  const shape: unknown = config["batch_input_shape"];
  if (!Array.isArray(shape) || shape.length !== 4) return config;
  const [batch, channels, height, width]: unknown[] = shape;
  return { ...config, batch_input_shape: [batch, height, width, channels] };
}

const permute = (name: string, dims: readonly number[], input: Ref): LayerNode => ({
  name,
  className: "Permute",
  config: { name, trainable: false, dtype: "float32", dims: [...dims] },
  calls: [{ inputs: [input], kwargs: {} }],
});
