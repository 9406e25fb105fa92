import type { ImageFilter } from "./host.ts";

export interface PixelDropout {
  /** Weight λ of the variation. */
  readonly lambda: number;
  /** 1 where a value of the image [H,W,C] counts, 0 where it is dropped. */
  readonly kept: Uint8Array;
  /** Iterations end where the objective is within this share of its least value, by the duality gap. 1e-3 when left out. */
  readonly tolerance?: number;
}

const mostIterations = 10_000;
/** τ·σ·‖K‖² < 1, with ‖K‖² ≤ 9 for the differences along both axes and the values themselves. */
const step = 0.33;

/**
 * Total-variation minimisation of Guo et al. 2018, section 3: the image u in [0,1] of least ‖kept ⊙ (u − x)‖₂ + λ·Σ_i ‖u_i − u_{i−1}‖₂ + λ·Σ_j ‖u_j − u_{j−1}‖₂, over
 * neighbouring rows i and columns j, so that dropped values are made of what surrounds them. Every channel by itself, in double precision, by the
 * primal-dual method of Chambolle & Pock 2011 (algorithm 1) from u = x.
 */
export const withoutDropped =
  ({ lambda, kept, tolerance = 1e-3 }: PixelDropout): ImageFilter =>
  (pixels, [height, width, channels]) => {
    const result = new Float32Array(pixels.length);
    const n = height * width;
    for (let k = 0; k < channels; k++) {
      const x = Float64Array.from({ length: n }, (_, i) => pixels[i * channels + k] as number);
      const keep = Uint8Array.from({ length: n }, (_, i) => kept[i * channels + k] as number);
      const u = new Descent({ x, keep, height, width, lambda, tolerance }).run();
      for (let i = 0; i < n; i++) result[i * channels + k] = u[i] as number;
    }
    return result;
  };

interface Problem {
  readonly x: Float64Array;
  readonly keep: Uint8Array;
  readonly height: number;
  readonly width: number;
  readonly lambda: number;
  readonly tolerance: number;
}

const at = (values: Float64Array, i: number): number => values[i] as number;

/** The iteration on one channel: u, and a dual variable for each norm. */
class Descent {
  readonly #o: Problem;
  readonly #u: Float64Array;
  /** 2u − the u before. */
  readonly #ahead: Float64Array;
  /** Duals of the distance, of the differences to the row above and to the column on the left. */
  readonly #distance: Float64Array;
  readonly #down: Float64Array;
  readonly #right: Float64Array;
  /** Σ of squares of each column. */
  readonly #columns: Float64Array;

  constructor(o: Problem) {
    this.#o = o;
    this.#u = o.x.slice();
    this.#ahead = o.x.slice();
    const zeros = (): Float64Array => new Float64Array(o.x.length);
    [this.#distance, this.#down, this.#right] = [zeros(), zeros(), zeros()];
    this.#columns = new Float64Array(o.width);
  }

  run(): Float64Array {
    for (let i = 0; i < mostIterations; i++) {
      this.#ascend();
      const dual = this.#descend();
      if (i % 10 > 0) continue;
      const primal = this.#objective();
      if (primal - dual <= this.#o.tolerance * primal) break;
    }
    return this.#u;
  }

  /** A step of the duals, and back into the balls of their norms. */
  #ascend(): void {
    const { x, keep, width, lambda } = this.#o;
    const [ahead, distance, down, right, columns] = [this.#ahead, this.#distance, this.#down, this.#right, this.#columns];
    let square = 0;
    columns.fill(0);
    for (let start = 0; start < x.length; start += width) {
      let row = 0;
      for (let c = 0, i = start; c < width; c++, i++) {
        if (keep[i]) distance[i] = at(distance, i) + step * (at(ahead, i) - at(x, i));
        square += at(distance, i) ** 2;
        if (start > 0) {
          const value = at(down, i) + step * (at(ahead, i) - at(ahead, i - width));
          down[i] = value;
          row += value * value;
        }
        if (c > 0) {
          const value = at(right, i) + step * (at(ahead, i) - at(ahead, i - 1));
          right[i] = value;
          columns[c] = at(columns, c) + value * value;
        }
      }
      const length = Math.sqrt(row);
      if (length > lambda) for (let i = start; i < start + width; i++) down[i] = (at(down, i) * lambda) / length;
    }
    for (let c = 1; c < width; c++) columns[c] = Math.min(1, lambda / Math.sqrt(at(columns, c) || 1e-300));
    const shrink = 1 / Math.max(1, Math.sqrt(square));
    for (let start = 0; start < x.length; start += width)
      for (let c = 0, i = start; c < width; c++, i++) {
        distance[i] = at(distance, i) * shrink;
        if (c > 0) right[i] = at(right, i) * at(columns, c);
      }
  }

  /** A step of u. @returns a lower bound of the objective: the dual one, with u free within [0,1] */
  #descend(): number {
    const { x, height, width } = this.#o;
    const [u, ahead, distance, down, right] = [this.#u, this.#ahead, this.#distance, this.#down, this.#right];
    let bound = 0;
    for (let r = 0, i = 0; r < height; r++)
      for (let c = 0; c < width; c++, i++) {
        const below = r < height - 1 ? at(down, i + width) : 0;
        const after = c < width - 1 ? at(right, i + 1) : 0;
        const slope = at(distance, i) + at(down, i) - below + at(right, i) - after;
        bound += Math.min(0, slope) - at(distance, i) * at(x, i);
        const next = Math.min(1, Math.max(0, at(u, i) - step * slope));
        ahead[i] = 2 * next - at(u, i);
        u[i] = next;
      }
    return bound;
  }

  #objective(): number {
    const { x, keep, width, lambda } = this.#o;
    const [u, columns] = [this.#u, this.#columns];
    let [square, variation] = [0, 0];
    columns.fill(0);
    for (let start = 0; start < x.length; start += width) {
      let row = 0;
      for (let c = 0, i = start; c < width; c++, i++) {
        if (keep[i]) square += (at(u, i) - at(x, i)) ** 2;
        if (start > 0) row += (at(u, i) - at(u, i - width)) ** 2;
        if (c > 0) columns[c] = at(columns, c) + (at(u, i) - at(u, i - 1)) ** 2;
      }
      variation += Math.sqrt(row);
    }
    for (const column of columns) variation += Math.sqrt(column);
    return Math.sqrt(square) + lambda * variation;
  }
}
