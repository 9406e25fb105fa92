import type { Classifier } from "../../classifier/classifier.ts";
import type { AttackBatch, AttackContext } from "../../define/index.ts";
import type { Random } from "../../random.ts";
import { type Images, tf } from "../../tf.ts";
import { type AttackLoss, attackGradient } from "../gradientDescent.ts";
import type { Goal } from "./aim.ts";
import { halvedSize } from "./chunks.ts";

/** A search on one image that follows gradients. */
export interface Climber {
  readonly image: Float32Array;
  readonly goal: Goal;
  readonly rng: Random;
  readonly done: boolean;
}
/** What a pass has shown of a search's image: its logits [k], and the gradient [H·W·C] of each loss. */
export interface Slopes<S> {
  readonly search: S;
  readonly logits: Float32Array;
  readonly gradients: readonly Float32Array[];
}

/**
 * Gradients and logits of all searches that are not done, a pass for each loss.
 * @param searches of the whole batch, in its order
 * @param name of the stream that a randomised model draws from, the same for all losses
 */
export async function slopesOf<S extends Climber>(
  model: Classifier,
  searches: readonly S[],
  { name, losses }: { readonly name: string; readonly losses: readonly AttackLoss[] },
  ctx: Pick<AttackContext, "checkpoint">,
): Promise<Slopes<S>[]> {
  const open = Array.from(searches.keys()).filter((i) => !searches[i]?.done);
  const size = halvedSize(open.length, searches.length);
  const rows = Array.from({ length: size }, (_, i) => open[Math.min(i, open.length - 1)] as number); // the last one pads
  const of = (i: number): S => searches[rows[i] as number] as S;
  const part = model.ofRows?.(rows) ?? model;
  const seen = part.withStreams?.({ random: (i) => of(i).rng.stream(name) }) ?? part;
  const batch = batchOf(
    rows.map((_, i) => of(i)),
    model.inputShape,
  );
  const found = open.map((_, i) => ({ search: of(i), logits: new Float32Array(model.classes), gradients: [] as Float32Array[] }));
  try {
    for (const loss of losses) {
      const { gradient, logits } = attackGradient(seen, batch.images, batch, loss);
      model.evaluations.gradient -= size - open.length;
      try {
        const [slopes, scores] = [Float32Array.from(await gradient.data()), Float32Array.from(await logits.data())];
        const [values, k] = [slopes.length / size, model.classes];
        found.forEach((one, i) => {
          one.logits.set(scores.subarray(i * k, (i + 1) * k));
          one.gradients.push(slopes.subarray(i * values, (i + 1) * values));
        });
      } finally {
        tf.dispose([gradient, logits]);
      }
      await ctx.checkpoint();
    }
    return found;
  } finally {
    tf.dispose([batch.images, batch.labels, ...(batch.targets ? [batch.targets] : [])]);
  }
}

/** The images as they are, as a batch of their own. The caller disposes its tensors. */
function batchOf(searches: readonly Climber[], shape: Classifier["inputShape"]): AttackBatch {
  const pixels = new Float32Array(searches.length * shape[0] * shape[1] * shape[2]);
  searches.forEach(({ image }, i) => {
    pixels.set(image, i * image.length);
  });
  const classes = (of: (goal: Goal) => number) =>
    tf.tensor1d(
      searches.map(({ goal }) => of(goal)),
      "int32",
    );
  const images: Images = tf.tensor4d(pixels, [searches.length, ...shape]);
  const isTargeted = searches.some(({ goal }) => goal.target !== undefined);
  return { images, labels: classes(({ label }) => label), ...(isTargeted ? { targets: classes(({ target = 0 }) => target) } : {}) };
}
