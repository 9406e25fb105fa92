import { fontSize, widthOf } from "./text.ts";

interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}
/** A text and where it was put: `x` is its left end, `y` its baseline; `leader` joins it to its point where they are apart. */
export interface PlacedText extends Box {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly leader: readonly [x1: number, y1: number, x2: number, y2: number] | null;
}
interface Point {
  readonly x: number;
  readonly y: number;
}

const [dot, height, padding] = [4, fontSize, 2];
const distances = [dot + 3, 14, 22, 32, 44, 58, 74, 92, 112, 134];
/** Right, left, above, below, then between them. */
const directions = [0, 180, 270, 90, 315, 225, 45, 135, 337, 202, 22, 158, 292, 247, 67, 112].map((degrees) => (degrees * Math.PI) / 180);

/**
 * Places numbers beside their points, in pixels, so that none covers another or a point: next to its point where there is room, farther away
 * with a line to it where there is none. Points that lie on each other share one text ("2, 5–7").
 * @param others points that have no number and are not to be covered
 */
export function placedNumbers(
  points: readonly (Point & { readonly number: number })[],
  others: readonly Point[],
  bounds: Box,
): PlacedText[] {
  const dots = [...points, ...others].map(({ x, y }) => ({ left: x - dot, right: x + dot, top: y - dot, bottom: y + dot }));
  const placed: PlacedText[] = [];
  for (const { x, y, numbers } of coinciding(points)) {
    const text = ranges(numbers);
    const candidates = distances.flatMap((distance) => directions.map((angle) => candidate(text, { x, y }, distance, angle)));
    const cost = (one: PlacedText): number => {
      const outside = one.left < bounds.left || one.right > bounds.right || one.top < bounds.top || one.bottom > bounds.bottom;
      const covered = [...placed, ...dots].filter((box) => overlaps(one, box)).length;
      return (outside ? 100 : 0) + covered;
    };
    placed.push(candidates.find((one) => cost(one) === 0) ?? candidates.reduce((best, one) => (cost(one) < cost(best) ? one : best)));
  }
  return placed;
}

/** Points less than two pixels apart under one entry, in the order of their numbers. */
function coinciding(points: readonly (Point & { readonly number: number })[]): (Point & { readonly numbers: number[] })[] {
  const groups: (Point & { readonly numbers: number[] })[] = [];
  for (const { x, y, number } of points) {
    const same = groups.find((group) => Math.hypot(group.x - x, group.y - y) < 2);
    if (same) same.numbers.push(number);
    else groups.push({ x, y, numbers: [number] });
  }
  return groups;
}

/** 2, 5, 6, 7 → "2, 5–7". */
export function ranges(numbers: readonly number[]): string {
  const parts: [number, number][] = [];
  for (const number of numbers) {
    const last = parts.at(-1);
    if (last && number === last[1] + 1) last[1] = number;
    else parts.push([number, number]);
  }
  return parts.map(([from, to]) => (from === to ? String(from) : `${from}${to === from + 1 ? ", " : "–"}${to}`)).join(", ");
}

/** The text whose nearest edge is so far from the point in that direction. */
function candidate(text: string, { x, y }: Point, distance: number, angle: number): PlacedText {
  const [half, high] = [widthOf(text) / 2, height / 2];
  const [dx, dy] = [Math.cos(angle), Math.sin(angle)];
  const reach = Math.min(half / Math.max(Math.abs(dx), 1e-9), high / Math.max(Math.abs(dy), 1e-9));
  const [cx, cy] = [x + dx * (distance + reach), y + dy * (distance + reach)];
  const box = { left: cx - half - padding, right: cx + half + padding, top: cy - high - 1, bottom: cy + high + 1 };
  const leader = distance > 10 ? ([x + dx * dot, y + dy * dot, x + dx * (distance - 1), y + dy * (distance - 1)] as const) : null;
  return { text, x: cx - half, y: cy + high - 2, ...box, leader };
}

const overlaps = (a: Box, b: Box): boolean => a.left < b.right && a.right > b.left && a.top < b.bottom && a.bottom > b.top;
