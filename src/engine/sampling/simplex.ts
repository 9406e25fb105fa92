/**
 * The point of the probability simplex {p ≥ 0, Σp = 1} that is nearest to v: max(v + θ, 0) with θ = (1 − Σ_{i≤ρ} u_i)/ρ, u the values of v
 * from large to small and ρ the largest j with u_j + (1 − Σ_{i≤j} u_i)/j > 0 (Duchi et al. 2008).
 * @param v finite numbers, at least one
 */
export function projectToSimplex(v: Float64Array): Float64Array {
  const sorted = Float64Array.from(v).sort();
  let sum = 0;
  let theta = 0;
  for (let j = 1; j <= sorted.length; j++) {
    const value = sorted[sorted.length - j] as number;
    const shift = (1 - sum - value) / j;
    if (value + shift <= 0) break;
    sum += value;
    theta = shift;
  }
  return v.map((value) => Math.max(0, value + theta));
}
