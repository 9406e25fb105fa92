import { wilson, z99 } from "../../shared/results.ts";
import { bestAssignment } from "../metrics/assignment.ts";
import { unevenP } from "../metrics/statistics.ts";
import { answersOf, type Passes } from "./score.ts";

/** An order of the classes that half of the images show and the other half confirms. */
export interface FoundOrder {
  /** The output of each label; −1 for labels without images. */
  readonly outputs: Int32Array;
  /** Places of the images that confirm it: it was not fitted to them. */
  readonly confirming: readonly number[];
  /** Of these, right in the found order and as the labels are. */
  readonly hits: number;
  readonly plainHits: number;
}

/** More classes, or fewer images of one, leave too many orders. */
const [mostClasses, fewestOfClass] = [20, 5];
const level = 0.01;
/** The lower end of its 99 % interval has to be above this. */
const fewestRight = 0.5;

/**
 * The best order of classes, where labels may mean anything: the Hungarian assignment of the confusion matrix of one half of the images,
 * for the candidate that it suits best, kept if on the other half it beats the labels as they are (McNemar, .01) and is right clearly more often than not.
 * Null where it is not, or where classes are many or images few.
 */
export function foundOrder({ labels, classes, logits }: Passes): FoundOrder | null {
  const used = [...new Set(labels)];
  const places = used.map((label) => Array.from(labels, (_, i) => i).filter((i) => labels[i] === label));
  if (classes > mostClasses || used.length < 2 || places.some((of) => of.length < fewestOfClass) || used.some((c) => c < 0 || c >= classes))
    return null;
  const fitting = places.flatMap((of) => of.filter((_, i) => i % 2 === 0));
  const confirming = places.flatMap((of) => of.filter((_, i) => i % 2 === 1));
  const tried = logits.map((scores) => {
    const { predictions } = answersOf(scores, labels, classes);
    const confusion = new Float64Array(classes * classes);
    for (const i of fitting) {
      const cell = (labels[i] as number) * classes + (predictions[i] as number);
      confusion[cell] = (confusion[cell] as number) + 1;
    }
    const outputs = bestAssignment(confusion, classes);
    const right = (of: readonly number[]): number[] => of.filter((i) => predictions[i] === outputs[labels[i] as number]);
    return { predictions, outputs, fitted: right(fitting).length, right: new Set(right(confirming)) };
  });
  const best = tried.reduce<(typeof tried)[number] | undefined>((a, b) => (a && a.fitted >= b.fitted ? a : b), undefined);
  if (!best) return null;
  const plain = tried.map(({ predictions }) => new Set(confirming.filter((i) => predictions[i] === labels[i])));
  const most = plain.reduce((a, b) => (b.size > a.size ? b : a));
  const gained = [...best.right].filter((i) => !most.has(i)).length;
  const lost = [...most].filter((i) => !best.right.has(i)).length;
  const [lower] = wilson(best.right.size, confirming.length, z99) ?? [0];
  if (gained <= lost || unevenP(gained, lost) >= level || lower <= fewestRight) return null;
  const outputs = best.outputs.map((output, label) => (used.includes(label) ? output : -1));
  return { outputs, confirming: [...confirming].sort((a, b) => a - b), hits: best.right.size, plainHits: most.size };
}
