import { intOf, type Node } from "../graph.ts";
import type { Stored } from "../layout.ts";
import type { PlannedWeight } from "../plan.ts";
import { samePadding, transposedWindowOf, type Window, windowOf } from "../shapes/images.ts";
import { type Lower, type Lowering, plainWeight } from "./lowering.ts";

/** Pixels before and after each axis of the image. */
type Sides = readonly (readonly [before: number, after: number])[];

const sidesOf = (before: readonly number[], after: readonly number[]): Sides => before.map((side, i) => [side, after[i] as number]);
const isNone = (sides: Sides): boolean => sides.flat().every((side) => side === 0);
/** Images of one axis are computed as images of one row. */
const planar = (values: readonly number[], first: number): readonly number[] => (values.length === 1 ? [first, ...values] : values);
const planarWindow = ({ kernel, strides, dilations, before, after, overhang, sizes }: Window): Window => ({
  kernel: planar(kernel, 1),
  strides: planar(strides, 1),
  dilations: planar(dilations, 1),
  before: planar(before, 0),
  after: planar(after, 0),
  overhang: planar(overhang, 0),
  sizes: planar(sizes, 1),
});

/** Whether the padding is tfjs' "same", with the odd pixel at the end. */
function isSame({ before, after, strides, dilations, kernel, sizes }: Window, image: readonly number[]): boolean {
  return kernel.every((side, i) => {
    const [size, stride] = [image[i] as number, strides[i] as number];
    const total = samePadding({ side: size, reach: (side - 1) * (dilations[i] as number) + 1, stride });
    return before[i] === Math.floor(total / 2) && after[i] === Math.ceil(total / 2) && sizes[i] === Math.ceil(size / stride);
  });
}

function zeroPadded(node: Node, value: Stored, sides: Sides, o: Lowering): Stored {
  if (isNone(sides)) return value;
  return { ...value, ref: o.emit(`ZeroPadding${sides.length}D`, node, [value], { suffix: "_pad", config: { padding: sides } }) };
}

/** Strides that write a kernel of the file, [outer,inner,…sides], as [...sides,…] with `steps` between its outer and inner places. */
function kernelView(shape: readonly number[], steps: readonly [outer: number, inner: number]): NonNullable<PlannedWeight["view"]> {
  const [outer = 1, inner = 1, ...sides] = shape;
  const strides = sides.map((_, i) => sides.slice(i + 1).reduce((a, b) => a * b, outer * inner));
  return { shape, strides: [...steps, ...strides] };
}

/** OIHW → HWIO. In a depthwise convolution these numbers are HWCM, as O is C·M. */
const kernelOf = (node: Node, o: Lowering, isDepthwise: boolean): PlannedWeight => {
  const constant = o.weight(node, 1);
  const [O = 1, I = 1, ...sides] = constant.shape;
  const channels = intOf(node, "group", 1);
  const window = planar(sides, 1);
  return {
    name: isDepthwise ? "depthwise_kernel" : "kernel",
    shape: isDepthwise ? [...window, channels, O / channels] : [...window, I, O],
    constant,
    view: kernelView(constant.shape, [1, O]),
  };
};

const conv: Lower = (node, o) => {
  const [filters = 0, , ...kernel] = o.weight(node, 1).shape;
  if (kernel.length > 3) o.refuse(node, `of ${kernel.length} axes`, "Use a network of images.");
  const window = planarWindow(windowOf(o.context(node), kernel));
  const image = o.image(node, [3, 4, 5]);
  const group = intOf(node, "group", 1);
  const channels = image.physical.at(-1) as number;
  const isVolume = kernel.length === 3;
  if (isVolume && (group > 1 || window.dilations.some((rate) => rate !== 1))) o.refuse(node, "on volumes in groups or with dilations");
  const [same, pads] = [isSame(window, image.physical.slice(1)), sidesOf(window.before, window.after)];
  const padded = same ? image : zeroPadded(node, image, pads, o);
  const isDepthwise = group > 1 && group === channels;
  const bias = node.inputs[2] ? [plainWeight("bias", o.weight(node, 2), [filters])] : [];
  const config = {
    kernel_size: window.kernel,
    strides: window.strides,
    dilation_rate: window.dilations,
    padding: same ? "same" : "valid",
    use_bias: bias.length > 0,
    data_format: "channels_last",
    activation: "linear",
  };
  const className = isVolume ? "Conv3D" : group === 1 ? "Conv2D" : isDepthwise ? "DepthwiseConv2D" : "GroupedConv2D";
  const own = isDepthwise ? { depth_multiplier: filters / channels } : { filters, ...(group === 1 ? {} : { groups: group }) };
  const weights = [kernelOf(node, o, isDepthwise), ...bias];
  o.setImage(node, o.emit(className, node, [padded], { config: { ...config, ...own }, weights }));
};

