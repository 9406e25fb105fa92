import type { Classifier } from "../classifier/classifier.ts";
import { scoresNotNumbers } from "../classifier/probabilities.ts";
import type { StreamContext } from "../context.ts";
import type { Target } from "../define/index.ts";
import type { Images } from "../tf.ts";

export interface Targeting extends Pick<StreamContext, "random"> {
  /** What the attacker sees of the model. */
  readonly model: Classifier;
  readonly images: Images;
  /** Of each image, among the model's classes. */
  readonly labels: ArrayLike<number>;
}

/**
 * Target class of each image; null for an untargeted attack. One that is found for each image is never its label: uniform among the
 * other classes, from the image's own stream, or the most or the least likely of them by the attacker's scores of the clean image (the
 * first of equals), which take a pass. @throws MODEL_NAN when one of those is no number
 */
export async function targetsOf(target: Target | null, { model, images, labels, random }: Targeting): Promise<number[] | null> {
  const each = Array.from(labels);
  if (target === null) return null;
  if (typeof target === "number") return each.map(() => target);
  if (target === "random")
    return each.map((label, i) => {
      const drawn = random(i)
        .stream("target")
        .integer(model.classes - 1);
      return drawn < label ? drawn : drawn + 1;
    });
  const logits = model.logits(images);
  try {
    const scores = await logits.data();
    const sign = target === "runnerUp" ? 1 : -1;
    return each.map((label, i) => largestBeside(label, (k) => sign * (scores[i * model.classes + k] as number), model.classes));
  } finally {
    logits.dispose();
  }
}

function largestBeside(label: number, scoreOf: (k: number) => number, classes: number): number {
  let best = label === 0 ? 1 : 0;
  for (let k = 0; k < classes; k++) {
    if (Number.isNaN(scoreOf(k))) throw scoresNotNumbers();
    if (k !== label && scoreOf(k) > scoreOf(best)) best = k;
  }
  return best;
}
