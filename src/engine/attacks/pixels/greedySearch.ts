import type { Random } from "../../random.ts";
import { type Goal, isReached, marginOf } from "./aim.ts";
import type { SearchSpace } from "./evolution.ts";
import type { Found } from "./score.ts";

/**
 * Pixels by what the gradient promises when each channel goes to the end of [0,1] that raises the loss, Σ_c max(g_c·(1 − x_c), −g_c·x_c);
 * the best `count` of those that are not spent, equal ones in the order of the image.
 * @param gradient of what the attack ascends, [H·W·C]
 */
export function rankedPixels(gradient: ArrayLike<number>, image: Float32Array, spent: Uint8Array, count: number): number[] {
  const channels = image.length / spent.length;
  const gains = Float64Array.from(spent, (isSpent, pixel) =>
    isSpent ? Number.NEGATIVE_INFINITY : gainOf(gradient, image, pixel, channels),
  );
  const open = Array.from(gains.keys()).filter((pixel) => !spent[pixel]);
  return open.sort((a, b) => (gains[b] as number) - (gains[a] as number) || a - b).slice(0, count);
}

/** What a pixel gains to first order at the far ends of its channels. */
function gainOf(gradient: ArrayLike<number>, image: Float32Array, pixel: number, channels: number): number {
  let gain = 0;
  for (let at = pixel * channels; at < (pixel + 1) * channels; at++) {
    const g = gradient[at] as number;
    gain += Math.max(g * (1 - (image[at] as number)), -g * (image[at] as number));
  }
  return gain;
}

/** A pixel, the colour [C] that it would get, and what the gradient says that this gains; 0 where it was drawn at random. */
interface Replacement {
  readonly pixel: number;
  readonly colour: readonly number[];
  readonly gain: number;
}

export interface GreedyOptions {
  readonly space: SearchSpace;
  readonly goal: Goal;
  /** Pixels of the highest rank, and random ones, in a round. */
  readonly candidates: number;
  readonly random: number;
}

/** Greedy search on one image: a gradient in, candidates out, their logits in; a pixel a round. */
export class GreedySearch implements Found {
  readonly rng: Random;
  readonly goal: Goal;
  image: Float32Array;
  logits: ArrayLike<number> = [];
  margin = Number.POSITIVE_INFINITY;
  done = false;
  /** What the round tries. */
  pending: readonly Replacement[] = [];
  readonly #o: GreedyOptions;
  readonly #spent: Uint8Array;

  constructor(image: Float32Array, o: GreedyOptions, rng: Random) {
    this.image = image;
    this.goal = o.goal;
    this.rng = rng;
    this.#o = o;
    this.#spent = new Uint8Array(o.space.height * o.space.width);
  }

  /** Takes the logits of the image as it is; one that has reached its goal is done. */
  see(logits: Float32Array): void {
    this.logits = logits;
    this.margin = marginOf(logits, this.goal);
    this.done = isReached(logits, this.goal);
  }

  /**
   * Chooses what to try: pixels that the gradient [H·W·C] ranks first, in the colour that it points to, and random ones, in that colour and
   * in the opposite one.
   */
  aim(gradient: Float32Array): void {
    const { candidates, random } = this.#o;
    const ranked = rankedPixels(gradient, this.image, this.#spent, candidates);
    const taken = new Set(ranked);
    const others = Array.from(this.rng.permutation(this.#spent.length)).filter((pixel) => !this.#spent[pixel] && !taken.has(pixel));
    this.pending = [
      ...ranked.map((pixel) => ({
        pixel,
        colour: this.#farEnd(gradient, pixel),
        gain: gainOf(gradient, this.image, pixel, this.#o.space.channels),
      })),
      ...others.slice(0, random).flatMap((pixel) => {
        const colour = this.#farEnd(gradient, pixel);
        return [
          { pixel, colour, gain: 0 },
          { pixel, colour: colour.map((v) => 1 - v), gain: 0 },
        ];
      }),
    ];
  }

  /** Each channel at the end of [0,1] that the gradient points to; where it points nowhere, at the end that is further away. */
  #farEnd(gradient: Float32Array, pixel: number): number[] {
    const { channels } = this.#o.space;
    const first = pixel * channels;
    return Array.from(gradient.subarray(first, first + channels), (g, c) =>
      Number(g === 0 ? (this.image[first + c] as number) < 0.5 : g > 0),
    );
  }

  draw(i: number, image: Float32Array): void {
    image.set(this.image);
    const { pixel, colour } = this.pending[i] as Replacement;
    image.set(colour, pixel * colour.length);
  }

  /**
   * Takes the logits [pending·k] and keeps the best. Where none is better than the image as it is, but the scores stand still, as they do
   * while no slice changes its vote, it keeps the first that the gradient recommends: a pixel more may move them.
   */
  accept(logits: Float32Array): void {
    const k = logits.length / this.pending.length;
    let best = -1;
    let margin = this.margin;
    for (let i = 0; i < this.pending.length; i++) {
      const value = marginOf(logits.subarray(i * k, (i + 1) * k), this.goal);
      const isLevel = best < 0 && value === margin && (this.pending[i] as Replacement).gain > 0;
      if (value >= margin && !isLevel) continue;
      [best, margin] = [i, value];
    }
    if (best < 0) return;
    const image = new Float32Array(this.image.length);
    this.draw(best, image);
    this.image = image;
    this.#spent[this.pending[best]?.pixel ?? 0] = 1;
    this.see(logits.slice(best * k, (best + 1) * k));
  }
}
