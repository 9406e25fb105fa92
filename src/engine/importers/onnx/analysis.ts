import { BulwarkError } from "../../../shared/errors.ts";
import { countOf } from "../strided.ts";
import { foldRules } from "./folding/index.ts";
import type { Node, OpGraph } from "./graph.ts";
import { exportFixed, tooLarge, wrongInput } from "./problems.ts";
import { type FixedBatch, ShapeContext } from "./shapes/context.ts";
import { shapeRules } from "./shapes/index.ts";
import { Constant, isConstant, type Live, ofData, ofTensor, type Value } from "./values.ts";

/** Stands for the number of images in sizes: a prime above every other size, so that what it divides is a multiple of that number. */
export const batch = 2 ** 31 - 1;
/** Numbers of images for which sizes are computed; what depends on them in any other way than k·B is refused. */
const points = [7, 11, 13] as const;
/** Numbers that may be computed as constants altogether, and those of one image in any value. */
const most = { folded: 1 << 26, activation: 1 << 28 };

/** Shapes and constants of a graph for every number of images. */
export interface Analysis {
  /** Sizes of a value, multiples of `batch` where they are multiples of the number of images. */
  shapeOf(name: string): readonly number[];
  /** A value that is the same for any number of images; one that is repeated for each image is given once. */
  constantOf(name: string): Constant | undefined;
  /** A value for some number of images. */
  exampleOf(name: string): Value | undefined;
}

type Values = ReadonlyMap<string, Value>;

/**
 * Computes shapes, and constants as far as shapes need them, twice with other numbers of images. No symbols are needed: B is the only size
 * that is open. @param size of the images [b,…] with a 1 for the batch
 * @throws MODEL_INVALID, MODEL_UNSUPPORTED, MODEL_INPUT
 */
export function analyse(graph: OpGraph, image: readonly number[], fixedCount: number | null): Analysis {
  const initializers = new Map([...graph.initializers].map(([name, ref]) => [name, ofTensor(ref, graph.file)] as const));
  const at = (count: number, fixed?: FixedBatch): Values => walk(graph, initializers, [count, ...image.slice(1)], fixed);
  if (fixedCount === null) return merged(graph, at(points[0]), at(points[1]), [points[0], points[1]]);
  const literal = at(fixedCount);
  const [a, b] = points.filter((point) => point !== fixedCount) as [number, number];
  const readings: number[] = [];
  const first = readable(readings, (reading) => at(a, fixedAt(literal, { count: fixedCount, batch: a, reading })));
  const second = at(b, fixedAt(literal, { count: fixedCount, batch: b, reading: replay(readings) }));
  return merged(graph, first, second, [a, b]);
}

const fixedAt = (literal: Values, o: Pick<FixedBatch, "count" | "batch" | "reading">): FixedBatch => ({
  ...o,
  literal: (name) => literal.get(name)?.shape ?? [],
});

function replay(readings: readonly number[]): FixedBatch["reading"] {
  let next = 0;
  return () => readings[next++] ?? 0;
}

const mostReadings = 256;

/** Tries readings of ambiguous Reshapes, the last one first, until the shapes fit together. `readings` then holds those that do. */
function readable(readings: number[], run: (reading: FixedBatch["reading"]) => Values): Values {
  const options: number[] = [];
  let failure: unknown;
  for (let tries = 0; tries < mostReadings; tries++) {
    let next = 0;
    try {
      return run((count) => {
        if (next === readings.length) readings.push(0);
        options[next] = count;
        return readings[next++] as number;
      });
    } catch (error) {
      if (!(error instanceof BulwarkError)) throw error;
      failure ??= error;
      readings.length = next;
      while (readings.length > 0 && readings.at(-1) === (options[readings.length - 1] as number) - 1) readings.pop();
      const last = readings.pop();
      if (last === undefined) throw failure;
      readings.push(last + 1);
    }
  }
  throw failure;
}

