import { type Goal, margin } from "../losses/margin.ts";
import { type Images, type Logits, tf } from "../tf.ts";

/** The prediction is wrong, or the one aimed at: bool [b]. */
export function isAdversarial(logits: Logits, goal: Goal): tf.Tensor1D {
  return tf.tidy(() => {
    const prediction = tf.argMax(logits, 1);
    return (goal.targets ? tf.equal(prediction, goal.targets) : tf.notEqual(prediction, goal.labels)) as tf.Tensor1D;
  });
}

/**
 * Keeps, image by image, the iterate of the smallest margin, and when the first adversarial one came. Everything stays in tensors:
 * nothing is read while the attack runs.
 */
export class BestIterate {
  readonly #goal: Goal;
  #images: Images;
  #margin: tf.Tensor1D;
  /** Iteration of the first adversarial iterate; −1 while there is none. */
  #firstHit: tf.Tensor1D;
  #count = 0;

  constructor(clean: Images, goal: Goal) {
    const b = clean.shape[0];
    this.#goal = goal;
    this.#images = clean.clone();
    this.#margin = tf.fill([b], 3e38);
    this.#firstHit = tf.fill([b], -1);
  }

  /** Iterates seen so far. */
  get count(): number {
    return this.#count;
  }

  offer(images: Images, logits: Logits): void {
    const [kept, best, first] = tf.tidy(() => {
      const now = margin(logits, this.#goal);
      const better = tf.less(now, this.#margin);
      const hit = tf.logicalAnd(isAdversarial(logits, this.#goal), tf.less(this.#firstHit, 0));
      return [
        tf.where(tf.reshape(better, [-1, 1, 1, 1]), images, this.#images) as Images,
        tf.minimum(now, this.#margin) as tf.Tensor1D,
        tf.where(hit, tf.fill(this.#firstHit.shape, this.#count), this.#firstHit) as tf.Tensor1D,
      ] as [Images, tf.Tensor1D, tf.Tensor1D];
    });
    tf.dispose([this.#images, this.#margin, this.#firstHit]);
    this.#images = kept;
    this.#margin = best;
    this.#firstHit = first;
    this.#count++;
  }

  /** Reads the result: images [b,H,W,C] and the iteration of the first success, −1 for none. */
  async read(): Promise<{ images: Float32Array; firstHit: Float32Array }> {
    return { images: Float32Array.from(await this.#images.data()), firstHit: Float32Array.from(await this.#firstHit.data()) };
  }

  dispose(): void {
    tf.dispose([this.#images, this.#margin, this.#firstHit]);
  }
}
