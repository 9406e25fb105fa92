import type { Random } from "../../random.ts";
import type { SearchSpace } from "./evolution.ts";

/** A change that may be tried: drawn, and made the state that later ones start from. */
export interface Move {
  draw(image: Float32Array): void;
  commit(): void;
}

/** What Sparse-RS searches: a state and the changes that it proposes. Proposing changes nothing. */
export interface SparseState {
  /** The image as it is; random at first. */
  draw(image: Float32Array): void;
  propose(query: number, rng: Random): Move;
}

const queriesOfPaper = 10_000;
/** α over α_init from a query on, of 10,000: Croce et al. 2022, schedules of the L0 and the patch attack. */
const schedules = {
  l0: [
    [0, 1],
    [1, 2],
    [51, 4],
    [201, 5],
    [501, 6],
    [1001, 8],
    [2001, 10],
    [4001, 12],
    [6001, 15],
    [8001, 20],
  ], // prettier-ignore
  patch: [
    [0, 1],
    [11, 2],
    [51, 4],
    [201, 8],
    [501, 16],
    [1001, 32],
    [2001, 64],
    [4001, 128],
    [6001, 256],
    [8001, 512],
  ], // prettier-ignore
} as const;

/** The share α of pixels that a move may change, piecewise constant, with the schedule stretched over `queries`. */
export function alphaOf(mode: keyof typeof schedules, alphaInit: number, query: number, queries: number): number {
  const at = Math.floor((query * queriesOfPaper) / queries);
  let divisor = 1;
  for (const [from, by] of schedules[mode]) if (at >= from) divisor = by;
  return alphaInit / divisor;
}

/** `count` different numbers of 0…n−1 in random order: as many steps of a Fisher–Yates shuffle, whose array is not written down. */
export function distinct(n: number, count: number, rng: Random): number[] {
  const moved = new Map<number, number>();
  return Array.from({ length: count }, (_, i) => {
    const j = i + rng.integer(n - i);
    const value = moved.get(j) ?? j;
    moved.set(j, moved.get(i) ?? i);
    return value;
  });
}

/** A corner of the colour cube. */
const corner = (channels: number, rng: Random): number[] => Array.from({ length: channels }, () => rng.integer(2));

/** A corner other than this colour: the move of a single pixel is to change something. */
function otherCorner(colour: Float32Array, rng: Random): number[] {
  for (;;) {
    const drawn = corner(colour.length, rng);
    if (drawn.some((value, c) => value !== colour[c])) return drawn;
  }
}

export interface SparseOptions {
  readonly space: SearchSpace;
  readonly alphaInit: number;
  readonly queries: number;
}

export interface PatchOptions extends SparseOptions {
  readonly isTargeted: boolean;
}

/**
 * k pixels at corners of the colour cube. A move gives max(⌊α·k⌋, 1) of them back and takes as many others, at new corners, a single one
 * at another colour than it has; where every pixel of the image is taken, it recolours them.
 */
export function pixelSet(clean: Float32Array, { space, alphaInit, queries }: SparseOptions, rng: Random): SparseState {
  const { channels, pixels: k } = space;
  const total = space.height * space.width;
  const order = rng.permutation(total); // the first k are taken
  const paint = (image: Float32Array, pixel: number, colour: readonly number[]): void => image.set(colour, pixel * channels);
  let current = Float32Array.from(clean);
  for (let i = 0; i < k; i++) paint(current, order[i] as number, corner(channels, rng));
  return {
    draw: (image) => image.set(current),
    propose(query, stream) {
      const wanted = Math.max(Math.floor(alphaOf("l0", alphaInit, query, queries) * k), 1);
      const count = Math.min(wanted, k, total - k || k);
      const leaving = distinct(k, count, stream);
      const coming = k === total ? leaving : distinct(total - k, count, stream).map((i) => k + i);
      const before = (i: number): Float32Array => current.subarray((order[i] as number) * channels, ((order[i] as number) + 1) * channels);
      const colours = coming.map((i) => (count === 1 ? otherCorner(before(i), stream) : corner(channels, stream)));
      const draw = (image: Float32Array): void => {
        image.set(current);
        for (const i of leaving) {
          const at = (order[i] as number) * channels;
          image.set(clean.subarray(at, at + channels), at);
        }
        coming.forEach((i, j) => {
          paint(image, order[i] as number, colours[j] as number[]);
        });
      };
      return {
        draw,
        commit() {
          const next = new Float32Array(current.length);
          draw(next);
          current = next;
          leaving.forEach((i, j) => {
            const other = coming[j] as number;
            [order[i], order[other]] = [order[other] as number, order[i] as number];
          });
        },
      };
    },
  };
}

