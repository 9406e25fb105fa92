import { tf, type tfl } from "../../tf.ts";
import { resized } from "./resizing.ts";
import { tfjsLayer } from "./tfjsLayer.ts";

interface UpSampling extends tfl.layers.Layer {
  readonly size: readonly [number, number];
  readonly interpolation: string;
  readonly dataFormat: "channelsFirst" | "channelsLast";
}

/** tfjs' `UpSampling2D`, but bilinear with half-pixel centres, as Keras has it; that of tfjs takes the corners of pixels. */
export class UpSampling2D extends tfjsLayer<UpSampling>("UpSampling2D") {
  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: Record<string, unknown>): tf.Tensor | tf.Tensor[] {
    const [x] = [inputs].flat();
    if (this.interpolation !== "bilinear" || !x) return super.call(inputs, kwargs);
    const isFirst = this.dataFormat === "channelsFirst";
    return tf.tidy(() => {
      const images = (isFirst ? tf.transpose(x, [0, 2, 3, 1]) : x) as tf.Tensor4D;
      const [, height, width] = images.shape;
      const larger = resized(images, height * this.size[0], width * this.size[1]);
      return isFirst ? tf.transpose(larger, [0, 3, 1, 2]) : larger;
    });
  }
}
