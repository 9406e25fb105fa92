import { probabilitiesOf, type Scale } from "../classifier/probabilities.ts";
import { type Goal, margin } from "../losses/margin.ts";
import { type Images, type Logits, tf } from "../tf.ts";
import type { Judge } from "./criterion.ts";
import type { Predicted } from "./predict.ts";

/** Predictions and confidences of so many iterates are joined into one tensor each, so that long attacks keep few of them. */
const joinedAfter = 64;

/**
 * Keeps, image by image, the iterate of the smallest margin, and when the first one met the criterion. Everything stays in tensors:
 * nothing is read while the attack runs.
 */
export class BestIterate {
  readonly #goal: Goal;
  readonly #judge: Judge;
  readonly #scale: Scale;
  readonly #clean: object;
  #isFirstClean = false;
  #images: Images;
  #margin: tf.Tensor1D;
  /** Predictions (float32) and confidences of the iterates, [t,b] each. */
  readonly #predictions: tf.Tensor2D[] = [];
  readonly #confidences: tf.Tensor2D[] = [];
  /** Iteration of each of them. */
  readonly #iterations: number[] = [];
  #count = 0;

  /**
   * @param goal what margins are taken to: targets only where the criterion wants them
   * @param scale of the confidences
   */
  constructor(clean: Images, goal: Goal, judge: Judge, scale: Scale) {
    this.#goal = goal;
    this.#judge = judge;
    this.#scale = scale;
    this.#clean = clean.dataId;
    this.#images = clean.clone();
    this.#margin = tf.fill([clean.shape[0]], 3e38);
  }

  /** Iterations seen so far. */
  get count(): number {
    return this.#count;
  }

  /** @param isEnd the end of an attempt: as many iterations led there as to the start of the next one */
  offer(images: Images, logits: Logits, isEnd = false): void {
    if (this.#iterations.length === 0) this.#isFirstClean = images.dataId === this.#clean;
    const [kept, best, prediction, confidence] = tf.tidy(() => {
      const now = margin(logits, this.#goal);
      const better = tf.less(now, this.#margin);
      return [
        tf.where(tf.reshape(better, [-1, 1, 1, 1]), images, this.#images) as Images,
        tf.minimum(now, this.#margin) as tf.Tensor1D,
        tf.expandDims(tf.cast(tf.argMax(logits, 1), "float32"), 0) as tf.Tensor2D,
        tf.expandDims(tf.max(probabilitiesOf(this.#scale, logits), 1), 0) as tf.Tensor2D,
      ] as [Images, tf.Tensor1D, tf.Tensor2D, tf.Tensor2D];
    });
    tf.dispose([this.#images, this.#margin]);
    this.#images = kept;
    this.#margin = best;
    this.#iterations.push(this.#count);
    if (!isEnd) this.#count++;
    join(this.#predictions, prediction);
    join(this.#confidences, confidence);
  }

  /** Predictions for the clean images, if the first iterate was the clean tensor itself and its scores are finite; else undefined. */
  async ofClean(): Promise<Predicted | undefined> {
    if (!this.#isFirstClean) return undefined;
    const [b] = this.#images.shape;
    const [classes] = await rowsOf(this.#predictions.slice(0, 1), b);
    const [confidence] = await rowsOf(this.#confidences.slice(0, 1), b);
    if (!classes || !confidence?.every(Number.isFinite)) return undefined;
    return { classes: Int32Array.from(classes), confidence };
  }

  /** Reads the result: images [b,H,W,C] and the iteration of the first success, −1 for none. */
  async read(): Promise<{ images: Float32Array; firstHit: Int32Array }> {
    const images = Float32Array.from(await this.#images.data());
    const [b] = this.#images.shape;
    const [predictions, confidences] = [await rowsOf(this.#predictions, b), await rowsOf(this.#confidences, b)];
    const steps = predictions.map((row, t) => ({ classes: Int32Array.from(row), confidence: confidences[t] as Float32Array }));
    const firstHit = Int32Array.from({ length: b }, (_, i) => {
      const first = steps.findIndex((step) => this.#judge.reached(step, i));
      return this.#iterations[first] ?? -1;
    });
    return { images, firstHit };
  }

  dispose(): void {
    tf.dispose([this.#images, this.#margin, ...this.#predictions, ...this.#confidences]);
  }
}

function join(rows: tf.Tensor2D[], row: tf.Tensor2D): void {
  rows.push(row);
  if (rows.length < joinedAfter) return;
  const joined = tf.concat2d(rows, 0);
  tf.dispose(rows.splice(0, rows.length, joined));
}

/** All rows [b] of some tensors, in order. */
async function rowsOf(tensors: readonly tf.Tensor2D[], b: number): Promise<Float32Array[]> {
  const rows: Float32Array[] = [];
  for (const tensor of tensors) {
    const values = Float32Array.from(await tensor.data());
    for (let t = 0; t < tensor.shape[0]; t++) rows.push(values.subarray(t * b, (t + 1) * b));
  }
  return rows;
}
