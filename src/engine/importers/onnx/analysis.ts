import { BulwarkError } from "../../../shared/errors.ts";
import { countOf } from "../strided.ts";
import { foldRules } from "./folding/index.ts";
import { hasBody, type Node, type OpGraph } from "./graph.ts";
import { exportAgain, exportFixed, invalidModel, tooLarge, UnsupportedModel, unsupportedModel, wrongInput } from "./problems.ts";
import { type FixedBatch, ShapeContext } from "./shapes/context.ts";
import { shapeRules } from "./shapes/index.ts";
import { Constant, isConstant, type Live, ofData, type Value } from "./values.ts";

/** Stands for the batch size in shapes. It is a prime larger than any real size, so only multiples of the batch size are divisible by it. */
export const batch = 2 ** 31 - 1;
/** Batch sizes for which shapes are computed; a size that depends on the batch other than as k·B is refused. */
const points = [7, 11, 13] as const;
/** Most elements in all folded constants together, and in one value per image. */
const most = { folded: 1 << 26, activation: 1 << 28 };

/** Shapes and constants of a graph for any batch size. */
export interface Analysis {
  /** Shape of a value; sizes that are multiples of the batch size are multiples of `batch`. */
  shapeOf(name: string): readonly number[];
  /** A constant that does not depend on the batch size; one that repeats for each image is given once. */
  constantOf(name: string): Constant | undefined;
  /** A value for one particular batch size. */
  exampleOf(name: string): Value | undefined;
}

type Values = ReadonlyMap<string, Value>;
type Unknown = (node: Node) => void;

/**
 * Computes shapes, and the constants that shapes need, for two batch sizes. This needs no symbols: B is the only open size.
 * @param image shape of the input, with a 1 for the batch
 * @param fixedCount batch size written into the file, or null
 * @throws MODEL_INVALID, MODEL_UNSUPPORTED, MODEL_INPUT
 */
export function analyse(graph: OpGraph, image: readonly number[], fixedCount: number | null): Analysis {
  const { a, b, counts } = atTwoSizes(graph, image, fixedCount);
  return merged(graph, a, b, counts);
}

/**
 * Numbers that are the same for any batch size: for the file's own, or one image, and for two more. They are those that can be known before
 * the branches are chosen that the network goes through. Otherwise like `analyse`.
 */
export function knownConstants(graph: OpGraph, image: readonly number[], fixedCount: number | null): (name: string) => number | undefined {
  const { a, b, literal } = atTwoSizes(graph, image, fixedCount, () => {});
  const given = literal ?? walk(graph, graph.initializers, [1, ...image.slice(1)], undefined, () => {});
  return (name) => {
    const [first, ...others] = [given, a, b].map((values) => {
      const value = values.get(name);
      return isConstant(value) && value.count === 1 ? value.data[0] : undefined;
    });
    return others.every((other) => other === first) ? first : undefined;
  };
}

interface TwoSizes {
  readonly a: Values;
  readonly b: Values;
  readonly counts: readonly [number, number];
  /** For the batch size that is written into the file, if there is one. */
  readonly literal?: Values;
}

/** @param unknown called for nodes whose output shapes are unknown, which are an error without */
function atTwoSizes(graph: OpGraph, image: readonly number[], fixedCount: number | null, unknown?: Unknown): TwoSizes {
  const { initializers } = graph;
  const at = (count: number, fixed?: FixedBatch): Values => walk(graph, initializers, [count, ...image.slice(1)], fixed, unknown);
  if (fixedCount === null) return { a: at(points[0]), b: at(points[1]), counts: [points[0], points[1]] };
  const literal = at(fixedCount);
  const [a, b] = points.filter((point) => point !== fixedCount) as [number, number];
  const readings: number[] = [];
  const first = readable(readings, (reading) => at(a, fixedAt(literal, { count: fixedCount, batch: a, reading })));
  const second = at(b, fixedAt(literal, { count: fixedCount, batch: b, reading: replay(readings) }));
  return { a: first, b: second, counts: [a, b], literal };
}

/** Operators whose output size is given by numbers, which may be computed at run time. */
const sized = new Set(
  "ConstantOfShape ConvTranspose Expand EyeLike MaxUnpool OneHot Pad RandomNormal RandomUniform Range Resize Tile Upsample".split(" "),
);

/**
 * Refuses a graph that could need unlimited memory or time, because ONNX Runtime sets no limits: control flow (If, Loop, Scan), values above
 * the limits for imported networks, and sizes known only at run time. Shapes after an unsupported operator stay unknown.
 * @param image shape of the input
 * @throws MODEL_TOO_LARGE, MODEL_UNSUPPORTED, MODEL_INVALID
 */
