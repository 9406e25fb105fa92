import { BulwarkError } from "../../../shared/errors.ts";
import { tf, type tfl } from "../../tf.ts";
import { type LayerArgs, SingleInputLayer } from "./single.ts";

/** Scores [b·k] of images in the order of the layer's input. */
export type RunFile = (images: Float32Array, shape: readonly number[]) => Float32Array;

/**
 * A whole network that ONNX Runtime runs: images [b,H,W,C] → scores [b,k], without a gradient. It needs the open file, so it cannot be saved
 * or copied. @throws MODEL_FORWARD_ONLY if its gradient or its configuration is requested
 */
export class RuntimeScores extends SingleInputLayer {
  static readonly className = "RuntimeScores";
  readonly #classes: number;
  #attached: { readonly run: RunFile; readonly close: () => void } | undefined;

  constructor({ classes, ...config }: LayerArgs & { readonly classes: number }) {
    super(config);
    this.#classes = classes;
  }

  /** Gives the layer the open file, which it closes when it is disposed. */
  attach(run: RunFile, close: () => void): void {
    this.#attached = { run, close };
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    if (!this.#attached)
      throw new BulwarkError("MODEL_INVALID", `The layer "${this.name}" runs another file, which is not open.`, "Open that file itself.");
    if (tf.engine().state.gradientDepth > 0) throw withoutGradients("Gradients are needed");
    const { shape } = x;
    const scores = this.#attached.run(x.dataSync() as Float32Array, shape);
    return tf.tensor(scores, [shape[0] as number, this.#classes]);
  }

  protected override shapeAfter(shape: tfl.Shape): tfl.Shape {
    return [shape[0] ?? null, this.#classes];
  }

  override getConfig(): never {
    throw withoutGradients("The network cannot be saved, copied or converted");
  }

  override dispose(): ReturnType<tfl.layers.Layer["dispose"]> {
    const result = super.dispose();
    if (result.refCountAfterDispose === 0) this.#attached?.close();
    return result;
  }
}

const withoutGradients = (what: string): BulwarkError =>
  new BulwarkError("MODEL_FORWARD_ONLY", `${what}, and the model gives scores only.`, "Use an attack that asks for scores alone.");
