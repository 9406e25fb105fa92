import { mirrored } from "../filters/border.ts";
import { gaussianKernel } from "../filters/gaussian.ts";
import { connected } from "./connected.ts";
import { type HostImage, labOf } from "./lab.ts";

const compactness = 10;
const iterations = 10;
/** Blur of one pixel's deviation, four of them wide on each side. */
const blur = gaussianKernel(9, 1);

/** Mean place and mean colour of a superpixel, and how many pixels it has. */
interface Center {
  row: number;
  column: number;
  readonly colour: Float64Array;
  pixels: number;
}

/**
 * Superpixels by SLIC (Achanta et al. 2012), about `count` of them: k-means over places and blurred Lab colours from a grid of step
 * S = ⌈√(HW/count)⌉ within ±2S of each center, with d² = ‖Δplace‖² + ‖ΔLab‖²·(S/10)². The first round goes by places alone, as in
 * scikit-image; what falls apart afterwards is cleaned up.
 * @returns the superpixel of each pixel [H·W], 0 … S−1
 */
export function slic(image: HostImage, count: number): Int32Array {
  const { height, width } = image;
  const side = Math.ceil(Math.sqrt((height * width) / count));
  const lab = blurred(labOf(image), image);
  const centers = grid(height, side).flatMap((row) =>
    grid(width, side).map((column): Center => ({ row, column, colour: new Float64Array(3), pixels: 0 })),
  );
  let segments = new Int32Array(height * width);
  for (let i = 0; i < iterations; i++) {
    const next = assigned(lab, image, { centers, side, segments, colourWeight: i === 0 ? 0 : (side / compactness) ** 2 });
    const isDone = i > 0 && next.every((segment, p) => segment === segments[p]);
    segments = next;
    if (isDone) break;
    moveCenters(centers, segments, lab, width);
  }
  return connected(segments, image, (height * width) / centers.length);
}

/** Places on an axis of n pixels: one at least. */
function grid(n: number, side: number): number[] {
  const start = Math.min(Math.floor(side / 2), Math.floor((n - 1) / 2));
  return Array.from({ length: Math.ceil((n - start) / side) }, (_, i) => start + i * side);
}

interface Round {
  readonly centers: readonly Center[];
  readonly side: number;
  /** Those before; a pixel that no center reaches stays with its own. */
  readonly segments: Int32Array;
  readonly colourWeight: number;
}
function assigned(
  lab: Float64Array,
  { height, width }: HostImage,
  { centers, side, segments, colourWeight }: Round,
): Int32Array<ArrayBuffer> {
  const nearest = new Float64Array(height * width).fill(Number.POSITIVE_INFINITY);
  const next = Int32Array.from(segments);
  centers.forEach(({ row, column, colour, pixels }, k) => {
    if (colourWeight > 0 && pixels === 0) return;
    const [l, a, b] = colour as unknown as [number, number, number];
    const [bottom, right] = [Math.min(row + 2 * side + 1, height), Math.min(column + 2 * side + 1, width)];
    for (let r = Math.max(0, Math.trunc(row - 2 * side)); r < Math.trunc(bottom); r++)
      for (let c = Math.max(0, Math.trunc(column - 2 * side)); c < Math.trunc(right); c++) {
        const p = r * width + c;
        const [dl, da, db] = [(lab[3 * p] as number) - l, (lab[3 * p + 1] as number) - a, (lab[3 * p + 2] as number) - b];
        const distance = (row - r) ** 2 + (column - c) ** 2 + colourWeight * (dl * dl + da * da + db * db);
        if (distance < (nearest[p] as number)) {
          nearest[p] = distance;
          next[p] = k;
        }
      }
  });
  return next;
}

/** Centers move to the means of their pixels. */
function moveCenters(centers: readonly Center[], segments: Int32Array, lab: Float64Array, width: number): void {
  for (const center of centers) {
    Object.assign(center, { row: 0, column: 0, pixels: 0 });
    center.colour.fill(0);
  }
  segments.forEach((segment, p) => {
    const center = centers[segment] as Center;
    center.row += Math.floor(p / width);
    center.column += p % width;
    center.pixels++;
    for (let c = 0; c < 3; c++) center.colour[c] = (center.colour[c] as number) + (lab[3 * p + c] as number);
  });
  for (const center of centers.filter(({ pixels }) => pixels > 0)) {
    center.row /= center.pixels;
    center.column /= center.pixels;
    for (let c = 0; c < 3; c++) center.colour[c] = (center.colour[c] as number) / center.pixels;
  }
}

/** Three channels convolved along both axes, borders mirrored. */
function blurred(values: Float64Array, { height, width }: HostImage): Float64Array {
  const along = (from: Float64Array, n: number, step: number): Float64Array => {
    const places = Array.from({ length: n }, (_, i) => blur.map((_, j) => mirrored(n, i + j - (blur.length - 1) / 2)));
    return from.map((_, i) => {
      const at = Math.floor(i / step) % n;
      const first = i - at * step;
      return blur.reduce((sum, weight, j) => sum + weight * (from[first + (places[at]?.[j] as number) * step] as number), 0);
    });
  };
  return along(along(values, height, 3 * width), width, 3);
}
