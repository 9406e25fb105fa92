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

/** tfjs has Conv2DBackpropInput's itself. */
export const convolutionGradients = (core: Core): tf.GradConfig[] => [
  ofFilterGradient(core, plane),
  ...[depthwise, volume].flatMap((family) => [ofInputGradient(core, family), ofFilterGradient(core, family)]),
];
