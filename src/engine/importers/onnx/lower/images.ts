import { floatOf, intOf, type Node, textOf } from "../graph.ts";
import type { Stored } from "../layout.ts";
import type { PlannedWeight } from "../plan.ts";
import { samePadding, type Window, windowOf } from "../shapes/images.ts";
import { padsOf } from "../shapes/parts.ts";
import { type Lower, type Lowering, plainWeight, viewed } from "./lowering.ts";

type Sides = readonly [readonly [number, number], readonly [number, number]];

/** Padding of rows and of columns. */
const sidesOf = (before: readonly number[], after: readonly number[]): Sides => [
  [before[0] ?? 0, after[0] ?? 0],
  [before[1] ?? 0, after[1] ?? 0],
];
const isNone = (sides: Sides): boolean => sides.flat().every((side) => side === 0);

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
  return { ...value, ref: o.emit("ZeroPadding2D", node, [value], { suffix: "_pad", config: { padding: sides } }) };
}

/** OIHW → HWIO. In a depthwise convolution these numbers are HWCM, as O is C·M. */
const kernelOf = (node: Node, o: Lowering, isDepthwise: boolean): PlannedWeight => {
  const constant = o.weight(node, 1);
  const [O = 1, I = 1, h = 1, w = 1] = constant.shape;
  const channels = intOf(node, "group", 1);
  return {
    name: isDepthwise ? "depthwise_kernel" : "kernel",
    shape: isDepthwise ? [h, w, channels, O / channels] : [h, w, I, O],
    constant,
    view: { shape: [O, I, h, w], strides: [1, O, w * I * O, I * O] },
  };
};

const conv: Lower = (node, o) => {
  const [filters = 0, , ...kernel] = o.weight(node, 1).shape;
  if (kernel.length !== 2) o.refuse(node, `of ${kernel.length} axes`, "Use a network of images.");
  const window = windowOf(o.context(node), kernel);
  const image = o.image(node);
  const group = intOf(node, "group", 1);
  const channels = image.physical.at(-1) as number;
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
  const className = group === 1 ? "Conv2D" : isDepthwise ? "DepthwiseConv2D" : "GroupedConv2D";
  const own = isDepthwise ? { depth_multiplier: filters / channels } : { filters, ...(group === 1 ? {} : { groups: group }) };
  const weights = [kernelOf(node, o, isDepthwise), ...bias];
  o.setImage(node, o.emit(className, node, [padded], { config: { ...config, ...own }, weights }));
};

const pooled =
  (kind: "Max" | "Average"): Lower =>
  (node, o) => {
    const window = windowOf(o.context(node));
    if (window.kernel.length !== 2) o.refuse(node, `of ${window.kernel.length} axes`, "Use a network of images.");
    if (window.dilations.some((rate) => rate !== 1)) o.refuse(node, "with dilations");
    if (o.isUsed(node.outputs[1])) o.refuse(node, "whose indices are used");
    const image = o.image(node);
    const countsPadding = kind === "Average" && intOf(node, "count_include_pad", 0) === 1;
    const pads = sidesOf(window.before, window.after);
    const overhang = sidesOf([0, 0], window.overhang);
    const padded = countsPadding ? zeroPadded(node, image, pads, o) : image;
    const left = countsPadding ? overhang : (pads.map(([a, b], i) => [a, b + (overhang[i]?.[1] ?? 0)]) as unknown as Sides);
    const same = !countsPadding && isNone(overhang) && isSame(window, image.physical.slice(1));
    const common = { pool_size: window.kernel, strides: window.strides };
    const isPlain = same || isNone(left);
    const config = isPlain ? { ...common, padding: same ? "same" : "valid", data_format: "channels_last" } : { ...common, padding: left };
    const className = isPlain ? `${kind}Pooling2D` : kind === "Max" ? "MaxPoolPad" : "AvgPoolPad";
    o.setImage(node, o.emit(className, node, [padded], { config }));
  };

/** Operators that drop the axes of size 1 after the channels. */
const flattening = ["Flatten", "Reshape", "Squeeze"];

/** The mean or maximum of an image stored as [B,H,W,C]: stored as [B,C] if it is flattened next, else as [B,1,1,C]. */
export function globalPooling(node: Node, o: Lowering, { kind, image }: { kind: "Max" | "Average"; image: Stored }): void {
  const name = node.outputs[0] as string;
  const users = o.usersOf(name);
  const rank = o.shape(name).length;
  const keepdims = rank === 4 && !(users.length > 0 && users.every(({ op }) => flattening.includes(op)));
  const ref = o.emit(`Global${kind}Pooling2D`, node, [image], { config: { data_format: "channels_last", keepdims } });
  const [b, , , c] = image.physical as [number, number, number, number];
  const channels = rank === 4 ? image.axes.findIndex((factors) => factors.includes(image.sizes.length - 1)) : 1;
  const axes = Array.from({ length: rank }, (_, i) => (i === 0 ? [0] : i === channels && c > 1 ? [1] : []));
  o.set(name, { ref, physical: keepdims ? [b, 1, 1, c] : [b, c], sizes: [b, c], axes });
}

