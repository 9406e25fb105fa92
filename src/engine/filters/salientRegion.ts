import { areaOf, closed, dilated, holesFilled, largestPart, opened, type Region } from "./morphology.ts";

export interface RegionSettings {
  /** Pixels of at least this percentile of the saliency begin the region. */
  readonly percentile: number;
  /** Every part of the region, in place of the largest alone. */
  readonly keepAll: boolean;
  /** Largest share of the image. */
  readonly maxArea: number;
}
export interface SalientRegion {
  /** What the region follows from: smooth, divided by its maximum. [H·W] */
  readonly saliency: Float32Array;
  /** Null where nothing is salient, or too much is. */
  readonly region: Region | null;
}

/**
 * Where a watermark or a patch may be: the most salient pixels, blurred over 3×3, joined by a closing with 5×5, freed of specks by an opening with
 * 3×3, holes filled, the largest part kept, and 2 more pixels around it (after Hayes 2018).
 * @param magnitudes saliency [H·W] of one image, not negative
 */
export function salientRegion(magnitudes: Float32Array, height: number, width: number, o: RegionSettings): SalientRegion {
  const smooth = blurred(magnitudes, height, width);
  const largest = smooth.reduce((most, value) => Math.max(most, value), 0);
  if (!(largest > 0)) return { saliency: new Float32Array(smooth.length), region: null };
  const saliency = Float32Array.from(smooth, (value) => value / largest);
  const least = percentile(saliency, o.percentile);
  const begun: Region = { height, width, pixels: Uint8Array.from(saliency, (value) => Number(value >= least)) };
  const whole = holesFilled(opened(closed(begun, 2), 1));
  const region = dilated(o.keepAll ? whole : largestPart(whole), 2);
  const area = areaOf(region);
  return { saliency, region: area > 0 && area <= o.maxArea * height * width ? region : null };
}

/** Means of 3×3, in double precision; beyond the edge the last values repeat. */
function blurred(values: Float32Array, height: number, width: number): Float64Array {
  const at = (row: number, column: number): number =>
    values[Math.min(height - 1, Math.max(0, row)) * width + Math.min(width - 1, Math.max(0, column))] as number;
  return Float64Array.from(values, (_, i) => {
    const [row, column] = [Math.floor(i / width), i % width];
    let sum = 0;
    for (let r = row - 1; r <= row + 1; r++) for (let c = column - 1; c <= column + 1; c++) sum += at(r, c);
    return sum / 9;
  });
}

/** Linear between the two nearest of the sorted values, as in NumPy. */
function percentile(values: Float32Array, percent: number): number {
  const sorted = values.slice().sort();
  const place = (percent / 100) * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(place)] as number, sorted[Math.ceil(place)] as number];
  return below + (above - below) * (place - Math.floor(place));
}
