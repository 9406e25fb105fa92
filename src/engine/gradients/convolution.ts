import type { tf } from "../tf.ts";
import { type Core, gradientOf } from "./config.ts";

/** A convolution y = F(x, w) and the kernels of its two gradients, I(dy, w) and W(x, dy). */
interface Family {
  readonly forward: string;
  readonly input: string;
  readonly filter: string;
  /** Attributes that the forward kernel wants and the others may lack. */
  readonly defaults: tf.NamedAttrMap;
}
type Pair = readonly [tf.Tensor, tf.Tensor];

const plane: Family = {
  forward: "Conv2D",
  input: "Conv2DBackpropInput",
  filter: "Conv2DBackpropFilter",
  defaults: { dataFormat: "NHWC", dilations: [1, 1] },
};
const depthwise: Family = {
  forward: "DepthwiseConv2dNative",
  input: "DepthwiseConv2dNativeBackpropInput",
  filter: "DepthwiseConv2dNativeBackpropFilter",
  defaults: { dataFormat: "NHWC", dilations: [1, 1] },
};
const volume: Family = {
  forward: "Conv3D",
  input: "Conv3DBackpropInputV2",
  filter: "Conv3DBackpropFilterV2",
  defaults: { dataFormat: "NDHWC", dilations: [1, 1, 1] },
};

/** ⟨g, I(dy, w)⟩ = ⟨F(g, w), dy⟩ = ⟨W(g, dy), w⟩: every gradient of the gradients is one of the three kernels again. */
const ofInputGradient = (core: Core, family: Family): tf.GradConfig =>
  gradientOf<Pair, tf.NamedAttrMap>(family.input, ["dy", "filter"], (g, [dy, filter], attrs) => ({
    dy: () => core.engine().runKernel(family.forward, { x: g, filter }, { ...family.defaults, ...attrs }),
    filter: () => core.engine().runKernel(family.filter, { x: g, dy }, { ...attrs, filterShape: filter.shape }),
  }));

/** ⟨g, W(x, dy)⟩ = ⟨I(dy, g), x⟩ = ⟨F(x, g), dy⟩. */
const ofFilterGradient = (core: Core, family: Family): tf.GradConfig =>
  gradientOf<Pair, tf.NamedAttrMap>(family.filter, ["x", "dy"], (g, [x, dy], attrs) => ({
    x: () => core.engine().runKernel(family.input, { dy, filter: g }, { ...attrs, inputShape: x.shape }),
    dy: () => core.engine().runKernel(family.forward, { x, filter: g }, { ...family.defaults, ...attrs }),
  }));

export type Dilations = readonly [rows: number, columns: number];

/** The elements of a kernel [kh,kw,a,b] with d − 1 zeros between neighbours, so that a plain convolution with it is the dilated one. */
export function dilateKernel(core: Core, filter: tf.Tensor, [rows, columns]: Dilations): tf.Tensor {
  const [kh, kw, a, b] = filter.shape as [number, number, number, number];
  const cells = core.pad(core.reshape(filter, [kh, 1, kw, 1, a * b]), [
    [0, 0],
    [0, rows - 1],
    [0, 0],
    [0, columns - 1],
    [0, 0],
  ]);
  const whole = core.reshape(cells, [kh * rows, kw * columns, a, b]);
  return core.slice(whole, [0, 0, 0, 0], [(kh - 1) * rows + 1, (kw - 1) * columns + 1, a, b]);
}

/** The transpose of `dilateKernel`: every d-th element. */
function gathered(core: Core, kernel: tf.Tensor, [rows, columns]: Dilations): tf.Tensor {
  const [height, width, a, b] = kernel.shape as [number, number, number, number];
  const whole = core.pad(kernel, [
    [0, rows - 1],
    [0, columns - 1],
    [0, 0],
    [0, 0],
  ]);
  const [kh, kw] = [(height + rows - 1) / rows, (width + columns - 1) / columns];
  const cells = core.slice(core.reshape(whole, [kh, rows, kw, columns, a * b]), [0, 0, 0, 0, 0], [kh, 1, kw, 1, a * b]);
  return core.reshape(cells, [kh, kw, a, b]);
}

/** The gradient of a convolution of images; that of tfjs refuses dilation. A dilated one is that of the plain one with the spread kernel. */
function ofConvolution(core: Core, family: Family): tf.GradConfig {
  const undilated = core.getGradient(family.forward);
  return gradientOf<Pair, tf.NamedAttrMap>(family.forward, ["x", "filter"], (dy, [x, filter], attrs) => {
    const dilations = [attrs["dilations"] ?? 1].flat() as number[];
    const rates: Dilations = [dilations[0] ?? 1, dilations[1] ?? dilations[0] ?? 1];
    if (rates.every((rate) => rate === 1)) return undilated.gradFunc(dy, [x, filter], attrs) as Readonly<Record<string, () => tf.Tensor>>;
    const plain = { ...attrs, dilations: [1, 1] };
    const wide = () => dilateKernel(core, filter, rates);
    return {
      x: () => core.engine().runKernel(family.input, { dy, filter: wide() }, { ...plain, inputShape: x.shape }),
      filter: () => gathered(core, core.engine().runKernel(family.filter, { x, dy }, { ...plain, filterShape: wide().shape }), rates),
    };
  });
}

/** tfjs has Conv2DBackpropInput's itself. */
export const convolutionGradients = (core: Core): tf.GradConfig[] => [
  ofConvolution(core, plane),
  ofConvolution(core, depthwise),
  ofFilterGradient(core, plane),
  ...[depthwise, volume].flatMap((family) => [ofInputGradient(core, family), ofFilterGradient(core, family)]),
];
