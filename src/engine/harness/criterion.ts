import { type Attack, type Criterion, misclassified, type Params, targetReached } from "../define/index.ts";
import type { Predicted } from "./predict.ts";

/** What an attack is after on a batch. */
export interface Aim {
  readonly criterion: Criterion;
  /** Target class of each image; undefined for any other than the label. */
  readonly targets: readonly number[] | undefined;
}

/** The same target for n images, null for none; without a criterion it is the usual one. */
export const aimAt = (target: number | null, n: number, criterion?: Criterion): Aim => ({
  targets: target === null ? undefined : Array.from({ length: n }, () => target),
  criterion: criterion ?? (target === null ? misclassified : targetReached),
});

/** @param targets target class for each of the n images, in place of what the parameters say */
export function aimOf(attack: Attack, params: Params, n: number, targets?: readonly number[]): Aim {
  const criterion = attack.criterion?.(params);
  if (targets) return { targets, criterion: criterion ?? targetReached };
  return aimAt(attack.target?.(params) ?? null, n, criterion);
}

/** The one place where success is decided. */
export class Judge {
  readonly #aim: Aim;
  readonly #labels: ArrayLike<number>;

  constructor(aim: Aim, labels: ArrayLike<number>) {
    this.#aim = aim;
    this.#labels = labels;
  }

  /** Image i with these scores meets the criterion. */
  reached({ classes, confidence }: Predicted, i: number): boolean {
    return this.#aim.criterion.reached({
      label: this.#labels[i] ?? -1,
      prediction: classes[i] ?? -1,
      confidence: confidence[i] ?? 0,
      target: this.#aim.targets?.[i] ?? null,
    });
  }

  /** There is nothing to attack: the clean image meets the criterion, or is misclassified where any misclassification counts. */
  isSettled(clean: Predicted, i: number): boolean {
    return this.reached(clean, i) || (!this.#aim.criterion.isTargeted && clean.classes[i] !== this.#labels[i]);
  }
}
