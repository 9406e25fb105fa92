import type { InputContract } from "../../shared/contract.ts";
import { endsOf, type GraphRun } from "../classifier/graph.ts";
import { layerSourceOf } from "../classifier/layers.ts";
import type { ImageBatch, TrainingPlan, TrainingStep } from "../define/index.ts";
import type { Random } from "../random.ts";
import { type Images, tf, type tfl } from "../tf.ts";
import { StepDropout } from "./dropout.ts";
import type { Optimizer, TrainedWeight } from "./optimizers.ts";
import type { Tally } from "./tally.ts";

/** What is trained and how it is fed. */
export interface Learner {
  readonly network: tfl.LayersModel;
  readonly plan: TrainingPlan;
  readonly contract: InputContract;
  /** Of the images: height, width, channels. */
  readonly shape: readonly [number, number, number];
}

/** A batch, and what the plan's attack made of it. */
export interface StepBatch extends ImageBatch {
  readonly crafted?: Float32Array | undefined;
}

/** The batch as the plan's loss sees it. Call in a tidy. `run` gives the mode of each pass through the network. */
export function stepOf({ network, plan, contract, shape }: Learner, batch: StepBatch, run: () => GraphRun): TrainingStep {
  const imagesOf = (values: Float32Array): Images => tf.tensor4d(values, [batch.n, ...shape]);
  const layersIn = (mode: () => GraphRun) =>
    layerSourceOf({ network, contract, plan, logitsOf: (output) => plan.toLogits(output), count: () => {}, mode });
  const classes = endsOf(network).output.shape.at(-1) ?? 0;
  const labels = tf.tensor1d(batch.labels, "int32");
  return {
    images: imagesOf(batch.images),
    crafted: batch.crafted && imagesOf(batch.crafted),
    labels,
    targets: tf.oneHot(labels, classes).toFloat() as tf.Tensor2D,
    classes,
    forward: layersIn(run).pass,
    layers: layersIn(() => ({ ...run(), keepsAverages: true })),
    criterion: (scores, targets) => plan.criterion(scores, targets),
    toLogits: (scores) => plan.toLogits(scores),
    criterionScale: 1 / plan.learningRateScale,
  };
}

/** The loss of the plan, and the penalties that layers of the network have on their weights, in proportion. */
function regularized({ network }: Learner, total: tf.Scalar, { criterionScale }: TrainingStep): tf.Scalar {
  const penalties = network.calculateLosses();
  return penalties.length === 0 ? total : (tf.add(total, tf.mul(tf.addN(penalties), criterionScale)) as tf.Scalar);
}

/** Predictions that are right, as a scalar. */
const rightOnes = (plan: TrainingPlan, output: tf.Tensor, labels: tf.Tensor): tf.Scalar =>
  tf.sum(tf.cast(tf.equal(tf.argMax(plan.toLogits(output), 1), labels), "float32"));

/** A loss as it is reported: that of a slice where the loss adds up over slices. */
const reported = ({ learningRateScale }: TrainingPlan, loss: tf.Scalar): tf.Scalar =>
  learningRateScale === 1 ? loss : (tf.mul(loss, learningRateScale) as tf.Scalar);

/** Means over the batch, as they are reported; the caller disposes. */
export interface StepResult {
  readonly loss: tf.Scalar;
  readonly parts: Readonly<Record<string, tf.Scalar>>;
}

/** One optimiser step on one batch; its means and the right predictions go into `tally`. Dropout masks are drawn from `masks`. */
export function trainStep(
  learner: Learner,
  weights: readonly TrainedWeight[],
  optimizer: Optimizer,
  batch: StepBatch,
  o: { learningRate: number; masks: Random; tally: Tally },
): StepResult {
  const dropout = new StepDropout(o.masks);
  try {
    return tf.tidy(() => {
      const step = stepOf(learner, batch, () => ({ training: true, override: dropout.pass() }));
      let correct: tf.Scalar | undefined;
      const parts: Record<string, tf.Scalar> = {};
      const { value, grads } = tf.variableGrads(
        () => {
          const losses = learner.plan.loss(step);
          correct = tf.keep(rightOnes(learner.plan, losses.output, step.labels));
          for (const [name, part] of Object.entries(losses.parts ?? {})) parts[name] = tf.keep(reported(learner.plan, part.clone()));
          return regularized(learner, losses.total, step);
        },
        weights.map((weight) => weight.variable),
      );
      optimizer.update(grads, o.learningRate);
      const loss = reported(learner.plan, value);
      if (correct) o.tally.add(loss, correct, batch.n, parts);
      correct?.dispose();
      return { loss, parts };
    });
  } finally {
    dropout.dispose();
  }
}

/** Loss and accuracy of a batch, without dropout and with the running statistics of batch normalisation. */
export function validationStep(learner: Learner, batch: ImageBatch, tally: Tally): void {
  tf.tidy(() => {
    const step = stepOf(learner, batch, () => ({}));
    const { total, output } = learner.plan.loss(step);
    tally.add(reported(learner.plan, regularized(learner, total, step)), rightOnes(learner.plan, output, step.labels), batch.n);
  });
}

/** Right predictions on images that were made of a batch; no loss. */
export function attackedStep(learner: Learner, batch: ImageBatch, tally: Tally): void {
  tf.tidy(() => {
    const step = stepOf(learner, batch, () => ({}));
    const { output } = step.forward(step.images);
    tally.add(tf.scalar(0), rightOnes(learner.plan, output, step.labels), batch.n);
  });
}
