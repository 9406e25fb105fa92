import { BulwarkError } from "../../shared/errors.ts";
import type { VolumizerOptions } from "../define/index.ts";

/**
 * How an image is cut: `rows`×`columns` slices of `sliceHeight`×`sliceWidth`, `stepDown` and `stepRight` pixels apart;
 * `paddedHeight`×`paddedWidth` is what they cover.
 */
export interface Grid {
  readonly sliceHeight: number;
  readonly sliceWidth: number;
  readonly stepDown: number;
  readonly stepRight: number;
  readonly rows: number;
  readonly columns: number;
  readonly Z: number;
  readonly paddedHeight: number;
  readonly paddedWidth: number;
}

export const sliceSize = (patch: VolumizerOptions["patch"]): readonly [number, number] =>
  typeof patch === "number" ? [patch, patch] : patch;

/**
 * Along each side ⌊(side − patch)/stride⌋ + 1 slices, which cover the image but for a remainder, and with reflectPad one more.
 * @throws BulwarkError PARAMETER_INVALID when the patch or the stride does not fit, or leaves a remainder and `onRemainder` is "error".
 */
export function gridOf(height: number, width: number, o: Pick<VolumizerOptions, "patch" | "stride" | "onRemainder">): Grid {
  const [sliceHeight, sliceWidth] = sliceSize(o.patch);
  const [stepDown, stepRight] = o.stride ? [o.stride, o.stride] : [sliceHeight, sliceWidth];
  const size = `${sliceHeight}×${sliceWidth}`;
  const refuse = (message: string, fix: string) => new BulwarkError("PARAMETER_INVALID", message, fix);
  if (![sliceHeight, sliceWidth].every((side) => Number.isInteger(side) && side >= 1))
    throw refuse(`A patch of ${size} pixels is no patch.`, "Use whole numbers ≥ 1.");
  if (sliceHeight > height || sliceWidth > width)
    throw refuse(`A patch of ${size} is too large for an image of ${height}×${width}.`, "Use a smaller patch.");
  if (!Number.isInteger(stepDown) || stepDown < 1)
    throw refuse(`A stride of ${stepDown} pixels is no stride.`, "Use a whole number ≥ 1, or 0 for slices side by side.");
  if (stepDown > sliceHeight || stepRight > sliceWidth) {
    throw refuse(
      `A stride of ${stepDown} leaves pixels between patches of ${size} that no slice would see.`,
      `Use a stride from 1 to ${Math.min(sliceHeight, sliceWidth)}, or 0 for slices side by side.`,
    );
  }
  const hasRemainder = (height - sliceHeight) % stepDown !== 0 || (width - sliceWidth) % stepRight !== 0;
  if (hasRemainder && o.onRemainder === "error") throw remainder(height, width, { sliceHeight, sliceWidth, stepDown, stepRight });
  const count = o.onRemainder === "reflectPad" ? Math.ceil : Math.floor;
  const rows = count((height - sliceHeight) / stepDown) + 1;
  const columns = count((width - sliceWidth) / stepRight) + 1;
  const [paddedHeight, paddedWidth] = [(rows - 1) * stepDown + sliceHeight, (columns - 1) * stepRight + sliceWidth];
  return { sliceHeight, sliceWidth, stepDown, stepRight, rows, columns, Z: rows * columns, paddedHeight, paddedWidth };
}

/** Slices that do not end where the image does: which patch or which stride would. */
function remainder(height: number, width: number, cut: Pick<Grid, "sliceHeight" | "sliceWidth" | "stepDown" | "stepRight">): BulwarkError {
  const { sliceHeight, sliceWidth, stepDown, stepRight } = cut;
  const size = `${sliceHeight}×${sliceWidth}`;
  const overlap = stepDown !== sliceHeight || stepRight !== sliceWidth;
  const up = (sides: readonly number[]): string => (sides.length > 0 ? ` (${sides.join(", ")})` : "");
  const from = (first: number, last: number, fits: (n: number) => boolean): number[] =>
    Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i).filter(fits);
  const patches = from(2, Math.min(height, width) - 1, (side) => height % side === 0 && width % side === 0);
  const strides = from(1, Math.min(sliceHeight, sliceWidth), (n) => (height - sliceHeight) % n === 0 && (width - sliceWidth) % n === 0);
  return new BulwarkError(
    "PARAMETER_INVALID",
    overlap
      ? `Patches of ${size}, ${stepDown} pixels apart, do not end where an image of ${height}×${width} does.`
      : `Patches of ${size} do not divide an image of ${height}×${width}.`,
    `Use a ${overlap ? `stride that does${up(strides)}` : `patch that does${up(patches)}`}, or set onRemainder to reflectPad or drop.`,
  );
}

/** Index that a place in the padded image mirrors (…, 2, 1, 0, 1, 2, … at the far border, the edge itself not repeated). */
const mirrored = (place: number, size: number): number => (place < size ? place : 2 * (size - 1) - place);

/**
 * Where the values of all slices, in raster order, lie in an HWC image: Z·p_h·p_w·C indices. Places beyond the image's border mirror
 * those inside.
 */
export function sliceSources(height: number, width: number, channels: number, grid: Grid): Int32Array {
  const { sliceHeight, sliceWidth, stepDown, stepRight, columns, Z } = grid;
  const sources = new Int32Array(Z * sliceHeight * sliceWidth * channels);
  let at = 0;
  for (let slice = 0; slice < Z; slice++) {
    const [top, left] = [stepDown * Math.floor(slice / columns), stepRight * (slice % columns)];
    for (let y = top; y < top + sliceHeight; y++) {
      for (let x = left; x < left + sliceWidth; x++) {
        const pixel = mirrored(y, height) * width + mirrored(x, width);
        for (let c = 0; c < channels; c++) sources[at++] = pixel * channels + c;
      }
    }
  }
  return sources;
}

/** One view per slice of the buffer `slices`: refilling the buffer refills them all. */
export function sliceViews(slices: Uint8Array, Z: number): Uint8Array[] {
  const size = slices.length / Z;
  return Array.from({ length: Z }, (_, i) => slices.subarray(i * size, (i + 1) * size));
}
