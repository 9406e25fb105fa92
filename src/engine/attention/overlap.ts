import type { Box } from "../define/index.ts";

/** Cells of the grid that paper 2 counts on, 8×8: numbers of cells on other grids are the same share of them. */
const paperCells = 64;

/** As many of `total` cells as `wanted` is of the paper's 64: max(1, wanted·total/64, rounded half up). */
export const scaledCells = (wanted: number, total: number): number => Math.max(1, Math.floor((wanted * total) / paperCells + 0.5));

/**
 * Expected IoU of two random sets of k of n cells. The number j of common cells is hypergeometric, C(k,j)·C(n−k,k−j)/C(n,k), and the IoU
 * is j/(2k−j).
 */
export function randomOverlap(k: number, n: number): number {
  const fewest = Math.max(0, 2 * k - n);
  const weights: number[] = []; // of P(j), relative to the largest, from ratios of neighbours in logarithms
  let log = 0;
  for (let j = fewest; j <= k; j++) {
    weights.push(log);
    log += 2 * Math.log(k - j) - Math.log(j + 1) - Math.log(n - 2 * k + j + 1);
  }
  const largest = Math.max(...weights);
  let [total, sum] = [0, 0];
  for (const [at, weight] of weights.entries()) {
    const p = Math.exp(weight - largest);
    const j = fewest + at;
    total += p;
    sum += (p * j) / (2 * k - j);
  }
  return sum / total;
}

/** Pixels whose middle lies in one of the boxes, 1 inside and 0 outside, [H·W]. What lies outside the image does not count. */
export function boxArea(boxes: readonly Box[], [height, width]: readonly [height: number, width: number, ...rest: number[]]): Uint8Array {
  const area = new Uint8Array(height * width);
  for (const { xmin, xmax, ymin, ymax } of boxes)
    for (let y = firstIn(ymin); y < Math.min(height, firstIn(ymax)); y++)
      area.fill(1, y * width + Math.min(width, firstIn(xmin)), y * width + Math.max(0, Math.min(width, firstIn(xmax))));
  return area;
}
/** How many of the boxes have no pixel of the image: they lie outside it, or are smaller than a pixel. */
export const boxesOutside = (boxes: readonly Box[], shape: readonly [height: number, width: number, ...rest: number[]]): number =>
  boxes.filter((box) => !boxArea([box], shape).includes(1)).length;

/** The first pixel whose middle lies at `edge` or behind it. */
const firstIn = (edge: number): number => Math.max(0, Math.ceil(edge - 0.5));

/** Mean of a map [H·W] over each cell of a grid laid over it, [rows·columns]; a pixel that cells share counts for each with its part. */
export function meanOnGrid(
  map: ArrayLike<number>,
  [height, width]: readonly [height: number, width: number, ...rest: number[]],
  [rows, columns]: readonly [rows: number, columns: number],
): Float32Array {
  const [down, across] = [parts(height, rows), parts(width, columns)];
  const grid = new Float32Array(rows * columns);
  for (const [row, ys] of down.entries())
    for (const [column, xs] of across.entries()) {
      let sum = 0;
      for (const y of ys) for (const x of xs) sum += y.part * x.part * (map[y.at * width + x.at] as number);
      grid[row * columns + column] = (sum * rows * columns) / (height * width);
    }
  return grid;
}

/** For each of `count` equal stretches of `size` pixels: the pixels it touches, and how much of each. */
function parts(size: number, count: number): { readonly at: number; readonly part: number }[][] {
  return Array.from({ length: count }, (_, i) => {
    const [from, to] = [(i * size) / count, ((i + 1) * size) / count];
    const first = Math.floor(from);
    return Array.from({ length: Math.ceil(to) - first }, (_, j) => {
      const at = first + j;
      return { at, part: Math.min(to, at + 1) - Math.max(from, at) };
    });
  });
}
