import { countOf } from "../../strided.ts";
import { dataOf, elementTypes, type Kind } from "../file/elementTypes.ts";
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

/** Operators that make constants, including those that give sizes. */
export const constantShapes: readonly [string, ShapeRule][] = [
  ["Constant", constant],
  ["ConstantOfShape", constantOfShape],
  ["Shape", shapeOf],
  ["Size", size],
  ["Range", range],
  ["NonZero", nonZero],
];
