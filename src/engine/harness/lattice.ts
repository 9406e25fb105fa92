import type { Ball } from "../define/index.ts";
import { to8Bit } from "../pixels.ts";
import type { Predicted } from "./predict.ts";

/** Images that rounding made unsuccessful, and what the search may use. */
export interface LatticeSearch {
  readonly clean: Float32Array;
  readonly ball: Ball;
  /** Values of an image. */
  readonly size: number;
  readonly channels: number;
  readonly score: (images: Float32Array) => Promise<Predicted>;
  /** Image i with these scores meets the attack's criterion. */
  readonly reached: (scored: Predicted, i: number) => boolean;
  /** Gradient [b,H,W,C] of being adversarial, where the attack may see gradients; else its own change says where to go. */
  readonly ascent?: ((images: Float32Array) => Promise<Float32Array>) | undefined;
}

/** Shares of the values to move, tried in this order; the first that succeeds is kept. */
const shares = [1 / 16, 1 / 4, 1];
/** Each round moves a value by at most one level. */
const rounds = 3;
/** Tolerance in levels, for rounding errors of float32. */
const slack = 1e-4;

/**
 * Searches for images of whole 8-bit levels near `images` [b,H,W,C] that are adversarial. In the first round every value goes to the
 * level above or below it, whichever the direction says; later rounds go a level further. Where a share of the values is enough, those
 * with the steepest slope are moved and the rest is rounded to the nearest. Only values of pixels that the attack changed move, never
 * out of the ball or [0,1]. A value at the level of its clean value keeps that value exactly.
 * @param lost images to search for; the rest of the batch is scored beside them and stays
 * @returns the images found, by place, and what the model says of them
 */
export async function searchLattice(
  o: LatticeSearch,
  images: Float32Array,
  lost: readonly number[],
): Promise<{ readonly found: ReadonlyMap<number, Float32Array>; readonly scored: Predicted | null }> {
  const found = new Map<number, Float32Array>();
  const slice = (values: Float32Array, i: number): Float32Array => values.subarray(i * o.size, (i + 1) * o.size);
  const cells = new Map(lost.map((i) => [i, new Cell(slice(images, i), slice(o.clean, i), o)] as const));
  const now = Float32Array.from(images);
  const place = (i: number, levels: Int32Array): void => now.set((cells.get(i) as Cell).image(levels), i * o.size);
  for (const [i, cell] of cells) place(i, cell.nearest());
  for (let round = 0; round < rounds && found.size < lost.length; round++) {
    const slopes = await o.ascent?.(now);
    const steps = new Map<number, Steps>();
    for (const [i, cell] of cells) if (!found.has(i)) steps.set(i, cell.steps(slopes && slice(slopes, i), round));
    for (const share of shares) {
      for (const [i, step] of steps) if (!found.has(i)) place(i, step(share));
      const met = await meeting(o, now);
      for (const i of steps.keys()) if (!found.has(i) && met(i)) found.set(i, Float32Array.from(slice(now, i)));
      if (found.size === lost.length) break;
    }
  }
  for (const i of lost) if (!found.has(i)) slice(now, i).set(slice(images, i));
  return { found, scored: found.size > 0 ? await o.score(now) : null };
}

/** Whether image i is adversarial both before and after rounding to 8 bits. */
async function meeting(o: LatticeSearch, images: Float32Array): Promise<(i: number) => boolean> {
  const rounded = images.map(to8Bit);
  const inFile = await o.score(rounded);
  const asIs = rounded.every((value, j) => value === images[j]) ? inFile : await o.score(images);
  return (i) => o.reached(inFile, i) && o.reached(asIs, i);
}

/** Levels of an image with a share of its values moved. */
type Steps = (share: number) => Int32Array;

/** The 8-bit images around one adversarial image. */
class Cell {
  readonly #image: Float32Array;
  readonly #clean: Float32Array;
  readonly #radius: number | null;
  /** Positions of the values that may move, with the smallest and the largest level of each. */
  readonly #places: number[] = [];
  readonly #low: number[] = [];
  readonly #high: number[] = [];
  /** Levels of the last image tried, by place. */
  #levels: Int32Array;

