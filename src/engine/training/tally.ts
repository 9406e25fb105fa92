import { tf } from "../tf.ts";

/** Means over images. */
export interface Means {
  readonly loss: number;
  readonly accuracy: number;
  readonly parts?: Readonly<Record<string, number>>;
}

/** Sums over images, kept in tensors so that nothing has to be read while the backend is queueing work. */
export class Tally {
  #loss = tf.scalar(0);
  #correct = tf.scalar(0);
  readonly #parts = new Map<string, tf.Scalar>();
  images = 0;

  /** @param loss mean over the batch, and so are `parts`. */
  add(loss: tf.Scalar, correct: tf.Scalar, n: number, parts: Readonly<Record<string, tf.Scalar>> = {}): void {
    this.#loss = replaced(this.#loss, (sum) => tf.add(sum, tf.mul(loss, n)));
    this.#correct = replaced(this.#correct, (sum) => tf.add(sum, correct));
    for (const [name, part] of Object.entries(parts))
      this.#parts.set(
        name,
        replaced(this.#parts.get(name) ?? tf.scalar(0), (sum) => tf.add(sum, tf.mul(part, n))),
      );
    this.images += n;
  }

  /** Means so far; null without images. */
  async read(): Promise<Means | null> {
    if (this.images === 0) return null;
    const loss = (await this.#loss.data())[0] ?? Number.NaN;
    const correct = (await this.#correct.data())[0] ?? 0;
    const means = { loss: loss / this.images, accuracy: correct / this.images };
    if (this.#parts.size === 0) return means;
    const parts: Record<string, number> = {};
    for (const [name, sum] of this.#parts) parts[name] = ((await sum.data())[0] ?? Number.NaN) / this.images;
    return { ...means, parts };
  }

  dispose(): void {
    tf.dispose([this.#loss, this.#correct, ...this.#parts.values()]);
  }
}

/** The next sum in place of the one before it; it outlives the tidy that a step runs in. */
function replaced(sum: tf.Scalar, next: (sum: tf.Scalar) => tf.Tensor): tf.Scalar {
  const value = tf.keep(tf.tidy(() => next(sum))) as tf.Scalar;
  sum.dispose();
  return value;
}
