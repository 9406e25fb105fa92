import type { Random } from "../random.ts";

/**
 * Probabilities in the form that draws with replacement are made from, by the alias method (Walker 1977, Vose 1991): one number picks one of n
 * equally likely places and, with what is left of it, the entry of that place or the other one that shares it.
 */
export interface DrawTable {
  /** Share of each place that is its own entry's. */
  readonly own: Float64Array;
  /** The entry that has the rest of a place. */
  readonly other: Int32Array;
}

/** @param p at least 0, with a sum above 0 */
export function drawTable(p: ArrayLike<number>): DrawTable {
  const n = p.length;
  let sum = 0;
  for (let i = 0; i < n; i++) sum += p[i] as number;
  const own = new Float64Array(n);
  const other = new Int32Array(n);
  // Entries with less than a place from the front of the list, those with more from its end.
  const list = new Int32Array(n);
  let [less, more] = [0, n];
  for (let i = 0; i < n; i++) {
    own[i] = ((p[i] as number) / sum) * n;
    list[(own[i] as number) < 1 ? less++ : --more] = i;
  }
  while (less > 0 && more < n) {
    const small = list[--less] as number;
    const large = list[more] as number;
    other[small] = large;
    own[large] = (own[large] as number) - (1 - (own[small] as number));
    if ((own[large] as number) < 1) {
      list[less++] = large;
      more++;
    }
  }
  // Only rounding is left: nothing for an entry of probability 0, all of its place for another.
  while (less > 0) {
    const left = list[--less] as number;
    if ((p[left] as number) > 0) own[left] = 1;
    else other[left] = largestOf(p);
  }
  while (more < n) own[list[more++] as number] = 1;
  return { own, other };
}

function largestOf(p: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 1; i < p.length; i++) if ((p[i] as number) > (p[largest] as number)) largest = i;
  return largest;
}

/**
 * Draws `count` times with replacement and writes a drawn entry's scale into `out`, which is 0 there before. Entries of probability 0 are
 * never drawn.
 * @returns entries drawn at least once
 */
export function drawInto(
  { own, other }: DrawTable,
  count: number,
  scale: Float64Array,
  random: Random,
  { out, offset }: { readonly out: Float32Array; readonly offset: number },
): number {
  const n = own.length;
  let kept = 0;
  for (let draw = 0; draw < count; draw++) {
    const at = random.next() * n;
    const place = Math.floor(at);
    const entry = at - place < (own[place] as number) ? place : (other[place] as number);
    if (out[offset + entry] === 0) {
      out[offset + entry] = scale[entry] as number;
      kept++;
    }
  }
  return kept;
}