export function checkBounded(graph: OpGraph, image: readonly number[]): void {
  const decides = graph.nodes.find(hasBody);
  if (decides) throw unsupportedModel(graph.file, `decides at run time what to compute ("${decides.title}", ${decides.op})`, exportFixed);
  walk(graph, graph.initializers, image, undefined, ({ op, title }) => {
    if (sized.has(op)) throw tooLarge(graph.file, `may compute a value of any size in "${title}" (${op})`, exportFixed);
  });
}

const fixedAt = (literal: Values, o: Pick<FixedBatch, "count" | "batch" | "reading">): FixedBatch => ({
  ...o,
  literal: (name) => literal.get(name)?.shape ?? [],
  numbers: (name) => {
    const value = literal.get(name);
    return isConstant(value) ? value.data : undefined;
  },
});

function replay(readings: readonly number[]): FixedBatch["reading"] {
  let next = 0;
  return () => readings[next++] ?? 0;
}

const mostReadings = 256;

/** Tries readings of ambiguous Reshapes, changing the last first, until all shapes fit. `readings` then holds those that fit. */
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
  unknown?: Unknown,
): Values {
  const values = new Map<string, Value>(initializers);
  values.set(graph.input.name, { kind: "float", shape: image });
  let folded = 0;
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => (name === "" ? undefined : values.get(name)));
    const context = new ShapeContext(node, inputs, graph.file, fixed);
    const shapes = unknown ? known(node, context) : (shapeRules.get(node.op)?.(context) ?? []);
    if (shapes.length === 0) unknown?.(node);
    node.outputs.forEach((name, i) => {
      const out = shapes[i];
      if (name === "" || !out) return;
      const value = folding(node, inputs, out, context, i);
      // Weights that are stored as integers are as many as the file holds, and are not kept.
      if (isConstant(value)) folded += value === inputs[0] || node.op === "DequantizeLinear" ? 0 : value.count;
      else checkSize(value, image[0] as number, graph.file, node);
      values.set(name, value);
    });
    if (folded > most.folded) throw tooLarge(graph.file, `computes more than ${most.folded} constants`, exportFixed);
  }
  return values;
}

/** Shapes of the outputs if all inputs are known and the operator has a rule; none otherwise. */
function known(node: Node, context: ShapeContext): readonly (Live | Constant | undefined)[] {
  const { inputs } = context;
  const isKnown = node.domain === "" && inputs.every((input, i) => input !== undefined || node.inputs[i] === "");
  try {
    return (isKnown && shapeRules.get(node.op)?.(context)) || [];
  } catch (error) {
    if (error instanceof UnsupportedModel) return [];
    throw error;
  }
}

/** @throws MODEL_INVALID for a value without elements, MODEL_TOO_LARGE */
function checkSize({ shape }: Live, images: number, file: string, { title, op }: Node): void {
  const sides = shape.map((side, axis) => (axis === 0 && side === images ? "B" : side)).join(", ");
  if (!shape.every((side) => Number.isInteger(side) && side > 0))
    throw invalidModel(file, `has a node "${title}" (${op}) that makes a value [${sides}], which holds no numbers`, exportAgain);
  if (countOf(shape) > most.activation * images)
    throw tooLarge(file, `computes a value [${sides}] in "${title}"`, "Use a network of smaller images.");
}

/** Constants that more computations lead to are computed at once: on demand, each would repeat those before it, and need the stack for all. */
const mostSteps = 64;

/** Folds a node whose inputs are all constant, if its operator has a rule. */
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
  const steps = constants.reduce((sum, one) => sum + one.steps, 1);
  const made = new Constant({ ...out, isOfBatch, title, steps }, (visit) =>
    visit(fold(inputs as (Constant | undefined)[], out, context, index), 0),
  );
  return steps <= mostSteps ? made : ofData(out.kind, out.shape, made.data, { isOfBatch, title });
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

/** A constant that is the same for each image, given once; undefined if it differs. */
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

/** One slice of a constant along an axis; undefined if the slices differ. */
function onceAlong({ data, shape }: Constant, axis: number): Constant["data"] | undefined {
  if (axis < 0) return data;
  const inner = countOf(shape.slice(axis + 1));
  const side = shape[axis] as number;
  const slice = data.filter((_, i) => Math.floor(i / inner) % side === 0);
  const isSame = data.every((value, i) => value === slice[Math.floor(i / (inner * side)) * inner + (i % inner)]);
  return isSame ? slice : undefined;
}
