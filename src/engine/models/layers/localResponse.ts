import { tf } from "../../tf.ts";
import { type LayerArgs, SingleInputLayer } from "./single.ts";

interface ResponseConfig {
  readonly depthRadius: number;
  readonly bias: number;
  readonly alpha: number;
  readonly beta: number;
}

/**
 * y = x/(bias + α·Σx²)^β over the channels at most `depthRadius` apart, [b,H,W,C]. Source: Krizhevsky et al. 2012, section 3.3; ONNX LRN with
 * the size 2·depthRadius + 1, whose α is this one times the size.
 */
export class LocalResponseNormalization extends SingleInputLayer {
  static readonly className = "LocalResponseNormalization";
  readonly response: ResponseConfig;

  constructor({ depthRadius, bias, alpha, beta, ...config }: LayerArgs & ResponseConfig) {
    super(config);
    this.response = { depthRadius, bias, alpha, beta };
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    const { depthRadius, bias, alpha, beta } = this.response;
    return tf.localResponseNormalization(x as tf.Tensor4D, depthRadius, bias, alpha, beta);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.response };
  }
}
