import type { Region } from "./morphology.ts";

/** How far away pixels are that a missing one is made of. */
const radius = 3;
const far = 1e6;
const [inside, band, known] = [0, 1, 2] as const;

interface Front {
  readonly height: number;
  readonly width: number;
  /** Whether a pixel is missing, at the front, or done. */
  readonly state: Uint8Array;
  /** Distance from the region's edge, in pixels; 0 outside it. */
  readonly distance: Float64Array;
}

/**
 * Fills a region of an image [H,W,C] from its edge inwards (Telea 2004, by fast marching): each missing pixel p, nearest to the edge first, becomes
 * Σ w(I_q + ∇I_q·(p − q)) / Σ w over the pixels q within 3 that are there, with w = |cos| of the angle between p − q and the distance's gradient,
 * at least 1e-6, over |p − q|² and over 1 + |T_q − T_p|. Distances come from known pixels alone. Values stay within [0,1].
 * @returns the filled image; pixels outside the region are those that were given
 */
export function telea(image: Float64Array, channels: number, region: Region): Float64Array {
  const { height, width, pixels } = region;
  const values = image.slice();
  const state = Uint8Array.from(pixels, (isMissing) => (isMissing ? inside : known));
  const front: Front = { height, width, state, distance: Float64Array.from(pixels, (isMissing) => (isMissing ? far : 0)) };
  const queue = new Queue(front.distance);
  const besides = (place: number): number[] => neighbours(place, height, width);
  for (let place = 0; place < pixels.length; place++) {
    if (pixels[place] || !besides(place).some((near) => pixels[near])) continue;
    state[place] = band;
    queue.push(place);
  }
  for (let place = queue.pop(); place !== undefined; place = queue.pop()) {
    state[place] = known;
    for (const next of besides(place)) {
      if (state[next] !== inside) continue;
      front.distance[next] = distanceAt(front, next);
      fill(values, channels, front, next);
      state[next] = band;
      queue.push(next);
    }
  }
  return values;
}

/** Above, left, below, right. */
function neighbours(place: number, height: number, width: number): number[] {
  const [row, column] = [Math.floor(place / width), place % width];
  const all: number[] = [];
  if (row > 0) all.push(place - width);
  if (column > 0) all.push(place - 1);
  if (row < height - 1) all.push(place + width);
  if (column < width - 1) all.push(place + 1);
  return all;
}

/** The least solution of |∇T| = 1 in the four quadrants around a pixel. */
function distanceAt({ height, width, state, distance }: Front, place: number): number {
  const [row, column] = [Math.floor(place / width), place % width];
  const of = (r: number, c: number): number | undefined =>
    r >= 0 && r < height && c >= 0 && c < width && state[r * width + c] === known ? distance[r * width + c] : undefined;
  const [above, below, left, right] = [of(row - 1, column), of(row + 1, column), of(row, column - 1), of(row, column + 1)];
  return Math.min(eikonal(above, left), eikonal(below, left), eikonal(above, right), eikonal(below, right));
}

function eikonal(a: number | undefined, b: number | undefined): number {
  if (a === undefined || b === undefined) return 1 + (a ?? b ?? far - 1);
  const rest = 2 - (a - b) ** 2;
  if (rest < 0) return 1 + Math.min(a, b);
  const root = Math.sqrt(rest);
  const least = (a + b - root) / 2;
  return least < Math.max(a, b) ? least + root : least;
}

/** Difference along an axis at a place: central, one-sided where one neighbour is missing, 0 where both are. */
function slope(
  state: Uint8Array,
  o: { place: number; step: number; hasBefore: boolean; hasAfter: boolean },
  at: (place: number) => number,
): number {
  const { place, step } = o;
  const before = o.hasBefore && state[place - step] !== inside;
  const after = o.hasAfter && state[place + step] !== inside;
  if (before && after) return (at(place + step) - at(place - step)) / 2;
  if (after) return at(place + step) - at(place);
  return before ? at(place) - at(place - step) : 0;
}

function gradientAt({ height, width, state }: Front, place: number, at: (place: number) => number): [down: number, right: number] {
  const [row, column] = [Math.floor(place / width), place % width];
  return [
    slope(state, { place, step: width, hasBefore: row > 0, hasAfter: row < height - 1 }, at),
    slope(state, { place, step: 1, hasBefore: column > 0, hasAfter: column < width - 1 }, at),
  ];
}

function fill(values: Float64Array, channels: number, front: Front, place: number): void {
  const { height, width, state, distance } = front;
  const [row, column] = [Math.floor(place / width), place % width];
  const own = distance[place] as number;
  const [tDown, tRight] = gradientAt(front, place, (i) => distance[i] as number);
  const sums = new Float64Array(channels);
  let total = 0;
  for (let r = Math.max(0, row - radius); r <= Math.min(height - 1, row + radius); r++)
    for (let c = Math.max(0, column - radius); c <= Math.min(width - 1, column + radius); c++) {
      const [down, right] = [row - r, column - c];
      const q = r * width + c;
      const squared = down * down + right * right;
      if (squared === 0 || squared > radius * radius || state[q] === inside) continue;
      const direction = Math.max(Math.abs(down * tDown + right * tRight) / Math.sqrt(squared), 1e-6);
      const weight = direction / squared / (1 + Math.abs((distance[q] as number) - own));
      total += weight;
      for (let k = 0; k < channels; k++) {
        const [iDown, iRight] = gradientAt(front, q, (i) => values[i * channels + k] as number);
        sums[k] = (sums[k] as number) + weight * ((values[q * channels + k] as number) + iDown * down + iRight * right);
      }
    }
  for (let k = 0; k < channels; k++) values[place * channels + k] = Math.min(1, Math.max(0, (sums[k] as number) / total));
}

/** Places by their distance, of equal ones the first that came: a binary heap. */
class Queue {
  readonly #distance: Float64Array;
  readonly #heap: { readonly place: number; readonly at: number; readonly turn: number }[] = [];
  #turns = 0;

  constructor(distance: Float64Array) {
    this.#distance = distance;
  }

  #isBefore(a: number, b: number): boolean {
    const [x, y] = [this.#heap[a], this.#heap[b]];
    if (!x || !y) return x !== undefined;
    return x.at < y.at || (x.at === y.at && x.turn < y.turn);
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap;
    const [x, y] = [heap[a], heap[b]];
    if (x && y) [heap[a], heap[b]] = [y, x];
  }

  push(place: number): void {
    this.#heap.push({ place, at: this.#distance[place] as number, turn: this.#turns++ });
    for (let i = this.#heap.length - 1; i > 0 && this.#isBefore(i, (i - 1) >> 1); i = (i - 1) >> 1) this.#swap(i, (i - 1) >> 1);
  }

  pop(): number | undefined {
    this.#swap(0, this.#heap.length - 1);
    const first = this.#heap.pop();
    for (let i = 0; ; ) {
      const [left, right] = [2 * i + 1, 2 * i + 2];
      const least = this.#isBefore(right, left) ? right : left;
      if (!this.#isBefore(least, i)) return first?.place;
      this.#swap(i, least);
      i = least;
    }
  }
}
