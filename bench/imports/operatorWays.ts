// Ways to put a test of a single operator through a network: which of its inputs are the picture, and which axis is the batch.
import type { FileModel, FileNode, FileValue } from "../../src/engine/importers/onnx/file/model.ts";
import type { ImageInput } from "../../src/engine/importers/onnx/input.ts";
import { countOf } from "../../src/engine/importers/strided.ts";
import { constant, ints, moveAxes, node } from "./operatorAxes.ts";
import type { Given, OperatorTest } from "./operatorTest.ts";

/** A model of one input and one output [B,K], and what it takes and gives. */
export interface Way {
  readonly title: string;
  readonly model: FileModel;
  readonly image: ImageInput;
  /** Pictures of one run, [rows,H,W,C] as the network takes them. */
  readonly rows: number;
  readonly shape: readonly [number, number, number];
  readonly data: Float32Array;
}

/** Element types of a value that a network can compute: floats, and truths as 0 and 1. */
const computed = [1, 9, 10, 11, 16];

/** Every way for one output: each input that may depend on the picture alone, and all of them together. */
export function waysOf(test: OperatorTest, output: Given): Way[] {
  const possible = test.inputs.filter(({ ref }) => computed.includes(ref.type) && countOf(ref.shape) > 0);
  const sets = [...possible.map((one) => [one]), ...(possible.length > 1 ? [possible] : [])];
  return sets.flatMap((lives) => {
    const named = (title: string): string => `${title}, of ${lives.map(({ name }) => name).join(" and ")}`;
    return [
      ...[inPicture(test, output, lives)].flatMap((way) => (way ? [{ ...way, title: named("pictures") }] : [])),
      ...[false, true].flatMap((isReversed) => {
        const first = batchFirst(test, output, { lives, isReversed });
        const front = batchInFront(test, output, { lives, isReversed });
        const last = isReversed ? undefined : batchLast(test, output, lives);
        const more = isReversed ? ", stored in reverse" : "";
        return [
          ...(first ? [{ ...first, title: named(`axis 0 is the batch${more}`) }] : []),
          ...(last ? [{ ...last, title: named("axis 1 is the batch") }] : []),
          ...(front ? [{ ...front, title: named(`a batch in front${more}`) }] : []),
        ];
      }),
    ];
  });
}
type Untitled = Omit<Way, "title">;

const numbersOf = ({ value }: Given): Float32Array => Float32Array.from(value.data);

/** The model with the inputs that stay as weights, and its output as [B,K]. */
function around(
  { model, inputs }: OperatorTest,
  output: Given,
  o: { lives: readonly Given[]; before: readonly FileNode[]; nodes: readonly FileNode[]; input: FileValue; rows: number },
): FileModel | undefined {
  const each = countOf(output.value.shape) / o.rows;
  const { graph } = model;
  if (!graph || !Number.isInteger(each) || each === 0) return undefined;
  const initializers = new Map(graph.initializers);
  for (const one of inputs) if (!o.lives.includes(one)) initializers.set(one.name, one.ref);
  const after = [constant("way/size", [-1, each]), node("Reshape", [output.name, "way/size"], "way/scores")];
  const nodes = [...o.before, ...o.nodes, ...after];
  const outputs = [{ name: "way/scores", type: 1, shape: undefined }];
  return { ...model, graph: { ...graph, nodes, initializers, inputs: [o.input], outputs } };
}

/** An input [b,C,H,W] as the picture itself. */
function inPicture(test: OperatorTest, output: Given, lives: readonly Given[]): Untitled | undefined {
  const [live] = lives as [Given];
  const { shape } = live.ref;
  if (lives.length > 1 || shape.length !== 4 || output.value.shape[0] !== shape[0]) return undefined;
  const [rows, c, h, w] = shape as [number, number, number, number];
  const input = { name: live.name, type: 1, shape: [null, c, h, w] };
  const model = around(test, output, { lives, before: [], nodes: test.model.graph?.nodes ?? [], input, rows });
  const data = new Float32Array(countOf(shape));
  const given = numbersOf(live);
  for (let i = 0; i < rows; i++)
    for (let k = 0; k < c; k++) for (let p = 0; p < h * w; p++) data[(i * h * w + p) * c + k] = given[(i * c + k) * h * w + p] as number;
  const image = { isChannelsFirst: true, sizes: [1, c, h, w], fixedCount: null, isBytes: false, type: 1 };
  return model && { model, image, rows, shape: [h, w, c], data };
}

interface Lives {
  readonly lives: readonly Given[];
  /** Stored with the axes behind the batch the other way round. */
  readonly isReversed: boolean;
}

