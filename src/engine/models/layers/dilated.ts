import { dilateKernel, tf, type tfl } from "../../tf.ts";
import { tfjsLayer } from "./tfjsLayer.ts";

/** What the convolutions of tfjs hold; their types are not exported. */
export interface Convolution extends tfl.layers.Layer {
  readonly kernelSize: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly padding: "same" | "valid";
  readonly dataFormat: "channelsFirst" | "channelsLast";
  readonly dilationRate: readonly [number, number];
  readonly bias: tfl.LayerVariable | null;
  readonly activation: { apply(x: tf.Tensor): tf.Tensor } | null;
}
interface Plain extends Convolution {
  readonly kernel: tfl.LayerVariable;
}
interface Depthwise extends Convolution {
  readonly depthwiseKernel: tfl.LayerVariable;
  readonly depthMultiplier: number;
}

/** tfjs has either strides or dilations: with both, the kernel itself is spread. */
function spreadWhereStrided({ strides, dilationRate }: Convolution, kernel: tf.Tensor4D): { kernel: tf.Tensor4D; rates: [number, number] } {
  if (strides.every((stride) => stride === 1)) return { kernel, rates: [...dilationRate] };
  return { kernel: dilateKernel(kernel, dilationRate), rates: [1, 1] };
}

export const isDilated = ({ dilationRate }: Convolution): boolean => dilationRate.some((rate) => rate !== 1);

/** activation(convolve(x) + bias) on images [b,H,W,C], or [b,C,H,W] where the layer says so. */
export function convolved(layer: Convolution, inputs: tf.Tensor | tf.Tensor[], convolve: (x: tf.Tensor4D) => tf.Tensor4D): tf.Tensor {
  const [x] = [inputs].flat();
  if (!x) throw new Error(`Layer ${layer.name} has no input.`);
  const isFirst = layer.dataFormat === "channelsFirst";
  return tf.tidy(() => {
    const sums = convolve((isFirst ? tf.transpose(x, [0, 2, 3, 1]) : x) as tf.Tensor4D);
    const shifted = layer.bias ? tf.add(sums, layer.bias.read()) : sums;
    const result = isFirst ? tf.transpose(shifted, [0, 3, 1, 2]) : shifted;
    return layer.activation ? layer.activation.apply(result) : result;
  });
}

/** tfjs' `Conv2D`, but that a dilated one has a gradient, which the fused kernel of tfjs lacks, and may have strides. */
export class Conv2D extends tfjsLayer<Plain>("Conv2D") {
  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: Record<string, unknown>): tf.Tensor | tf.Tensor[] {
    if (!isDilated(this)) return super.call(inputs, kwargs);
    return convolved(this, inputs, (x) => {
      const { kernel, rates } = spreadWhereStrided(this, this.kernel.read() as tf.Tensor4D);
      return tf.conv2d(x, kernel, [...this.strides], this.padding, "NHWC", rates);
    });
  }
}

/** tfjs' `DepthwiseConv2D`, which computes a dilated one as if it were not. */
export class DepthwiseConv2D extends tfjsLayer<Depthwise>("DepthwiseConv2D") {
  override computeOutputShape(shape: tfl.Shape | tfl.Shape[]): tfl.Shape | tfl.Shape[] {
    if (!isDilated(this)) return super.computeOutputShape(shape);
    const isFirst = this.dataFormat === "channelsFirst";
    const [batch = null, ...sides] = shape as tfl.Shape;
    const [channels = null, ...plane] = isFirst ? sides : [sides[2], sides[0], sides[1]];
    const moved = plane.map((side, i) => lengthAlong(this, side ?? null, i as 0 | 1));
    const outputs = channels === null ? null : channels * this.depthMultiplier;
    return isFirst ? [batch, outputs, ...moved] : [batch, ...moved, outputs];
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: Record<string, unknown>): tf.Tensor | tf.Tensor[] {
    if (!isDilated(this)) return super.call(inputs, kwargs);
    return convolved(this, inputs, (x) => {
      const { kernel, rates } = spreadWhereStrided(this, this.depthwiseKernel.read() as tf.Tensor4D);
      return tf.depthwiseConv2d(x, kernel, [...this.strides], this.padding, "NHWC", rates);
    });
  }
}

/** Places of a window of (k − 1)·d + 1 pixels along one side of the image. */
function lengthAlong({ kernelSize, strides, padding, dilationRate }: Convolution, side: number | null, axis: 0 | 1): number | null {
  if (side === null) return null;
  const window = (kernelSize[axis] - 1) * dilationRate[axis] + 1;
  return Math.ceil((padding === "same" ? side : side - window + 1) / strides[axis]);
}
