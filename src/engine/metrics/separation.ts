/** Share of points whose nearest other point is of the same class. @param distances [n·n], any that keep the order */
export function nearestNeighbourAccuracy(distances: Float64Array, classes: ArrayLike<number>): number {
  const n = classes.length;
  let right = 0;
  for (let i = 0; i < n; i++) {
    let nearest = -1;
    for (let j = 0; j < n; j++)
      if (j !== i && (nearest < 0 || (distances[i * n + j] as number) < (distances[i * n + nearest] as number))) nearest = j;
    if (nearest >= 0 && classes[nearest] === classes[i]) right++;
  }
  return right / n;
}

/**
 * Mean silhouette (Rousseeuw 1987): (b − a) / max(a, b) of each point, a its mean distance to its own class, b the least mean distance to
 * another one; 0 for a point alone in its class. Between −1 and 1; null with fewer than two classes.
 * @param squared distances [n·n]
 */
export function silhouette(squared: Float64Array, classes: ArrayLike<number>): number | null {
  const n = classes.length;
  const all = [...new Set(Array.from(classes))];
  if (all.length < 2) return null;
  let total = 0;
  for (let i = 0; i < n; i++) {
    const means = all.map((own) => {
      let [sum, count] = [0, 0];
      for (let j = 0; j < n; j++)
        if (j !== i && classes[j] === own) {
          sum += Math.sqrt(squared[i * n + j] as number);
          count++;
        }
      return { own, mean: count === 0 ? null : sum / count };
    });
    const a = means.find(({ own }) => own === classes[i])?.mean ?? null;
    const b = Math.min(...means.filter(({ own }) => own !== classes[i]).map(({ mean }) => mean ?? Number.POSITIVE_INFINITY));
    if (a !== null) total += Math.max(a, b) === 0 ? 0 : (b - a) / Math.max(a, b);
  }
  return total / n;
}
