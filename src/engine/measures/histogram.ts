/** Empirical distributions of byte values, in base 2. One slice is one vector: all channels pooled. */
const counts = new Int32Array(256);
const jointCounts = new Int32Array(65536);
const occupied = new Int32Array(65536); // bins in use, so that clearing costs as much as filling
let multiplicity = new Int32Array(1);

/**
 * −Σ p·log2 p of the bins listed in `occupied`, and empties them. Bins of equal count are added up together in ascending order of
 * count: two slices with the same counts get the same number to the last bit, whatever their values are, and tie as they should.
 */
function entropyOfBins(bins: Int32Array, used: number, total: number): number {
  if (multiplicity.length <= total) multiplicity = new Int32Array(total + 1);
  let highest = 0;
  for (let i = 0; i < used; i++) {
    const bin = occupied[i] as number;
    const count = bins[bin] as number;
    bins[bin] = 0;
    multiplicity[count] = (multiplicity[count] as number) + 1;
    if (count > highest) highest = count;
  }
  let sum = 0;
  for (let count = 1; count <= highest; count++) {
    const times = multiplicity[count] as number;
    if (times === 0) continue;
    multiplicity[count] = 0;
    const p = count / total;
    sum -= times * p * Math.log2(p);
  }
  return sum + 0; // −0 of a constant slice becomes 0
}

function fill(values: Uint8Array, used: number): number {
  let n = used;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    const count = counts[value] as number;
    if (count === 0) occupied[n++] = value;
    counts[value] = count + 1;
  }
  return n;
}

/** Shannon entropy of the histogram of `a`, in bits: [0, min(8, log2 n)]. */
export function entropyBits(a: Uint8Array): number {
  return entropyOfBins(counts, fill(a, 0), a.length);
}

/** Entropy of the histogram of `a` and `b` thrown together. */
export function pooledEntropyBits(a: Uint8Array, b: Uint8Array): number {
  return entropyOfBins(counts, fill(b, fill(a, 0)), a.length + b.length);
}

/** Entropy of the pairs (a[i], b[i]), in bits: [max(H(a),H(b)), H(a)+H(b)]. */
export function jointEntropyBits(a: Uint8Array, b: Uint8Array): number {
  let used = 0;
  for (let i = 0; i < a.length; i++) {
    const pair = ((a[i] as number) << 8) | (b[i] as number);
    const count = jointCounts[pair] as number;
    if (count === 0) occupied[used++] = pair;
    jointCounts[pair] = count + 1;
  }
  return entropyOfBins(jointCounts, used, a.length);
}

/** How often each byte value occurs, 256 counts. */
export function histogram(a: Uint8Array): Int32Array {
  const result = new Int32Array(256);
  for (let i = 0; i < a.length; i++) result[a[i] as number] = (result[a[i] as number] as number) + 1;
  return result;
}

/** Sums that end equal on paper differ by some 1e-15 in float64. Rounded to 1e-12, that noise cannot decide the order of slices. */
export const withoutNoise = (bits: number): number => Math.round(bits * 1e12) / 1e12;
