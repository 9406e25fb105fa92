import { forward, inverse } from "./dct.ts";

/** Samples 0…255 of one channel, row by row. */
export interface Plane {
  readonly height: number;
  readonly width: number;
  readonly samples: Uint8Array;
}

const at = (plane: Plane, row: number, column: number): number => plane.samples[row * plane.width + column] as number;
const byte = (value: number): number => Math.min(255, Math.max(0, value));

/** A plane that every block has been rounded in: its coefficients divided by the table, rounded and multiplied again. Beyond the edge the last samples repeat. */
export function quantised(plane: Plane, table: Int32Array): Plane {
  const { height, width } = plane;
  const samples = new Uint8Array(height * width);
  const block = new Int32Array(64);
  for (let top = 0; top < height; top += 8)
    for (let left = 0; left < width; left += 8) {
      for (let i = 0; i < 64; i++) block[i] = at(plane, Math.min(top + (i >> 3), height - 1), Math.min(left + (i & 7), width - 1)) - 128;
      forward(block);
      for (let i = 0; i < 64; i++) block[i] = rounded(block[i] as number, table[i] as number);
      inverse(block);
      const rows = Math.min(8, height - top);
      const columns = Math.min(8, width - left);
      for (let row = 0; row < rows; row++)
        for (let column = 0; column < columns; column++)
          samples[(top + row) * width + left + column] = byte((block[8 * row + column] as number) + 128);
    }
  return { height, width, samples };
}

/** The coefficient after division by its divisor and multiplication again; `value` is 8 times the coefficient. */
function rounded(value: number, divisor: number): number {
  const step = 8 * divisor;
  const level = Math.floor((Math.abs(value) + (step >> 1)) / step);
  return (value < 0 ? -level : level) * divisor;
}

/**
 * Means of 2×2 samples; halves are rounded down and up in turn along a row. Beyond the edge the last samples repeat, and columns are added
 * until they fill whole blocks: libjpeg extends rows before it halves them, and columns afterwards.
 */
export function halved(plane: Plane): Plane {
  const [height, width] = [Math.ceil(plane.height / 2), 8 * Math.ceil(plane.width / 16)];
  const samples = new Uint8Array(height * width);
  for (let row = 0; row < height; row++) {
    const [upper, lower] = [2 * row, Math.min(2 * row + 1, plane.height - 1)];
    for (let column = 0; column < width; column++) {
      const [left, right] = [Math.min(2 * column, plane.width - 1), Math.min(2 * column + 1, plane.width - 1)];
      const sum = at(plane, upper, left) + at(plane, upper, right) + at(plane, lower, left) + at(plane, lower, right);
      samples[row * width + column] = (sum + 1 + (column & 1)) >> 2;
    }
  }
  return { height, width, samples };
}

/** A halved plane at its old size, without the columns that were added: samples a quarter of the way to their neighbours (libjpeg's "fancy" upsampling); each
 * repeated where there are at most two in a row, as libjpeg does. */
export function doubled(plane: Plane, height: number, width: number): Plane {
  const samples = new Uint8Array(height * width);
  const columns = Math.ceil(width / 2);
  if (columns <= 2) return repeated(plane, height, width);
  const line = new Int32Array(columns);
  const sum = (column: number): number => line[column] as number;
  for (let row = 0; row < height; row++) {
    const near = row >> 1;
    const far = Math.min(plane.height - 1, Math.max(0, row % 2 === 0 ? near - 1 : near + 1));
    for (let column = 0; column < columns; column++) line[column] = 3 * at(plane, near, column) + at(plane, far, column);
    for (let column = 0; column < width; column++) {
      const own = column >> 1;
      const isLeft = column % 2 === 0;
      const other = isLeft ? own - 1 : own + 1;
      // At either end a sample is its own neighbour.
      const neighbour = other < 0 || other >= columns ? own : other;
      samples[row * width + column] = (3 * sum(own) + sum(neighbour) + (isLeft ? 8 : 7)) >> 4;
    }
  }
  return { height, width, samples };
}

/** Every sample four times. */
function repeated(plane: Plane, height: number, width: number): Plane {
  const samples = Uint8Array.from({ length: height * width }, (_, i) => at(plane, Math.floor(i / width) >> 1, (i % width) >> 1));
  return { height, width, samples };
}
