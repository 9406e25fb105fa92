/** A place where a threshold may stand: scores above it are called adversarial. `null` lies below every score. */
export type Stop = number | null;

/** Points of a curve per decade of small rates, which a logarithmic axis shows. */
const perDecade = 10;

/**
 * Where a threshold may stand so that every curve of the groups is drawn through the same stops, from above the largest score (nothing is
 * flagged) to below the smallest (`null`, everything is). Between two neighbouring stops no group's share changes by more than
 * 1/`resolution`, unless no score lies between them, as with many equal scores. For small shares of the first group, every image has its own stop.
 * @param groups scores, finite; the clean ones first
 * @param always a threshold that is one of the stops; null for none
 * @returns descending; empty where there is no score
 */
export function thresholdStops(groups: readonly ArrayLike<number>[], always: number | null, resolution: number): Stop[] {
  const sorted = groups.filter(({ length }) => length > 0).map((scores) => Float64Array.from(scores).sort().reverse());
  const values = [...new Set([...sorted.flatMap((scores) => [...scores]), ...(always === null ? [] : [always])])].sort((a, b) => b - a);
  if (sorted.length === 0) return [];
  const above = sorted.map(() => 0);
  const steps = [...values, null].map((stop): Step => {
    sorted.forEach((scores, g) => {
      let count = above[g] as number;
      while (count < scores.length && (stop === null || (scores[count] as number) > stop)) count++;
      above[g] = count;
    });
    return { stop, shares: above.map((count, g) => count / (sorted[g] as Float64Array).length) };
  });
  let last = steps[0] as Step;
  const kept = steps.filter((step, i) => {
    const next = steps[i + 1];
    const isKept = i === 0 || !next || step.stop === always || isFar(last, next, resolution);
    if (isKept) last = step;
    return isKept;
  });
  return kept.map(({ stop }) => stop);
}

interface Step {
  readonly stop: Stop;
  /** Of each group, the share above the stop. */
  readonly shares: readonly number[];
}

function isFar(from: Step, to: Step, resolution: number): boolean {
  const [few, more] = [from.shares[0] as number, to.shares[0] as number];
  if (more > few * 10 ** (1 / perDecade)) return true;
  return to.shares.some((share, g) => share - (from.shares[g] as number) > 1 / resolution);
}

/** Of scores, the share above each stop. */
export function sharesAbove(scores: ArrayLike<number>, stops: readonly Stop[]): number[] {
  const sorted = Float64Array.from(scores).sort().reverse();
  let count = 0;
  return stops.map((stop) => {
    while (count < sorted.length && (stop === null || (sorted[count] as number) > stop)) count++;
    return count / sorted.length;
  });
}
