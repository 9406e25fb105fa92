import type { Region } from "./morphology.ts";

/** The residual that is left, beside the right-hand side: far below what float32 shows. */
const tolerance = 1e-13;

/**
 * Fills a region of an image [H,W,C] by the harmonic function of its edge: every missing value is the mean of its two, three or four neighbours within
 * the image (Laplace's equation). Solved by conjugate gradients, every channel by itself.
 * @returns the filled image; pixels outside the region are those that were given
 */
export function harmonic(image: Float64Array, channels: number, region: Region): Float64Array {
  const values = image.slice();
  const system = equations(region);
  for (let k = 0; k < channels; k++) {
    const solution = solved(system, (place) => values[place * channels + k] as number);
    for (const [i, place] of system.places.entries()) values[place * channels + k] = Math.min(1, Math.max(0, solution[i] as number));
  }
  return values;
}

/** deg(p)·u_p − Σ u_q = Σ v_q: over the missing neighbours q on the left, over the known ones on the right. */
interface Equations {
  /** Of the missing pixels in the image. */
  readonly places: Int32Array;
  /** Four each: a missing neighbour's number, or −1. */
  readonly missing: Int32Array;
  /** Four each: a known neighbour's place, or −1. */
  readonly given: Int32Array;
  /** Neighbours within the image. */
  readonly degrees: Float64Array;
}

function equations({ height, width, pixels }: Region): Equations {
  const places = Int32Array.from([...pixels.keys()].filter((place) => pixels[place]));
  const numbers = new Int32Array(pixels.length).fill(-1);
  for (const [i, place] of places.entries()) numbers[place] = i;
  const [missing, given] = [new Int32Array(4 * places.length).fill(-1), new Int32Array(4 * places.length).fill(-1)];
  const degrees = new Float64Array(places.length);
  for (const [i, place] of places.entries()) {
    const [row, column] = [Math.floor(place / width), place % width];
    const around = [row > 0 && place - width, column > 0 && place - 1, row < height - 1 && place + width, column < width - 1 && place + 1];
    for (const [side, next] of around.entries()) {
      if (next === false) continue;
      degrees[i] = (degrees[i] as number) + 1;
      const number = numbers[next] as number;
      if (number >= 0) missing[4 * i + side] = number;
      else given[4 * i + side] = next;
    }
  }
  return { places, missing, given, degrees };
}

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
};

/** The values of the missing pixels. */
function solved({ places, missing, given, degrees }: Equations, at: (place: number) => number): Float64Array {
  const n = places.length;
  const sides = (of: Int32Array, value: (j: number) => number, i: number): number => {
    let sum = 0;
    for (let j = 4 * i; j < 4 * i + 4; j++) if ((of[j] as number) >= 0) sum += value(of[j] as number);
    return sum;
  };
  const right = Float64Array.from({ length: n }, (_, i) => sides(given, at, i));
  const product = (x: Float64Array): Float64Array =>
    x.map((value, i) => (degrees[i] as number) * value - sides(missing, (j) => x[j] as number, i));
  const solution = new Float64Array(n);
  const residual = right.slice();
  const direction = right.slice();
  let square = dot(residual, residual);
  const least = tolerance ** 2 * square;
  for (let iteration = 0; iteration < 4 * n + 100 && square > least; iteration++) {
    const image = product(direction);
    const length = square / dot(direction, image);
    for (let i = 0; i < n; i++) {
      solution[i] = (solution[i] as number) + length * (direction[i] as number);
      residual[i] = (residual[i] as number) - length * (image[i] as number);
    }
    const next = dot(residual, residual);
    for (let i = 0; i < n; i++) direction[i] = (residual[i] as number) + (next / square) * (direction[i] as number);
    square = next;
  }
  return solution;
}
