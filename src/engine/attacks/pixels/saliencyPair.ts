/**
 * The pair i < j of `domain` with the largest (u_i + u_j)·(v_i + v_j) among those where both sums are positive, the first of equals in the
 * order of the image; null where there is none. With u = ∂z_t/∂x and v = −Σ_{k≠t} ∂z_k/∂x, that is −A·B of the adversarial saliency map
 * (Papernot et al. 2016, Alg. 3).
 * @param domain features that may change, ascending
 */
export function saliencyPair(u: Float32Array, v: Float32Array, domain: readonly number[]): readonly [number, number] | null {
  const candidates = undominated(u, v, domain);
  const [a, b] = [Float64Array.from(candidates, (i) => u[i] as number), Float64Array.from(candidates, (i) => v[i] as number)];
  let best = 0;
  let found: readonly [number, number] | null = null;
  for (let i = 0; i < candidates.length; i++) {
    const [ai, bi] = [a[i] as number, b[i] as number];
    for (let j = i + 1; j < candidates.length; j++) {
      const [towards, away] = [ai + (a[j] as number), bi + (b[j] as number)];
      if (!(towards > 0 && away > 0 && towards * away > best)) continue;
      best = towards * away;
      found = [candidates[i] as number, candidates[j] as number];
    }
  }
  return found;
}

/**
 * Features that fewer than two others are at least as good as in both u and v (of equal ones the first is the better), ascending. The best
 * pair is among them, so nothing is lost: one of two better features is not the partner, and in its place gives no smaller product.
 */
function undominated(u: Float32Array, v: Float32Array, domain: readonly number[]): number[] {
  const at = (values: Float32Array, i: number): number => values[i] as number;
  const known = domain.filter((i) => Number.isFinite(at(u, i)) && Number.isFinite(at(v, i)));
  const sorted = known.sort((i, j) => at(u, j) - at(u, i) || at(v, j) - at(v, i) || i - j);
  /** The two largest v so far: all that come later have no larger u. */
  let [first, second] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const kept = sorted.filter((i) => {
    const value = at(v, i);
    const isKept = value > second;
    if (value > first) [first, second] = [value, first];
    else if (isKept) second = value;
    return isKept;
  });
  return kept.sort((i, j) => i - j);
}
