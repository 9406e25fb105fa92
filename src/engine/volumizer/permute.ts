import { tf } from "../tf.ts";
import type { Grid } from "./grid.ts";

/**
 * Images [b,H,W,C] seen as rows of so many pixels make the volumizer one gather of rows: as long as possible, so that every line of a slice
 * begins with a row and ends with one.
 */
export const rowPixels = ({ sliceWidth, stepRight }: Grid): number => greatestDivisor(sliceWidth, stepRight);

const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b));

/** For every row of the volumes of b images, the row of the images that it is. */
export function rowSources(perms: Int32Array, b: number, grid: Grid): Int32Array {
  const { Z, sliceHeight, sliceWidth, stepDown, stepRight, columns, paddedHeight, paddedWidth } = grid;
  const pixels = rowPixels(grid);
  const across = sliceWidth / pixels;
  const line = paddedWidth / pixels;
  const sources = new Int32Array(b * Z * sliceHeight * across);
  let at = 0;
  for (let n = 0; n < b; n++) {
    for (let z = 0; z < Z; z++) {
      const slice = perms[n * Z + z] as number;
      const top = n * paddedHeight + stepDown * Math.floor(slice / columns);
      const left = (stepRight / pixels) * (slice % columns);
      for (let y = 0; y < sliceHeight; y++) for (let x = 0; x < across; x++) sources[at++] = (top + y) * line + left + x;
    }
  }
  return sources;
}

/** Row i of the result is row sources[i] of x, [rows,n]; every row of x is in it at least once. Differentiable as often as one likes. */
function gatherRows(x: tf.Tensor, sources: Int32Array): tf.Tensor {
  const rows = x.shape[0] as number;
  const gather = tf.customGrad((input) => ({
    value: tf.gather(input as tf.Tensor, tf.tensor1d(sources, "int32")),
    gradFunc: (dy) => addRows(dy as tf.Tensor, sources, rows),
  }));
  return gather(x);
}

/** The transpose of `gatherRows`: row r of the result is the sum of the rows of y that are copies of row r. */
export function addRows(y: tf.Tensor, sources: Int32Array, rows: number): tf.Tensor {
  const add = tf.customGrad((input) => {
    const { first, others } = copiesOf(input as tf.Tensor, sources, rows);
    return {
      value: tf.addN([first, ...others.map(({ copy, isThere }) => tf.mul(copy, isThere))]),
      gradFunc: (dy) => gatherRows(dy as tf.Tensor, sources),
    };
  });
  return add(y);
}

/**
 * Puts rows back to where they were gathered from: row r of the result is the mean of its copies and, where these are equal, their very
 * bits. Differentiable as often as one likes.
 */
export function returnRows(y: tf.Tensor, sources: Int32Array, rows: number): tf.Tensor {
  const restore = tf.customGrad((input) => {
    const { first, others, counts } = copiesOf(input as tf.Tensor, sources, rows);
    const share = (): tf.Tensor2D =>
      tf.tensor2d(
        Float32Array.from(counts, (count) => 1 / count),
        [rows, 1],
      );
    // first + mean(copy − first): nothing is rounded where all are equal
    const beyond = others.map(({ copy, isThere }) => tf.mul(tf.sub(copy, first), isThere));
    return {
      value: beyond.length === 0 ? first : tf.add(first, tf.mul(tf.addN(beyond), share())),
      gradFunc: (dy) => gatherRows(beyond.length === 0 ? (dy as tf.Tensor) : tf.mul(dy as tf.Tensor, share()), sources),
    };
  });
  return restore(y);
}

interface Copies {
  readonly first: tf.Tensor;
  /** The second copies of all rows, the third, …; `isThere` [rows,1] is 0 for a row that has no such copy. */
  readonly others: readonly { readonly copy: tf.Tensor; readonly isThere: tf.Tensor2D }[];
  /** By row. */
  readonly counts: Int32Array;
}

/** The copies that rows of an image have among rows of its volume. */
function copiesOf(y: tf.Tensor, sources: Int32Array, rows: number): Copies {
  const counts = new Int32Array(rows);
  const places: Int32Array[] = [];
  sources.forEach((row, place) => {
    const copy = counts[row] as number;
    counts[row] = copy + 1;
    places[copy] ??= Int32Array.from(places[0] ?? new Int32Array(rows)); // a row without such a copy gathers its first one, times 0
    (places[copy] as Int32Array)[row] = place;
  });
  const taken = places.map((at) => tf.gather(y, tf.tensor1d(at, "int32")));
  const others = taken.slice(1).map((copy, i) => ({
    copy,
    isThere: tf.tensor2d(
      Float32Array.from(counts, (count) => (count > i + 1 ? 1 : 0)),
      [rows, 1],
    ),
  }));
  return { first: taken[0] as tf.Tensor, others, counts };
}
