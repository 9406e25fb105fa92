import { countOf } from "../../strided.ts";
import { dataOf, elementTypes, type Kind } from "../file/elementTypes.ts";
import { distinctOf, slicesAt } from "../folding/order.ts";
import { intOf } from "../graph.ts";
import { isConstant, ofData, ofInts, ofTensor, type Value } from "../values.ts";
import type { ShapeContext, ShapeRule } from "./context.ts";

/** Largest constant that an operator may make from its sizes. */
const largest = 1 << 22;

/** Sizes of a value depend on the batch size if the value depends on the image. */
const followsBatch = (value: Value): boolean => !isConstant(value) || value.isOfBatch;

const constant: ShapeRule = (o) => {
  const { attributes } = o.node;
  const tensor = attributes.get("value")?.tensor;
  if (tensor) return [ofTensor(tensor, o.file)];
  const [float, floats] = [attributes.get("value_float")?.float, attributes.get("value_floats")?.floats];
  const [int, ints] = [attributes.get("value_int")?.int, attributes.get("value_ints")?.ints];
  if (float !== undefined) return [ofData("float", [], Float32Array.of(float))];
  if (floats) return [ofData("float", [floats.length], Float32Array.from(floats))];
  if (int !== undefined) return [ofData("int", [], Float64Array.of(int))];
  if (ints) return [ofInts(ints)];
  return o.unsupported("that is not a tensor of numbers");
};

const constantOfShape: ShapeRule = (o) => {
  const shape = o.ints(0) ?? [];
  const value = o.node.attributes.get("value")?.tensor;
  const kind: Kind = value ? (elementTypes[value.type]?.kind ?? "float") : "float";
  checkSize(o, shape);
  const filled = value ? (ofTensor(value, o.file).data[0] ?? 0) : 0;
  return [ofData(kind, shape, dataOf(kind, countOf(shape)).fill(filled), { isOfBatch: followsBatch(o.input(0)) })];
};

function checkSize(o: ShapeContext, shape: readonly number[]): void {
  if (shape.some((side) => !Number.isSafeInteger(side) || side < 0)) o.fail(`makes a tensor [${shape.join(", ")}]`);
  if (countOf(shape) > largest) o.fail(`makes a tensor of ${countOf(shape).toExponential(1)} numbers`);
}

const shapeOf: ShapeRule = (o) => {
  const shape = o.shape(0);
  const place = (value: number): number => Math.min(Math.max(value < 0 ? value + shape.length : value, 0), shape.length);
  const [start, end] = [o.node.attributes.get("start")?.int ?? 0, o.node.attributes.get("end")?.int ?? shape.length];
  return [ofInts(shape.slice(place(start), place(end)), followsBatch(o.input(0)))];
};

const size: ShapeRule = (o) => [ofData("int", [], Float64Array.of(countOf(o.shape(0))), { isOfBatch: followsBatch(o.input(0)) })];

const range: ShapeRule = (o) => {
  const [start = 0, limit = 0, delta = 1] = [0, 1, 2].map((i) => o.ints(i)?.[0] ?? o.fail("does not say its range"));
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  checkSize(o, [count]);
  const isOfBatch = [0, 1, 2].some((i) => followsBatch(o.input(i)));
  const { kind } = o.input(0);
  const values = Array.from({ length: count }, (_, i) => start + i * delta);
  return [ofData(kind, [count], kind === "float" ? Float32Array.from(values) : Float64Array.from(values), { isOfBatch })];
};

/** Indices of nonzero elements, one row per axis. The shape of the result depends on the numbers. */
const nonZero: ShapeRule = (o) => {
  const value = o.input(0);
  if (!isConstant(value)) return o.unsupported("on what depends on the picture");
  const { shape, data } = value;
  const places: number[] = [];
  data.forEach((one, i) => {
    if (one !== 0) places.push(i);
  });
  const rank = Math.max(1, shape.length);
  const rows = new Float64Array(rank * places.length);
  places.forEach((place, column) => {
    let rest = place;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      rows[axis * places.length + column] = rest % (shape[axis] as number);
      rest = Math.floor(rest / (shape[axis] as number));
    }
  });
  return [ofData("int", [rank, places.length], rows, { isOfBatch: value.isOfBatch })];
};

/** Ones on a diagonal of a matrix that is as large as the input. */
const eyeLike: ShapeRule = (o) => {
  const [rows = 0, columns = 0] = o.shape(0);
  const given = intOf(o.node, "dtype", -1);
  const kind = given < 0 ? o.input(0).kind : (elementTypes[given]?.kind ?? "float");
  checkSize(o, [rows, columns]);
  const offset = intOf(o.node, "k", 0);
  const values = dataOf(kind, rows * columns);
  for (let row = Math.max(0, -offset); row < rows && row + offset < columns; row++) values[row * columns + row + offset] = 1;
  return [ofData(kind, [rows, columns], values, { isOfBatch: followsBatch(o.input(0)) })];
};

/** Distinct numbers or slices, where each was first, which one each is, and how many there are. The shapes depend on the numbers. */
const unique: ShapeRule = (o) => {
  const value = o.input(0);
  if (!isConstant(value)) return o.unsupported("on what depends on the picture");
  const { isOfBatch } = value;
  const given = intOf(o.node, "axis", undefined);
  const axis = given === undefined ? undefined : o.axis(given, value.shape.length);
  const { first, inverse, counts } = distinctOf(value, axis, intOf(o.node, "sorted", 1) === 1);
  const flat = ofData(value.kind, [value.count], value.data);
  const numbers = axis === undefined ? slicesAt(flat, 0, first) : slicesAt(value, axis, first);
  const shape = axis === undefined ? [first.length] : value.shape.with(axis, first.length);
  return [
    ofData(value.kind, shape, numbers, { isOfBatch }),
    ofInts(first, isOfBatch),
    ofInts(inverse, isOfBatch),
    ofInts(counts, isOfBatch),
  ];
};

/** Operators that make constants, including those that give sizes. */
export const constantShapes: readonly [string, ShapeRule][] = [
  ["Constant", constant],
  ["ConstantOfShape", constantOfShape],
  ["Shape", shapeOf],
  ["Size", size],
  ["Range", range],
  ["NonZero", nonZero],
  ["EyeLike", eyeLike],
  ["Unique", unique],
];
