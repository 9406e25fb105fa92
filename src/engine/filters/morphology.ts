/** Which pixels of an image belong to a region: 1 or 0 each, row by row. */
export interface Region {
  readonly height: number;
  readonly width: number;
  readonly pixels: Uint8Array;
}

export const areaOf = ({ pixels }: Region): number => pixels.reduce((sum, pixel) => sum + pixel, 0);

const inverted = (region: Region): Region => ({ ...region, pixels: region.pixels.map((pixel) => 1 - pixel) });

/** 1 wherever a 1 lies within `radius` rows and columns. */
export function dilated({ height, width, pixels }: Region, radius: number): Region {
  const wide = new Uint8Array(pixels.length);
  const all = new Uint8Array(pixels.length);
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++)
      if (pixels[row * width + column])
        wide.fill(1, row * width + Math.max(0, column - radius), row * width + Math.min(width, column + radius + 1));
  for (let row = 0; row < height; row++)
    for (let near = Math.max(0, row - radius); near < Math.min(height, row + radius + 1); near++)
      for (let column = 0; column < width; column++) if (wide[near * width + column]) all[row * width + column] = 1;
  return { height, width, pixels: all };
}

/** 0 wherever a 0 lies within `radius` rows and columns; beyond the image there are none, so that regions at its border are kept. */
export const eroded = (region: Region, radius: number): Region => inverted(dilated(inverted(region), radius));

/** Joins what lies closer together than the window of 2·radius + 1 pixels. */
export const closed = (region: Region, radius: number): Region => eroded(dilated(region, radius), radius);
/** Drops what the window does not fit into. */
export const opened = (region: Region, radius: number): Region => dilated(eroded(region, radius), radius);

/** Steps to neighbours, [rows, columns]: those that share a side, then those that share a corner. */
const sides = [
  [-1, 0],
  [0, -1],
  [1, 0],
  [0, 1],
] as const;
const corners = [
  [-1, -1],
  [-1, 1],
  [1, -1],
  [1, 1],
] as const;

/** Pixels of the same value that hang together with those of `seeds`, which are given up. */
function grown({ height, width, pixels }: Region, seeds: number[], steps: readonly (readonly [number, number])[]): Uint8Array {
  const reached = new Uint8Array(pixels.length);
  for (const seed of seeds) reached[seed] = 1;
  for (let place = seeds.pop(); place !== undefined; place = seeds.pop()) {
    const [row, column] = [Math.floor(place / width), place % width];
    for (const [down, right] of steps) {
      const [r, c] = [row + down, column + right];
      const next = r * width + c;
      if (r < 0 || r >= height || c < 0 || c >= width || reached[next] || pixels[next] !== pixels[place]) continue;
      reached[next] = 1;
      seeds.push(next);
    }
  }
  return reached;
}

/** With all that it encloses: pixels from which no way along sides leads to the image's border without meeting it. */
export function holesFilled(region: Region): Region {
  const { height, width, pixels } = region;
  const isBorder = (i: number): boolean => i < width || i >= (height - 1) * width || i % width === 0 || i % width === width - 1;
  const outside: number[] = [];
  for (let i = 0; i < pixels.length; i++) if (isBorder(i) && !pixels[i]) outside.push(i);
  return { height, width, pixels: grown(region, outside, sides).map((isOutside) => 1 - isOutside) };
}

/** Its largest part that hangs together along sides or corners; of equal ones that which comes first. */
export function largestPart(region: Region): Region {
  const left = region.pixels.slice();
  let best: Uint8Array = new Uint8Array(left.length);
  let most = 0;
  for (let i = 0; i < left.length; i++) {
    if (!left[i]) continue;
    const part = grown({ ...region, pixels: left }, [i], [...sides, ...corners]);
    let size = 0;
    for (let j = i; j < part.length; j++) {
      if (!part[j]) continue;
      size++;
      left[j] = 0;
    }
    if (size > most) [best, most] = [part, size];
  }
  return { ...region, pixels: best };
}
