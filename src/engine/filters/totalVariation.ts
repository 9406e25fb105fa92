import type { ImageFilter } from "./host.ts";

export interface TotalVariation {
  /** Weight of the distance from the image: the larger, the less is smoothed. */
  readonly weight: number;
  /** At most that many sweeps over the image. */
  readonly iterations: number;
  /** Sweeps end once the root mean square of a sweep's change is at most this. */
  readonly tolerance: number;
}

/**
 * Isotropic total-variation denoising by split Bregman iteration (Goldstein & Osher 2009, section 4): minimises Σ|∇u| + weight·Σ(u − f)² with d ≈ ∇u and
 * the Bregman variable b, one Gauss–Seidel sweep in raster order for each update of d and b. Every channel by itself, in double precision, over
 * the image extended by one pixel on each side.
 */
export const totalVariation =
  (o: TotalVariation): ImageFilter =>
  (pixels, [h, w, c]) => {
    const result = new Float32Array(pixels.length);
    const channel = new Float64Array(h * w);
    for (let k = 0; k < c; k++) {
      for (let i = 0; i < h * w; i++) channel[i] = pixels[i * c + k] ?? 0;
      const smooth = denoised(channel, h, w, o);
      for (let i = 0; i < h * w; i++) result[i * c + k] = Math.min(1, Math.max(0, smooth[i] ?? 0));
    }
    return result;
  };

/** One channel [h,w]. */
function denoised(f: Float64Array, h: number, w: number, { weight, iterations, tolerance }: TotalVariation): Float64Array {
  const [rows, columns] = [h + 2, w + 2];
  const u = extended(f, h, w);
  const [dx, dy, bx, by] = [0, 0, 0, 0].map(() => new Float64Array(rows * columns)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const lambda = 2 * weight;
  const norm = weight + 4 * lambda;
  for (let iteration = 0; iteration < iterations; iteration++) {
    let change = 0;
    for (let r = 1; r <= h; r++) {
      for (let i = r * columns + 1, source = (r - 1) * w; source < r * w; i++, source++) {
        const old = at(u, i);
        const [right, down] = [at(u, i + 1), at(u, i + columns)];
        const around = down + at(u, i - columns) + right + at(u, i - 1);
        const divergence = at(dx, i - 1) - at(dx, i) + at(dy, i - columns) - at(dy, i);
        const bregman = at(bx, i) - at(bx, i - 1) + at(by, i) - at(by, i - columns);
        const next = (lambda * (around + divergence + bregman) + weight * at(f, source)) / norm;
        u[i] = next;
        change += (next - old) ** 2;
        // The gradient is that of before the update.
        const [tx, ty] = [right - old + at(bx, i), down - old + at(by, i)];
        const length = Math.sqrt(tx * tx + ty * ty);
        const shrink = (length * lambda) / (length * lambda + 1);
        dx[i] = shrink * tx;
        dy[i] = shrink * ty;
        bx[i] = tx - shrink * tx;
        by[i] = ty - shrink * ty;
      }
    }
    if (Math.sqrt(change / (h * w)) <= tolerance) break;
  }
  return Float64Array.from({ length: h * w }, (_, i) => at(u, (Math.floor(i / w) + 1) * columns + (i % w) + 1));
}

const at = (values: Float64Array, i: number): number => values[i] as number;

/** f [h,w] with one more pixel on each side, as scikit-image has it: the second one before the first, the last one again behind it. */
function extended(f: Float64Array, h: number, w: number): Float64Array {
  const place = (i: number, n: number): number => (i === 0 ? Math.min(1, n - 1) : Math.min(i - 1, n - 1));
  const columns = w + 2;
  return Float64Array.from({ length: (h + 2) * columns }, (_, i) => {
    const [r, c] = [Math.floor(i / columns), i % columns];
    return at(f, place(r, h) * w + place(c, w));
  });
}