  constructor(image: Float32Array, clean: Float32Array, { ball, channels }: Pick<LatticeSearch, "ball" | "channels">) {
    this.#image = image;
    this.#clean = clean;
    this.#radius = ball.norm === "l2" ? ball.radius : null;
    const reach = ball.norm === "linf" ? 255 * ball.radius : 255;
    for (let j = 0; j < image.length; j++) {
      if (!changed(image, clean, j - (j % channels), channels)) continue;
      const level = 255 * (clean[j] as number);
      const [low, high] = [Math.ceil(Math.max(0, level - reach) - slack), Math.floor(Math.min(255, level + reach) + slack)];
      if (low > high) continue; // no whole level in the ball
      this.#places.push(j);
      this.#low.push(low);
      this.#high.push(high);
    }
    this.#levels = new Int32Array(this.#places.length);
  }

  /** Every value at the nearest level of the ball. */
  nearest(): Int32Array {
    this.#levels = this.#inside(Int32Array.from(this.#places, (j, k) => this.#clamp(k, Math.floor(255 * this.#at(j) + 0.5))));
    return this.#levels;
  }

  /**
   * The next level of every value on the side that `slopes` [H,W,C] points to, the attack's own change where there are none, the steepest
   * first. In round 0 that is one of the two levels around the value.
   */
  steps(slopes: Float32Array | undefined, round: number): Steps {
    const from = this.#levels;
    const slope = (j: number): number => (slopes ? (slopes[j] as number) : this.#at(j) - (this.#clean[j] as number));
    const goal = Int32Array.from(this.#places, (j, k) => {
      const direction = Math.sign(slope(j));
      const beside = direction > 0 ? Math.ceil(255 * this.#at(j) - slack) : Math.floor(255 * this.#at(j) + slack);
      if (direction === 0) return from[k] as number;
      return this.#clamp(k, round === 0 ? beside : (from[k] as number) + direction);
    });
    const order = [...goal.keys()].filter((k) => goal[k] !== from[k]);
    const steepness = (k: number): number => Math.abs(slope(this.#places[k] as number));
    order.sort((a, b) => steepness(b) - steepness(a) || a - b);
    return (share) => {
      const levels = Int32Array.from(from);
      for (const k of order.slice(0, Math.ceil(share * order.length))) levels[k] = goal[k] as number;
      this.#levels = this.#inside(levels, order);
      return this.#levels;
    };
  }

  /** The image with these levels. A value at the level of its clean value is the clean value. */
  image(levels: Int32Array): Float32Array {
    const image = Float32Array.from(this.#clean);
    this.#places.forEach((j, k) => {
      if (levels[k] !== Math.floor(255 * (this.#clean[j] as number) + 0.5)) image[j] = (levels[k] as number) / 255;
    });
    return image;
  }

  /** Levels within the L2 ball: the values that matter least go back towards the clean image, a level at a time. */
  #inside(levels: Int32Array, steepestFirst: readonly number[] = []): Int32Array {
    if (this.#radius === null) return levels;
    const most = (255 * this.#radius) ** 2 + slack;
    const offset = (k: number): number => (levels[k] as number) - 255 * (this.#clean[this.#places[k] as number] as number);
    let sum = 0;
    for (let k = 0; k < levels.length; k++) sum += offset(k) ** 2;
    const rank = new Map(steepestFirst.map((k, place) => [k, place]));
    const order = [...levels.keys()].sort((a, b) => (rank.get(b) ?? levels.length) - (rank.get(a) ?? levels.length) || b - a);
    for (let moved = true; sum > most && moved; ) {
      moved = false;
      for (const k of order) {
        const before = offset(k);
        if (sum <= most || Math.abs(before) <= 0.5) continue;
        levels[k] = (levels[k] as number) - Math.sign(before);
        sum += offset(k) ** 2 - before ** 2;
        moved = true;
      }
    }
    return levels;
  }

  #at(j: number): number {
    return this.#image[j] as number;
  }

  #clamp(k: number, level: number): number {
    return Math.min(Math.max(level, this.#low[k] as number), this.#high[k] as number);
  }
}

/** The attack changed the pixel that starts at value j. */
function changed(image: Float32Array, clean: Float32Array, j: number, channels: number): boolean {
  for (let c = j; c < j + channels; c++) if (image[c] !== clean[c]) return true;
  return false;
}
