import type { InputContract } from "../../shared/contract.ts";
import { type LayerOverride, runNetwork } from "../classifier/graph.ts";
import { networkInput } from "../classifier/input.ts";
import type { ImageBatch, TrainingPlan } from "../define/index.ts";
import { type Images, tf, type tfl } from "../tf.ts";
import type { Optimizer, TrainedWeight } from "./optimizers.ts";

/** What is trained and how it is fed. */
export interface Learner {
  readonly network: tfl.LayersModel;
  readonly plan: TrainingPlan;
  readonly contract: InputContract;
}

/** Sums over images, kept in tensors so that nothing has to be read while the backend is queueing work. */
export class Tally {
  #loss = tf.scalar(0);
  #correct = tf.scalar(0);
  images = 0;

  /** @param loss mean over the batch. */
  add(loss: tf.Scalar, correct: tf.Scalar, n: number): void {
    const [sum, right] = tf.tidy(() => [tf.add(this.#loss, tf.mul(loss, n)), tf.add(this.#correct, correct)] as [tf.Scalar, tf.Scalar]);
    this.dispose();
    this.#loss = tf.keep(sum); // outlives the tidy that a step runs in
    this.#correct = tf.keep(right);
    this.images += n;
  }

  /** Mean loss and accuracy so far; null without images. */
  async read(): Promise<{ loss: number; accuracy: number } | null> {
    if (this.images === 0) return null;
    const loss = (await this.#loss.data())[0] ?? Number.NaN;
    const correct = (await this.#correct.data())[0] ?? 0;
    return { loss: loss / this.images, accuracy: correct / this.images };
  }

  dispose(): void {
    tf.dispose([this.#loss, this.#correct]);
  }
}

const imagesOf = (batch: ImageBatch, shape: readonly [number, number, number]): Images => tf.tensor4d(batch.images, [batch.n, ...shape]);

/** Predictions that are right, as a scalar. */
const rightOnes = (plan: TrainingPlan, output: tf.Tensor, labels: tf.Tensor): tf.Scalar =>
  tf.sum(tf.cast(tf.equal(tf.argMax(plan.toLogits(output), 1), labels), "float32"));

/**
 * One optimiser step on one batch; the mean loss and the right predictions go into `tally`.
 * @returns the mean loss, which the caller disposes.
 */
export function trainStep(
  learner: Learner,
  weights: readonly TrainedWeight[],
  optimizer: Optimizer,
  batch: ImageBatch,
  o: { shape: readonly [number, number, number]; learningRate: number; override: LayerOverride; tally: Tally },
): tf.Scalar {
  const { network, plan, contract } = learner;
  return tf.tidy(() => {
    const input = networkInput(imagesOf(batch, o.shape), contract, plan);
    const labels = tf.tensor1d(batch.labels, "int32");
    let correct: tf.Scalar | undefined;
    const { value, grads } = tf.variableGrads(
      () => {
        const output = runNetwork(network, input, { training: true, override: o.override });
        correct = tf.keep(rightOnes(plan, output, labels));
        return plan.loss(output, labels);
      },
      weights.map((weight) => weight.variable),
    );
    optimizer.update(grads, o.learningRate);
    if (correct) o.tally.add(value, correct, batch.n);
    correct?.dispose();
    return value;
  });
}

/** Loss and accuracy of a batch, without dropout and with the running statistics of batch normalisation. */
export function validationStep(learner: Learner, batch: ImageBatch, shape: readonly [number, number, number], tally: Tally): void {
  tf.tidy(() => {
    const output = runNetwork(learner.network, networkInput(imagesOf(batch, shape), learner.contract, learner.plan));
    const labels = tf.tensor1d(batch.labels, "int32");
    tally.add(learner.plan.loss(output, labels), rightOnes(learner.plan, output, labels), batch.n);
  });
}
