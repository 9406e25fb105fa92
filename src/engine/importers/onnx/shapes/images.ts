import { intOf, intsOf, type Node, textOf } from "../graph.ts";
import type { ShapeContext, ShapeRule } from "./context.ts";

/** The window of a convolution or pooling, per axis of the image. */
export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** Pixels by which the last window exceeds the padding, which ceil_mode allows. */
  readonly overhang: readonly number[];
  readonly sizes: readonly number[];
}

const positive = (o: ShapeContext, name: string, values: readonly number[]): readonly number[] =>
  values.every((value) => Number.isInteger(value) && value > 0) ? values : o.fail(`has ${name} ${values.join("×")}`);

/** The window of a node, with explicit padding. @param kernel size from the weights, as the node may leave it out */
export function windowOf(o: ShapeContext, kernel = intsOf(o.node, "kernel_shape") ?? o.fail("does not say its kernel")): Window {
  const { node } = o;
  const sides = o.shape(0).slice(2);
  const rank = kernel.length;
  if (rank !== sides.length || (intsOf(node, "kernel_shape") ?? kernel).some((side, i) => side !== kernel[i]))
    o.fail(`has a kernel ${kernel.join("×")} that does not fit its input`);
  const ones = kernel.map(() => 1);
  positive(o, "a kernel of", kernel);
  const strides = positive(o, "strides of", intsOf(node, "strides") ?? ones);
  const dilations = positive(o, "dilations of", intsOf(node, "dilations") ?? ones);
  const pads = intsOf(node, "pads") ?? new Array<number>(2 * rank).fill(0);
  if (strides.length !== rank || dilations.length !== rank || pads.length !== 2 * rank || pads.some((pad) => pad < 0))
    o.fail("has strides, dilations or pads that do not fit its kernel");
  const reach = kernel.map((side, i) => (side - 1) * (dilations[i] as number) + 1);
  const padded = sides.map((side, i) =>
    paddingOf(node, {
      side,
      reach: reach[i] as number,
      stride: strides[i] as number,
      given: [pads[i] as number, pads[i + rank] as number],
    }),
  );
  const isCeil = intOf(node, "ceil_mode", 0) === 1 && textOf(node, "auto_pad", "NOTSET") === "NOTSET";
  const places = sides.map((side, i) => {
    const [before, after] = padded[i] as [number, number];
    return placesOf({ side, before, after, reach: reach[i] as number, stride: strides[i] as number, isCeil });
  });
  if (places.some((count) => count < 1)) o.fail(`has a kernel ${kernel.join("×")} larger than its input ${sides.join("×")}`);
  const overhang = sides.map((side, i) => {
    const [before, after] = padded[i] as [number, number];
    return Math.max(0, ((places[i] as number) - 1) * (strides[i] as number) + (reach[i] as number) - (side + before + after));
  });
  const [before, after] = [padded.map(([one]) => one), padded.map(([, other]) => other)];
  return { kernel, strides, dilations, before, after, overhang, sizes: places };
}

/** An axis of the image, and the window on it. */
interface Side {
  readonly side: number;
  /** Pixels that the dilated kernel spans. */
  readonly reach: number;
  readonly stride: number;
}

/** Pixels that "same" padding adds to an axis. */
export const samePadding = ({ side, reach, stride }: Side): number => Math.max((Math.ceil(side / stride) - 1) * stride + reach - side, 0);

/** Pixels before and after; SAME_UPPER puts the odd one after. */
function paddingOf(node: Node, { side, reach, stride, given }: Side & { given: [number, number] }): [number, number] {
  const auto = textOf(node, "auto_pad", "NOTSET");
  if (auto === "NOTSET") return given;
  if (auto === "VALID") return [0, 0];
  const total = samePadding({ side, reach, stride });
  const [less, more] = [Math.floor(total / 2), Math.ceil(total / 2)];
  return auto === "SAME_LOWER" ? [more, less] : [less, more];
}

/** With ceil_mode, a last window counts if it starts within the image or the padding before it. */
function placesOf({ side, before, after, reach, stride, isCeil }: Side & { before: number; after: number; isCeil: boolean }): number {
  const steps = (side + before + after - reach) / stride;
  if (!isCeil) return Math.floor(steps) + 1;
  const places = Math.ceil(steps) + 1;
  return (places - 1) * stride >= side + before ? places - 1 : places;
}

const convolution: ShapeRule = (o) => {
  const [weights, x] = [o.shape(1), o.shape(0)];
  const group = intOf(o.node, "group", 1);
  const [outputs = 0, inputs = 0, ...kernel] = weights;
  if (weights.length !== x.length || x.length < 3 || group < 1 || inputs * group !== x[1] || outputs % group !== 0)
    o.fail(`convolves [${x.join(", ")}] with weights [${weights.join(", ")}] in ${group} ${group === 1 ? "group" : "groups"}`);
  return [{ kind: "float", shape: [x[0] as number, outputs, ...windowOf(o, kernel).sizes] }];
};