function walk(
  graph: OpGraph,
  initializers: ReadonlyMap<string, Constant>,
  image: readonly number[],
  fixed: FixedBatch | undefined,
): Values {
  const values = new Map<string, Value>(initializers);
  values.set(graph.input.name, { kind: "float", shape: image });
  let folded = 0;
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => (name === "" ? undefined : values.get(name)));
    const context = new ShapeContext(node, inputs, graph.file, fixed);
    const shapes = shapeRules.get(node.op)?.(context) ?? [];
    node.outputs.forEach((name, i) => {
      const out = shapes[i];
      if (name === "" || !out) return;
      const value = folding(node, inputs, out, context, i);
      if (isConstant(value) && value !== inputs[0]) folded += value.count;
      else if (!isConstant(value)) checkSize(value, image[0] as number, graph.file, node);
      values.set(name, value);
    });
    if (folded > most.folded) throw tooLarge(graph.file, `computes more than ${most.folded} constants`, exportFixed);
  }
  return values;
}

function checkSize({ shape }: Live, images: number, file: string, { title }: Node): void {
  if (countOf(shape) <= most.activation * images && countOf(shape) > 0) return;
  throw tooLarge(file, `computes a value [${shape.join(", ")}] in "${title}"`, "Use a network of smaller images.");
}

/** A constant, where all that a node gets is constant and its operator is one that is computed beforehand. */
function folding(node: Node, inputs: readonly (Value | undefined)[], out: Live | Constant, context: ShapeContext, index: number): Value {
  if (isConstant(out)) return out;
  const constants = inputs.filter(isConstant);
  const isAll = inputs.length > 0 && inputs.every((one) => one === undefined || isConstant(one));
  const fold = foldRules.get(node.op);
  if (!isAll || !fold) return out;
  const [first] = constants;
  if (node.op === "Identity" && first) return first;
  const isOfBatch = constants.some((one) => one.isOfBatch);
  const title = constants.find((one) => one.title !== "")?.title ?? "";
  return new Constant({ ...out, isOfBatch, title }, (visit) => visit(fold(inputs as (Constant | undefined)[], out, context, index), 0));
}

function merged(graph: OpGraph, a: Values, b: Values, counts: readonly [number, number]): Analysis {
  const name = new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node.title])));
  const otherwise = (value: string): never => {
    throw wrongInput(
      graph.file,
      `computes differently for different numbers of images ("${name.get(value) ?? value}")`,
      "Export it with a dynamic batch, or with batch 1.",
    );
  };
  const size = (value: string, one: number, other: number): number => {
    if (one === other) return one;
    const factor = one / counts[0];
    return Number.isInteger(factor) && factor === other / counts[1] ? factor * batch : otherwise(value);
  };
  const shapeOf = (value: string): readonly number[] => {
    const [one, other] = [a.get(value)?.shape ?? [], b.get(value)?.shape ?? []];
    return one.length === other.length ? one.map((side, i) => size(value, side, other[i] as number)) : otherwise(value);
  };
  for (const node of graph.nodes) for (const output of node.outputs) if (a.has(output) && !isConstant(a.get(output))) shapeOf(output);
  return {
    shapeOf,
    exampleOf: (value) => a.get(value),
    constantOf: (value) => {
      const [one, other] = [a.get(value), b.get(value)];
      if (!isConstant(one) || !isConstant(other)) return undefined;
      return one.isOfBatch ? (ofAnyBatch(one, other, shapeOf(value)) ?? otherwise(value)) : one;
    },
  };
}

/** What is the same for each image, once; undefined for what is not. */
function ofAnyBatch(one: Constant, other: Constant, shape: readonly number[]): Constant | undefined {
  const axis = shape.indexOf(batch);
  if (shape.some((side, i) => side >= batch && i !== axis)) return undefined;
  const [first, second] = [onceAlong(one, axis), onceAlong(other, axis)];
  if (!first || !second || first.some((value, i) => value !== second[i])) return undefined;
  return ofData(
    one.kind,
    shape.map((side) => (side === batch ? 1 : side)),
    first,
    { title: one.title },
  );
}

/** The numbers of a constant whose slices along an axis are all the same. */
function onceAlong({ data, shape }: Constant, axis: number): Constant["data"] | undefined {
  if (axis < 0) return data;
  const inner = countOf(shape.slice(axis + 1));
  const side = shape[axis] as number;
  const slice = data.filter((_, i) => Math.floor(i / inner) % side === 0);
  const isSame = data.every((value, i) => value === slice[Math.floor(i / (inner * side)) * inner + (i % inner)]);
  return isSame ? slice : undefined;
}
