import { placeOf } from "../../../models/layers/index.ts";
import { broadcastStrides, countOf, forPlaces, stridesOf } from "../../strided.ts";
import { type Data, dataOf } from "../file/elementTypes.ts";
import { intOf, textOf } from "../graph.ts";
import { cutsOf, padsOf, partsOf, reducedAxes } from "../shapes/parts.ts";
import { permutationOf } from "../shapes/reshape.ts";
import { type Constant, gathered } from "../values.ts";
import type { Fold } from "./index.ts";
import { orderFolds } from "./order.ts";

const transpose: Fold = ([x], { shape, kind }, o) => {
  const { data, shape: before } = x as Constant;
  const strides = stridesOf(before);
  return gathered(
    kind,
    data,
    shape,
    permutationOf(o).map((axis) => strides[axis] as number),
  );
};

const slice: Fold = ([x], { shape, kind }, o) => {
  const { data, shape: before } = x as Constant;
  const strides = stridesOf(before);
  let offset = 0;
  for (const { axis, start, step } of cutsOf(o)) {
    offset += start * (stridesOf(before)[axis] as number);
    strides[axis] = (strides[axis] as number) * step;
  }
  return gathered(kind, data, shape, strides, offset);
};

const split: Fold = ([x], { shape, kind }, o, index) => {
  const { data, shape: before } = x as Constant;
  const { axis, sizes } = partsOf(o);
  const strides = stridesOf(before);
  const offset = sizes.slice(0, index).reduce((a, b) => a + b, 0) * (strides[axis] as number);
  return gathered(kind, data, shape, strides, offset);
};

/** Writes values of a shape into a larger array, starting at `offset`. */
function placed(result: Data, shape: readonly number[], strides: readonly number[], offset: number, values: Data): void {
  let i = 0;
  forPlaces(shape, strides, offset, (place) => {
    result[place] = values[i++] as number;
  });
}

const concat: Fold = (inputs, { shape, kind }, o) => {
  const result = dataOf(kind, countOf(shape));
  const axis = o.axis(intOf(o.node, "axis", 0), shape.length);
  const strides = stridesOf(shape);
  let offset = 0;
  for (const one of inputs as readonly Constant[]) {
    placed(result, one.shape, strides, offset, one.data);
    offset += (one.shape[axis] as number) * (strides[axis] as number);
  }
  return result;
};

const gather: Fold = ([x, indices], { shape, kind }, o) => {
  const { data, shape: before } = x as Constant;
  const axis = o.axis(intOf(o.node, "axis", 0), before.length);
  const [outer, inner] = [countOf(before.slice(0, axis)), countOf(before.slice(axis + 1))];
  const side = before[axis] as number;
  const wanted = (indices as Constant).data;
  const result = dataOf(kind, countOf(shape));
  let i = 0;
  for (let row = 0; row < outer; row++)
    for (const index of wanted) {
      const place = (row * side + o.axis(index, side)) * inner;
      for (let k = 0; k < inner; k++) result[i++] = data[place + k] as number;
    }
  return result;
};

/** Positions in the array that rows of indices point to; the first `batches` axes of both go together. */
function* placesOf(indices: Constant, shape: readonly number[], o: Parameters<Fold>[2], batches = 0): Generator<number> {
  const depth = indices.shape.at(-1) ?? 0;
  const strides = stridesOf(shape);
  const { data } = indices;
  const outer = batches === 0 ? 0 : (strides[batches - 1] as number);
  const rows = countOf(indices.shape.slice(batches, -1));
  for (let row = 0; row * depth < data.length; row++) {
    let place = Math.floor(row / rows) * outer;
    for (let k = 0; k < depth; k++) {
      const axis = batches + k;
      place += o.axis(data[row * depth + k] as number, shape[axis] ?? 0) * (strides[axis] as number);
    }
    yield place;
  }
}

const gatherNd: Fold = ([x, indices], { shape, kind }, o) => {
  const { data, shape: before } = x as Constant;
  const batches = intOf(o.node, "batch_dims", 0);
  const inner = countOf(before.slice(batches + ((indices as Constant).shape.at(-1) ?? 0)));
  const result = dataOf(kind, countOf(shape));
  let i = 0;
  for (const place of placesOf(indices as Constant, before, o, batches))
    for (let k = 0; k < inner; k++) result[i++] = data[place + k] as number;
  return result;
};