/** Values cut out of one list for each image. `shapes` are those behind the batch. */
function cutOut(
  { lives, isReversed }: Lives,
  rows: number,
  shapes: readonly (readonly number[])[],
  numbers = lives.map(numbersOf),
): Omit<Untitled, "model"> & Cut {
  const counts = shapes.map(countOf);
  const n = counts.reduce((a, b) => a + b, 0);
  const data = new Float32Array(rows * n);
  const before: FileNode[] = [constant("way/flatten", [-1, n]), node("Reshape", ["way/x", "way/flatten"], "way/all")];
  let start = 0;
  lives.forEach((live, i) => {
    const [shape, count] = [shapes[i] as readonly number[], counts[i] as number];
    const [part, flipped] = [lives.length > 1 ? `way/part${i}` : "way/all", `way/flipped${i}`];
    if (lives.length > 1) {
      before.push(constant(`way/start${i}`, [start]), constant(`way/end${i}`, [start + count]), constant(`way/axis${i}`, [1]));
      before.push(node("Slice", ["way/all", `way/start${i}`, `way/end${i}`, `way/axis${i}`], part));
    }
    const stored = isReversed ? [...shape].reverse() : shape;
    before.push(constant(`way/shape${i}`, [-1, ...stored]));
    before.push(node("Reshape", [part, `way/shape${i}`], isReversed ? flipped : live.name));
    const order = [0, ...shape.map((_, axis) => shape.length - axis)];
    if (isReversed) before.push(node("Transpose", [flipped], live.name, [ints("perm", order)]));
    const given = numbers[i] as Float32Array;
    for (let row = 0; row < rows; row++) {
      const own = given.subarray(row * count, (row + 1) * count);
      data.set(isReversed ? transposed(own, shape) : own, row * n + start);
    }
    start += count;
  });
  const image = { isChannelsFirst: true, sizes: [1, n, 1, 1], fixedCount: null, isBytes: false, type: 1 };
  return { before, input: { name: "way/x", type: 1, shape: [null, n, 1, 1] }, image, rows, shape: [1, 1, n], data };
}
interface Cut {
  readonly before: FileNode[];
  readonly input: FileValue;
}

/** With all axes the other way round. */
function transposed(values: Float32Array, shape: readonly number[]): Float32Array {
  const result = new Float32Array(values.length);
  const index = shape.map(() => 0);
  for (let i = 0; i < values.length; i++) {
    let place = 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) place = place * (shape[axis] as number) + (index[axis] as number);
    result[place] = values[i] as number;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] as number) + 1;
      if ((index[axis] as number) < (shape[axis] as number)) break;
      index[axis] = 0;
    }
  }
  return result;
}

function batchFirst(test: OperatorTest, output: Given, o: Lives): Untitled | undefined {
  const [first] = o.lives as [Given];
  const rows = first.ref.shape[0];
  if (rows === undefined || output.value.shape[0] !== rows || o.lives.some(({ ref }) => ref.shape[0] !== rows)) return undefined;
  if (o.isReversed && o.lives.every(({ ref }) => ref.shape.length < 3)) return undefined;
  const cut = cutOut(
    o,
    rows,
    o.lives.map(({ ref }) => ref.shape.slice(1)),
  );
  const model = around(test, output, { ...o, ...cut, nodes: test.model.graph?.nodes ?? [] });
  return model && { ...cut, model };
}

/** A matrix [K,b], which a Transpose of the pictures makes. */
function batchLast(test: OperatorTest, output: Given, lives: readonly Given[]): Untitled | undefined {
  const [live] = lives as [Given];
  const [k, rows] = live.ref.shape;
  if (lives.length > 1 || live.ref.shape.length !== 2 || k === undefined || rows !== output.value.shape[0] || rows === undefined)
    return undefined;
  const numbers = transposed(numbersOf(live), live.ref.shape);
  const cut = cutOut({ lives, isReversed: false }, rows, [[k]], [numbers]);
  const before = cut.before.map((one) => (one.outputs[0] === live.name ? { ...one, outputs: ["way/rows"] } : one));
  before.push(node("Transpose", ["way/rows"], live.name, [ints("perm", [1, 0])]));
  const model = around(test, output, { ...cut, lives, before, nodes: test.model.graph?.nodes ?? [] });
  return model && { ...cut, model };
}

/** All values get an axis more in front: the node's axes move by one. */
function batchInFront(test: OperatorTest, output: Given, o: Lives): Untitled | undefined {
  const nodes = test.model.graph?.nodes ?? [];
  const body = nodes.filter(({ op }) => op !== "Constant");
  const [only] = body;
  if (!only || body.length > 1 || (o.isReversed && o.lives.every(({ ref }) => ref.shape.length < 2))) return undefined;
  const shapes = new Map(test.inputs.map(({ name, ref }) => [name, ref.shape]));
  for (const [name, ref] of test.model.graph?.initializers ?? []) shapes.set(name, ref.shape);
  const moved = moveAxes(only, { test, shapes, lives: o.lives });
  if (!moved) return undefined;
  const rank = moved.rank ?? 0;
  const cut = cutOut(
    o,
    1,
    o.lives.map(({ ref: { shape } }) => [...new Array<number>(Math.max(0, rank - shape.length)).fill(1), ...shape]),
  );
  const others = nodes.filter((one) => one !== only);
  const model = around(test, output, { ...o, ...cut, nodes: [...others, ...moved.nodes], rows: 1 });
  return model && { ...cut, model };
}
