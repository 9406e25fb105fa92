import { dilateKernel, groupedConv2d, type tf, type tfl } from "../../tf.ts";
import { type Convolution, convolved, isDilated } from "./dilated.ts";
import { checkGroups, firstShape } from "./shapes.ts";
import { tfjsLayer } from "./tfjsLayer.ts";

interface Grouped extends Convolution {
  readonly kernel: tfl.LayerVariable;
  readonly filters: number;
}

/**
 * A convolution of images in groups of channels, [b,H,W,C] → [b,H′,W′,filters]: the kernel is [kh,kw,C/groups,filters], and filter f of group
 * f·groups/filters sees the channels of its group alone. Otherwise it has the settings of Conv2D. Source: ONNX Conv with `group`, Keras
 * Conv2D with `groups`.
 */
export class GroupedConv2D extends tfjsLayer<Grouped>("Conv2D") {
  static override readonly className: string = "GroupedConv2D";
  readonly groups: number;

  constructor({ groups = 1, ...config }: Parameters<typeof tfl.layers.conv2d>[0] & { readonly groups?: number }) {
    super(config as unknown as tf.serialization.ConfigDict);
    this.groups = Number(groups);
    if (!Number.isInteger(this.groups) || this.groups < 1 || this.filters % this.groups !== 0)
      throw new Error(`Layer ${this.name} has ${this.filters} filters, which ${String(groups)} groups cannot share`);
  }

  /** tfjs makes the kernel for as many channels as a group has. */
  override build(shape: tfl.Shape | tfl.Shape[]): void {
    const sides = firstShape(shape);
    const axis = this.dataFormat === "channelsFirst" ? 1 : sides.length - 1;
    const channels = sides[axis] ?? 0;
    checkGroups(this, channels);
    super.build(sides.with(axis, channels / this.groups));
    this.inputSpec = [{ ndim: 4, axes: { [axis]: channels } }];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const { strides, padding: pad, groups } = this;
    return convolved(this, inputs, (x) => {
      const kernel = this.kernel.read() as tf.Tensor4D;
      return groupedConv2d(x, isDilated(this) ? dilateKernel(kernel, this.dilationRate) : kernel, { strides, pad, groups });
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), groups: this.groups };
  }
}