const lrn: Lower = (node, o) => {
  const size = intOf(node, "size", 0);
  if (size < 1 || size % 2 === 0) o.refuse(node, `over ${size} channels`);
  const config = {
    depth_radius: (size - 1) / 2,
    alpha: floatOf(node, "alpha", 1e-4) / size,
    beta: floatOf(node, "beta", 0.75),
    bias: floatOf(node, "bias", 1),
  };
  o.setImage(node, o.emit("LocalResponseNormalization", node, [o.image(node)], { config }));
};

const pad: Lower = (node, o) => {
  const { before, after, mode } = padsOf(o.context(node));
  if ([...before, ...after].every((side) => side === 0)) {
    o.set(node.outputs[0], o.stored(node, 0));
    return;
  }
  const value = node.attributes.get("value")?.float ?? o.constant(node.inputs[2])?.data[0] ?? 0;
  if (before.length !== 4 || [before[0], after[0], before[1], after[1]].some((side) => side !== 0))
    return o.refuse(node, "of other axes than those of an image");
  const sides = sidesOf(before.slice(2), after.slice(2));
  const cut = sides.map(([a, b]) => [Math.max(0, -a), Math.max(0, -b)]) as unknown as Sides;
  const grown = sides.map(([a, b]) => [Math.max(0, a), Math.max(0, b)]) as unknown as Sides;
  let image = o.image(node);
  if (!isNone(cut)) {
    const ref = o.emit("Cropping2D", node, [image], { suffix: isNone(grown) ? "" : "_cut", config: { cropping: cut } });
    const [b, h, w, c] = image.physical as [number, number, number, number];
    image = { ...image, ref, physical: [b, h - cut[0][0] - cut[0][1], w - cut[1][0] - cut[1][1], c] };
  }
  if (isNone(grown)) return o.setImage(node, image.ref);
  if (mode === "constant" && value === 0) return o.setImage(node, o.emit("ZeroPadding2D", node, [image], { config: { padding: grown } }));
  if (!["constant", "reflect", "edge", "wrap"].includes(mode)) o.refuse(node, `with the mode ${mode}`);
  o.setImage(node, o.emit("Pad2D", node, [image], { config: { mode, value, padding: grown } }));
};

/** An ONNX name, such as half_pixel, in camel case. */
const camel = (name: string): string => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
const ways = ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "tf_half_pixel_for_nn", "half_pixel_symmetric"];

/** Opset 10 and Upsample place pixels asymmetrically and round down. */
const resize: Lower = (node, o) => {
  const [before, after] = [o.shape(node.inputs[0] as string), o.shape(node.outputs[0] as string)];
  const isOlder = node.op === "Upsample" || node.opset < 11;
  const way = textOf(node, "coordinate_transformation_mode", isOlder ? "asymmetric" : "half_pixel");
  const rounding = textOf(node, "nearest_mode", isOlder ? "floor" : "round_prefer_floor");
  const mode = textOf(node, "mode", "nearest");
  const isKnown = ways.includes(way) && ["nearest", "linear"].includes(mode) && intOf(node, "antialias", 0) === 0;
  if (!isKnown || before.length !== 4 || before[0] !== after[0] || before[1] !== after[1])
    o.refuse(node, `(${mode}, ${way}) from ${before.slice(1).join("×")} to ${after.slice(1).join("×")}`);
  if (node.attributes.has("axes") || textOf(node, "keep_aspect_ratio_policy", "stretch") !== "stretch")
    o.refuse(node, "with axes or a policy");
  const given = node.attributes.get("scales")?.floats ?? o.constant(node.inputs[isOlder ? 1 : 2])?.data;
  const scales = given && given.length === 4 ? [given[2], given[3]] : null;
  const [, , height, width] = after;
  const config = { height, width, scales, mode, coordinates: camel(way), rounding: camel(rounding) };
  o.setImage(node, o.emit("Resize2D", node, [o.image(node)], { config }));
};

/** Scale and shift are per group before opset 21, and per channel since. */
const groupNormalization: Lower = (node, o) => {
  const channels = o.shape(node.inputs[0] as string)[1] as number;
  const groups = node.op === "InstanceNormalization" ? channels : intOf(node, "num_groups", 1);
  const weights = ["gamma", "beta"].map((name, i) => {
    const constant = o.weight(node, i + 1);
    const isEach = constant.count === channels;
    if (!isEach && constant.count !== groups) o.refuse(node, `with a scale [${constant.shape.join(", ")}]`);
    return plainWeight(name, isEach ? constant : viewed(constant, [groups, channels / groups], [1, 0]), [channels]);
  });
  const config = { groups, axis: -1, epsilon: floatOf(node, "epsilon", 1e-5) };
  o.setImage(node, o.emit("GroupNormalization", node, [o.image(node)], { config, weights }));
};

/** Operators on images. */
export const imageRules: readonly [string, Lower][] = [
  ["Conv", conv],
  ["MaxPool", pooled("Max")],
  ["AveragePool", pooled("Average")],
  ["GlobalAveragePool", (node, o) => globalPooling(node, o, { kind: "Average", image: o.image(node) })],
  ["GlobalMaxPool", (node, o) => globalPooling(node, o, { kind: "Max", image: o.image(node) })],
  ["LRN", lrn],
  ["Pad", pad],
  ["Resize", resize],
  ["Upsample", resize],
  ["InstanceNormalization", groupNormalization],
  ["GroupNormalization", groupNormalization],
];
