import type { tf } from "../tf.ts";
import { type Core, gradientOf, zero } from "./config.ts";

type Attributes = Pick<tf.MaxPoolAttrs & tf.MaxPool3DAttrs, "pad" | "dimRoundingMode"> & {
  readonly filterSize: number;
  readonly strides: number;
};
/** How a window moves over one spatial axis; `before` and `after` count the elements of padding. */
interface Axis {
  readonly kernel: number;
  readonly stride: number;
  readonly before: number;
  readonly after: number;
  readonly output: number;
}

function axesOf(core: Core, x: tf.Tensor, { filterSize, strides, pad, dimRoundingMode }: Attributes): Axis[] {
  const axis = (kernel: number, stride: number, before: number, input: number, output: number): Axis => {
    return { kernel, stride, before, after: Math.max(0, (output - 1) * stride + kernel - input - before), output };
  };
  const { computePool2DInfo, computePool3DInfo } = core.backend_util;
  if (x.rank === 4) {
    const i = computePool2DInfo((x as tf.Tensor4D).shape, filterSize, strides, 1, pad, dimRoundingMode);
    return [
      axis(i.filterHeight, i.strideHeight, i.padInfo.top, i.inHeight, i.outHeight),
      axis(i.filterWidth, i.strideWidth, i.padInfo.left, i.inWidth, i.outWidth),
    ];
  }
  const i = computePool3DInfo((x as tf.Tensor5D).shape, filterSize, strides, 1, pad as "same", dimRoundingMode, "NDHWC");
  return [
    axis(i.filterDepth, i.strideDepth, i.padInfo.front, i.inDepth, i.outDepth),
    axis(i.filterHeight, i.strideHeight, i.padInfo.top, i.inHeight, i.outHeight),
    axis(i.filterWidth, i.strideWidth, i.padInfo.left, i.inWidth, i.outWidth),
  ];
}

/** Every place inside a window, in raster order. */
const places = (axes: readonly Axis[]): number[][] =>
  axes.reduce<number[][]>(
    (found, { kernel }) => found.flatMap((place) => Array.from({ length: kernel }, (_, offset) => [...place, offset])),
    [[]],
  );

/**
 * The value of g at the first maximum of each window of x, [b,…out,C]; `y` are the maxima. The place is found by comparing one place of all
 * windows at a time, the first in raster order last, so that it wins a tie as in the cpu backend's MaxPoolGrad.
 */
function atMaxima(core: Core, g: tf.Tensor, x: tf.Tensor, y: tf.Tensor, axes: readonly Axis[]): tf.Tensor {
  const pads: [number, number][] = [[0, 0], ...axes.map((a): [number, number] => [a.before, a.after]), [0, 0]];
  const padded = (t: tf.Tensor, value: number) => (pads.some(([before, after]) => before + after > 0) ? core.pad(t, pads, value) : t);
  const [values, marks] = [padded(g, 0), padded(x, Number.NEGATIVE_INFINITY)];
  const [batch = 0, channels = 0] = [x.shape[0], x.shape.at(-1)];
  const strides = [1, ...axes.map((a) => a.stride), 1];
  return places(axes).reduceRight<tf.Tensor>((found, place) => {
    const end = axes.map((a, i) => (place[i] ?? 0) + (a.output - 1) * a.stride + 1);
    const at = (t: tf.Tensor) => core.stridedSlice(t, [0, ...place, 0], [batch, ...end, channels], strides);
    return core.where(core.equal(at(marks), y), at(values), found);
  }, core.zerosLike(y));
}

/** MaxPoolGrad is linear in dy and piecewise constant in x. What brings dy to the maxima has as its own gradient what takes it from there. */
const maximum = (core: Core, kernelName: string): tf.GradConfig =>
  gradientOf<readonly [tf.Tensor, tf.Tensor], Attributes>(kernelName, ["input", "output"], (g, [x, y], attrs) => {
    const route = core.customGrad((...args) => ({
      value: atMaxima(core, args[0] as tf.Tensor, x, y, axesOf(core, x, attrs)),
      gradFunc: (dy: tf.Tensor) => core.engine().runKernel<tf.Tensor>(kernelName, { dy, input: x, output: y }, { ...attrs }),
    }));
    return { dy: () => route(g), input: zero(core, x), output: zero(core, y) };
  });

/** AvgPoolGrad is average pooling transposed, so its gradient is average pooling; of `input` it uses the shape alone. */
const average = (core: Core, kernelName: string, forward: string): tf.GradConfig =>
  gradientOf<readonly [tf.Tensor], tf.NamedAttrMap>(kernelName, ["input"], (g, [x], attrs) => ({
    dy: () => core.engine().runKernel(forward, { x: g }, { dataFormat: x.rank === 5 ? "NDHWC" : "NHWC", ...attrs }),
    input: zero(core, x),
  }));

export const poolingGradients = (core: Core): tf.GradConfig[] => [
  maximum(core, "MaxPoolGrad"),
  maximum(core, "MaxPool3DGrad"),
  average(core, "AvgPoolGrad", "AvgPool"),
  average(core, "AvgPool3DGrad", "AvgPool3D"),
];
