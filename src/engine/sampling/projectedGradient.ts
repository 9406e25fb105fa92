import { inclusion, samplingObjective } from "./inclusion.ts";
import { projectToSimplex } from "./simplex.ts";
import { activeRows } from "./varianceMinimization.ts";

interface DescentOptions {
  /** Steps at most. */
  readonly steps?: number;
  /** Ends when no longer step than this is left, in Euclidean length. */
  readonly tolerance?: number;
}

const firstRate = 1e-2;
const [shrink, grow] = [0.5, 1.5];
const leastRate = 1e-18;
/** A row that could not be drawn again would have an infinite objective. */
const leastShare = 1e-12;

/**
 * The paper's own way to the minimum that `minimumVariance` finds exactly: projected gradient descent on Φ from equal shares (Algorithm 2),
 * with α scaled to sum 1. The paper leaves the step size open: here a step is taken where Φ does not rise, and the rate halved where it
 * does, grown by half where it does not. Slow for few draws of many rows.
 * @throws MODEL_NAN for a norm that is no number
 */
export function projectedGradient(
  alpha: ArrayLike<number>,
  c: number,
  { steps = 500, tolerance = 1e-6 }: DescentOptions = {},
): Float64Array {
  const rows = activeRows(alpha);
  const p = new Float64Array(alpha.length);
  if (rows.length === 0) return p;
  const largest = rows.reduce((most, row) => Math.max(most, alpha[row] as number), 0);
  const scaled = Float64Array.from(rows, (row) => (alpha[row] as number) / largest);
  const total = scaled.reduce((a, b) => a + b);
  const shares = descended(
    scaled.map((value) => value / total),
    c,
    { steps, tolerance },
  );
  rows.forEach((row, i) => {
    p[row] = shares[i] as number;
  });
  return p;
}

function descended(weights: Float64Array, c: number, { steps, tolerance }: Required<DescentOptions>): Float64Array {
  let p: Float64Array = new Float64Array(weights.length).fill(1 / weights.length);
  let objective = samplingObjective(weights, p, c);
  let rate = firstRate;
  for (let step = 0; step < steps && rate > leastRate; step++) {
    const next = floored(projectToSimplex(p.map((share, i) => share + rate * steepness(weights[i] as number, share, c))));
    const reached = samplingObjective(weights, next, c);
    if (reached > objective) {
      rate *= shrink;
      continue;
    }
    const length = Math.hypot(...next.map((share, i) => share - (p[i] as number)));
    [p, objective] = [next, reached];
    if (length < tolerance) break;
    rate *= grow;
  }
  return p;
}

/** −∂Φ/∂p = α·c·(1 − p)^(c−1)/π². */
function steepness(alpha: number, p: number, c: number): number {
  const drawn = inclusion(p, c);
  return (alpha * c * Math.exp((c - 1) * Math.log1p(-p))) / (drawn * drawn);
}

function floored(p: Float64Array): Float64Array {
  const kept = p.map((share) => Math.max(leastShare, share));
  const sum = kept.reduce((a, b) => a + b);
  return kept.map((share) => share / sum);
}
