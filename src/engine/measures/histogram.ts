/**
 * Entropies of empirical distributions of byte values, in bits. One slice is one vector: all channels pooled. Everything is summed in
 * whole multiples of one small number, which float64 adds exactly: neither the order of the pixels nor the names of the values can change
 * a result in its last bit, so that slices of equal counts tie as they should.
 */
const counts = new Int32Array(256);

/** Numbers that belong to slices of one size. */
interface Table {
  /** n·log2 n at n = size, times `scale`. */
  readonly full: number;
  /** (n+1)·log2(n+1) − n·log2 n, times `scale`: what one more pixel adds to the bin that has n. */
  readonly step: Float64Array;
  readonly scale: number;
}
const tables = new Map<number, Table>();

function tableOf(size: number): Table {
  const known = tables.get(size);
  if (known) return known;
  if (tables.size >= 16) tables.clear();
  const scale = wholeNumberScale(size * Math.log2(size + 1));
  const term = (n: number): number => (n === 0 ? 0 : Math.round(n * Math.log2(n) * scale));
  const table = { scale, full: term(size), step: Float64Array.from({ length: size }, (_, n) => term(n + 1) - term(n)) };
  tables.set(size, table);
  return table;
}

/** The power of two that makes numbers up to `largest` as large as whole numbers in float64 may be, with a bit to spare. */
export const wholeNumberScale = (largest: number): number => 2 ** Math.floor(51 - Math.log2(Math.max(1, largest)));

/** Counts `values` on top of what is counted already; Σ n·log2 n of the histogram grows by the result. */
function count(values: Uint8Array, step: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    const n = counts[value] as number;
    counts[value] = n + 1;
    sum += step[n] as number;
  }
  return sum;
}
function clear(values: Uint8Array): void {
  for (let i = 0; i < values.length; i++) counts[values[i] as number] = 0;
}

/** Shannon entropy of the histogram of `a`, in bits: [0, min(8, log2 n)]. */
export function entropyBits(a: Uint8Array): number {
  const { full, step, scale } = tableOf(a.length);
  const sum = count(a, step);
  clear(a);
  return (full - sum) / (a.length * scale);
}

/** Entropy of the histogram of `a` and `b` pooled. */
export function pooledEntropyBits(a: Uint8Array, b: Uint8Array): number {
  const size = a.length + b.length;
  const { full, step, scale } = tableOf(size);
  const sum = count(a, step) + count(b, step);
  clear(a);
  clear(b);
  return (full - sum) / (size * scale);
}

/** The places of each value that a slice has more than once: run r of `places` is [starts[r], starts[r + 1]). */
interface Repeated {
  readonly places: Int32Array;
  readonly starts: readonly number[];
}

function repeatedIn(b: Uint8Array): Repeated {
  const next = new Int32Array(256);
  for (let i = 0; i < b.length; i++) next[b[i] as number] = (next[b[i] as number] as number) + 1;
  const starts: number[] = [];
  let end = 0;
  for (let value = 0; value < 256; value++) {
    const n = next[value] as number;
    next[value] = n > 1 ? end : -1;
    if (n < 2) continue;
    starts.push(end);
    end += n;
  }
  starts.push(end);
  const places = new Int32Array(end);
  for (let i = 0; i < b.length; i++) {
    const at = next[b[i] as number] as number;
    if (at < 0) continue;
    places[at] = i;
    next[b[i] as number] = at + 1;
  }
  return { places, starts };
}

/**
 * Σ n·log2 n of the pairs (a[i], b[i]), scaled. Where b has a value once, so has the pair, and adds nothing; the others are counted value
 * by value of b, which needs no table of 65,536 pairs.
 */
function jointSum(a: Uint8Array, { places, starts }: Repeated, step: Float64Array): number {
  let sum = 0;
  for (let run = 0; run + 1 < starts.length; run++) {
    const start = starts[run] as number;
    const end = starts[run + 1] as number;
    for (let i = start; i < end; i++) {
      const value = a[places[i] as number] as number;
      const n = counts[value] as number;
      counts[value] = n + 1;
      sum += step[n] as number;
    }
    for (let i = start; i < end; i++) counts[a[places[i] as number] as number] = 0;
  }
  return sum;
}

/** Entropy of the pairs (a[i], b[i]) of any `a` with one `b`, in bits: [max(H(a),H(b)), H(a)+H(b)]. */
export function jointBitsWith(b: Uint8Array): (a: Uint8Array) => number {
  const { full, step, scale } = tableOf(b.length);
  const repeated = repeatedIn(b);
  return (a) => (full - jointSum(a, repeated, step)) / (a.length * scale);
}

/** H(a) + H(b) − H(a,b) of any `a` with one `b`, in bits. What cancels on paper cancels here up to some 1e-15. */
export function mutualBitsWith(b: Uint8Array): (a: Uint8Array) => number {
  const { full, step, scale } = tableOf(b.length);
  const repeated = repeatedIn(b);
  const own = full - count(b, step);
  clear(b);
  return (a) => {
    const alone = count(a, step);
    clear(a);
    return (own - alone + jointSum(a, repeated, step)) / (a.length * scale);
  };
}

/** Sums that end equal on paper differ by some 1e-15 in float64. Rounded to 1e-12, that noise cannot decide the order of slices. */
export const withoutNoise = (bits: number): number => Math.round(bits * 1e12) / 1e12;
