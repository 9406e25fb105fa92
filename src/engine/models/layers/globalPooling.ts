import { tf, type tfl } from "../../tf.ts";
import { tfjsLayer } from "./tfjsLayer.ts";

interface GlobalPooling extends tfl.layers.Layer {
  readonly dataFormat: "channelsFirst" | "channelsLast";
}

/** The global pooling of tfjs with Keras' `keepdims`: [b,H,W,C] → [b,1,1,C], or [b,C,1,1], in place of [b,C]. */
const keepingAxes = (className: string) =>
  class extends tfjsLayer<GlobalPooling>(className) {
    readonly keepdims: boolean;

    constructor(config: tf.serialization.ConfigDict) {
      super(config);
      this.keepdims = config["keepdims"] === true;
    }

    override computeOutputShape(shape: tfl.Shape | tfl.Shape[]): tfl.Shape | tfl.Shape[] {
      const [batch = null, channels = null] = super.computeOutputShape(shape) as tfl.Shape;
      return this.kept(batch, channels);
    }

    override call(inputs: tf.Tensor | tf.Tensor[], kwargs: Record<string, unknown>): tf.Tensor {
      return tf.tidy(() => {
        const pooled = super.call(inputs, kwargs) as tf.Tensor2D;
        return this.keepdims ? tf.reshape(pooled, this.kept(...pooled.shape) as number[]) : pooled;
      });
    }

    kept(batch: number | null, channels: number | null): tfl.Shape {
      if (!this.keepdims) return [batch, channels];
      return this.dataFormat === "channelsFirst" ? [batch, channels, 1, 1] : [batch, 1, 1, channels];
    }

    override getConfig(): tf.serialization.ConfigDict {
      return { ...super.getConfig(), ...(this.keepdims ? { keepdims: true } : {}) };
    }
  };

export class GlobalAveragePooling2D extends keepingAxes("GlobalAveragePooling2D") {}
export class GlobalMaxPooling2D extends keepingAxes("GlobalMaxPooling2D") {}