/** The window of a transposed convolution: pixels of its whole output that are cut off before, and the sizes that are left. */
export function transposedWindowOf(
  o: ShapeContext,
  kernel: readonly number[],
): Pick<Window, "kernel" | "strides" | "dilations" | "before" | "sizes"> {
  const { node } = o;
  const sides = o.shape(0).slice(2);
  const rank = kernel.length;
  const list = (name: string, otherwise: number, length = rank): readonly number[] => {
    const values = intsOf(node, name) ?? new Array<number>(length).fill(otherwise);
    return values.length === length && values.every((value) => Number.isInteger(value) && value >= 0)
      ? values
      : o.fail(`has ${name} ${values.join("×")}`);
  };
  if (rank !== sides.length || list("kernel_shape", 1).some((side, i) => intsOf(node, "kernel_shape") && side !== kernel[i]))
    o.fail(`has a kernel ${kernel.join("×")} that does not fit its input`);
  const [strides, dilations] = [positive(o, "strides of", list("strides", 1)), positive(o, "dilations of", list("dilations", 1))];
  const [extra, pads] = [list("output_padding", 0), list("pads", 0, 2 * rank)];
  const wanted = intsOf(node, "output_shape")?.slice(-rank);
  const auto = textOf(node, "auto_pad", "NOTSET");
  const [before, sizes]: [number[], number[]] = [[], []];
  sides.forEach((side, i) => {
    const stride = strides[i] as number;
    const reach = ((kernel[i] as number) - 1) * (dilations[i] as number) + 1;
    const whole = stride * (side - 1) + (extra[i] as number) + reach;
    const isSame = auto === "SAME_UPPER" || auto === "SAME_LOWER";
    const size = wanted?.[i] ?? (isSame ? side * stride : undefined);
    const cut = Math.max(0, whole - (size ?? whole)); // the odd pixel goes at the end with SAME_UPPER, else at the start
    const start =
      size === undefined ? (auto === "VALID" ? 0 : (pads[i] as number)) : auto === "SAME_UPPER" ? Math.floor(cut / 2) : Math.ceil(cut / 2);
    before.push(start);
    sizes.push(size ?? whole - (auto === "VALID" ? 0 : (pads[i] as number) + (pads[i + rank] as number)));
  });
  if (sizes.some((side) => side < 1)) o.fail(`makes ${sizes.join("×")} pixels`);
  return { kernel, strides, dilations, before, sizes };
}

const transposedConvolution: ShapeRule = (o) => {
  const [weights, x] = [o.shape(1), o.shape(0)];
  const group = intOf(o.node, "group", 1);
  const [inputs = 0, outputs = 0, ...kernel] = weights;
  if (weights.length !== x.length || x.length < 3 || group < 1 || inputs !== x[1] || inputs % group !== 0)
    o.fail(`convolves [${x.join(", ")}] with weights [${weights.join(", ")}] in ${group} ${group === 1 ? "group" : "groups"}`);
  return [{ kind: "float", shape: [x[0] as number, outputs * group, ...transposedWindowOf(o, kernel).sizes] }];
};

const pooling: ShapeRule = (o) => {
  const [b = 0, c = 0] = o.shape(0);
  const shape = [b, c, ...windowOf(o).sizes];
  return o.node.outputs.map(() => ({ kind: "float", shape }));
};

const globalPooling: ShapeRule = (o) => {
  const [b = 0, c = 0, ...sides] = o.shape(0);
  return [{ kind: "float", shape: [b, c, ...sides.map(() => 1)] }];
};

/** ⌊in·scale⌋, or the given sizes. */
const resizing: ShapeRule = (o) => {
  const shape = o.shape(0);
  const [scalesAt, sizesAt] = o.node.op === "Upsample" || o.node.opset < 11 ? [1, 9] : [2, 3];
  const sizes = o.ints(sizesAt);
  const axes = (intsOf(o.node, "axes") ?? [...shape.keys()]).map((axis) => o.axis(axis, shape.length));
  if (sizes && sizes.length > 0) {
    if (sizes.length !== axes.length) o.fail(`has ${sizes.length} sizes for ${axes.length} axes`);
    return [{ kind: "float", shape: shape.map((side, axis) => (axis < 2 ? side : (sizes[axes.indexOf(axis)] ?? side))) }]; // the batch size may differ
  }
  const scales = o.node.attributes.get("scales")?.floats ?? o.ints(scalesAt) ?? o.fail("does not say how large its output is");
  if (scales.length !== axes.length) o.fail(`has ${scales.length} scales for ${axes.length} axes`);
  if (!scales.every((scale) => Number.isFinite(scale) && scale > 0)) o.fail(`scales its axes by ${scales.join(", ")}`);
  return [{ kind: "float", shape: shape.map((side, axis) => Math.floor(side * (scales[axes.indexOf(axis)] ?? 1))) }];
};

const depthToSpace: ShapeRule = (o) => {
  const [b = 0, c = 0, h = 0, w = 0] = o.shape(0);
  const block = intOf(o.node, "blocksize", 1);
  if (c % block ** 2 !== 0) o.fail(`lays out ${c} channels as blocks of ${block}×${block}`);
  return [{ kind: "float", shape: [b, c / block ** 2, h * block, w * block] }];
};
const spaceToDepth: ShapeRule = (o) => {
  const [b = 0, c = 0, h = 0, w = 0] = o.shape(0);
  const block = intOf(o.node, "blocksize", 1);
  if (h % block !== 0 || w % block !== 0) o.fail(`cuts ${h}×${w} pixels into blocks of ${block}×${block}`);
  return [{ kind: "float", shape: [b, c * block ** 2, h / block, w / block] }];
};

/** Operators on images [b,C,H,W]. */
export const imageShapes: readonly [string, ShapeRule][] = [
  ["Conv", convolution],
  ["ConvTranspose", transposedConvolution],
  ["MaxPool", pooling],
  ["AveragePool", pooling],
  ["GlobalAveragePool", globalPooling],
  ["GlobalMaxPool", globalPooling],
  ["Resize", resizing],
  ["Upsample", resizing],
  ["DepthToSpace", depthToSpace],
  ["SpaceToDepth", spaceToDepth],
];
