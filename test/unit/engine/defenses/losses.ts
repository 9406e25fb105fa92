import type { ImageBatch, Losses, TrainingPlan } from "../../../../src/engine/define/index.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { tf, type tfl } from "../../../../src/engine/tf.ts";
import { StepDropout } from "../../../../src/engine/training/dropout.ts";
import { stepOf } from "../../../../src/engine/training/step.ts";

export interface LossCase {
  readonly network: tfl.LayersModel;
  readonly plan: TrainingPlan;
  readonly batch: ImageBatch;
  /** Images in place of those that the plan's attack would make. */
  readonly crafted?: Float32Array;
  readonly shape: readonly [number, number, number];
}

/** The loss of a plan on one batch in training mode, with the dropout masks of a fixed seed. Call in a tidy. */
export function lossOf({ network, plan, batch, crafted, shape }: LossCase): Losses {
  const dropout = new StepDropout(createRandom(11));
  try {
    const learner = { network, plan, contract: { input: {} }, shape };
    return plan.loss(stepOf(learner, { ...batch, crafted }, () => ({ training: true, override: dropout.pass() })));
  } finally {
    dropout.dispose();
  }
}

/** Values of a loss and of its parts. */
export function valuesOf(o: LossCase): { total: number; parts: Record<string, number> } {
  return tf.tidy(() => {
    const { total, parts = {} } = lossOf(o);
    const value = (t: tf.Scalar): number => t.dataSync()[0] ?? Number.NaN;
    return { total: value(total), parts: Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, value(part)])) };
  });
}

/**
 * The largest relative difference between the gradient of a loss and central differences, over the `count` entries of each weight whose
 * gradient is largest; by the weight's name.
 */
export function gradientErrors(o: LossCase, count = 3, h = 5e-4, loss: (losses: Losses) => tf.Scalar = ({ total }) => total) {
  const weights = o.network.trainableWeights.map((weight) => ({ name: weight.originalName, variable: weight.read() as tf.Variable }));
  const { grads, value } = tf.variableGrads(
    () => loss(lossOf(o)),
    weights.map(({ variable }) => variable),
  );
  value.dispose();
  const at = (): number => tf.tidy(() => loss(lossOf(o)).dataSync()[0] ?? Number.NaN);
  const errors = weights.map(({ name, variable }) => {
    const gradient = Float32Array.from(grads[variable.name]?.dataSync() ?? []);
    const start = Float32Array.from(variable.dataSync());
    const set = (i: number, value: number): void => {
      const moved = start.slice();
      moved[i] = value;
      tf.tidy(() => variable.assign(tf.tensor(moved, variable.shape)));
    };
    const order = Array.from(gradient.keys()).sort((a, b) => Math.abs(gradient[b] ?? 0) - Math.abs(gradient[a] ?? 0));
    const worst = order.slice(0, count).map((i) => {
      const known = start[i] ?? 0;
      set(i, known + h);
      const above = at();
      set(i, known - h);
      const slope = (above - at()) / (2 * h);
      set(i, known);
      return Math.abs((gradient[i] ?? 0) - slope) / Math.max(1e-3, Math.abs(slope));
    });
    return [name, Math.max(...worst)] as const;
  });
  tf.dispose(grads);
  return Object.fromEntries(errors);
}
