import type { InputContract } from "../../../shared/contract.ts";
import { countOf } from "../strided.ts";
import type { Node, OpGraph } from "./graph.ts";
import { wrongInput } from "./problems.ts";

/** How the file takes its images. */
export interface ImageInput {
  readonly isChannelsFirst: boolean;
  /** Shape in the file's order, with a 1 for the batch. */
  readonly sizes: readonly number[];
  /** Batch size written into the file; null for any. */
  readonly fixedCount: number | null;
  readonly isBytes: boolean;
  /** Code of its element type. */
  readonly type: number;
}
type Size = readonly [height: number, width: number];

const passing = ["Sub", "Div", "Mul", "Add", "Cast", "Identity", "QuantizeLinear", "DequantizeLinear"];
const firstOfChannels = ["Conv", "MaxPool", "AveragePool", "BatchNormalization", "GlobalAveragePool", "InstanceNormalization", "LRN"];

/** Whether the input is [B,C,H,W], from the first node that tells: a convolution takes that, a Transpose to it takes [B,H,W,C]. */
function layoutBy(nodes: readonly Node[], input: string): boolean | undefined {
  const open = [input];
  const seen = new Set(open);
  for (const name of open) // grows while it is walked
    for (const node of nodes.filter(({ inputs }) => inputs.includes(name))) {
      if (firstOfChannels.includes(node.op)) return true;
      if (node.op === "Transpose" && node.attributes.get("perm")?.ints?.join() === "0,3,1,2") return false;
      const [output = ""] = node.outputs;
      if (!passing.includes(node.op) || seen.has(output)) continue;
      seen.add(output);
      open.push(output);
    }
  return undefined;
}

const isChannels = (side: number | null | undefined): boolean => side === 1 || side === 3 || side === 4;

/**
 * The layout of the input and the size of its images.
 * @param known size from files beside the model
 * @throws MODEL_INPUT if the layout or size is unknown
 */
export function imageInputOf({ input, nodes, file }: OpGraph, contract: InputContract, known: Size | undefined): ImageInput {
  const shape = input.shape ?? [];
  const { layout, size } = contract.input;
  const [first, last] = [isChannels(shape[1]), isChannels(shape[3])];
  const bySize = first === last ? undefined : first;
  const isChannelsFirst = layoutBy(nodes, input.name) ?? (layout === undefined ? bySize : layout === "nchw");
  if (isChannelsFirst === undefined)
    throw wrongInput(
      file,
      `takes [${shape.map((side) => side ?? "?").join(", ")}], which may be [B,C,H,W] or [B,H,W,C]`,
      'Set "layout" to "nchw" or "nhwc" in its input contract.',
    );
  const given = size ?? known;
  const [height, width] = isChannelsFirst ? [2, 3] : [1, 2];
  const wanted = shape.map((side, i) => side ?? (i === height ? given?.[0] : i === width ? given?.[1] : undefined));
  if (wanted[height] === undefined || wanted[width] === undefined)
    throw wrongInput(file, "does not say the size of its images", 'Set "size" to [height, width] in its input contract.');
  const channels = isChannelsFirst ? 1 : 3;
  if (wanted[channels] === undefined) throw wrongInput(file, "takes any number of channels", "Export it with 1 or 3 channels.");
  const fixedCount = typeof shape[0] === "number" ? shape[0] : null;
  return {
    isChannelsFirst,
    sizes: wanted.map((side, i) => (i === 0 ? 1 : (side as number))),
    fixedCount,
    isBytes: input.type === 2,
    type: input.type,
  };
}

/** Most numbers of images that a file with a fixed batch size is given in one run: 128 MiB. What it computes of them is many times as much. */
const mostNumbers = 1 << 25;

/** Whether a run of the file takes more images, all at once, than are computed here. */
export const isTooManyAtOnce = ({ sizes, fixedCount }: ImageInput): boolean =>
  (fixedCount ?? 1) > 1 && (fixedCount ?? 1) * countOf(sizes) > mostNumbers;
