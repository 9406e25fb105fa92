import type { AttackImageUpdate, TracePoint } from "../../shared/protocol.ts";
import { argmax } from "../evaluation/clean.ts";
import { writePicture } from "../evaluation/write.ts";
import type { AttackTracePoint } from "../harness/types.ts";
import type { RunStore } from "../io/runStore.ts";

const keptPictures = 10;
/** Where an attack cannot say how many iterations it will take. */
const pictureEvery = 5;

interface TraceOptions {
  readonly store: RunStore;
  readonly shape: readonly [number, number, number];
  readonly classes: number;
  readonly label: number;
  readonly update: (update: AttackImageUpdate) => void;
}

/** The iterations of an attack on one image: probabilities of each, pictures of about ten. */
export class TraceRecorder {
  readonly #points: TracePoint[] = [];
  readonly #options: TraceOptions;
  constructor(options: TraceOptions) {
    this.#options = options;
  }

  get points(): readonly TracePoint[] {
    return this.#points;
  }

  /** For the harness to call. */
  readonly point = async (seen: AttackTracePoint): Promise<void> => {
    const { store, shape, classes, label, update } = this.#options;
    const { iteration, total, probabilities } = seen;
    const every = total === null ? pictureEvery : Math.max(1, Math.ceil(total / keptPictures));
    const isKept = iteration % every === 0 || iteration === total;
    const image = isKept ? `iterates/${iteration}.png` : null;
    if (image) await writePicture(store.file(image), seen.images, 0, shape);
    const others = Float32Array.from(probabilities.subarray(0, classes));
    others[label] = -1;
    const otherClass = argmax(others, 0, classes);
    const point: TracePoint = {
      iteration,
      trueProbability: probabilities[label] ?? 0,
      otherProbability: Math.max(0, others[otherClass] ?? 0),
      otherClass,
      image,
    };
    if (this.#points.at(-1)?.iteration === iteration) this.#points.pop(); // the harness ends with the image that it decided for
    this.#points.push(point);
    update({ kind: "iteration", done: Math.min(iteration, total ?? iteration), total: total ?? iteration + 1, point });
  };
}
