import type { ShownSuperpixels } from "../../src/shared/cards.ts";
import { number } from "../../src/shared/format.ts";
import type { Outline } from "../lib/image.ts";

/** A picture of numbers, decoded: the number of each pixel [height·width]. */
export interface Numbered {
  readonly numbers: Int32Array;
  readonly height: number;
  readonly width: number;
}
/** Superpixels of one picture, and their weights. */
export interface Segments extends Numbered {
  readonly weights: ShownSuperpixels["weights"];
}

/** @param data RGBA of a picture of numbers: red + 256·green */
export const numbersOf = (data: Uint8ClampedArray): Int32Array =>
  Int32Array.from({ length: data.length / 4 }, (_, i) => (data[4 * i] ?? 0) + 256 * (data[4 * i + 1] ?? 0));

/** Superpixels that the explanation uses, the largest weights first, the lower number first among equals. */
export const used = (weights: readonly number[]): number[] =>
  [...weights.keys()].filter((i) => weights[i] !== 0).sort((i, j) => Math.abs(weights[j] ?? 0) - Math.abs(weights[i] ?? 0) || i - j);

/** The first `count` superpixels of positive weight. */
export const marked = (weights: readonly number[], count: number): number[] =>
  used(weights)
    .filter((i) => (weights[i] ?? 0) > 0)
    .slice(0, count);

/** "+0.0341", "−0.012". */
export const weightText = (weight: number): string => (weight > 0 ? `+${number(weight)}` : number(weight));

/** What a superpixel does to the class, as a sentence. */
export function superpixelText(weights: readonly number[], i: number, className: string): string {
  const weight = weights[i] ?? 0;
  if (weight === 0) return `Superpixel ${i + 1} is not among the ${used(weights).length} that the explanation uses.`;
  const place = `number ${used(weights).indexOf(i) + 1} of ${used(weights).length}`;
  return `Superpixel ${i + 1}: weight ${weightText(weight)}, ${place}. It speaks ${weight > 0 ? "for" : "against"} ${className}.`;
}

type Line = Outline["lines"][number];

/**
 * The edges of superpixels in runs that are as long as can be. Where `chosen` is given, only those of chosen superpixels, at the border of the
 * picture as well.
 */
export function edgesOf({ numbers, height, width }: Numbered, chosen?: ReadonlySet<number>): Line[] {
  const at = (row: number, column: number): number =>
    row < 0 || column < 0 || row >= height || column >= width ? -1 : (numbers[row * width + column] ?? -1);
  const isEdge = (a: number, b: number): boolean => a !== b && (chosen ? chosen.has(a) || chosen.has(b) : a >= 0 && b >= 0);
  const lines: Line[] = [];
  for (let row = 0; row <= height; row++)
    for (const [from, to] of runs(width, (column) => isEdge(at(row - 1, column), at(row, column)))) lines.push([row, from, row, to]);
  for (let column = 0; column <= width; column++)
    for (const [from, to] of runs(height, (row) => isEdge(at(row, column - 1), at(row, column)))) lines.push([from, column, to, column]);
  return lines;
}

/** Runs of 0 … n−1 that hold, from the first to after the last. */
function runs(n: number, holds: (i: number) => boolean): (readonly [from: number, to: number])[] {
  const found: (readonly [number, number])[] = [];
  let from = -1;
  for (let i = 0; i <= n; i++) {
    const isIn = i < n && holds(i);
    if (isIn && from < 0) from = i;
    if (isIn || from < 0) continue;
    found.push([from, i]);
    from = -1;
  }
  return found;
}
