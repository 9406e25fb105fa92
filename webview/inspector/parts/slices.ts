import type { PatchRanking } from "../../../src/shared/protocol.ts";

/** A slice at its place in the volume; places count from 1. */
export interface Place {
  readonly place: number;
  readonly slice: number;
  readonly score: number;
}

export const scoreOf = (ranking: PatchRanking, slice: number): number => Number(ranking.scores[slice] ?? Number.NaN);

export const placesOf = (ranking: PatchRanking): Place[] =>
  ranking.perm.map((slice, i) => ({ place: i + 1, slice, score: scoreOf(ranking, slice) }));

/** Slices whose place in the volume is another one: slice → its place before (from 1). */
export function movedSlices(clean: PatchRanking, attacked: PatchRanking): Map<number, number> {
  const moved = new Map<number, number>();
  for (const [place, slice] of attacked.perm.entries()) {
    const before = clean.perm.indexOf(slice);
    if (before !== place) moved.set(slice, before + 1);
  }
  return moved;
}

/** Patch sides that divide both sides of the image into 4 to 400 slices. */
export function divisors(height: number, width: number): number[] {
  const found: number[] = [];
  for (let p = 2; p <= Math.min(height, width) / 2; p++) {
    const slices = (height / p) * (width / p);
    if (height % p === 0 && width % p === 0 && slices >= 4 && slices <= 400) found.push(p);
  }
  return found;
}
