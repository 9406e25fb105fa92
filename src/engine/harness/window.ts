/**
 * Sets back what lies outside the square of side `side` that holds most changed pixels (the first of equals), in place. Nothing happens
 * where all changes fit into one.
 */
export function keepWindow(
  image: Float32Array,
  original: Float32Array,
  side: number,
  [height, width, channels]: readonly [number, number, number],
): void {
  const changed = (pixel: number): boolean => {
    for (let c = pixel * channels; c < (pixel + 1) * channels; c++) if (image[c] !== original[c]) return true;
    return false;
  };
  const sums = integral(changed, height, width);
  const total = sums[sums.length - 1] as number;
  const best = { top: 0, left: 0, count: -1 };
  for (let top = 0; top <= Math.max(0, height - side); top++) {
    for (let left = 0; left <= Math.max(0, width - side); left++) {
      const [bottom, right] = [Math.min(height, top + side), Math.min(width, left + side)];
      const at = (y: number, x: number): number => sums[y * (width + 1) + x] as number;
      const count = at(bottom, right) - at(top, right) - at(bottom, left) + at(top, left);
      if (count > best.count) Object.assign(best, { top, left, count });
    }
  }
  if (best.count === total) return;
  for (let pixel = 0; pixel < height * width; pixel++) {
    const [y, x] = [Math.floor(pixel / width), pixel % width];
    const isInside = y >= best.top && y < best.top + side && x >= best.left && x < best.left + side;
    if (!isInside) image.set(original.subarray(pixel * channels, (pixel + 1) * channels), pixel * channels);
  }
}

/** Number of changed pixels above and to the left of every corner, [(H+1)·(W+1)]. */
function integral(changed: (pixel: number) => boolean, height: number, width: number): Int32Array {
  const sums = new Int32Array((height + 1) * (width + 1));
  for (let y = 0; y < height; y++) {
    let line = 0;
    for (let x = 0; x < width; x++) {
      if (changed(y * width + x)) line++;
      sums[(y + 1) * (width + 1) + x + 1] = (sums[y * (width + 1) + x + 1] as number) + line;
    }
  }
  return sums;
}
