import type { Classifier } from "../classifier/classifier.ts";
import { type Images, tf, valuesOf } from "../tf.ts";

/** Remembers where the first gradient that an attack takes of its batch is exactly zero: it has nothing to follow there. */
export class FirstGradient {
  readonly #images: number;
  /** [b], 1 where a value of the image's gradient is not 0. */
  #slopes: tf.Tensor1D | undefined;

  /** @param images of the batch; gradients of a part of it are no first ones */
  constructor(images: number) {
    this.#images = images;
  }

  /** The same model, watched. */
  watched(model: Classifier): Classifier {
    return { ...model, onGradient: (gradient) => this.#look(gradient) };
  }

  #look(gradient: Images): void {
    if (this.#slopes || gradient.shape[0] !== this.#images) return;
    this.#slopes = tf.keep(slopes(gradient));
  }

  /** 1 for each image whose gradient is exactly zero; null where none was seen. To be called once. */
  async zeros(): Promise<Uint8Array | null> {
    const found = this.#slopes;
    this.#slopes = undefined;
    return found ? zerosOf(await valuesOf(found)) : null;
  }

  dispose(): void {
    this.#slopes?.dispose();
  }
}

const slopes = (gradient: Images): tf.Tensor1D =>
  tf.tidy(() => tf.max(tf.cast(tf.notEqual(gradient, 0), "float32"), [1, 2, 3]) as tf.Tensor1D);
const zerosOf = (values: Float32Array): Uint8Array => Uint8Array.from(values, (value) => (value === 0 ? 1 : 0));
