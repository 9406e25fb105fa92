import type { SliceFacts } from "../define/index.ts";

/**
 * What a change of probability or of the lead of a class has to exceed to count, for each slice: passes of a network in float32 differ with
 * the batch and with the place of a slice in the volume by about 1e-5.
 */
export const rounding = 1e-4;

type Deciding = Pick<SliceFacts, "count" | "aggregate" | "abstain">;

/**
 * A proof about one image: which slices may hold any content without changing the class y. A slice s is left with at least
 * `lead(s, j)` between y and another class j, and one whose content is chosen freely can turn that into −1: j has the whole of it. So no
 * content of the slices S changes the decision if for every j ≠ y
 *
 *   Σ_s lead(s, j) − Σ_{s∈S} (1 + lead(s, j)) > 0,
 *
 * and none of any K slices if that holds with the K largest terms of the second sum. With `meanProb` the lead is p_y − p_j, with `vote` the
 * difference of the votes (a tie counts as lost); a slice that abstains has a lead of 0. Wherever rounding could go either way, the
 * worse way is taken. It holds where every slice is judged on its own (`reach` 1), and where the aggregate bounds what a slice can do.
 */
export interface Certificate {
  /**
   * The largest K such that no content of any K slices changes the class; 0 where the content of one slice can. The content of a slice is
   * all its pixels, so that slices that overlap it change too.
   */
  readonly slices: number;
  /** No content of just these slices, by their index, can change the class. */
  holds(slices: Iterable<number>): boolean;
}

/**
 * @param logits of the slices, [Z·k]
 * @param decision class y that the model decides for
 * @param sharing of each slice, those that change with its content: itself and others that show one of its pixels (`sliceMap`)
 */
export function certify(
  logits: ArrayLike<number>,
  decision: number,
  slices: Deciding,
  sharing: readonly (readonly number[])[],
): Certificate {
  const { count: Z } = slices;
  const k = logits.length / Z;
  const probabilities = Array.from({ length: Z }, (_, s) => softmax(Array.from({ length: k }, (_, j) => logits[s * k + j] as number)));
  const leads = Array.from({ length: k }, (_, j) => probabilities.map((p) => lead(p, decision, j, slices))).filter(
    (_, j) => j !== decision,
  );
  const exceeds = (own: readonly number[], lost: number): boolean => sum(own) - lost > rounding * Z;
  return {
    slices: Math.min(Z, ...leads.map((own) => mostLost(own, sharing, exceeds))),
    holds(changed) {
      const free = [...new Set(changed)];
      return leads.every((own) => exceeds(own, sum(free.map((s) => 1 + (own[s] as number)))));
    },
  };
}

/**
 * Of how many slices, those that lose most, the content can be lost. Where two of them change the same slice its loss counts twice: it is
 * never less than what is lost.
 */
function mostLost(
  leads: readonly number[],
  sharing: readonly (readonly number[])[],
  exceeds: (leads: readonly number[], lost: number) => boolean,
): number {
  const losses = sharing.map((changed) => sum(changed.map((s) => 1 + (leads[s] as number)))).sort((a, b) => b - a);
  let lost = 0;
  for (const [i, loss] of losses.entries()) {
    lost += loss;
    if (!exceeds(leads, lost)) return i;
  }
  return losses.length;
}

/** The least by which a slice of these probabilities, left as it is, is for class y rather than for j. */
function lead(p: readonly number[], y: number, j: number, { aggregate, abstain }: Deciding): number {
  const highest = Math.max(...p);
  const [mayCount, mustCount] = abstain === 0 ? [true, true] : [highest > abstain - rounding, highest > abstain + rounding];
  const [own, other] = [p[y] as number, p[j] as number];
  if (aggregate === "meanProb") {
    const difference = mayCount ? own - other : 0;
    return mustCount ? difference : Math.min(0, difference);
  }
  const second = Math.max(...p.filter((_, i) => i !== y));
  const isSure = mustCount && own > second + rounding;
  const isOther = mayCount && other >= highest - rounding;
  return Number(isSure) - Number(isOther);
}

/** In double precision. */
export function softmax(logits: ArrayLike<number>): number[] {
  const all = Array.from(logits);
  const highest = Math.max(...all);
  const exponentials = all.map((z) => Math.exp(z - highest));
  const total = sum(exponentials);
  return exponentials.map((e) => e / total);
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Along one side of the image, for every pixel: the rows (or columns) of slices that show it. Pixels beyond the border mirror those inside. */
function shownBy(size: number, count: number, side: number, stride: number): ReadonlySet<number>[] {
  const shown = Array.from({ length: size }, () => new Set<number>());
  for (let slice = 0; slice < count; slice++)
    for (let place = slice * stride; place < slice * stride + side; place++)
      shown[place < size ? place : 2 * (size - 1) - place]?.add(slice);
  return shown;
}

/** Of each row (or column) of slices, those that show one of its pixels. */
function sharedBy(shown: readonly ReadonlySet<number>[]): number[][] {
  const count = 1 + Math.max(...shown.flatMap((one) => [...one]));
  return Array.from({ length: count }, (_, slice) => [...new Set(shown.filter((one) => one.has(slice)).flatMap((one) => [...one]))]);
}

/** Where the pixels of an image lie in its slices, which are numbered in raster order. */
export function sliceMap([height, width]: readonly number[], { rows, columns, side, stride }: SliceFacts) {
  const [down, right] = [
    shownBy(height as number, rows, side[0], stride[0]),
    shownBy(width as number, columns, side[1], stride[1]),
  ] as const;
  /** Rows (or columns) of slices that a patch shows up in, for each place along that side. */
  const along = (shown: readonly ReadonlySet<number>[], patch: number): number[][] => {
    const places = Math.max(1, shown.length - patch + 1);
    const sets = Array.from({ length: places }, (_, at) => [...new Set(shown.slice(at, at + patch).flatMap((one) => [...one]))]);
    return sets.filter((set, i) => sets.findIndex((other) => String(other) === String(set)) === i);
  };
  const cross = (ofRows: Iterable<number>, ofColumns: readonly number[]): number[] =>
    [...ofRows].flatMap((row) => ofColumns.map((column) => row * columns + column));
  return {
    /** Slices that show a pixel. */
    at: (y: number, x: number): readonly number[] => cross(down[y] ?? [], [...(right[x] ?? [])]),
    /** Of each slice, the slices that show one of its pixels, itself among them. */
    sharing: sharedBy(down).flatMap((ofRows) => sharedBy(right).map((ofColumns) => cross(ofRows, ofColumns))),
    /** The sets of slices that a square patch of so many pixels a side can touch, wherever it lies. */
    touchedBy: (patch: number): readonly (readonly number[])[] =>
      along(down, patch).flatMap((ofRows) => along(right, patch).map((ofColumns) => cross(ofRows, ofColumns))),
  };
}
