import { countOf } from "../../strided.ts";
import { dataOf } from "../file/elementTypes.ts";
import { intOf } from "../graph.ts";
import type { ShapeContext } from "../shapes/context.ts";
import { type Constant, gathered, type Live } from "../values.ts";
import type { Fold } from "./index.ts";

/** A constant as rows along an axis: element k of row (i, j) is at (i·side + k)·inner + j. */
function rowsOf({ shape }: Pick<Live, "shape">, axis: number): { readonly outer: number; readonly side: number; readonly inner: number } {
  return { outer: countOf(shape.slice(0, axis)), side: shape[axis] as number, inner: countOf(shape.slice(axis + 1)) };
}
const axisOf = (o: ShapeContext, otherwise: number, rank = o.shape(0).length): number => o.axis(intOf(o.node, "axis", otherwise), rank);

/** The index of the largest or smallest number along an axis. */
const extreme =
  (isBetter: (a: number, b: number) => boolean): Fold =>
  ([x], { kind, shape }, o) => {
    const { data } = x as Constant;
    const { outer, side, inner } = rowsOf(x as Constant, axisOf(o, 0));
    const isLast = intOf(o.node, "select_last_index", 0) === 1;
    const result = dataOf(kind, countOf(shape));
    for (let i = 0; i < outer; i++)
      for (let j = 0; j < inner; j++) {
        let best = 0;
        const at = (k: number): number => data[(i * side + k) * inner + j] as number;
        for (let k = 1; k < side; k++) if (isBetter(at(k), at(best)) || (isLast && at(k) === at(best))) best = k;
        result[i * inner + j] = best;
      }
    return result;
  };

const cumulated: Fold = ([x, along], { kind, shape }, o) => {
  const { data } = x as Constant;
  const { outer, side, inner } = rowsOf(x as Constant, o.axis((along as Constant).data[0] as number, shape.length));
  const [isExclusive, isReverse] = [intOf(o.node, "exclusive", 0) === 1, intOf(o.node, "reverse", 0) === 1];
  const result = dataOf(kind, data.length);
  for (let i = 0; i < outer; i++)
    for (let j = 0; j < inner; j++) {
      let sum = 0;
      for (let step = 0; step < side; step++) {
        const place = (i * side + (isReverse ? side - 1 - step : step)) * inner + j;
        const before = sum;
        sum += data[place] as number;
        result[place] = isExclusive ? before : sum;
      }
    }
  return result;
};

/** The numbers at an index along an axis for each place of the indices. */
const gatherElements: Fold = ([x, indices], { kind, shape }, o) => {
  const { data, shape: own } = x as Constant;
  const axis = axisOf(o, 0);
  const wanted = (indices as Constant).data;
  const result = dataOf(kind, countOf(shape));
  const strides = own.map((_, i) => countOf(own.slice(i + 1)));
  const whole = shape.map((_, i) => countOf(shape.slice(i + 1)));
  for (let place = 0; place < result.length; place++) {
    const from = shape.reduce((sum, side, i) => {
      const index = i === axis ? o.axis(wanted[place] as number, own[axis] as number) : Math.floor(place / (whole[i] as number)) % side;
      return sum + index * (strides[i] as number);
    }, 0);
    result[place] = data[from] as number;
  }
  return result;
};

/** Two numbers, off and on: on where the index along the new axis is that of the place; one out of range is nowhere. */
const oneHot: Fold = ([indices, , values], { kind, shape }, o) => {
  const axis = axisOf(o, -1, shape.length);
  const { side, inner } = rowsOf({ shape }, axis);
  const [off = 0, on = 1] = (values as Constant).data;
  const result = dataOf(kind, countOf(shape)).fill(off);
  (indices as Constant).data.forEach((index, place) => {
    const k = index < 0 ? index + side : index;
    if (k >= 0 && k < side) result[(Math.floor(place / inner) * side + k) * inner + (place % inner)] = on;
  });
  return result;
};

/** The largest or smallest numbers along an axis, and where they were; of equal ones the first come first. */
const top: Fold = ([x], { kind, shape }, o, index) => {
  const { data } = x as Constant;
  const axis = axisOf(o, -1);
  const { outer, side, inner } = rowsOf(x as Constant, axis);
  const sign = intOf(o.node, "largest", 1) === 1 ? -1 : 1;
  const count = shape[axis] as number;
  const result = dataOf(kind, countOf(shape));
  for (let i = 0; i < outer; i++)
    for (let j = 0; j < inner; j++) {
      const at = (k: number): number => data[(i * side + k) * inner + j] as number;
      const order = Array.from({ length: side }, (_, k) => k).sort((a, b) => sign * (at(a) - at(b)) || a - b);
      for (let k = 0; k < count; k++) result[(i * count + k) * inner + j] = index === 0 ? at(order[k] as number) : (order[k] as number);
    }
  return result;
};

/** Distinct numbers, or slices along an axis: in order of size, or as they come. */
export interface Distinct {
  /** Index of the first of each. */
  readonly first: readonly number[];
  /** Which one each element is. */
  readonly inverse: readonly number[];
  readonly counts: readonly number[];
}

/** @param side elements that are compared; all numbers where no axis is given */
export function distinctOf({ data, shape }: Constant, axis: number | undefined, isSorted: boolean): Distinct {
  const { outer, side, inner } = axis === undefined ? { outer: 1, side: countOf(shape), inner: 1 } : rowsOf({ shape }, axis);
  const sliceAt = (k: number): number[] =>
    Array.from({ length: outer * inner }, (_, i) => data[(Math.floor(i / inner) * side + k) * inner + (i % inner)] as number);
  const known = new Map<string, number[]>();
  for (let k = 0; k < side; k++) {
    const key = sliceAt(k).join();
    const group = known.get(key);
    if (group) group.push(k);
    else known.set(key, [k]);
  }
  const groups = [...known.values()];
  if (isSorted)
    groups.sort(([a = 0], [b = 0]) => {
      const [one, other] = [sliceAt(a), sliceAt(b)];
      const at = one.findIndex((value, i) => value !== other[i]);
      return at < 0 ? 0 : (one[at] as number) - (other[at] as number);
    });
  const inverse = new Array<number>(side).fill(0);
  groups.forEach((group, i) => {
    for (const k of group) inverse[k] = i;
  });
  return { first: groups.map(([k = 0]) => k), inverse, counts: groups.map(({ length }) => length) };
}

/** The slices of a constant at some indices along an axis. */
export function slicesAt({ kind, data, shape }: Constant, axis: number, indices: readonly number[]): Float32Array | Float64Array {
  const { outer, side, inner } = rowsOf({ shape }, axis);
  const result = dataOf(kind, outer * indices.length * inner);
  let at = 0;
  for (let i = 0; i < outer; i++)
    for (const k of indices) {
      result.set(gathered(kind, data, [inner], [1], (i * side + k) * inner), at);
      at += inner;
    }
  return result;
}

/** Operators that compare, count or select, which exporters use to compute indices. */
export const orderFolds: readonly [string, Fold][] = [
  ["ArgMax", extreme((a, b) => a > b)],
  ["ArgMin", extreme((a, b) => a < b)],
  ["CumSum", cumulated],
  ["GatherElements", gatherElements],
  ["OneHot", oneHot],
  ["TopK", top],
];
