import type { Random } from "../../random.ts";

/** Image that a search works on; colours are bytes 0…255, as real numbers. */
export interface SearchSpace {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Pixels that a candidate replaces. */
  readonly pixels: number;
}
export type Strategy = "rand1" | "best1dither";

/** Numbers of one candidate: per pixel row, column and a colour a channel. */
export const genesOf = (space: SearchSpace): number => space.pixels * (2 + space.channels);

/** Smallest distance below an open upper bound, so that floor(row) stays a row. */
const below = 1e-6;
const upperBound = (space: SearchSpace, gene: number): number => {
  const kind = gene % (2 + space.channels);
  return kind === 0 ? space.height - below : kind === 1 ? space.width - below : 255;
};
const clamp = (value: number, high: number): number => Math.min(Math.max(value, 0), high);

/** Rows and columns uniform, colours Normal(128, 127) clamped to bytes. */
export function initialPopulation(space: SearchSpace, size: number, rng: Random): Float64Array {
  const genes = genesOf(space);
  return Float64Array.from({ length: size * genes }, (_, j) => {
    const high = upperBound(space, j % genes);
    return clamp(j % (2 + space.channels) < 2 ? rng.uniform(0, high) : rng.normal(128, 127), high);
  });
}

/** Every gene's range cut into `size` equal parts, one candidate in each, parts shuffled gene by gene (SciPy's default). */
export function latinHypercube(space: SearchSpace, size: number, rng: Random): Float64Array {
  const genes = genesOf(space);
  const population = new Float64Array(size * genes);
  for (let gene = 0; gene < genes; gene++) {
    const order = rng.permutation(size);
    for (let i = 0; i < size; i++) {
      population[i * genes + gene] = (((order[i] as number) + rng.next()) / size) * upperBound(space, gene);
    }
  }
  return population;
}

/** v₁ + F·(v₂ − v₃), rows, columns and colours clamped into the image. */
export function combine(space: SearchSpace, v1: ArrayLike<number>, v2: ArrayLike<number>, v3: ArrayLike<number>, f: number): Float64Array {
  return Float64Array.from({ length: v1.length }, (_, gene) =>
    clamp((v1[gene] as number) + f * ((v2[gene] as number) - (v3[gene] as number)), upperBound(space, gene)),
  );
}

/**
 * Children of a whole population [size × genes]. `rand1`: three distinct others, F = 0.5, no crossover (Su et al.). `best1dither`:
 * the best plus the difference of two others, one F ∈ [0.5, 1) a generation, genes that leave the image drawn anew (SciPy's best1bin).
 */
export function children(space: SearchSpace, population: Float64Array, best: number, strategy: Strategy, rng: Random): Float64Array {
  const genes = genesOf(space);
  const size = population.length / genes;
  const member = (i: number): Float64Array => population.subarray(i * genes, (i + 1) * genes);
  const offspring = new Float64Array(population.length);
  const dither = strategy === "best1dither" ? rng.uniform(0.5, 1) : 0.5;
  for (let i = 0; i < size; i++) {
    const [r1, r2, r3] = distinctOthers(size, i, rng);
    if (strategy === "rand1") offspring.set(combine(space, member(r1), member(r2), member(r3), 0.5), i * genes);
    else {
      for (let gene = 0; gene < genes; gene++) {
        const value = (member(best)[gene] as number) + dither * ((member(r1)[gene] as number) - (member(r2)[gene] as number));
        const high = upperBound(space, gene);
        offspring[i * genes + gene] = value >= 0 && value <= high ? value : rng.uniform(0, high);
      }
    }
  }
  return offspring;
}

/** Three indices, different from each other and from `i`; `size` is at least 4. */
function distinctOthers(size: number, i: number, rng: Random): [number, number, number] {
  const draw = (...taken: number[]): number => {
    for (;;) {
      const r = rng.integer(size);
      if (!taken.includes(r)) return r;
    }
  };
  const r1 = draw(i);
  const r2 = draw(i, r1);
  return [r1, r2, draw(i, r1, r2)];
}

/**
 * Replaces pixel (⌊row⌋, ⌊column⌋) of `image` [H·W·C] by colours/255, tuple by tuple; later ones overwrite. The candidate is
 * `genes` from `first` to `end`.
 */
export function paint(space: SearchSpace, image: Float32Array, genes: ArrayLike<number>, first = 0, end = genes.length): void {
  const stride = 2 + space.channels;
  for (let p = first; p < end; p += stride) {
    const at = (Math.floor(genes[p] as number) * space.width + Math.floor(genes[p + 1] as number)) * space.channels;
    for (let c = 0; c < space.channels; c++) image[at + c] = (genes[p + 2 + c] as number) / 255;
  }
}
