import { type Criterion, misclassified, targetReached } from "../define/index.ts";
import type { Predicted } from "./predict.ts";

/** What an attack is after on a batch. */
export interface Aim {
  readonly criterion: Criterion;
  /** Target class of each image; undefined for an untargeted attack. */
  readonly targets: readonly number[] | undefined;
}

/**
 * @param targets target class of each image, null for an untargeted attack
 * @param criterion the attack's own; when left out, reaching the target class, or any misclassification
 */
export const aimOf = (targets: readonly number[] | null, criterion?: Criterion): Aim => ({
  targets: targets ?? undefined,
  criterion: criterion ?? (targets ? targetReached : misclassified),
});

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