/** The share of the image's sides that a place may shift by at first; it falls to none over the queries. */
const furthest = 0.75;

/**
 * A square of `side` pixels and its place. Every fourth move (every tenth towards a target) shifts it; the others give a square part of it,
 * of area α, one corner of the colour cube. A single pixel gets another colour than it has, and changes in one channel alone in the second
 * half of the queries that change one.
 */
export function patchSquare(
  clean: Float32Array,
  side: number,
  { space, alphaInit, queries, isTargeted }: PatchOptions,
  rng: Random,
): SparseState {
  const { height, width, channels } = space;
  const partOf = (query: number): number => Math.max(Math.floor(Math.sqrt(alphaOf("patch", alphaInit, query, queries)) * side), 1);
  let single = 0;
  while (single < queries && partOf(single) > 1) single++;
  const fromChannels = single + Math.floor((queries - single) / 2);
  const period = isTargeted ? 10 : 4;
  let place = { top: rng.integer(height - side + 1), left: rng.integer(width - side + 1) };
  let patch = mosaic(side, channels, rng);
  const moveTo = (to: typeof place, square: Float32Array): Move => ({
    draw(image) {
      image.set(clean);
      for (let row = 0; row < side; row++)
        image.set(square.subarray(row * side * channels, (row + 1) * side * channels), ((to.top + row) * width + to.left) * channels);
    },
    commit() {
      place = to;
      patch = square;
    },
  });
  return {
    draw: (image) => moveTo(place, patch).draw(image),
    propose(query, stream) {
      const reach = furthest * Math.max(0, 1 - query / queries);
      const [down, across] = [Math.floor(reach * height), Math.floor(reach * width)];
      if (query % period === 0 && down + across > 0) {
        const shifted = (from: number, by: number, most: number) => clamp(from + stream.integer(2 * by + 1) - by, most);
        return moveTo({ top: shifted(place.top, down, height - side), left: shifted(place.left, across, width - side) }, patch);
      }
      const part = partOf(query);
      const at = [stream.integer(side - part + 1), stream.integer(side - part + 1)] as const;
      const own = patch.subarray((at[0] * side + at[1]) * channels, (at[0] * side + at[1] + 1) * channels);
      const colour = part > 1 ? corner(channels, stream) : query < fromChannels ? otherCorner(own, stream) : flipped(own, stream);
      const square = Float32Array.from(patch);
      fillSquare(square, side, at, part, colour);
      return moveTo(place, square);
    },
  };
}

const clamp = (value: number, most: number): number => Math.min(Math.max(value, 0), most);

const squaresAtFirst = 1000;
/** A patch [side·side·C] of small squares, one over the other, each a corner of the colour cube. */
function mosaic(side: number, channels: number, rng: Random): Float32Array {
  const patch = new Float32Array(side * side * channels);
  for (let i = 0; i < squaresAtFirst; i++) {
    const part = 1 + rng.integer(Math.max(1, Math.ceil(Math.sqrt(side)) - 1));
    fillSquare(patch, side, [rng.integer(side - part + 1), rng.integer(side - part + 1)], part, corner(channels, rng));
  }
  return patch;
}

/** The colour with one channel at the other end. */
function flipped(colour: Float32Array, rng: Random): number[] {
  const channel = rng.integer(colour.length);
  return Array.from(colour, (value, c) => (c === channel ? 1 - value : value));
}

type Corner = readonly [top: number, left: number];
function fillSquare(patch: Float32Array, side: number, [top, left]: Corner, part: number, colour: readonly number[]): void {
  for (let row = top; row < top + part; row++)
    for (let column = left; column < left + part; column++) patch.set(colour, (row * side + column) * colour.length);
}
