import { rm } from "node:fs/promises";
import type { AttackImageUpdate, ClassScore, TracePoint, TraceStep } from "../../shared/protocol.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { argmax } from "../evaluation/clean.ts";
import { classScores } from "../evaluation/picture.ts";
import { writePicture } from "../evaluation/write.ts";
import { normsOf } from "../harness/project.ts";
import type { AttackTracePoint } from "../harness/types.ts";
import { writeNpz } from "../io/npz.ts";
import type { RunStore } from "../io/runStore.ts";

/** The iterates that were kept: int32 `iteration` [m] and float32 `images` [m,H,W,C]. */
export const iteratesFile = "iterates.npz";
/** Iterates that are kept take at most this many float32 values, 16 MB. */
const mostValues = 1 << 22;
const [fewestSteps, mostSteps] = [8, 64];
/** Classes whose scores are kept of each step, beside the label and the target. */
const keptScores = 5;

interface TraceOptions {
  readonly store: RunStore;
  readonly model: Classifier;
  readonly clean: Float32Array;
  readonly label: number;
  readonly update: (update: AttackImageUpdate) => void;
}
interface Kept {
  readonly image: string;
  readonly pixels: Float32Array;
  readonly probabilities: Float32Array;
}

/**
 * The iterations of an attack on one image: probabilities of each, and of up to 64, evenly spread, all that a panel shows of the result:
 * picture, norms, classes. Where nobody knows how many iterations there will be, every second one is dropped each time there are too many.
 */
export class TraceRecorder {
  #points: TracePoint[] = [];
  readonly #kept = new Map<number, Kept>();
  readonly #dropped: string[] = [];
  readonly #most: number;
  #every = 1;
  readonly #options: TraceOptions;
  constructor(options: TraceOptions) {
    this.#options = options;
    this.#most = Math.min(Math.max(Math.floor(mostValues / options.clean.length), fewestSteps), mostSteps);
  }

  /** For the harness to call. */
  readonly point = async (seen: AttackTracePoint): Promise<void> => {
    const { label, model, update } = this.#options;
    const { iteration, total, probabilities } = seen;
    if (total !== null) this.#every = Math.max(this.#every, Math.ceil(total / this.#most));
    const others = Float32Array.from(probabilities.subarray(0, model.classes));
    others[label] = -1;
    const otherClass = argmax(others, 0, model.classes);
    const point: TracePoint = {
      iteration,
      trueProbability: probabilities[label] ?? 0,
      otherProbability: Math.max(0, others[otherClass] ?? 0),
      otherClass,
      step: iteration % this.#every === 0 || iteration === total ? await this.#keep(seen) : null,
    };
    if (this.#points.at(-1)?.iteration === iteration) this.#points.pop(); // the harness ends with the image that it decided for
    this.#points.push(point);
    this.#thin();
    update({ kind: "iteration", done: Math.min(iteration, total ?? iteration), total: total ?? iteration + 1, point });
  };

  /**
   * Writes the kept iterates and gives the trace. Pictures that were dropped on the way go now: a panel may have shown them until here.
   * @param target the attack's target class, which is known only at its end; its probability is added to the scores of each iterate
   */
  async finish(target: number | null): Promise<readonly TracePoint[]> {
    const { store, model, clean } = this.#options;
    const images = new Float32Array(this.#kept.size * clean.length);
    for (const [i, { pixels }] of [...this.#kept.values()].entries()) images.set(pixels, i * clean.length);
    await writeNpz(store.file(iteratesFile), {
      iteration: { data: Int32Array.from(this.#kept.keys()), shape: [this.#kept.size] },
      images: { data: images, shape: [this.#kept.size, ...model.inputShape] },
    });
    await Promise.all(this.#dropped.map((image) => rm(store.file(image), { force: true })));
    return this.#points.map((point) => {
      const kept = this.#kept.get(point.iteration);
      return kept && point.step ? { ...point, step: { ...point.step, scores: this.#scoresOf(kept, target) } } : point;
    });
  }

  #scoresOf({ probabilities }: Kept, target: number | null): ClassScore[] {
    const { model, label } = this.#options;
    return classScores(probabilities, model).filter(({ index }, place) => place < keptScores || index === label || index === target);
  }

  async #keep({ iteration, images, probabilities }: AttackTracePoint): Promise<TraceStep> {
    const { store, model, clean } = this.#options;
    const pixels = Float32Array.from(images.subarray(0, clean.length));
    const image = `iterates/${iteration}.png`;
    await writePicture(store.file(image), pixels, 0, model.inputShape);
    const kept = { image, pixels, probabilities: Float32Array.from(probabilities.subarray(0, model.classes)) };
    this.#kept.set(iteration, kept);
    return { image, norms: normsOf(pixels, clean, model.inputShape[2]), scores: this.#scoresOf(kept, null) };
  }

  #thin(): void {
    if (this.#kept.size <= this.#most + 1) return; // the last iteration is kept wherever it falls
    this.#every *= 2;
    this.#points = this.#points.map((point) => {
      const kept = this.#kept.get(point.iteration);
      if (!kept || point.iteration % this.#every === 0) return point;
      this.#kept.delete(point.iteration);
      this.#dropped.push(kept.image);
      return { ...point, step: null };
    });
  }
}
