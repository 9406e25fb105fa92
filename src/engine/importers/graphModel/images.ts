import type { FileNode } from "../onnx/file/model.ts";
import type { Rule, Translation } from "./translation.ts";

const textOf = ({ attributes }: FileNode, name: string, otherwise: string): string => attributes.get(name)?.text || otherwise;
const floatOf = ({ attributes }: FileNode, name: string, otherwise: number): number => attributes.get(name)?.float ?? otherwise;
const flagOf = ({ attributes }: FileNode, name: string): boolean => attributes.get(name)?.int === 1;

/** Whether a node takes its images as [B,C,H,W]. */
function isChannelsFirst(o: Translation, node: FileNode): boolean {
  const format = textOf(node, "data_format", "NHWC");
  return format === "NCHW" || (format !== "NHWC" && o.refuse(`on images in the format ${format}`));
}

/** A rule of one output. */
type Main = (o: Translation, node: FileNode, inputs: readonly string[]) => string;

/** A rule whose first input and output are images, here as [B,C,H,W]. */
const onImages =
  (rule: Main): Main =>
  (o, node, [x = "", ...others]) => {
    if (isChannelsFirst(o, node)) return rule(o, node, [x, ...others]);
    const image = o.channelsFirst(x);
    const block = o.blockOf(x);
    if (block) o.inBlocks(image, block);
    return o.channelsLast(rule(o, node, [image, ...others]));
  };

/** The two numbers for rows and columns of a list with one number for each axis. */
function spatial(o: Translation, node: FileNode, name: string): readonly [number, number] {
  const list = node.attributes.get(name)?.ints;
  if (!list || list.length === 0) return [1, 1];
  const [rows, columns, channels] = isChannelsFirst(o, node) ? [2, 3, 1] : [1, 2, 3];
  if (list.length !== 4 || list[0] !== 1 || list[channels] !== 1) o.refuse(`with ${name} ${list.join(", ")}`);
  return [list[rows] as number, list[columns] as number];
}

/** Padding by its name in TensorFlow, or explicit, as attributes of ONNX. */
function padding(o: Translation, node: FileNode): Readonly<Record<string, string | readonly number[]>> {
  const name = textOf(node, "padding", "");
  if (name === "SAME") return { auto_pad: "SAME_UPPER" };
  if (name === "VALID") return { auto_pad: "VALID" };
  const pads = node.attributes.get("explicit_paddings")?.ints ?? [];
  const first = isChannelsFirst(o, node) ? 4 : 2;
  const [top = 0, bottom = 0, left = 0, right = 0] = pads.slice(first, first + 4);
  const isOfImages = pads.length === 8 && pads.every((pad, i) => pad === 0 || (i >= first && i < first + 4));
  if (name !== "EXPLICIT" || !isOfImages) o.refuse(`with the padding ${name} ${pads.join(", ")}`);
  return { pads: [top, left, bottom, right] };
}

type Activation = (o: Translation, value: string, more: { readonly node: FileNode; readonly slope: string }) => string;

/** Activations that the converter fuses into an operation, by their names there. */
const activations: ReadonlyMap<string, Activation> = new Map<string, Activation>([
  ["Relu", (o, value) => o.emit("Relu", [value])],
  ["Relu6", (o, value) => o.emit("Clip", [value], { min: 0, max: 6 })],
  ["Elu", (o, value) => o.emit("Elu", [value])],
  ["Sigmoid", (o, value) => o.emit("Sigmoid", [value])],
  ["Tanh", (o, value) => o.emit("Tanh", [value])],
  ["Prelu", (o, value, { slope }) => o.emit("PRelu", [value, slope])],
  [
    "LeakyRelu",
    (o, value, { node }) => o.emit("LeakyRelu", [value], { alpha: floatOf(node, "leakyrelu_alpha", floatOf(node, "alpha", 0.2)) }),
  ],
]);

/** The operation that is an activation. */
const activation =
  (name: string): Rule =>
  (o, node, [x = "", slope = ""]) =>
    (activations.get(name) as Activation)(o, x, { node, slope });

