import type { Random } from "../../random.ts";
import { type Goal, isReached } from "../pixels/aim.ts";
import type { Climber } from "../pixels/gradients.ts";

export interface BoundaryOptions {
  /** Share by which each change is lengthened beyond the boundary. */
  readonly overshoot: number;
  /** ‖x' − x‖/‖x‖ from which an image is given up; Infinity for no limit. */
  readonly most: number;
  /** As Foolbox 0.8 has it: a step from the last iterate, not the sum of all steps from the clean image. */
  readonly foolbox: boolean;
}
/** Keeps a step from ending exactly on the boundary, in units of [0,1] pixels (the authors' code). */
const beyond = 1e-4;

/** The boundary towards one class as it looks from here: where z_k = z_label on the linearised model. */
interface Boundary {
  /** ∇z_k − ∇z_label */
  readonly normal: Float64Array;
  readonly length: number;
  /** |z_k − z_label| / ‖normal‖, L2 in [0,1] pixels */
  readonly distance: number;
}

/** DeepFool on one image: logits and gradients of some classes in, the next iterate out. */
export class BoundarySearch implements Climber {
  /** `target` is the class whose gradient is asked for. */
  goal: Goal;
  readonly rng: Random;
  image: Float32Array;
  /** Logits of `image`; empty before the first pass. */
  logits: Float32Array = new Float32Array(0);
  done = false;
  /** Classes other than the label, the most likely on the clean image first; empty before the first pass. */
  rivals: readonly number[] = [];
  readonly #clean: Float32Array;
  readonly #o: BoundaryOptions;
  /** Sum of the steps, before the overshoot. */
  readonly #change: Float64Array;
  readonly #gradients = new Map<number, Float32Array>();
  readonly #cleanLength: number;

  constructor(image: Float32Array, label: number, o: BoundaryOptions, rng: Random) {
    this.#clean = image;
    this.#o = o;
    this.#change = new Float64Array(image.length);
    this.#cleanLength = lengthOf(image);
    this.image = image;
    this.goal = { label, target: undefined };
    this.rng = rng;
  }

  /** @param most classes that are looked at, the label among them */
  begin(logits: Float32Array, most: number): void {
    this.logits = logits;
    if (this.rivals.length > 0) return;
    const all = Array.from(logits.keys()).sort((a, b) => (logits[b] as number) - (logits[a] as number) || a - b);
    this.rivals = all.slice(0, most).filter((k) => k !== this.goal.label);
    if (this.rivals.length === 0) this.done = true;
  }

  /** Another class has the largest logit. */
  get isCrossed(): boolean {
    return isReached(this.logits, { label: this.goal.label, target: undefined });
  }

  /** Remembers the gradient [H·W·C] of a class at the image. */
  learn(gradient: Float32Array): void {
    this.#gradients.set(this.goal.target ?? this.goal.label, gradient);
  }

  ask(target: number): void {
    this.goal = { ...this.goal, target };
  }

  /** Steps to the nearest boundary. The image is given up where none has a slope, or where the step leads too far. */
  step(): void {
    const nearest = this.#nearest();
    this.#gradients.clear();
    if (!nearest) {
      this.done = true;
      return;
    }
    const next = this.#o.foolbox ? this.#fromHere(nearest) : this.#fromClean(nearest);
    if (distanceOf(next, this.#clean) >= this.#o.most * this.#cleanLength) this.done = true;
    else this.image = next;
  }

  #nearest(): Boundary | undefined {
    let nearest: Boundary | undefined;
    const { label } = this.goal;
    const own = this.#gradients.get(label) as Float32Array;
    for (const k of this.rivals) {
      const gradient = this.#gradients.get(k);
      const gap = (this.logits[k] as number) - (this.logits[label] as number);
      if (!gradient) continue;
      const normal = Float64Array.from(gradient, (slope, i) => slope - (own[i] as number));
      const length = lengthOf(normal);
      const distance = Math.abs(gap) / length;
      if (length > 0 && distance < (nearest?.distance ?? Number.POSITIVE_INFINITY)) nearest = { normal, length, distance };
    }
    return nearest;
  }

  /** clip(x₀ + (1 + η)·Σ r) with r = (|f|/‖w‖ + 10⁻⁴)·w/‖w‖ */
  #fromClean({ normal, length, distance }: Boundary): Float32Array {
    const scale = (distance + beyond) / length;
    for (let i = 0; i < normal.length; i++) (this.#change[i] as number) += scale * (normal[i] as number);
    return moved(this.#clean, this.#change, 1 + this.#o.overshoot);
  }

  /**
   * clip(x + (1 + η)·|f|/‖w‖²·w), but never less than 10⁻⁴ far: Foolbox's steps may shrink until both logits are equal in float32, and then
   * lead off to another class.
   */
  #fromHere({ normal, length, distance }: Boundary): Float32Array {
    return moved(this.image, normal, ((1 + this.#o.overshoot) * Math.max(distance, beyond)) / length);
  }
}

const moved = (from: Float32Array, change: Float64Array, scale: number): Float32Array =>
  Float32Array.from(from, (value, i) => Math.min(1, Math.max(0, value + scale * (change[i] as number))));

const lengthOf = (values: Float32Array | Float64Array): number => {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
};
/** L2 distance of two images. */
export function distanceOf(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] as number) - (b[i] as number)) ** 2;
  return Math.sqrt(sum);
}
