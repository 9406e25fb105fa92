import type { tf } from "../tf.ts";
import { type Core, gradientOf, type Inputs, registerForOthers, runKernel } from "./config.ts";

/*
 * Grouped convolution of images (Krizhevsky et al. 2012): channels and filters fall into g groups, and the filters of a group see its
 * channels only. x [b,H,W,C], filter [kh,kw,C/g,O], y [b,H′,W′,O], all in the order of the groups. Like a plain one it has three kernels,
 * y = F(x, w), I(dy, w) and W(x, dy), and every gradient of theirs is one of them again. The onnxruntime backend lowers them; the others
 * compute g plain convolutions, as written here.
 */
const forward = "GroupedConv2D";
const ofInput = "GroupedConv2DBackpropInput";
const ofFilter = "GroupedConv2DBackpropFilter";

type Shape4 = [number, number, number, number];
export interface GroupedAttributes {
  readonly strides: readonly [number, number];
  readonly pad: "same" | "valid";
  readonly groups: number;
}
type InputAttributes = GroupedAttributes & { readonly inputShape: Shape4 };
type FilterAttributes = GroupedAttributes & { readonly filterShape: Shape4 };
type Pair = readonly [tf.Tensor, tf.Tensor];

/** x [b,H,W,C] with a filter [kh,kw,C/g,O]: [b,H′,W′,O], float32. Differentiable any number of times with respect to both. */
export const groupedConv2d = (core: Core, x: tf.Tensor, filter: tf.Tensor, attributes: GroupedAttributes): tf.Tensor =>
  runKernel(core, forward, { x, filter }, attributes);
const inputGradient = (core: Core, dy: tf.Tensor, filter: tf.Tensor, attributes: InputAttributes): tf.Tensor =>
  runKernel(core, ofInput, { dy, filter }, attributes);
const filterGradient = (core: Core, x: tf.Tensor, dy: tf.Tensor, attributes: FilterAttributes): tf.Tensor =>
  runKernel(core, ofFilter, { x, dy }, attributes);

const shapeOf = (x: tf.Tensor): Shape4 => [...x.shape] as Shape4;

export const groupedConvolutionGradients = (core: Core): tf.GradConfig[] => [
  gradientOf<Pair, GroupedAttributes>(forward, ["x", "filter"], (dy, [x, filter], attributes) => ({
    x: () => inputGradient(core, dy, filter, { ...attributes, inputShape: shapeOf(x) }),
    filter: () => filterGradient(core, x, dy, { ...attributes, filterShape: shapeOf(filter) }),
  })),
  gradientOf<Pair, InputAttributes>(ofInput, ["dy", "filter"], (g, [dy, filter], attributes) => ({
    dy: () => groupedConv2d(core, g, filter, attributes),
    filter: () => filterGradient(core, g, dy, { ...attributes, filterShape: shapeOf(filter) }),
  })),
  gradientOf<Pair, FilterAttributes>(ofFilter, ["x", "dy"], (g, [x, dy], attributes) => ({
    x: () => inputGradient(core, dy, g, { ...attributes, inputShape: shapeOf(x) }),
    dy: () => groupedConv2d(core, x, g, attributes),
  })),
];

/** Applies `each` to the groups of both tensors and concatenates the results. */
function byGroups(core: Core, both: Pair, groups: number, each: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): tf.Tensor {
  const [ofA, ofB] = both.map((all) => core.split(all, groups, 3)) as [tf.Tensor[], tf.Tensor[]];
  return core.concat(
    ofA.map((part, i) => each(part, ofB[i] as tf.Tensor)),
    3,
  );
}

/** The kernels for the backends that have none of their own. */
export function registerGroupedConvolution(core: Core): void {
  const plain = (name: string, inputs: Inputs, attributes: object): tf.Tensor =>
    runKernel(core, name, inputs, { dataFormat: "NHWC", dilations: [1, 1], ...attributes });
  registerForOthers<GroupedAttributes>(core, forward, ({ x, filter }, { strides, pad, groups }) =>
    byGroups(core, [x, filter] as Pair, groups, (a, w) => core.conv2d(a as tf.Tensor4D, w as tf.Tensor4D, [...strides], pad)),
  );
  registerForOthers<InputAttributes>(core, ofInput, ({ dy, filter }, { strides, pad, groups, inputShape }) =>
    byGroups(core, [dy, filter] as Pair, groups, (d, w) =>
      plain("Conv2DBackpropInput", { dy: d, filter: w }, { strides, pad, inputShape: inputShape.with(3, w.shape[2] ?? 1) }),
    ),
  );
  registerForOthers<FilterAttributes>(core, ofFilter, ({ x, dy }, { strides, pad, groups, filterShape }) =>
    byGroups(core, [x, dy] as Pair, groups, (a, d) =>
      plain("Conv2DBackpropFilter", { x: a, dy: d }, { strides, pad, filterShape: filterShape.with(3, d.shape[3] ?? 1) }),
    ),
  );
}
