import { BulwarkError } from "../../shared/errors.ts";
import type { VolumizerOptions } from "../define/index.ts";

/** How an image is cut: `rows`×`columns` slices of `sliceHeight`×`sliceWidth`; `paddedHeight`×`paddedWidth` is what they cover. */
export interface Grid {
  readonly sliceHeight: number;
  readonly sliceWidth: number;
  readonly rows: number;
  readonly columns: number;
  readonly Z: number;
  readonly paddedHeight: number;
  readonly paddedWidth: number;
}

export const sliceSize = (patch: VolumizerOptions["patch"]): readonly [number, number] =>
  typeof patch === "number" ? [patch, patch] : patch;

/** @throws BulwarkError PARAMETER_INVALID when the patch does not fit, or leaves a remainder and `onRemainder` is "error". */
export function gridOf(height: number, width: number, o: Pick<VolumizerOptions, "patch" | "onRemainder">): Grid {
  const [sliceHeight, sliceWidth] = sliceSize(o.patch);
  if (![sliceHeight, sliceWidth].every((side) => Number.isInteger(side) && side >= 1))
    throw new BulwarkError("PARAMETER_INVALID", `A patch of ${sliceHeight}×${sliceWidth} pixels is no patch.`, "Use whole numbers ≥ 1.");
  if ((height % sliceHeight !== 0 || width % sliceWidth !== 0) && o.onRemainder === "error") {
    throw new BulwarkError(
      "PARAMETER_INVALID",
      `Patches of ${sliceHeight}×${sliceWidth} do not divide an image of ${height}×${width}.`,
      `Use a patch that does${commonDivisors(height, width)}, or set onRemainder to reflectPad or drop.`,
    );
  }
  const count = o.onRemainder === "reflectPad" ? Math.ceil : Math.floor;
  const rows = count(height / sliceHeight);
  const columns = count(width / sliceWidth);
  const [paddedHeight, paddedWidth] = [rows * sliceHeight, columns * sliceWidth];
  if (sliceHeight > height || sliceWidth > width) {
    throw new BulwarkError(
      "PARAMETER_INVALID",
      `A patch of ${sliceHeight}×${sliceWidth} is too large for an image of ${height}×${width}.`,
      "Use a smaller patch.",
    );
  }
  return { sliceHeight, sliceWidth, rows, columns, Z: rows * columns, paddedHeight, paddedWidth };
}

function commonDivisors(height: number, width: number): string {
  const sides: number[] = [];
  for (let side = 2; side < Math.min(height, width); side++) if (height % side === 0 && width % side === 0) sides.push(side);
  return sides.length > 0 ? ` (${sides.join(", ")})` : "";
}

/** Index that a place in the padded image mirrors (…, 2, 1, 0, 1, 2, … at the far border, the edge itself not repeated). */
const mirrored = (place: number, size: number): number => (place < size ? place : 2 * (size - 1) - place);

/**
 * Where the values of all slices, in raster order, lie in an HWC image: Z·p_h·p_w·C indices. Places beyond the image's border mirror
 * those inside.
 */
export function sliceSources(height: number, width: number, channels: number, grid: Grid): Int32Array {
  const { sliceHeight, sliceWidth, columns, Z } = grid;
  const sources = new Int32Array(Z * sliceHeight * sliceWidth * channels);
  let at = 0;
  for (let slice = 0; slice < Z; slice++) {
    const [top, left] = [sliceHeight * Math.floor(slice / columns), sliceWidth * (slice % columns)];
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
