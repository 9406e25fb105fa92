import { floatOf, intOf, intsOf, type Node, textOf } from "../graph.ts";
import type { Stored } from "../layout.ts";
import { convolutionRules } from "./convolution.ts";
import { type Lower, type Lowering, plainWeight, viewed } from "./lowering.ts";
import { reduceAlong } from "./reduce.ts";

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
  const stored = Array.from({ length: rank }, (_, i) => (i === 0 ? [0] : i === channels && c > 1 ? [1] : []));
  o.set(name, { ref, physical: keepdims ? [b, 1, 1, c] : [b, c], sizes: [b, c], axes: stored });
}

/** Over all axes behind the channels. */
const pooledGlobally =
  (kind: "Max" | "Average"): Lower =>
  (node, o) => {
    const axes = o.shape(node.inputs[0] as string).flatMap((_, axis) => (axis < 2 ? [] : [axis]));
    if (axes.length === 2) globalPooling(node, o, { kind, image: o.image(node) });
    else reduceAlong(node, o, { operation: kind === "Max" ? "max" : "mean", axes, keeps: true });
  };

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
  if (textOf(node, "keep_aspect_ratio_policy", "stretch") !== "stretch") o.refuse(node, "with keep_aspect_ratio_policy");
  const given = node.attributes.get("scales")?.floats ?? o.constant(node.inputs[isOlder ? 1 : 2])?.data;
  const axes = (intsOf(node, "axes") ?? [0, 1, 2, 3]).map((axis) => (axis < 0 ? axis + 4 : axis));
  const scales = given && given.length === axes.length ? [2, 3].map((axis) => given[axes.indexOf(axis)] ?? 1) : null;
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
  o.setImage(node, o.emit("GroupNormalization", node, [o.image(node, [3, 4, 5])], { config, weights }));
};

/** Operators on images. */
export const imageRules: readonly [string, Lower][] = [
  ...convolutionRules,
  ["GlobalAveragePool", pooledGlobally("Average")],
  ["GlobalMaxPool", pooledGlobally("Max")],
  ["LRN", lrn],
  ["Resize", resize],
  ["Upsample", resize],
  ["InstanceNormalization", groupNormalization],
  ["GroupNormalization", groupNormalization],
];