/** What a written number does to the one that stands there. */
const writes: Readonly<Record<string, (old: number, value: number) => number>> = {
  none: (_, value) => value,
  add: (old, value) => old + value,
  mul: (old, value) => old * value,
  min: Math.min,
  max: Math.max,
};

const scatterNd: Fold = ([x, indices, updates], { shape }, o) => {
  const result = (x as Constant).data.slice();
  const inner = countOf(shape.slice((indices as Constant).shape.at(-1) ?? 0));
  const { data } = updates as Constant;
  const reduction = textOf(o.node, "reduction", "none");
  const write = writes[reduction] ?? o.unsupported(`with the reduction ${reduction}`);
  let i = 0;
  for (const place of placesOf(indices as Constant, shape, o))
    for (let k = 0; k < inner; k++) result[place + k] = write(result[place + k] as number, data[i++] as number);
  return result;
};

const tile: Fold = ([x], { shape, kind }) => {
  const { data, shape: before } = x as Constant;
  const both = before.flatMap((side, i) => [(shape[i] as number) / Math.max(1, side), side]);
  const strides = stridesOf(before).flatMap((stride) => [0, stride]);
  return gathered(kind, data, both, strides);
};

/** Places outside are constant, mirrored, the edge's or those of the other side; negative padding crops. */
const pad: Fold = ([x, , value], { shape, kind }, o) => {
  const { before, mode } = padsOf(o);
  const { data, shape: own } = x as Constant;
  const place = mode === "constant" ? undefined : (placeOf as Partial<typeof placeOf>)[mode as keyof typeof placeOf];
  if (mode !== "constant" && !place) return o.unsupported(`with the mode ${mode}`);
  const filled = value?.data[0] ?? o.node.attributes.get("value")?.float ?? 0;
  const strides = stridesOf(own);
  const places = shape.map((side, axis) =>
    Array.from({ length: side }, (_, i) => {
      const [at, size] = [i - (before[axis] as number), own[axis] as number];
      const inside = place ? place(at, size) : at >= 0 && at < size ? at : Number.NaN;
      return inside * (strides[axis] as number);
    }),
  );
  const result = dataOf(kind, countOf(shape));
  const whole = stridesOf(shape);
  for (let i = 0; i < result.length; i++) {
    const from = places.reduce((sum, list, axis) => sum + (list[Math.floor(i / (whole[axis] as number)) % list.length] as number), 0);
    result[i] = Number.isNaN(from) ? filled : (data[from] as number);
  }
  return result;
};

const reduced =
  (compute: (a: number, b: number) => number, first: number): Fold =>
  ([x], { shape, kind }, o) => {
    const { data, shape: before } = x as Constant;
    const axes = reducedAxes(o);
    const kept = before.map((side, i) => (axes.includes(i) ? 1 : side));
    const sums = new Float64Array(countOf(shape)).fill(first);
    let i = 0;
    forPlaces(before, broadcastStrides(kept, before), 0, (place) => {
      sums[place] = compute(sums[place] as number, data[i++] as number);
    });
    return kind === "float" ? Float32Array.from(sums) : sums;
  };

const trilu: Fold = ([x, k], { shape, kind }, o) => {
  const { data } = x as Constant;
  const [rows = 1, columns = 1] = shape.slice(-2);
  const isUpper = intOf(o.node, "upper", 1) === 1;
  const offset = k?.data[0] ?? 0;
  const result = dataOf(kind, data.length);
  for (let i = 0; i < data.length; i++) {
    const [row, column] = [Math.floor(i / columns) % rows, i % columns];
    if (isUpper ? column - row >= offset : column - row <= offset) result[i] = data[i] as number;
  }
  return result;
};

export const partFolds: readonly [string, Fold][] = [
  ["Transpose", transpose],
  ["Slice", slice],
  ["Split", split],
  ["Concat", concat],
  ["Gather", gather],
  ["GatherND", gatherNd],
  ["ScatterND", scatterNd],
  ["Tile", tile],
  ["Pad", pad],
  ["Trilu", trilu],
  ["ReduceSum", reduced((a, b) => a + b, 0)],
  ["ReduceProd", reduced((a, b) => a * b, 1)],
  ["ReduceMax", reduced(Math.max, Number.NEGATIVE_INFINITY)],
  ["ReduceMin", reduced(Math.min, Number.POSITIVE_INFINITY)],
  ...orderFolds,
];
