// Every row of the minimum solves ln α + ln c + g(s) = λ for one λ, with s = −c·ln(1 − p) and g(s) = −(1 − 1/c)·s − 2·ln(1 − e^(−s)): a falling
// convex function, the same for all rows. So a few dozen values of ln α, evenly spaced, first settle λ nearly, with the rows counted into
// them; what lies between two of them is interpolated, and one or two Newton steps on all rows do the rest.

/** Rows, or values of ln α that stand for several: their s, and the slope of g there. */
interface Solution {
  readonly logAlpha: Float64Array;
  /** Rows that an entry stands for; one each when left out. */
  readonly weight?: Float64Array;
  readonly s: Float64Array;
  readonly slope: Float64Array;
}

const nodesPerUnit = 8;
const [fewestNodes, mostNodes] = [33, 257];
/** Newton's method squares what is left: of 1e-5 the last step leaves 1e-10. */
const rowTolerance = 1e-5;
const [roughly, nearly] = [1e-3, 1e-5];
/** Of λ's rounding: rows that lie this close together are equal. */
const equal = 1e-12;
const mostSteps = 100;

/**
 * Probabilities p in (0,1), summing to 1 but for 1e-9, at which α_i·c·(1 − p_i)^(c−1)/(1 − (1 − p_i)^c)² is the same for all rows.
 * @param logAlpha ln α_i of at least two rows, finite
 * @param c draws, a whole number of at least 2
 */
export function sharesOfEqualMultiplier(logAlpha: Float64Array, c: number): Float64Array {
  const n = logAlpha.length;
  const { least, range, mean } = extent(logAlpha);
  if (range < equal) return new Float64Array(n).fill(1 / n);
  const nodes = nodesOf(logAlpha, least, range);
  const start = equalShares(mean, n, c);
  nodes.logAlpha.forEach((value, j) => {
    nodes.s[j] = firstGuess(start - value - Math.log(c));
  });
  const lambda = settle(nodes, start, c, roughly);
  const rows: Solution = { logAlpha, s: interpolated(nodes, logAlpha), slope: new Float64Array(n) };
  settle(rows, lambda, c, nearly);
  for (let i = 0; i < n; i++) rows.s[i] = -Math.expm1(-(rows.s[i] as number) / c);
  return rows.s;
}

function extent(values: Float64Array): { readonly least: number; readonly range: number; readonly mean: number } {
  let [least, largest, sum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (value < least) least = value;
    if (value > largest) largest = value;
    sum += value;
  }
  return { least, range: largest - least, mean: sum / values.length };
}

/** λ of a row with the mean of ln α when all n rows have the same share. */
function equalShares(mean: number, n: number, c: number): number {
  const s = -c * Math.log1p(-1 / n);
  return mean + Math.log(c) - (1 - 1 / c) * s - 2 * Math.log(-Math.expm1(-s));
}

/** The solution of g(s) = w for infinite c, 2·asinh(e^(−w/2)/2): never above that for another c. */
const firstGuess = (w: number): number => (w < -40 ? -w : 2 * Math.asinh(Math.exp(-w / 2) / 2));

/** Evenly spaced values of ln α; a row counts for the two beside it, more for the nearer. */
function nodesOf(logAlpha: Float64Array, least: number, range: number): Solution & { readonly weight: Float64Array } {
  const count = Math.max(fewestNodes, Math.min(mostNodes, Math.ceil(range * nodesPerUnit) + 1));
  const spacing = range / (count - 1);
  const weight = new Float64Array(count);
  for (let i = 0; i < logAlpha.length; i++) {
    const place = ((logAlpha[i] as number) - least) / spacing;
    const j = Math.min(count - 2, Math.floor(place));
    weight[j] = (weight[j] as number) + 1 - (place - j);
    weight[j + 1] = (weight[j + 1] as number) + place - j;
  }
  const positions = Float64Array.from({ length: count }, (_, j) => least + j * spacing);
  return { logAlpha: positions, weight, s: new Float64Array(count), slope: new Float64Array(count) };
}

/** s of rows between nodes, by the cubic that has the nodes' values and slopes ds/d ln α = −1/g′. */
function interpolated({ logAlpha: nodes, s, slope }: Solution, logAlpha: Float64Array): Float64Array {
  const least = nodes[0] as number;
  const spacing = (nodes[1] as number) - least;
  const result = new Float64Array(logAlpha.length);
  for (let i = 0; i < logAlpha.length; i++) {
    const place = ((logAlpha[i] as number) - least) / spacing;
    const j = Math.min(nodes.length - 2, Math.floor(place));
    const t = place - j;
    const u = 1 - t;
    const [left, right] = [s[j] as number, s[j + 1] as number];
    const [leftSlope, rightSlope] = [-spacing / (slope[j] as number), -spacing / (slope[j + 1] as number)];
    const found = (1 + 2 * t) * u * u * left + t * u * u * leftSlope + t * t * (3 - 2 * t) * right - t * t * u * rightSlope;
    result[i] = found > 0 ? found : left;
  }
  return result;
}

/**
 * Moves λ until the shares sum to 1, by Newton's method on the logarithm of their sum within a bracket; s goes along.
 * @param rows their s near the solution for λ
 * @returns λ
 */
function settle(rows: Solution, lambda: number, c: number, tolerance: number): number {
  let [low, high, at] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, lambda];
  for (let step = 0; step < mostSteps; step++) {
    const { sum, derivative } = sharesAt(rows, at, c);
    if (sum > 1) low = at;
    else high = at;
    const isSettled = Math.abs(sum - 1) <= tolerance;
    const newton = at - (Math.log(sum) * sum) / derivative;
    const isInside = newton > low && newton < high;
    if (isSettled && !isInside) break; // no number is left between
    const next = isInside ? newton : (low + high) / 2;
    follow(rows, next - at);
    at = next;
    if (isSettled) break;
  }
  return at;
}

/** Solves every row for λ; the sum of the shares, and its derivative by λ. */
function sharesAt({ logAlpha, weight, s, slope }: Solution, lambda: number, c: number): { sum: number; derivative: number } {
  const level = lambda - Math.log(c);
  const kappa = 1 - 1 / c;
  let [sum, derivative] = [0, 0];
  for (let i = 0; i < logAlpha.length; i++) {
    const w = level - (logAlpha[i] as number);
    let x = s[i] as number;
    let gradient = 0;
    for (let step = 0; step < mostSteps; step++) {
      const drawn = -Math.expm1(-x); // π
      gradient = -kappa - (2 * (1 - drawn)) / drawn;
      const moved = moveTo(x, -(-kappa * x - 2 * Math.log(drawn) - w) / gradient);
      const isSettled = Math.abs(moved - x) <= rowTolerance * moved;
      x = moved;
      if (isSettled) break;
    }
    s[i] = x;
    slope[i] = gradient;
    const p = -Math.expm1(-x / c);
    const rowsHere = weight ? (weight[i] as number) : 1;
    sum += rowsHere * p;
    derivative += (rowsHere * (1 - p)) / (c * gradient);
  }
  return { sum, derivative };
}

/** s by a step of Newton's method; one that would leave the positive numbers is taken in ln s, where g is nearly straight. */
function moveTo(s: number, step: number): number {
  const next = s + step;
  return next > 0 ? next : s * Math.exp(step / s);
}

/** s of every row along its tangent when λ changes. */
function follow({ s, slope }: Solution, change: number): void {
  for (let i = 0; i < s.length; i++) s[i] = moveTo(s[i] as number, change / (slope[i] as number));
}
