import type { HostImage } from "./lab.ts";

/**
 * Superpixels in connected pieces, as scikit-image has them: in raster order, a piece of less than half the usual size joins one beside it,
 * and one of three times that size is cut.
 * @param usual pixels that a superpixel has on average
 */
export function connected(segments: Int32Array, { height, width }: Pick<HostImage, "height" | "width">, usual: number): Int32Array {
  const [least, most] = [Math.floor(usual / 2), Math.floor(3 * usual)];
  const result = new Int32Array(segments.length).fill(-1);
  let label = 0;
  for (let start = 0; start < segments.length; start++) {
    if (result[start] !== -1) continue;
    const { pixels, beside } = piece(start, segments, { result, label, most, height, width });
    if (pixels.length >= least) label++;
    else for (const p of pixels) result[p] = beside;
  }
  return result;
}

interface Search {
  readonly result: Int32Array;
  readonly label: number;
  readonly most: number;
  readonly height: number;
  readonly width: number;
}
/** Labels a connected piece, breadth first. `beside` is the label of one that it touches; its own where there is none. */
function piece(start: number, segments: Int32Array, { result, label, most, height, width }: Search) {
  const pixels = [start];
  let beside = label;
  result[start] = label;
  for (let visited = 0; visited < pixels.length && pixels.length < most; visited++) {
    const p = pixels[visited] as number;
    const column = p % width;
    const neighbours = [column + 1 < width ? p + 1 : -1, column > 0 ? p - 1 : -1, p + width < height * width ? p + width : -1, p - width];
    for (const q of neighbours) {
      if (q < 0) continue;
      const known = result[q] as number;
      if (known === -1 && segments[q] === segments[start]) {
        result[q] = label;
        pixels.push(q);
        if (pixels.length >= most) break;
      } else if (known !== -1 && known !== label) beside = known;
    }
  }
  return { pixels, beside };
}
