import { Type } from "@sinclair/typebox";
import { defineMeasure } from "../define.ts";
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
  for (let i = 0; i < size; i++) other[b[i] as number] = (other[b[i] as number] as number) + 1;
  const logarithmOf = new Float64Array(256);
  let empty = 0; // the sum for an `a` without a pixel
  for (let value = 0; value < 256; value++) {
    const m = other[value] as number;
    logarithmOf[value] = logarithm[m] as number;
    empty += (pseudo[0] as number) - (pseudo[m] as number);
  }
  return (a) => {
    let sum = empty;
    for (let i = 0; i < size; i++) {
      const value = a[i] as number;
      const n = counts[value] as number;
      counts[value] = n + 1;
      sum += (step[n] as number) - (logarithmOf[value] as number);
    }
    for (let i = 0; i < size; i++) counts[a[i] as number] = 0;
    return Math.max(0, withoutNoise(sum / scale / (size + 1)));
  };
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
