import { BulwarkError } from "../../shared/errors.ts";
import type { VolumizerOptions } from "../define.ts";
import { type Images, tf } from "../tf.ts";
import { pixelsToBytes } from "./bytes.ts";
import { type Grid, gridOf, mirrored } from "./grid.ts";
import { inverse, lineSources, permuteRows } from "./permute.ts";
import { hasManyTies, type RankingRule, rankItems, withMeasureDefaults } from "./rank.ts";

export type { VolumizerOptions } from "../define.ts";
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
  const { perm, scores, reference } = rankItems(cut(bytes, height, width, channels, grid), withMeasureDefaults(o));
  return { Z: grid.Z, rows: grid.rows, columns: grid.columns, perm, scores, reference, manyTies: hasManyTies(scores) };
}

/** The slices of an HWC image in raster order; places beyond its border mirror those inside. */
function cut(bytes: Uint8Array, height: number, width: number, channels: number, grid: Grid): Uint8Array[] {
  const { sliceHeight, sliceWidth, columns } = grid;
  return Array.from({ length: grid.Z }, (_, i) => {
    const slice = new Uint8Array(sliceHeight * sliceWidth * channels);
    const [top, left] = [sliceHeight * Math.floor(i / columns), sliceWidth * (i % columns)];
    let at = 0;
    for (let y = 0; y < sliceHeight; y++) {
      const line = mirrored(top + y, height) * width;
      for (let x = 0; x < sliceWidth; x++) {
        const from = (line + mirrored(left + x, width)) * channels;
        for (let c = 0; c < channels; c++) slice[at++] = bytes[from + c] as number;
      }
    }
    return slice;
  });
}

/**
 * Images → volumes of ordered slices, [b,Z,p_h,p_w,C] (the paper's (p_h,p_w,C,Z) transposed), and the permutation of each image,
 * b·Z raster indices. Reads x to rank its slices. Differentiable: the order is piecewise constant, so the gradient is the inverse
 * permutation. The caller disposes the volume.
 */
export function volumize(x: Images, o: VolumizerOptions): { volume: tf.Tensor5D; perms: Int32Array } {
  const [b, height, width, channels] = x.shape;
  const grid = gridOf(height, width, o);
  const perms = rankBatch(pixelsToBytes(x.dataSync<"float32">()), b, [height, width, channels], grid, withMeasureDefaults(o));
  const volume = tf.tidy(() => {
    const lines = permuteRows(cover(x, grid).reshape([-1, grid.sliceWidth * channels]), lineSources(perms, b, grid));
    return lines.reshape([b, grid.Z, grid.sliceHeight, grid.sliceWidth, channels]) as tf.Tensor5D;
  });
  return { volume, perms };
}

function rankBatch(bytes: Uint8Array, b: number, shape: readonly [number, number, number], grid: Grid, rule: RankingRule): Int32Array {
  const [height, width, channels] = shape;
  const size = height * width * channels;
  const perms = new Int32Array(b * grid.Z);
  for (let n = 0; n < b; n++) {
    const slices = cut(bytes.subarray(n * size, (n + 1) * size), height, width, channels, grid);
    perms.set(rankItems(slices, rule).perm, n * grid.Z);
  }
  return perms;
}

/**
 * Volumes → images, bit-exact. `perms` are those that `volumize` gave. What was padded is cut off; a border that was dropped comes
 * back as zeros. Differentiable. The caller disposes.
 */
export function unvolumize(volume: tf.Tensor5D, perms: Int32Array, height: number, width: number): Images {
  const [b, Z, sliceHeight, sliceWidth, channels] = volume.shape;
  const patch = [sliceHeight, sliceWidth] as const;
  const grid = (["reflectPad", "drop"] as const).map((onRemainder) => gridOf(height, width, { patch, onRemainder })).find((g) => g.Z === Z);
  if (!grid || perms.length !== b * Z) {
    throw new BulwarkError(
      "PARAMETER_INVALID",
      `${b} volumes of ${Z} slices of ${sliceHeight}×${sliceWidth} with ${perms.length} indices are not ${height}×${width} images.`,
      "Use the size and the permutations of the images that were volumized.",
    );
  }
  return tf.tidy(() => {
    const lines = permuteRows(volume.reshape([-1, sliceWidth * channels]), inverse(lineSources(perms, b, grid)));
    return restore(lines.reshape([b, grid.paddedHeight, grid.paddedWidth, channels]) as Images, height, width);
  });
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
