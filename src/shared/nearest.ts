/** Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b` (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const at = (i: number, j: number): number => rows[i]?.[j] ?? 0;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j++) {
      let best = Math.min(at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1), at(i - 1, j) + 1, (row[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, at(i - 2, j - 2) + 1);
      row.push(best);
    }
  }
  return at(a.length, b.length);
}

const shortest = 3; // letters of a name that another one may be the beginning of

/**
 * The most similar name, or undefined when none is close enough to be meant (more than 40 % would have to change), nor is the beginning of
 * the other one, as eps is of epsilon.
 */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const lower = name.toLowerCase();
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const candidate of known) {
    const distance = editDistance(lower, candidate.toLowerCase());
    if (!best || distance < best.distance) best = { name: candidate, distance };
  }
  if (best && best.distance <= Math.max(1, 0.4 * Math.max(name.length, best.name.length))) return best.name;
  const begins = (a: string, b: string): boolean => a.length >= shortest && b.startsWith(a);
  return known.find((candidate) => begins(candidate.toLowerCase(), lower) || begins(lower, candidate.toLowerCase()));
}

/** What to do about a name that is none: the one that was probably meant, and the known ones. `what` is their plural. */
export function suggestion(name: string, known: readonly string[], what = "Known"): string {
  const meant = nearest(name, known);
  const list = known.length === 0 ? "There are none." : `${what}: ${known.join(", ")}.`;
  return meant === undefined ? list : `Did you mean "${meant}"? ${list}`;
}