/** An operation with its bias and activation, which `fused_ops` names: the activation becomes a layer of its own. */
const fused =
  (main: Main): Rule =>
  (o, node, [x = "", weights = "", ...args]) => {
    const [first, ...others] = node.attributes.get("fused_ops")?.texts ?? [];
    const hasBias = first === "BiasAdd";
    const names = hasBias || first === undefined ? others : [first, ...others];
    const inputs = hasBias ? [x, weights, args[0] ?? ""] : [x, weights];
    let value = names.length === 0 ? main(o, node, inputs) : o.within(node.op.replace(/^_?Fused/, ""), () => main(o, node, inputs));
    for (const name of names) {
      const found = activations.get(name) ?? o.refuse(`fused with ${name}`);
      value = found(o, value, { node, slope: args[hasBias ? 1 : 0] ?? "" });
    }
    return value;
  };

/** What a convolution has beside its kernel. One in blocks is dilated. */
function convolution(o: Translation, node: FileNode, image: string) {
  const [strides, dilations] = [spatial(o, node, "strides"), spatial(o, node, "dilations")];
  const block = o.blockOf(image);
  if (!block) return { strides, dilations, ...padding(o, node) };
  const isPlain = [...strides, ...dilations].every((one) => one === 1) && textOf(node, "padding", "") === "VALID";
  return isPlain ? { strides, dilations: block } : o.refuse("with padding, strides or dilations behind a SpaceToBatchND");
}

/** HWIO → OIHW. */
const conv = onImages((o, node, [x = "", kernel = "", ...bias]) => {
  const weights = o.emit("Transpose", [kernel], { perm: [3, 2, 0, 1] });
  return o.emit("Conv", [x, weights, ...bias], convolution(o, node, x));
});
/** HWCM → [C·M,1,H,W]. */
const depthwise = onImages((o, node, [x = "", kernel = "", ...bias]) => {
  const [height = 1, width = 1, channels = 1, each = 1] = o.constant(kernel, "kernel").shape;
  const turned = o.emit("Transpose", [kernel], { perm: [2, 3, 0, 1] });
  const weights = o.emit("Reshape", [turned, o.list(channels * each, 1, height, width)]);
  return o.emit("Conv", [x, weights, ...bias], { ...convolution(o, node, x), group: channels });
});

/** The bias of a convolution becomes a part of it. */
const biasAdd: Rule = (o, node, [x = "", bias = ""]) => {
  const isFirst = isChannelsFirst(o, node);
  if (!isFirst && !o.isImage(x)) return o.emit("Add", [x, bias]);
  const shift = o.emit("Unsqueeze", [bias, o.list(1, 2)]);
  const sum = o.emit("Add", [isFirst ? x : o.channelsFirst(x), shift]);
  return isFirst ? sum : o.channelsLast(sum);
};

const product: Main = (o, node, [a = "", b = "", ...bias]) => {
  const turned = (value: string, name: string): string => (flagOf(node, name) ? o.emit("Transpose", [value], { perm: [1, 0] }) : value);
  const value = o.emit("MatMul", [turned(a, "transpose_a"), turned(b, "transpose_b")]);
  return bias[0] === undefined ? value : o.emit("Add", [value, bias[0]]);
};

const pooling = (op: string): Rule =>
  onImages((o, node, [x = ""]) =>
    o.emit(op, [x], { kernel_shape: spatial(o, node, "ksize"), strides: spatial(o, node, "strides"), ...padding(o, node) }),
  );

const batchNormalization = onImages((o, node, inputs) => {
  if (flagOf(node, "is_training")) o.refuse("in training mode: the scores of an image would depend on those beside it");
  return o.emit("BatchNormalization", inputs.slice(0, 5), { epsilon: floatOf(node, "epsilon", 1e-4) });
});

const responses = onImages((o, node, [x = ""]) => {
  const size = 2 * (node.attributes.get("depth_radius")?.int ?? 5) + 1;
  const [bias, alpha, beta] = [floatOf(node, "bias", 1), floatOf(node, "alpha", 1), floatOf(node, "beta", 0.5)];
  return o.emit("LRN", [x], { size, bias, alpha: alpha * size, beta });
});

/** Where pixels lie, and how a place between two is rounded. */
const resizing = (mode: "linear" | "nearest"): Rule =>
  onImages((o, node, [x = "", size = ""]) => {
    const [isAligned, isHalf] = [flagOf(node, "align_corners"), flagOf(node, "half_pixel_centers")];
    const coordinates = isAligned ? "align_corners" : isHalf ? "half_pixel" : "asymmetric";
    const rounding = isAligned || isHalf ? "round_prefer_ceil" : "floor";
    const sizes = o.emit("Concat", [o.list(1, 1), size], { axis: 0 });
    const common = { mode, coordinate_transformation_mode: coordinates };
    return o.emit("Resize", [x, "", "", sizes], mode === "linear" ? common : { ...common, nearest_mode: rounding });
  });