/**
 * A transposed convolution without padding, and what the padding takes away at its edges. Where the output is larger than that, zeros come behind, and
 * the bias after them.
 */
const convTranspose: Lower = (node, o) => {
  const constant = o.weight(node, 1);
  const [channels = 1, filters = 1, ...given] = constant.shape;
  if (given.length > 2) o.refuse(node, `of ${given.length} axes`, "Use a network of images.");
  const group = intOf(node, "group", 1);
  const found = transposedWindowOf(o.context(node), given);
  if (group > 1 || found.dilations.some((rate) => rate !== 1)) o.refuse(node, "in groups or with dilations");
  const [kernel, strides] = [planar(found.kernel, 1), planar(found.strides, 1)];
  const [before, sizes] = [planar(found.before, 0), planar(found.sizes, 1)];
  const image = o.image(node, [3, 4]);
  const whole = kernel.map((side, i) => {
    const [input, stride] = [image.physical[i + 1] as number, strides[i] as number];
    return input * stride + Math.max(0, side - stride);
  });
  const after = whole.map((side, i) => side - (before[i] as number) - (sizes[i] as number));
  const [cut, grown] = [after.map((side) => Math.max(0, side)), after.map((side) => Math.max(0, -side))];
  const isGrown = grown.some((side) => side > 0);
  const bias = node.inputs[2] ? plainWeight("bias", o.weight(node, 2), [filters]) : undefined;
  const kernelWeight = { name: "kernel", shape: [...kernel, filters, channels], constant, view: kernelView(constant.shape, [1, channels]) };
  const config = {
    filters,
    kernel_size: kernel,
    strides,
    padding: "valid",
    use_bias: bias !== undefined && !isGrown,
    data_format: "channels_last",
    activation: "linear",
  };
  const weights = [kernelWeight, ...(bias && !isGrown ? [bias] : [])];
  const [b = 0] = image.physical;
  let value: Stored = { ...image, physical: [b, ...whole, filters], ref: o.emit("Conv2DTranspose", node, [image], { config, weights }) };
  const cropping = sidesOf(before, cut);
  const step = (className: string, suffix: string, o2: Parameters<Lowering["emit"]>[3]): void => {
    value = { ...value, ref: o.emit(className, node, [value], { suffix, ...o2 }) };
  };
  if (!isNone(cropping)) step("Cropping2D", "_cut", { config: { cropping } });
  if (isGrown) value = zeroPadded(node, value, sidesOf([0, 0], grown), o);
  if (isGrown && bias) step("Affine", "_bias", { config: { scale: null, offset: [filters] }, weights: [{ ...bias, name: "offset" }] });
  o.setImage(node, value.ref);
};

const pooled =
  (kind: "Max" | "Average"): Lower =>
  (node, o) => {
    const window = planarWindow(windowOf(o.context(node)));
    const axes = window.kernel.length;
    if (axes > 3) o.refuse(node, `of ${axes} axes`, "Use a network of images.");
    if (window.dilations.some((rate) => rate !== 1)) o.refuse(node, "with dilations");
    if (o.isUsed(node.outputs[1])) o.refuse(node, "whose indices are used");
    const image = o.image(node, [3, 4, 5]);
    const countsPadding = kind === "Average" && intOf(node, "count_include_pad", 0) === 1;
    const pads = sidesOf(window.before, window.after);
    const overhang = window.overhang.map((side): readonly [number, number] => [0, side]);
    const padded = countsPadding ? zeroPadded(node, image, pads, o) : image;
    const left: Sides = countsPadding ? overhang : pads.map(([a, b], i) => [a, b + (overhang[i]?.[1] ?? 0)]);
    const same = !countsPadding && isNone(overhang) && isSame(window, image.physical.slice(1));
    const common = { pool_size: window.kernel, strides: window.strides };
    const isPlain = same || isNone(left);
    if (!isPlain && axes === 3) o.refuse(node, "on volumes with padding");
    const config = isPlain ? { ...common, padding: same ? "same" : "valid", data_format: "channels_last" } : { ...common, padding: left };
    const className = isPlain ? `${kind}Pooling${axes}D` : kind === "Max" ? "MaxPoolPad" : "AvgPoolPad";
    o.setImage(node, o.emit(className, node, [padded], { config }));
  };

/** Operators with a window, on images of one to three axes. */
export const convolutionRules: readonly [string, Lower][] = [
  ["Conv", conv],
  ["ConvTranspose", convTranspose],
  ["MaxPool", pooled("Max")],
  ["AveragePool", pooled("Average")],
];
