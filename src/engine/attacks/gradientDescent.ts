import { type Classifier, inputGradient } from "../classifier/classifier.ts";
import type { AttackBatch, AttackContext } from "../define/index.ts";
import { crossEntropy as crossEntropySum } from "../losses/crossEntropy.ts";
import { margin as marginOf } from "../losses/margin.ts";
import { type Images, type Logits, tf } from "../tf.ts";

/** What a gradient attack ascends, summed over the batch so that every image's gradient is its own. */
export type AttackLoss = (logits: Logits, batch: AttackBatch) => tf.Scalar;

/** Cross-entropy of the label, or minus that of the target class. */
export const crossEntropy: AttackLoss = (logits, { labels, targets }) =>
  targets ? tf.neg(crossEntropySum(logits, targets, "sum")) : crossEntropySum(logits, labels, "sum");

/** max_{j≠y} z_j − z_y, or z_t − max_{j≠t} z_j: it does not saturate where the softmax does (Carlini & Wagner 2017). */
export const margin: AttackLoss = (logits, batch) => tf.neg(tf.sum(marginOf(logits, batch))) as tf.Scalar;

/** The losses by their names in parameters. */
export const attackLosses = { crossEntropy, margin } as const;

/** Gradient [b,H,W,C] of the attacker's loss, less the model's penalty, and the logits it was taken at. The caller disposes both. */
export const attackGradient = (model: Classifier, x: Images, batch: AttackBatch, loss: AttackLoss): { gradient: Images; logits: Logits } =>
  inputGradient(model, x, (logits) => loss(logits, batch));

export interface Descent {
  readonly model: Classifier;
  readonly batch: AttackBatch;
  /** The first iterate; `descend` disposes it. */
  readonly start: Images;
  readonly steps: number;
  readonly loss: AttackLoss;
  /** The iterate after x, which has these logits: a new tensor inside the ball. Called in a tidy, `step` counts from 0. */
  next(x: Images, gradient: Images, step: number, logits: Logits): Images;
  /** Asked after each gradient with the logits of x: true ends at x. */
  stop?(logits: Logits, step: number): boolean | Promise<boolean>;
}

/**
 * Follows the gradient of a loss, step by step: the loop of every iterative gradient attack. It shows each iterate to the harness, owns
 * all tensors, and leaves none behind when it is cancelled.
 * @returns the last iterate; the caller disposes it
 */
export async function descend(o: Descent, ctx: AttackContext): Promise<Images> {
  let x = o.start;
  try {
    for (let step = 0; step < o.steps; step++) {
      const moved = await stepFrom(x, step, o, ctx);
      if (!moved) break;
      x.dispose();
      x = moved;
    }
    return x;
  } catch (thrown) {
    x.dispose();
    throw thrown;
  }
}

/** The iterate after x; null where the attack stops at x. */
async function stepFrom(x: Images, step: number, o: Descent, ctx: AttackContext): Promise<Images | null> {
  const { gradient, logits } = attackGradient(o.model, x, o.batch, o.loss);
  const moved = tf.tidy(() => o.next(x, gradient, step, logits));
  let isKept = false;
  try {
    await ctx.iterate(x, logits);
    isKept = !(await o.stop?.(logits, step));
    return isKept ? moved : null;
  } finally {
    tf.dispose([gradient, logits]);
    if (!isKept) moved.dispose();
  }
}
