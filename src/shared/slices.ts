/** Which square slices an image can be cut into, and what is said of them. Shared by the engine and the panels. */

/** More slices than this are neither seen nor compared by a person. */
export const mostSlices = 1024;

/** Slices of side `side` on an image of height×width; the edges count where they are padded. */
export const slicesOf = (side: number, height: number, width: number): number => Math.ceil(height / side) * Math.ceil(width / side);

/** Sides that divide height and width into 2 to `mostSlices` slices, ascending. */
export function fittingSides(height: number, width: number): number[] {
  const found: number[] = [];
  for (let side = 1; side <= Math.min(height, width); side++) {
    const slices = slicesOf(side, height, width);
    if (height % side === 0 && width % side === 0 && slices >= 2 && slices <= mostSlices) found.push(side);
  }
  return found;
}

/** The largest side below `side` that fits, and the smallest above it. */
export function nearestSides(side: number, height: number, width: number): number[] {
  const sides = fittingSides(height, width);
  return [sides.findLast((p) => p < side), sides.find((p) => p > side)].filter((p) => p !== undefined);
}

/** The default: the largest slices of which there are at least 16, else the largest that fit; null when none fit. */
export function usualSide(height: number, width: number): number | null {
  const sides = fittingSides(height, width);
  return sides.findLast((p) => slicesOf(p, height, width) >= 16) ?? sides.at(-1) ?? null;
}

export interface Cut {
  readonly patch: number;
  readonly onRemainder: "error" | "reflectPad";
}
/** The usual side; where none divides the image, the largest of which at least 16 fit, with the edges padded. */
export function usualCut(height: number, width: number): Cut {
  const side = usualSide(height, width);
  if (side !== null) return { patch: side, onRemainder: "error" };
  return { patch: Math.max(1, Math.floor(Math.min(height, width) / 4)), onRemainder: "reflectPad" };
}

/** Sides of a slider: from the smallest that leaves no more than `mostSlices` up to half of the shorter side of the image. */
export function sideRange(height: number, width: number): { readonly min: number; readonly max: number } {
  const max = Math.max(1, Math.floor(Math.min(height, width) / 2));
  let min = 1;
  while (min < max && slicesOf(min, height, width) > mostSlices) min++;
  return { min, max };
}

/** How many of the slices of a volumized network have scores that the content of one slice changes. */
export interface Reach {
  readonly count: number;
  readonly reach: number;
}

/** What has to be said of it: null where every slice is judged on its own. */
export const reachNote = ({ reach, count }: Reach): string | null =>
  reach > 1 ? `one slice reaches ${reach} of ${count} slices, so no bound holds for what a change within one slice can do` : null;
