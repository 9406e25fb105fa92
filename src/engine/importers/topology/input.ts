import type { InputContract } from "../../../shared/contract.ts";
import { type Config, invalidModel, type LayerNode, type Ref, refTo, type Topology } from "./graph.ts";
import { shapeOf } from "./read.ts";

export interface FittedInput {
  readonly topology: Topology;
  /** In force from here on. */
  readonly contract: InputContract;
  readonly notes: readonly string[];
}
/** Height and width where neither the model nor its contract says them: what most networks for photos are trained with. */
const usualSide = 224;

/**
 * Makes a flat network take images [height, width, 1 or 3 channels] of one size: a network of [H,W] gets a channel axis in front, one of
 * RGBA an opaque alpha, and one of any size the contract's.
 * @param size what data beside the model says, where the contract says none
 * @throws MODEL_INVALID for a network whose input has no shape or no number of channels
 */
export function fitInput(
  topology: Topology,
  contract: InputContract,
  { file, size }: { file: string; size: Size | undefined },
): FittedInput {
  const input = topology.layers.find(({ name }) => name === topology.inputs[0]?.layer);
  if (!input || topology.inputs.length > 1 || contract.defense) return { topology, contract, notes: [] };
  const shape = shapeOf(input.config["batch_input_shape"]);
  if (!shape)
    throw invalidModel(
      file,
      `does not say what images its layer "${input.name}" takes`,
      "Save the model with an input shape, such as [224, 224, 3].",
    );
  const isPlane = shape.length === 3;
  if (!isPlane && shape.length !== 4) return { topology, contract, notes: [] };
  const sized = withSize(shape.slice(1), contract, isPlane, size);
  const fitted = { input, sides: sized.sides, contract: sized.contract, file };
  const channelled = isPlane ? withChannelAxis(topology, fitted) : withoutAlpha(topology, fitted);
  return { ...channelled, notes: [...sized.notes, ...channelled.notes] };
}

type Sides = readonly (number | null)[];
type Size = readonly [height: number, width: number];

/** Height and width for those that are free: the contract's, else the usual ones, which the contract then has. */
function withSize(
  sides: Sides,
  contract: InputContract,
  isPlane: boolean,
  hint: Size | undefined,
): { sides: Sides; contract: InputContract; notes: string[] } {
  const first = contract.input.layout === "nchw" && !isPlane ? 1 : 0;
  const own = sides.slice(first, first + 2);
  if (!own.includes(null)) return { sides, contract, notes: [] };
  const size = contract.input.size ?? hint ?? [own[0] ?? usualSide, own[1] ?? usualSide];
  const filled = sides.map((side, i) => side ?? size[i - first] ?? null);
  if (contract.input.size) return { sides: filled, contract, notes: [] };
  const [height, width] = size;
  return {
    sides: filled,
    contract: { ...contract, input: { ...contract.input, size: [height, width] } },
    notes: [`the model takes images of any size; ${height}×${width} is used: input.size in its input contract changes that`],
  };
}

interface Fitted {
  readonly input: LayerNode;
  readonly sides: Sides;
  readonly contract: InputContract;
  readonly file: string;
}

function withChannelAxis(topology: Topology, { input, sides, contract }: Fitted): FittedInput {
  const outer = contract.input.layout === "nchw" ? [1, ...sides] : [...sides, 1];
  const drop = {
    name: `${input.name}_plane`,
    className: "Reshape",
    config: { name: `${input.name}_plane`, trainable: false, target_shape: sides },
  };
  return {
    topology: inFront(topology, input, outer, drop),
    contract,
    notes: ["the model takes [height, width]: gray images without a channel axis"],
  };
}

/** A network of four channels gets the opaque alpha of an RGB picture, 255 before the contract's mean and scale. */
function withoutAlpha(topology: Topology, { input, sides, contract, file }: Fitted): FittedInput {
  const axis = contract.input.layout === "nchw" ? 0 : 2;
  if (sides[axis] === null)
    throw invalidModel(file, "takes any number of channels", "Save the model with its number of channels, 1 or 3, in the input shape.");
  if (axis === 0 && sides[0] === 4 && (sides[2] === 1 || sides[2] === 3))
    throw invalidModel(
      file,
      `takes images of ${sides.join("×")}, and its input contract says that the first of these numbers is the one of channels`,
      'Set "layout" to "nhwc" in the input contract, or leave it out.',
    );
  if (sides[axis] !== 4) return { topology: inputOf(topology, input, sides), contract, notes: [] };
  const [mean, scale] = [perChannel(contract.input.mean ?? 0, file), perChannel(contract.input.scale ?? 255, file)];
  const name = `${input.name}_opaque`;
  const alpha = (255 - (mean[3] as number)) / (scale[3] as number);
  const add = { name, className: "OpaqueAlpha", config: { name, trainable: false, alpha, axis: axis + 1 } };
  const outer = sides.map((side, i) => (i === axis ? 3 : side));
  const rgb = (value: number | readonly number[] | undefined) => (Array.isArray(value) ? { value: value.slice(0, 3) } : { value });
  const { mean: given, scale: divisor, ...rest } = contract.input;
  const inner = {
    ...rest,
    ...(given === undefined ? {} : { mean: rgb(given).value as number | number[] }),
    ...(divisor === undefined ? {} : { scale: rgb(divisor).value as number | number[] }),
  };
  return {
    topology: inFront(topology, input, outer, add),
    contract: { ...contract, input: inner },
    notes: ["the model takes RGBA; images are RGB with an opaque alpha channel"],
  };
}

function perChannel(value: number | readonly number[], file: string): readonly number[] {
  const values = typeof value === "number" ? [value, value, value, value] : value;
  if (values.length === 4) return values;
  throw invalidModel(
    file,
    `takes four channels (RGBA), and its contract's mean or scale has ${values.length} numbers`,
    "Give one number, or one for each of red, green, blue and alpha.",
  );
}

/** The input with another shape. */
const reshaped = (input: LayerNode, sides: Sides): LayerNode => ({
  ...input,
  config: { ...input.config, batch_input_shape: [null, ...sides] },
});
const inputOf = (topology: Topology, input: LayerNode, sides: Sides): Topology => ({
  ...topology,
  layers: topology.layers.map((layer) => (layer === input ? reshaped(input, sides) : layer)),
});

/** The input with another shape, and a layer behind it that everything follows which followed the input. */
function inFront(
  topology: Topology,
  input: LayerNode,
  sides: Sides,
  layer: { readonly name: string; readonly className: string; readonly config: Config },
): Topology {
  const moved = (ref: Ref): Ref => (ref.layer === input.name ? refTo(layer.name) : ref);
  const layers = topology.layers.flatMap((one): LayerNode[] =>
    one === input
      ? [reshaped(input, sides), { ...layer, calls: [{ inputs: [refTo(input.name)], kwargs: {} }] }]
      : [{ ...one, calls: one.calls.map((call) => ({ ...call, inputs: call.inputs.map(moved) })) }],
  );
  return { ...topology, layers, outputs: topology.outputs.map(moved) };
}
