import type { ImageBatch, Losses, TrainingPlan, TrainingStep } from "../../../../src/engine/define/index.ts";
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

/** What `f` makes of one step in training mode, with the dropout masks of a fixed seed. Call in a tidy. */
export function inStep<T>({ network, plan, batch, crafted, shape }: LossCase, f: (step: TrainingStep) => T): T {
  const dropout = new StepDropout(createRandom(11));
  try {
    const learner = { network, plan, contract: { input: {} }, shape };
    return f(stepOf(learner, { ...batch, crafted }, () => ({ training: true, override: dropout.pass() })));
  } finally {
    dropout.dispose();
  }
}
export const lossOf = (o: LossCase): Losses => inStep(o, (step) => o.plan.loss(step));

/** Values of a loss and of its parts. */
export function valuesOf(o: LossCase): { total: number; parts: Record<string, number> } {
  return tf.tidy(() => {
    const { total, parts = {} } = lossOf(o);
    const value = (t: tf.Scalar): number => t.dataSync()[0] ?? Number.NaN;
    return { total: value(total), parts: Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, value(part)])) };
  });
}

/** The part of a loss of that name. */
export const partNamed =
  (name: string) =>
  ({ parts }: Losses): tf.Scalar => {
    const part = parts?.[name];
    if (!part) throw new Error(`no part ${name}`);
    return part;
  };

/**
 * The largest relative difference between the gradient of a loss and central differences, over the entries of each weight whose gradient is
 * largest; by the weight's name. Entries below a tenth of the steepest one count by that, as float32 differences are too coarse for them.
 * @param h small where there are kinks to step over, large where the loss is
 * @param loss what is differentiated: the total when left out
 * @param value what the differences are taken of, where that is another way to compute the same
 */
export function gradientErrors(
  o: LossCase,
  h: number,
  loss: (losses: Losses) => tf.Scalar = ({ total }) => total,
  value: () => tf.Scalar = () => loss(lossOf(o)),
): Record<string, number> {
  const count = 3;
  const weights = o.network.trainableWeights.map((weight) => ({ name: weight.originalName, variable: weight.read() as tf.Variable }));
  const { grads, value: known } = tf.variableGrads(
    () => loss(lossOf(o)),
    weights.map(({ variable }) => variable),
  );
  known.dispose();
  const steepest = Math.max(...Object.values(grads).flatMap((gradient) => [...gradient.dataSync()].map(Math.abs)));
  const at = (): number => tf.tidy(() => value().dataSync()[0] ?? Number.NaN);
  const errors = weights.map(({ name, variable }) => {
    const gradient = Float32Array.from(grads[variable.name]?.dataSync() ?? []);
    const start = Float32Array.from(variable.dataSync());
    const set = (i: number, weight: number): void => {
      const moved = start.slice();
      moved[i] = weight;
      tf.tidy(() => variable.assign(tf.tensor(moved, variable.shape)));
    };
    const order = Array.from(gradient.keys()).sort((a, b) => Math.abs(gradient[b] ?? 0) - Math.abs(gradient[a] ?? 0));
    const worst = order.slice(0, count).map((i) => {
      const weight = start[i] ?? 0;
      set(i, weight + h);
      const above = at();
      set(i, weight - h);
      const slope = (above - at()) / (2 * h);
      set(i, weight);
      return Math.abs((gradient[i] ?? 0) - slope) / Math.max(0.1 * steepest, Math.abs(slope));
    });
    return [name, Math.max(...worst)] as const;
  });
  tf.dispose(grads);
  return Object.fromEntries(errors);
}
