import { BulwarkError } from "../../shared/errors.ts";
import type { VolumizerOptions } from "../define/index.ts";
import { pixelToByte } from "../pixels.ts";
import { dependentRead, type Images, tf } from "../tf.ts";
import { type Grid, gridOf, sliceSources, sliceViews } from "./grid.ts";
import { addRows, returnRows, rowPixels, rowSources } from "./permute.ts";
import { hasManyTies, type RankingRule, rankItems, withMeasureDefaults } from "./rank.ts";

export type { VolumizerOptions } from "../define/index.ts";
export { scoreJson } from "./rank.ts";

/** The slices of one image and their order. */
export interface Ranking {
  readonly Z: number;
  readonly rows: number;
  readonly columns: number;
  /** Position in the volume → raster index. */
  readonly perm: Int32Array;
  /** By raster index. */
  readonly scores: Float64Array;
  /** Raster index of the slice that distances are taken to; null for a standalone measure. */
  readonly reference: number | null;
  /** More than half of the slices share their score with another. */
  readonly manyTies: boolean;
}

/**
 * Cuts one image (HWC bytes) into slices in raster order and orders them by the measure.
 * @throws BulwarkError PARAMETER_INVALID when the patch does not fit the image.
 */
export function rankSlices(bytes: Uint8Array, height: number, width: number, channels: number, o: VolumizerOptions): Ranking {
  const grid = gridOf(height, width, o);
  const slices = Uint8Array.from(sliceSources(height, width, channels, grid), (source) => bytes[source] as number);
  const { perm, scores, reference } = rankItems(sliceViews(slices, grid.Z), withMeasureDefaults(o));
  return { Z: grid.Z, rows: grid.rows, columns: grid.columns, perm, scores, reference, manyTies: hasManyTies(scores) };
}

/**
 * Images → volumes of ordered slices, [b,Z,p_h,p_w,C] (the paper's (p_h,p_w,C,Z) transposed), and the permutation of each image,
 * b·Z raster indices. Reads x to rank its slices. Differentiable: the order is piecewise constant, so the gradient puts the pixels back to
 * their places and, where slices overlap, adds the copies of each. The caller disposes the volume.
 */
export function volumize(x: Images, o: VolumizerOptions): { volume: tf.Tensor5D; perms: Int32Array } {
  const [b, height, width, channels] = x.shape;
  const grid = gridOf(height, width, o);
  return tf.tidy(() => {
    const covered = cover(x, grid);
    const { values, perms } = ordered(dependentRead(covered), b, channels, grid, withMeasureDefaults(o));
    const shape: [number, number, number, number, number] = [b, grid.Z, grid.sliceHeight, grid.sliceWidth, channels];
    const permute = tf.customGrad(() => ({
      value: tf.tensor5d(values, shape), // the pixels were read anyway: putting them in order here is cheaper than a gather
      gradFunc: (dy: tf.Tensor) => sumOfCopies(dy, perms, grid, covered.shape),
    }));
    return { volume: permute(covered) as tf.Tensor5D, perms };
  });
}

/** The values of b images that the grid covers exactly, slice by slice in their order, and the orders. */
function ordered(
  pixels: Float32Array,
  b: number,
  channels: number,
  grid: Grid,
  rule: RankingRule,
): { values: Float32Array; perms: Int32Array } {
  const { Z } = grid;
  const sources = sliceSources(grid.paddedHeight, grid.paddedWidth, channels, grid);
  const [size, sliceLength] = [sources.length, sources.length / Z];
  const imageSize = grid.paddedHeight * grid.paddedWidth * channels;
  const slices = new Uint8Array(size);
  const views = sliceViews(slices, Z);
  const values = new Float32Array(b * size);
  const perms = new Int32Array(b * Z);
  for (let n = 0; n < b; n++) {
    const start = n * imageSize;
    if (rule.order !== "raster")
      // nothing is to be compared then
      for (let i = 0; i < size; i++) slices[i] = pixelToByte(pixels[start + (sources[i] as number)] as number);
    const perm = rule.order === "raster" ? Int32Array.from(views.keys()) : rankItems(views, rule).perm;
    perms.set(perm, n * Z);
    let at = n * size;
    for (let z = 0; z < Z; z++) {
      const first = (perm[z] as number) * sliceLength;
      for (let i = first; i < first + sliceLength; i++) values[at++] = pixels[start + (sources[i] as number)] as number;
    }
  }
  return { values, perms };
}

/**
 * Volumes → images, bit-exact; where slices overlap and differ, the mean of a pixel's copies. `perms` are those that `volumize` gave, and
 * so is `stride`, 0 for slices side by side. What was padded is cut off; a border that was dropped comes back as zeros. Differentiable. The
 * caller disposes.
 */
export function unvolumize(volume: tf.Tensor5D, perms: Int32Array, height: number, width: number, stride = 0): Images {
  const [b, Z, sliceHeight, sliceWidth, channels] = volume.shape;
  const patch = [sliceHeight, sliceWidth] as const;
  const rules = ["reflectPad", "drop"] as const;
  const grid = rules.map((onRemainder) => gridOf(height, width, { patch, stride, onRemainder })).find((g) => g.Z === Z);
  if (!grid || perms.length !== b * Z) {
    throw new BulwarkError(
      "PARAMETER_INVALID",
      `${b} volumes of ${Z} slices of ${sliceHeight}×${sliceWidth} with ${perms.length} indices are not ${height}×${width} images.`,
      "Use the size and the permutations of the images that were volumized.",
    );
  }
  return tf.tidy(() => {
    const shape: Images["shape"] = [b, grid.paddedHeight, grid.paddedWidth, channels];
    const rows = volume.reshape([-1, rowPixels(grid) * channels]);
    return restore(returnRows(rows, rowSources(perms, b, grid), rowCount(shape, grid)).reshape(shape), height, width);
  });
}

const rowCount = ([b, height, width]: Images["shape"], grid: Grid): number => (b * height * width) / rowPixels(grid);

/** The transpose of V: pixels of slices at their places in images of `shape`, copies added. Differentiable as often as one likes. */
function sumOfCopies(volume: tf.Tensor, perms: Int32Array, grid: Grid, shape: Images["shape"]): tf.Tensor {
  const rows = volume.reshape([-1, rowPixels(grid) * shape[3]]);
  return addRows(rows, rowSources(perms, shape[0], grid), rowCount(shape, grid)).reshape(shape);
}

/** Crops or mirrors at the bottom and the right until the slices cover the image exactly. */
function cover(x: Images, grid: Grid): Images {
  const along = (image: Images, axis: 1 | 2, size: number): Images => {
    const have = image.shape[axis];
    const begin = [0, 0, 0, 0];
    const extent = [-1, -1, -1, -1];
    if (size < have) {
      extent[axis] = size;
      return image.slice(begin, extent);
    }
    if (size === have) return image;
    begin[axis] = 2 * have - 1 - size;
    extent[axis] = size - have;
    return tf.concat([image, image.slice(begin, extent).reverse(axis)], axis);
  };
  return along(along(x, 1, grid.paddedHeight), 2, grid.paddedWidth);
}

function restore(x: Images, height: number, width: number): Images {
  const [, h, w] = x.shape;
  const cropped = h > height || w > width ? x.slice([0, 0, 0, 0], [-1, Math.min(h, height), Math.min(w, width), -1]) : x;
  if (h >= height && w >= width) return cropped;
  return cropped.pad([
    [0, 0],
    [0, Math.max(0, height - h)],
    [0, Math.max(0, width - w)],
    [0, 0],
  ]);
}
