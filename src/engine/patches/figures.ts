import type { PatchFigures } from "../../shared/patch.ts";

/** Counts what a patch does to images, one after the other. */
export class PatchTally {
  readonly #target: number | null;
  #images = 0;
  #wrong = 0;
  #hits = 0;
  #logProbability = 0;
  #probability = 0;

  constructor(target: number | null) {
    this.#target = target;
  }

  /** `logits` of a pasted image whose true class is `label`; an image of the target class says nothing and is not counted. */
  add(logits: ArrayLike<number>, label: number): void {
    if (label === this.#target) return;
    const { prediction, logProbability } = judge(logits, label, this.#target);
    this.#images++;
    if (prediction !== label) this.#wrong++;
    if (prediction === this.#target) this.#hits++;
    this.#logProbability += logProbability;
    this.#probability += Math.exp(logProbability);
  }

  get figures(): PatchFigures {
    return {
      images: this.#images,
      successRate: this.#mean(this.#wrong),
      targetRate: this.#target === null ? null : this.#mean(this.#hits),
      logProbability: this.#mean(this.#logProbability),
    };
  }

  /** Mean probability of the target class, or of any class but the true one. */
  get probability(): number | null {
    return this.#mean(this.#probability);
  }

  #mean(sum: number): number | null {
    return this.#images === 0 ? null : sum / this.#images;
  }
}

/** The prediction, and the log-probability of the target class or, without one, of any class but the true one. */
export function judge(
  logits: ArrayLike<number>,
  label: number,
  target: number | null,
): { readonly prediction: number; readonly logProbability: number } {
  const scores = Array.from(logits);
  const largest = Math.max(...scores);
  const exponentials = scores.map((score) => Math.exp(score - largest));
  const total = exponentials.reduce((a, b) => a + b, 0);
  const prediction = scores.indexOf(largest);
  if (target !== null) return { prediction, logProbability: (scores[target] ?? Number.NEGATIVE_INFINITY) - largest - Math.log(total) };
  const others = exponentials.reduce((sum, e, k) => (k === label ? sum : sum + e), 0);
  return { prediction, logProbability: Math.log(Math.max(others, 1e-38)) - Math.log(total) };
}
