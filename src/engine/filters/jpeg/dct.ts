/*
 * The discrete cosine transform of 8×8 blocks and its inverse in libjpeg's integers ("islow"): Loeffler, Ligtenberg & Moschytz 1989 with
 * constants of 13 fractional bits, rows kept with 2 more between the passes. Every rounding is libjpeg's, so that results are the same bits.
 */
const fraction = 13;
const kept = 2;
/** √2-scaled cosines c_k = cos(kπ/16) and their sums, times 2¹³. */
const k0298 = 2446;
const k0390 = 3196;
const k0541 = 4433;
const k0765 = 6270;
const k0899 = 7373;
const k1175 = 9633;
const k1501 = 12299;
const k1847 = 15137;
const k1961 = 16069;
const k2053 = 16819;
const k2562 = 20995;
const k3072 = 25172;

const at = (values: Int32Array, i: number): number => values[i] as number;
/** x/2ⁿ, halves up. */
const descaled = (x: number, n: number): number => (x + (1 << (n - 1))) >> n;

/** The four odd terms of both transforms: a rotation of (a, b, c, d), which belong to the 7th, 5th, 3rd and 1st coefficient. */
const odd = new Int32Array(4);
function rotate(a: number, b: number, c: number, d: number): void {
  const all = (a + c + b + d) * k1175;
  const [ad, bc] = [-(a + d) * k0899, -(b + c) * k2562];
  const [ac, bd] = [all - (a + c) * k1961, all - (b + d) * k0390];
  odd[0] = a * k0298 + ad + ac;
  odd[1] = b * k2053 + bc + bd;
  odd[2] = c * k3072 + bc + ac;
  odd[3] = d * k1501 + ad + bd;
}

/** Eight values of `block`, `stride` apart: their transform, with 2 more bits in the first pass (rows), without them in the second. */
function forwardLine(block: Int32Array, start: number, stride: number, isFirst: boolean): void {
  const v = (i: number): number => at(block, start + i * stride);
  const [s0, s1, s2, s3] = [v(0) + v(7), v(1) + v(6), v(2) + v(5), v(3) + v(4)];
  const [d0, d1, d2, d3] = [v(0) - v(7), v(1) - v(6), v(2) - v(5), v(3) - v(4)];
  const [outer, inner] = [s0 + s3, s1 + s2];
  const [outerDifference, innerDifference] = [s0 - s3, s1 - s2];
  const shared = (outerDifference + innerDifference) * k0541;
  const bits = isFirst ? fraction - kept : fraction + kept;
  rotate(d3, d2, d1, d0);
  block[start] = isFirst ? (outer + inner) << kept : descaled(outer + inner, kept);
  block[start + 4 * stride] = isFirst ? (outer - inner) << kept : descaled(outer - inner, kept);
  block[start + 2 * stride] = descaled(shared + outerDifference * k0765, bits);
  block[start + 6 * stride] = descaled(shared - innerDifference * k1847, bits);
  block[start + 7 * stride] = descaled(at(odd, 0), bits);
  block[start + 5 * stride] = descaled(at(odd, 1), bits);
  block[start + 3 * stride] = descaled(at(odd, 2), bits);
  block[start + stride] = descaled(at(odd, 3), bits);
}

/** Eight coefficients of `block`, `stride` apart: their inverse, with 2 more bits in the first pass (columns), without any in the second. */
function inverseLine(block: Int32Array, start: number, stride: number, isFirst: boolean): void {
  const v = (i: number): number => at(block, start + i * stride);
  const shared = (v(2) + v(6)) * k0541;
  const [low, high] = [shared - v(6) * k1847, shared + v(2) * k0765];
  const [sum, difference] = [(v(0) + v(4)) << fraction, (v(0) - v(4)) << fraction];
  const even = [sum + high, difference + low, difference - low, sum - high] as const;
  rotate(v(7), v(5), v(3), v(1));
  const bits = isFirst ? fraction - kept : fraction + kept + 3;
  for (let i = 0; i < 4; i++) {
    const [e, o] = [even[i as 0], at(odd, 3 - i)];
    block[start + i * stride] = descaled(e + o, bits);
    block[start + (7 - i) * stride] = descaled(e - o, bits);
  }
}

/** 64 samples −128…127 → 8 times their coefficients, in place. */
export function forward(block: Int32Array): void {
  for (let row = 0; row < 8; row++) forwardLine(block, 8 * row, 1, true);
  for (let column = 0; column < 8; column++) forwardLine(block, column, 8, false);
}

/** 64 coefficients → samples, in place; they may lie beyond −128…127. */
export function inverse(block: Int32Array): void {
  for (let column = 0; column < 8; column++) inverseLine(block, column, 8, true);
  for (let row = 0; row < 8; row++) inverseLine(block, 8 * row, 1, false);
}
