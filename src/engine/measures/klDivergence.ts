import { Type } from "@sinclair/typebox";
import { defineMeasure } from "../define/index.ts";
import { wholeNumberScale, withoutNoise } from "./histogram.ts";
import { requireReference } from "./reference.ts";

const pseudoCount = 1 / 256;
const counts = new Int32Array(256);

/** With L(n) = log2(n + 1/256), times `scale` and rounded: whole numbers, whose sum does not depend on the order of the pixels. */
interface Table {
  readonly size: number;
  readonly scale: number;
  /** L(n) and L(n)/256. */
  readonly logarithm: Float64Array;
  readonly pseudo: Float64Array;
  /** (n + 1 + 1/256)·L(n + 1) − (n + 1/256)·L(n): what one more pixel adds in a bin of n. */
  readonly step: Float64Array;
}
let table: Table | undefined;

function tableOf(size: number): Table {
  if (table?.size === size) return table;
  const scale = wholeNumberScale(4 * (size + 1) * (8 + Math.log2(size + 1)));
  const logarithm = Float64Array.from({ length: size + 1 }, (_, n) => Math.round(Math.log2(n + pseudoCount) * scale));
  const pseudo = logarithm.map((value) => Math.round(value * pseudoCount));
  const whole = logarithm.map((value, n) => n * value + (pseudo[n] as number));
  const step = Float64Array.from({ length: size }, (_, n) => (whole[n + 1] as number) - (whole[n] as number));
  table = { size, scale, logarithm, pseudo, step };
  return table;
}

/** Σ over bins of (n + 1/256)·(L(n) − L(m)), with counts n of a and m of b: the half of b by bin, that of a pixel by pixel. */
function against(b: Uint8Array): (a: Uint8Array) => number {
  const { size, scale, logarithm, pseudo, step } = tableOf(b.length);
  const other = new Int32Array(256);
  let withoutPixels = 0; // the sum for an `a` that has none: Σ (L(0) − L(m))/256
  for (let i = 0; i < size; i++) {
    const value = b[i] as number;
    const m = other[value] as number;
    other[value] = m + 1;
    withoutPixels += (pseudo[m] as number) - (pseudo[m + 1] as number);
  }
  const start = withoutPixels;
  return (a) => Math.max(0, withoutNoise((start + sumOf(a, step, logarithm, other)) / scale / (size + 1)));
}

/** What the pixels of `a` add, one by one. A function of its own rather than a part of the closure, which compiles to slower code. */
function sumOf(a: Uint8Array, step: Float64Array, logarithm: Float64Array, other: Int32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const value = a[i] as number;
    const n = counts[value] as number;
    counts[value] = n + 1;
    sum += (step[n] as number) - (logarithm[other[value] as number] as number);
  }
  for (let i = 0; i < a.length; i++) counts[a[i] as number] = 0;
  return sum;
}

/**
 * KL(a ‖ reference) of the 256-bin histograms, in bits. A pseudo-count of 1/256 in every bin keeps it finite where the reference
 * lacks a value.
 */
export const klDivergence = defineMeasure({
  id: "klDivergence",
  title: "Kullback–Leibler divergence",
  paper: "Ghebrechristos & Alaghband 2024, Table 1",
  kind: "distance",
  params: Type.Object({}),
  measure: (a, b) => against(requireReference("klDivergence", a, b))(a),
  against,
});
