import type { Random } from "../random.ts";

export interface TsneOptions {
  /** Effective number of neighbours; at most (n − 1) / 3. */
  readonly perplexity: number;
  readonly iterations: number;
  readonly learningRate: number;
  /** Factor of the attraction in the first `exaggerated` iterations. */
  readonly exaggeration: number;
  readonly exaggerated: number;
  /** Called after every iteration. */
  onIteration?(done: number): Promise<void>;
}
/** Settings of van der Maaten & Hinton 2008 with the early exaggeration of later implementations. */
export const tsneDefaults = { perplexity: 30, iterations: 1000, learningRate: 200, exaggeration: 12, exaggerated: 250 } as const;

const smallest = 1e-12;

/** Squared Euclidean distances [n·n] of rows [n·d]. */
export function squaredDistances(rows: Float64Array, n: number): Float64Array {
  const d = rows.length / n;
  const distances = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < i; j++) {
      let sum = 0;
      for (let k = 0; k < d; k++) sum += ((rows[i * d + k] as number) - (rows[j * d + k] as number)) ** 2;
      distances[i * n + j] = sum;
      distances[j * n + i] = sum;
    }
  return distances;
}

/**
 * Probabilities proportional to exp(−β·distance) whose entropy is ln(perplexity), by bisection over the precision β.
 * @param distances squared ones to all other points
 */
export function neighbourProbabilities(distances: Float64Array, perplexity: number): { readonly beta: number; readonly p: Float64Array } {
  const wanted = Math.log(perplexity);
  // Equal distances taken off all of them change no probability, and keep the largest exponential at 1.
  const least = distances.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const p = new Float64Array(distances.length);
  let [beta, low, high] = [1, 0, Number.POSITIVE_INFINITY];
  for (let step = 0; step < 100; step++) {
    let [sum, weighted] = [0, 0];
    for (const [i, distance] of distances.entries()) {
      const weight = Math.exp(-beta * (distance - least));
      p[i] = weight;
      sum += weight;
      weighted += weight * (distance - least);
    }
    for (let i = 0; i < p.length; i++) p[i] = (p[i] as number) / sum;
    const excess = Math.log(sum) + (beta * weighted) / sum - wanted;
    if (Math.abs(excess) < 1e-10) break;
    if (excess > 0) low = beta;
    else high = beta;
    beta = high === Number.POSITIVE_INFINITY ? beta * 2 : (low + high) / 2;
  }
  return { beta, p };
}

/** Symmetric joint probabilities [n·n] that sum to 1. @param distances squared ones, [n·n] */
export function jointProbabilities(distances: Float64Array, n: number, perplexity: number): Float64Array {
  const joint = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const others = Float64Array.from({ length: n - 1 }, (_, k) => distances[i * n + (k < i ? k : k + 1)] as number);
    const { p } = neighbourProbabilities(others, perplexity);
    for (const [k, value] of p.entries()) {
      const j = k < i ? k : k + 1;
      joint[i * n + j] = (joint[i * n + j] as number) + value / (2 * n);
      joint[j * n + i] = (joint[j * n + i] as number) + value / (2 * n);
    }
  }
  return joint;
}

/** Gradient [n·2] of the Kullback–Leibler divergence of the layout's Student-t neighbours from `joint`, and the divergence itself. */
export function tsneGradient(
  joint: Float64Array,
  layout: Float64Array,
  exaggeration = 1,
): { readonly gradient: Float64Array; readonly divergence: number } {
  const n = layout.length / 2;
  const weights = new Float64Array(n * n);
  let total = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < i; j++) {
      const [dx, dy] = [
        (layout[2 * i] as number) - (layout[2 * j] as number),
        (layout[2 * i + 1] as number) - (layout[2 * j + 1] as number),
      ];
      const weight = 1 / (1 + dx * dx + dy * dy);
      weights[i * n + j] = weight;
      total += 2 * weight;
    }
  const gradient = new Float64Array(2 * n);
  let divergence = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < i; j++) {
      const weight = weights[i * n + j] as number;
      const p = exaggeration * (joint[i * n + j] as number);
      const q = weight / total;
      if (p > 0) divergence += 2 * p * Math.log(p / Math.max(q, smallest));
      const force = 4 * (p - q) * weight;
      for (const axis of [0, 1]) {
        const pull = force * ((layout[2 * i + axis] as number) - (layout[2 * j + axis] as number));
        gradient[2 * i + axis] = (gradient[2 * i + axis] as number) + pull;
        gradient[2 * j + axis] = (gradient[2 * j + axis] as number) - pull;
      }
    }
  return { gradient, divergence };
}

export interface Layout {
  /** [n·2] */
  readonly points: Float64Array;
  /** Kullback–Leibler divergence in nats after the early exaggeration and at the end. */
  readonly divergences: readonly [early: number, last: number];
}

/**
 * t-SNE (van der Maaten & Hinton 2008), exact, in float64: gradient descent with momentum 0.5, then 0.8, and gains for each coordinate.
 * @param distances squared ones, [n·n]
 */
export async function tsne(distances: Float64Array, n: number, rng: Random, o: TsneOptions): Promise<Layout> {
  const joint = jointProbabilities(distances, n, o.perplexity);
  const points = Float64Array.from({ length: 2 * n }, () => 1e-4 * rng.normal());
  const velocity = new Float64Array(2 * n);
  const gains = new Float64Array(2 * n).fill(1);
  let early = Number.NaN;
  for (let step = 0; step < o.iterations; step++) {
    const isEarly = step < o.exaggerated;
    const { gradient } = tsneGradient(joint, points, isEarly ? o.exaggeration : 1);
    for (let k = 0; k < 2 * n; k++) {
      const [g, v, gain] = [gradient[k] as number, velocity[k] as number, gains[k] as number];
      gains[k] = Math.max(0.01, Math.sign(g) === Math.sign(v) ? gain * 0.8 : gain + 0.2);
      velocity[k] = (isEarly ? 0.5 : 0.8) * v - o.learningRate * (gains[k] as number) * g;
      points[k] = (points[k] as number) + (velocity[k] as number);
    }
    centre(points);
    if (step + 1 === o.exaggerated) early = tsneGradient(joint, points).divergence;
    await o.onIteration?.(step + 1);
  }
  return { points, divergences: [early, tsneGradient(joint, points).divergence] };
}

function centre(points: Float64Array): void {
  const n = points.length / 2;
  for (const axis of [0, 1]) {
    let mean = 0;
    for (let i = 0; i < n; i++) mean += (points[2 * i + axis] as number) / n;
    for (let i = 0; i < n; i++) points[2 * i + axis] = (points[2 * i + axis] as number) - mean;
  }
}
