import type { Random } from "../../random.ts";
import { type Goal, isReached, marginOf } from "../pixels/aim.ts";
import type { Climber } from "../pixels/gradients.ts";
import { distanceOf } from "./boundary.ts";
import { Constant } from "./constant.ts";

export interface DescentOptions {
  readonly binarySearchSteps: number;
  readonly steps: number;
  readonly learningRate: number;
  readonly initialConst: number;
  readonly confidence: number;
}
/** Keeps atanh finite at black and white (Carlini & Wagner's code). */
const inside = 0.999999;
/** Times an attempt is looked at, and the share of its last loss that it has to come below. */
const looks = 10;
const progress = 0.9999;
const [beta1, beta2, smallest] = [0.9, 0.999, 1e-8];

/** The variable w whose image is ½(tanh w + 1): w = atanh((2x − 1)·0.999999). */
export const toTanh = (x: number): number => Math.atanh((2 * x - 1) * inside);
export const fromTanh = (w: number): number => (Math.tanh(w) + 1) / 2;

interface Candidate {
  readonly image: Float32Array;
  readonly logits: Float32Array;
  /** L2 distance to the clean image. */
  readonly distance: number;
}

/**
 * Carlini & Wagner's L2 attack on one image: logits and the gradient of the margin loss in, the next iterate out. Adam descends
 * ‖½(tanh w + 1) − x‖² + c·f from the clean image for each constant c in turn, each until its steps are used or it gets no further.
 */
export class TanhDescent implements Climber {
  readonly goal: Goal;
  readonly rng: Random;
  image: Float32Array;
  done = false;
  readonly #clean: Float32Array;
  readonly #o: DescentOptions;
  readonly #constant: Constant;
  readonly #start: Float64Array;
  readonly #w: Float64Array;
  /** The image before it is rounded to float32: near black and white its slope needs all digits. */
  readonly #x: Float64Array;
  readonly #m: Float64Array;
  readonly #v: Float64Array;
  #attempt = 0;
  #step = 0;
  #lastLoss = Number.POSITIVE_INFINITY;
  #succeeded = false;
  /** The nearest image that leads by the confidence; and the nearest that is adversarial at all. */
  #best: Candidate | undefined;
  #reached: Candidate | undefined;
  #seen: Candidate;

  constructor(image: Float32Array, goal: Goal, o: DescentOptions, rng: Random) {
    this.#clean = image;
    this.#o = o;
    this.#constant = new Constant(o.initialConst);
    this.#start = Float64Array.from(image, toTanh);
    this.#w = this.#start.slice();
    this.#x = new Float64Array(image.length);
    this.#m = new Float64Array(image.length);
    this.#v = new Float64Array(image.length);
    this.goal = goal;
    this.rng = rng;
    this.image = this.#painted();
    this.#seen = { image, logits: new Float32Array(0), distance: 0 };
  }

  /** What the search returns: an image that only just does it where none leads by the confidence, and the last one where none does. */
  get found(): Candidate {
    return this.#best ?? this.#reached ?? this.#seen;
  }
  /** What was last scored. */
  get seen(): Candidate {
    return this.#seen;
  }

  /**
   * Takes what a pass has shown of `image`, and moves on.
   * @param slopes gradient [H·W·C] of −f at the image
   */
  follow(logits: Float32Array, slopes: Float32Array): void {
    const { confidence, steps } = this.#o;
    const distance = distanceOf(this.image, this.#clean);
    const margin = marginOf(logits, this.goal);
    this.#seen = { image: this.image, logits, distance };
    if (isReached(logits, this.goal)) this.#keep(margin <= -confidence);
    if (this.#isSettled) {
      this.done = true;
      return;
    }
    const loss = distance ** 2 + this.#constant.value * Math.max(margin, -confidence);
    const isStuck = this.#isLookedAt && loss > progress * this.#lastLoss;
    if (this.#isLookedAt) this.#lastLoss = loss;
    if (isStuck || this.#step + 1 >= steps) this.#nextConstant();
    else this.#descend(slopes);
  }

  #keep(isConfident: boolean): void {
    const now = this.#seen;
    if (now.distance < (this.#reached?.distance ?? Number.POSITIVE_INFINITY)) this.#reached = now;
    if (!isConfident) return;
    this.#succeeded = true;
    if (now.distance < (this.#best?.distance ?? Number.POSITIVE_INFINITY)) this.#best = now;
  }

  /** The clean image is adversarial: there is nothing to look for. */
  get #isSettled(): boolean {
    return this.#attempt === 0 && this.#step === 0 && this.#reached !== undefined;
  }

  get #isLookedAt(): boolean {
    return this.#step % Math.max(1, Math.floor(this.#o.steps / looks)) === 0;
  }

  #nextConstant(): void {
    this.#constant.next(this.#succeeded);
    this.#attempt++;
    this.done = this.#attempt >= this.#o.binarySearchSteps;
    this.#step = 0;
    this.#lastLoss = Number.POSITIVE_INFINITY;
    this.#succeeded = false;
    this.#w.set(this.#start);
    this.#m.fill(0);
    this.#v.fill(0);
    this.image = this.#painted();
  }

  /** One step of Adam (Kingma & Ba 2015, Alg. 1: at black and white pixels slopes are so small that the place of its ε matters) on w; ∂x'/∂w = ½(1 − tanh² w) = 2x'(1 − x'). */
  #descend(slopes: Float32Array): void {
    this.#step++;
    const rate = this.#o.learningRate / (1 - beta1 ** this.#step);
    const grown = Math.sqrt(1 - beta2 ** this.#step);
    const [w, all, m, v, c] = [this.#w, this.#x, this.#m, this.#v, this.#constant.value];
    for (let i = 0; i < w.length; i++) {
      const x = all[i] as number;
      const slope = (2 * (x - (this.#clean[i] as number)) - c * (slopes[i] as number)) * 2 * x * (1 - x);
      m[i] = beta1 * (m[i] as number) + (1 - beta1) * slope;
      v[i] = beta2 * (v[i] as number) + (1 - beta2) * slope * slope;
      (w[i] as number) -= (rate * (m[i] as number)) / (Math.sqrt(v[i] as number) / grown + smallest);
    }
    this.image = this.#painted();
  }

  #painted(): Float32Array {
    this.#w.forEach((w, i) => {
      this.#x[i] = fromTanh(w);
    });
    return Float32Array.from(this.#x);
  }
}
