import type { PatchRanking } from "../../../src/shared/protocol.ts";
import { nearestSides, slicesOf } from "../../../src/shared/slices.ts";
import type { RankingSettings } from "./rankingFlow.ts";

/** A slice at its place in the volume; places count from 1. */
export interface Place {
  readonly place: number;
  readonly slice: number;
  readonly score: number;
}

export const scoreOf = (ranking: PatchRanking, slice: number): number => Number(ranking.scores[slice] ?? Number.NaN);

export const placesOf = (ranking: PatchRanking): Place[] =>
  ranking.perm.map((slice, i) => ({ place: i + 1, slice, score: scoreOf(ranking, slice) }));

/** Slices whose place in the volume is another one: slice → its place in `from` (from 1). */
export function movedSlices(from: PatchRanking, to: PatchRanking): Map<number, number> {
  const moved = new Map<number, number>();
  const before = new Map(from.perm.map((slice, place) => [slice, place]));
  for (const [place, slice] of to.perm.entries()) {
    const was = before.get(slice);
    if (was !== undefined && was !== place) moved.set(slice, was + 1);
  }
  return moved;
}

/** The slice that holds a pixel of the image; null outside of all slices. */
export function sliceAt({ patch, columns, rows }: PatchRanking, row: number, column: number): number | null {
  const [y, x] = [Math.floor(row / patch), Math.floor(column / patch)];
  return y < rows && x < columns ? y * columns + x : null;
}

export type ImageSize = readonly [height: number, width: number];

/** Why an image cannot be cut as asked, and the sizes next to it that can; null when it can. */
export interface CutProblem {
  readonly message: string;
  readonly sides: readonly number[];
  readonly canPad: boolean;
}
export function cutProblem({ patch, onRemainder }: RankingSettings, [height, width]: ImageSize): CutProblem | null {
  const isWhole = height % patch === 0 && width % patch === 0;
  if (isWhole || onRemainder === "reflectPad") return null;
  const sides = nearestSides(patch, height, width);
  if (patch > Math.min(height, width))
    return { message: `A slice of ${patch} × ${patch} is larger than the image of ${width} × ${height} pixels.`, sides, canPad: false };
  const left = [
    [height % patch, "row"],
    [width % patch, "column"],
  ] as const;
  const rest = left.flatMap(([n, name]) => (n === 0 ? [] : [`${n} ${name}${n === 1 ? "" : "s"} of pixels`])).join(" and ");
  return {
    message: `Slices of ${patch} × ${patch} do not divide ${width} × ${height} pixels: ${rest} would be left over.`,
    sides,
    canPad: true,
  };
}

/** "7 × 7, 16 slices" */
export const cutText = (patch: number, [height, width]: ImageSize): string =>
  `${patch} × ${patch}, ${slicesOf(patch, height, width)} slices`;

/** Unit of a measure's scores, for the axis. */
const units: Readonly<Record<string, string>> = {
  entropy: "bits",
  jointEntropy: "bits",
  mutualInformation: "bits",
  klDivergence: "bits",
  psnr: "dB",
  mse: "grey levels²",
  maxNorm: "grey levels",
};
export const unitOf = (measure: string): string | undefined => units[measure];
