import type { PatchPlacement } from "../../shared/patch.ts";
import type { ImageShape, Patch } from "./patch.ts";
import { turn } from "./placement.ts";

/**
 * Where each pixel of an image gets its colour from when a patch lies on it: the bilinear weights of four cells of the
 * patch, each times the mask there. out = (1 − w)·x + Σ weight·p with w = Σ weight, so a cell outside the mask never shows.
 */
export interface Warp {
  /** Touched pixels y·W + x, and four cells i·w + j of each with their weights (0 for a cell that is none). */
  readonly pixels: Int32Array;
  readonly cells: Int32Array;
  readonly weights: Float32Array;
  /** w of each touched pixel, in (0,1]. */
  readonly alpha: Float32Array;
}

/** Nothing is left of rounding errors where the middle of a pixel meets the middle of a cell. */
const snap = (value: number): number => (Math.abs(value - Math.round(value)) < 1e-9 ? Math.round(value) : value);

/** The warp of a patch at a place on an image. Rotation is counter-clockwise as one sees it, so the patch is read by the inverse turn. */
export function warpOf(patch: Patch, placement: PatchPlacement, image: ImageShape): Warp {
  const { row, column, rotation, scale } = placement;
  const [cos, sin] = turn(rotation);
  const [top, bottom, left, right] = touched(patch, placement, image);
  const most = Math.max(0, bottom - top) * Math.max(0, right - left);
  const warp = { pixels: new Int32Array(most), cells: new Int32Array(4 * most), weights: new Float32Array(4 * most) };
  const alpha = new Float32Array(most);
  let n = 0;
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const [dy, dx] = [y + 0.5 - row, x + 0.5 - column];
      const i = snap((dx * sin + dy * cos) / scale + patch.height / 2 - 0.5);
      const j = snap((dx * cos - dy * sin) / scale + patch.width / 2 - 0.5);
      if (i <= -1 || j <= -1 || i >= patch.height || j >= patch.width) continue;
      const w = bilinear(patch, i, j, warp, 4 * n);
      if (w <= 0) continue;
      warp.pixels[n] = y * image[1] + x;
      alpha[n++] = Math.min(1, w);
    }
  }
  return {
    pixels: warp.pixels.slice(0, n),
    cells: warp.cells.slice(0, 4 * n),
    weights: warp.weights.slice(0, 4 * n),
    alpha: alpha.slice(0, n),
  };
}

/** Writes the four cells around (i, j) with their masked weights; gives the sum of the weights. */
function bilinear(patch: Patch, i: number, j: number, into: Pick<Warp, "cells" | "weights">, at: number): number {
  const [top, left] = [Math.floor(i), Math.floor(j)];
  const [down, across] = [i - top, j - left];
  let sum = 0;
  for (let k = 0; k < 4; k++) {
    const [y, x] = [top + (k >> 1), left + (k & 1)];
    const isInside = y >= 0 && x >= 0 && y < patch.height && x < patch.width;
    const cell = isInside ? y * patch.width + x : 0;
    const share = (k >> 1 ? down : 1 - down) * (k & 1 ? across : 1 - across);
    const weight = isInside ? share * (patch.mask[cell] as number) : 0;
    into.cells[at + k] = cell;
    into.weights[at + k] = weight;
    sum += weight;
  }
  return sum;
}

/** Rows and columns of the image, [from, to), that the patch with one cell around it can touch. */
function touched(
  patch: Patch,
  { row, column, rotation, scale }: PatchPlacement,
  [height, width]: ImageShape,
): [number, number, number, number] {
  const [cos, sin] = turn(rotation).map(Math.abs) as [number, number];
  const [tall, wide] = [((patch.height + 1) * scale) / 2, ((patch.width + 1) * scale) / 2];
  const [rows, columns] = [tall * cos + wide * sin, tall * sin + wide * cos];
  const from = (middle: number, half: number): number => Math.max(0, Math.floor(middle - half - 0.5));
  const to = (middle: number, half: number, size: number): number => Math.min(size, Math.ceil(middle + half + 0.5));
  return [from(row, rows), to(row, rows, height), from(column, columns), to(column, columns, width)];
}

/** Pastes a patch of `channels` colours onto one image [H,W,C], in place. */
export function pasteInto(image: Float32Array, colours: ArrayLike<number>, warp: Warp, channels: number): void {
  for (let n = 0; n < warp.pixels.length; n++) {
    const at = (warp.pixels[n] as number) * channels;
    const keep = 1 - (warp.alpha[n] as number);
    for (let c = 0; c < channels; c++) {
      let colour = 0;
      for (let k = 4 * n; k < 4 * n + 4; k++)
        colour += (warp.weights[k] as number) * (colours[(warp.cells[k] as number) * channels + c] as number);
      image[at + c] = keep * (image[at + c] as number) + colour;
    }
  }
}

/** Adds to `sum` [h,w,C] what a gradient [H,W,C] with respect to one pasted image means for the patch: the same weights, read backwards. */
export function addGradient(sum: Float32Array, gradient: ArrayLike<number>, warp: Warp, channels: number, offset = 0): void {
  for (let n = 0; n < warp.pixels.length; n++) {
    const at = offset + (warp.pixels[n] as number) * channels;
    for (let k = 4 * n; k < 4 * n + 4; k++) {
      const weight = warp.weights[k] as number;
      if (weight === 0) continue;
      const cell = (warp.cells[k] as number) * channels;
      for (let c = 0; c < channels; c++) sum[cell + c] = (sum[cell + c] as number) + weight * (gradient[at + c] as number);
    }
  }
}
