import { broadcastStrides, countOf, forPlaces } from "../../strided.ts";
import { type Data, dataOf } from "../file/elementTypes.ts";
import { intOf } from "../graph.ts";
import { quantisationFolds } from "../quantisation.ts";
import type { ShapeContext } from "../shapes/context.ts";
import type { Constant, Live } from "../values.ts";
import { partFolds } from "./parts.ts";

/** Computes an output of a node whose inputs are all constant; `out` has its shape and kind. */
export type Fold = (inputs: readonly (Constant | undefined)[], out: Live, o: ShapeContext, index: number) => Data;

const unary =
  (compute: (x: number) => number): Fold =>
  ([x], { kind, shape }) => {
    const result = dataOf(kind, countOf(shape));
    x?.forBlocks((block, at) => {
      for (let i = 0; i < block.length; i++) result[at + i] = compute(block[i] as number);
    });
    return result;
  };

/** Combines two or more constants, with numpy's broadcasting. */
const combined =
  (compute: (a: number, b: number) => number): Fold =>
  (inputs, { kind, shape }) => {
    const given = inputs.filter((one) => one !== undefined);
    let sum = spread(given[0] as Constant, shape);
    for (const next of given.slice(1)) {
      const other = spread(next, shape);
      const result = dataOf(kind, sum.length);
      for (let i = 0; i < result.length; i++) result[i] = compute(sum[i] as number, other[i] as number);
      sum = result;
    }
    return sum;
  };

/** A constant's numbers, broadcast to a shape. */
function spread(value: Constant, shape: readonly number[]): Data {
  const { data, kind } = value;
  if (value.shape.join() === shape.join()) return data;
  const result = dataOf(kind, countOf(shape));
  let i = 0;
  forPlaces(shape, broadcastStrides(value.shape, shape), 0, (place) => {
    result[i++] = data[place] as number;
  });
  return result;
}

/** Integer division truncates towards zero. */
const divided: Fold = (inputs, out, o, index) =>
  combined(out.kind === "float" ? (a, b) => a / b : (a, b) => Math.trunc(a / b))(inputs, out, o, index);

const modulo: Fold = (inputs, out, o, index) => {
  const isC = intOf(o.node, "fmod", 0) === 1;
  return combined((a, b) => (isC ? a % b : a - Math.floor(a / b) * b))(inputs, out, o, index);
};

const where: Fold = ([condition, yes, no], { kind, shape }) => {
  const [c, y, n] = [condition, yes, no].map((one) => spread(one as Constant, shape)) as [Data, Data, Data];
  const result = dataOf(kind, c.length);
  for (let i = 0; i < result.length; i++) result[i] = (c[i] !== 0 ? y[i] : n[i]) as number;
  return result;
};

const cast: Fold = (inputs, out, o, index) =>
  unary(out.kind === "float" ? (x) => x : out.kind === "bool" ? (x) => Number(x !== 0) : Math.trunc)(inputs, out, o, index);

const copy: Fold = ([x]) => (x as Constant).data;
/** Keeps all numbers: the mask is all ones. */
const dropout: Fold = (inputs, out, o, index) => (index === 0 ? copy(inputs, out, o, index) : dataOf(out.kind, countOf(out.shape)).fill(1));
const truth = (compute: (a: number, b: number) => boolean): Fold => combined((a, b) => Number(compute(a, b)));

const folds: readonly [string, Fold][] = [
  ["Identity", copy],
  ["Dropout", dropout],
  ["Reshape", copy],
  ["Flatten", copy],
  ["Squeeze", copy],
  ["Unsqueeze", copy],
  ["Cast", cast],
  ["Neg", unary((x) => -x)],
  ["Abs", unary(Math.abs)],
  ["Floor", unary(Math.floor)],
  ["Ceil", unary(Math.ceil)],
  ["Sqrt", unary(Math.sqrt)],
  ["Exp", unary(Math.exp)],
  ["Log", unary(Math.log)],
  ["Reciprocal", unary((x) => 1 / x)],
  ["Not", unary((x) => Number(x === 0))],
  ["Add", combined((a, b) => a + b)],
  ["Sub", combined((a, b) => a - b)],
  ["Mul", combined((a, b) => a * b)],
  ["Div", divided],
  ["Mod", modulo],
  ["Pow", combined((a, b) => a ** b)],
  ["Min", combined(Math.min)],
  ["Max", combined(Math.max)],
  ["Sum", combined((a, b) => a + b)],
  ["Equal", truth((a, b) => a === b)],
  ["Less", truth((a, b) => a < b)],
  ["LessOrEqual", truth((a, b) => a <= b)],
  ["Greater", truth((a, b) => a > b)],
  ["GreaterOrEqual", truth((a, b) => a >= b)],
  ["And", truth((a, b) => a !== 0 && b !== 0)],
  ["Or", truth((a, b) => a !== 0 || b !== 0)],
  ["Xor", truth((a, b) => (a !== 0) !== (b !== 0))],
  ["Where", where],
  ["Expand", ([x], { shape }) => spread(x as Constant, shape)],
];

/** Operators that are folded while a file is opened: exporters use them to compute sizes and indices. */
export const foldRules: ReadonlyMap<string, Fold> = new Map([...folds, ...partFolds, ...quantisationFolds]);