const depthToSpace = onImages((o, node, [x = ""]) =>
  o.emit("DepthToSpace", [x], { blocksize: node.attributes.get("block_size")?.int ?? 1 }),
);

/** Pairs of numbers before and after each axis → those of rows and columns, as ONNX pads [B,C,H,W]. */
const imagePads = (pairs: readonly number[], sign = 1): number[] => {
  const [top = 0, bottom = 0, left = 0, right = 0] = pairs.map((one) => sign * one);
  return [0, 0, top, left, 0, 0, bottom, right];
};

/** Rows and columns of an image, or any other axes as they are. */
const pad: Rule = (o, node, [x = "", paddings, value]) => {
  const pairs = o.ints(paddings, "padding");
  const mode = node.op === "MirrorPad" ? textOf(node, "mode", "").toLowerCase() : "constant";
  const more = value === undefined ? [] : [value];
  if (pairs.length === 8 && [0, 1, 6, 7].every((i) => pairs[i] === 0))
    return o.channelsLast(o.emit("Pad", [o.channelsFirst(x), o.list(...imagePads(pairs.slice(2, 6))), ...more], { mode }));
  const [before, after] = [0, 1].map((side) => pairs.filter((_, i) => i % 2 === side)) as [number[], number[]];
  return o.emit("Pad", [x, o.list(...before, ...after), ...more], { mode });
};

/**
 * TensorFlow dilates a convolution by laying pixels that are a block apart into images of their own. Here the image is only padded, and what
 * stands before the BatchToSpaceND is dilated.
 */
const toBlocks: Rule = (o, _, [x = "", shape, paddings]) => {
  const block = o.ints(shape, "block");
  if (block.length !== 2) o.refuse(`of ${block.length} axes`);
  const padded = o.emit("Pad", [o.channelsFirst(x), o.list(...imagePads(o.ints(paddings, "padding")))]);
  return o.inBlocks(o.channelsLast(padded), block);
};
const fromBlocks: Rule = (o, _, [x = "", shape, crops]) => {
  if (o.blockOf(x)?.join() !== o.ints(shape, "block").join()) o.refuse("without a SpaceToBatchND of the same block before it");
  return o.channelsLast(o.emit("Pad", [o.channelsFirst(x), o.list(...imagePads(o.ints(crops, "crops"), -1))]));
};

/** Operations on images, and those that may be fused with a bias and an activation. */
export const imageRules: readonly (readonly [string, Rule])[] = [
  ["Conv2D", conv],
  ["_FusedConv2D", fused(conv)],
  ["DepthwiseConv2dNative", depthwise],
  ["FusedDepthwiseConv2dNative", fused(depthwise)],
  ["MatMul", product],
  ["_FusedMatMul", fused(product)],
  ["BiasAdd", biasAdd],
  ["FusedBatchNorm", batchNormalization],
  ["FusedBatchNormV2", batchNormalization],
  ["FusedBatchNormV3", batchNormalization],
  ["MaxPool", pooling("MaxPool")],
  ["AvgPool", pooling("AveragePool")],
  ["LRN", responses],
  ["ResizeBilinear", resizing("linear")],
  ["ResizeNearestNeighbor", resizing("nearest")],
  ["DepthToSpace", depthToSpace],
  ["Pad", pad],
  ["PadV2", pad],
  ["MirrorPad", pad],
  ["SpaceToBatchND", toBlocks],
  ["BatchToSpaceND", fromBlocks],
  ...["Relu", "Relu6", "Elu", "Sigmoid", "Tanh", "Prelu", "LeakyRelu"].map((name) => [name, activation(name)] as const),
];

/** Operations that may stand between a SpaceToBatchND and its BatchToSpaceND: they look at one pixel, or are the convolution. */
export const betweenBlocks: ReadonlySet<string> = new Set(
  "Conv2D _FusedConv2D DepthwiseConv2dNative FusedDepthwiseConv2dNative BiasAdd FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 Relu Relu6 Identity".split(
    " ",
  ),
);
