import type { Analysis } from "./analysis.ts";
import type { Attribute } from "./file/model.ts";
import { intsOf, type Node, type OpGraph } from "./graph.ts";
import { isConstant } from "./values.ts";

/** What patterns look at: the node that makes a value, and its constant value if it has one. */
interface Nodes {
  maker(name: string | undefined): Node | undefined;
  /** The value of a constant of one element. */
  number(name: string | undefined): number | undefined;
  shape(name: string): readonly number[];
  isConstant(name: string | undefined): boolean;
}
/** The node that replaces a node and those before it; undefined if the pattern does not match. */
type Pattern = (node: Node, o: Nodes) => Node | undefined;

const isNear = (a: number | undefined, b: number): boolean => a !== undefined && Math.abs(a - b) < 1e-4;

/** The operands of a node in both orders. */
const orders = ({ inputs: [a, b] }: Node): [string, string][] =>
  a === undefined || b === undefined
    ? []
    : [
        [a, b],
        [b, a],
      ];
/** The other operand of an Add or a Mul with a number. */
function besides(o: Nodes, name: string | undefined, op: "Add" | "Mul", value: number): string | undefined {
  const node = o.maker(name);
  if (node?.op !== op) return undefined;
  return orders(node).find(([, other]) => isNear(o.number(other), value))?.[0];
}
/** The dividend of a Div by a number, or of a Mul by its inverse. */
function dividend(o: Nodes, name: string | undefined, value: number): string | undefined {
  const node = o.maker(name);
  return node?.op === "Div" && isNear(o.number(node.inputs[1]), value) ? node.inputs[0] : besides(o, name, "Mul", 1 / value);
}
const instead = (node: Node, op: string, inputs: readonly string[], floats: Readonly<Record<string, number>> = {}): Node => ({
  ...node,
  op,
  inputs,
  opset: 22,
  attributes: new Map(Object.entries(floats).map(([name, float]): [string, Attribute] => [name, { name, float }])),
});

/** x if a value is Erf(x/√2) + 1. */
function erfOf(o: Nodes, name: string): string | undefined {
  const erf = o.maker(besides(o, name, "Add", 1));
  if (erf?.op !== "Erf") return undefined;
  return dividend(o, erf.inputs[0], Math.SQRT2);
}

/** ½·x·(1 + erf(x/√2)), in any order of the products. */
const gelu: Pattern = (node, o) => {
  if (node.op !== "Mul") return undefined;
  for (const [a, b] of orders(node)) {
    const x = erfOf(o, a); // (x·½)·E
    if (x !== undefined && besides(o, b, "Mul", 0.5) === x) return instead(node, "Gelu", [x]);
    const inner = besides(o, a, "Mul", 0.5); // x·(E·½)
    if (inner !== undefined && erfOf(o, inner) === b) return instead(node, "Gelu", [b]);
    const product = o.maker(a); // (x·E)·½
    if (product?.op !== "Mul" || !isNear(o.number(b), 0.5)) continue;
    const found = orders(product).find(([e, other]) => erfOf(o, e) === other);
    if (found) return instead(node, "Gelu", [found[1]]);
  }
  return undefined;
};

/** x if a value is Clip(x + 3, 0, 6). */
function clippedOf(o: Nodes, name: string | undefined): string | undefined {
  const node = o.maker(name);
  if (node?.op !== "Clip") return undefined;
  const limit = (key: string, index: number) => node.attributes.get(key)?.float ?? o.number(node.inputs[index]);
  return isNear(limit("min", 1), 0) && isNear(limit("max", 2), 6) ? besides(o, node.inputs[0], "Add", 3) : undefined;
}

/** Clip(x + 3, 0, 6)/6 */
const hardSigmoid: Pattern = (node, o) => {
  const x = clippedOf(o, dividend(o, node.outputs[0], 6));
  return x === undefined ? undefined : instead(node, "HardSigmoid", [x], { alpha: 1 / 6, beta: 0.5 });
};
/** x·Clip(x + 3, 0, 6)/6, or x times a hard sigmoid found earlier. */
const hardSwish: Pattern = (node, o) => {
  const product = o.maker(dividend(o, node.outputs[0], 6));
  const whole = product?.op === "Mul" ? orders(product).find(([a, b]) => clippedOf(o, a) === b) : undefined;
  if (whole) return instead(node, "HardSwish", [whole[1]]);
  if (node.op !== "Mul") return undefined;
  const parts = orders(node).find(([a, b]) => {
    const gate = o.maker(a);
    const isGate = gate?.op === "HardSigmoid" && isNear(gate.attributes.get("alpha")?.float ?? 0.2, 1 / 6);
    return isGate && isNear(gate.attributes.get("beta")?.float ?? 0.5, 0.5) && gate.inputs[0] === b;
  });
  return parts && instead(node, "HardSwish", [parts[1]]);
};
/** x·σ(x) */
const swish: Pattern = (node, o) => {
  if (node.op !== "Mul") return undefined;
  const found = orders(node).find(([a, b]) => o.maker(a)?.op === "Sigmoid" && o.maker(a)?.inputs[0] === b);
  return found && instead(node, "Swish", [found[1]]);
};

/** x if a value is the mean of x along its last axis. */
function meanOf(o: Nodes, name: string | undefined): string | undefined {
  const node = o.maker(name);
  const x = node?.inputs[0];
  if (node?.op !== "ReduceMean" || x === undefined || node.attributes.get("keepdims")?.int === 0) return undefined;
  const axes = intsOf(node, "axes") ?? (node.inputs[1] ? [o.number(node.inputs[1]) ?? Number.NaN] : []);
  return axes.length === 1 && (axes[0] === -1 || axes[0] === o.shape(x).length - 1) ? x : undefined;
}
/** x if a value is x − mean(x). */
function centredOf(o: Nodes, name: string | undefined): string | undefined {
  const node = o.maker(name);
  const [x, mean] = node?.inputs ?? [];
  return node?.op === "Sub" && x !== undefined && meanOf(o, mean) === x ? x : undefined;
}
/** (x − mean)/√(mean((x − mean)²) + ε) */
const normalised: Pattern = (node, o) => {
  if (node.op !== "Div") return undefined;
  const x = centredOf(o, node.inputs[0]);
  const sum = o.maker(o.maker(node.inputs[1])?.op === "Sqrt" ? o.maker(node.inputs[1])?.inputs[0] : undefined);
  if (x === undefined || sum?.op !== "Add") return undefined;
  for (const [a, b] of orders(sum)) {
    const epsilon = o.number(b);
    const square = o.maker(meanOf(o, a));
    if (epsilon === undefined || !square) continue;
    const isPower = square.op === "Pow" && isNear(o.number(square.inputs[1]), 2) && centredOf(o, square.inputs[0]) === x;
    const isProduct = square.op === "Mul" && square.inputs.every((one) => centredOf(o, one) === x);
    if (isPower || isProduct) return instead(node, "LayerNormalization", [x], { epsilon });
  }
  return undefined;
};
/** γ and β of a layer normalisation found earlier. */
const scaled: Pattern = (node, o) => {
  const wanted = node.op === "Mul" ? 1 : node.op === "Add" ? 2 : 0;
  for (const [a, b] of orders(node)) {
    const before = o.maker(a);
    if (before?.op !== "LayerNormalization" || before.inputs.length !== wanted || !o.isConstant(b) || before.attributes.has("axis"))
      continue;
    if (o.shape(b).length !== 1 || o.shape(b)[0] !== o.shape(a).at(-1)) continue;
    return { ...before, title: node.title, outputs: node.outputs, inputs: [...before.inputs, b] };
  }
  return undefined;
};

/** A bias: a constant added to the outputs of a matrix product, or the channels of a convolution. */
const biased: Pattern = (node, o) => {
  if (node.op !== "Add") return undefined;
  for (const [a, b] of orders(node)) {
    const before = o.maker(a);
    if (before?.inputs.length !== 2 || !o.isConstant(b) || !o.isConstant(before.inputs[1])) continue;
    const [shape, added] = [o.shape(a), o.shape(b)];
    const isLast = before.op === "MatMul" && added.length === 1 && added[0] === shape.at(-1);
    const channels = [...new Array<number>(Math.max(0, 4 - added.length)).fill(1), ...added];
    const isChannel = before.op === "Conv" && shape.length === 4 && channels.join() === [1, shape[1], 1, 1].join();
    if (isLast || isChannel) return { ...before, outputs: node.outputs, inputs: [...before.inputs, b] };
  }
  return undefined;
};

const patterns: readonly Pattern[] = [gelu, hardSigmoid, hardSwish, swish, normalised, scaled, biased];

/**
 * Replaces groups of operators by the one that the exporter took apart: GELU, hard sigmoid, hard swish, swish, layer normalisation, and a
 * separate bias. Nodes that nothing uses any more are dropped.
 */
export function fused(graph: OpGraph, analysis: Analysis): readonly Node[] {
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const uses = new Map<string, number>();
  for (const node of graph.nodes) for (const name of node.inputs) uses.set(name, (uses.get(name) ?? 0) + 1);
  const o: Nodes = {
    maker: (name) => makers.get(name ?? ""),
    number: (name) => {
      const value = analysis.exampleOf(name ?? "");
      return isConstant(value) && !value.isOfBatch && value.count === 1 ? value.data[0] : undefined;
    },
    shape: (name) => analysis.shapeOf(name),
    isConstant: (name) => isConstant(analysis.exampleOf(name ?? "")),
  };
  const nodes = graph.nodes.map((node) => {
    for (const pattern of patterns) {
      const found = pattern(node, o);
      if (!found || (pattern === biased && orders(node).some(([a]) => o.maker(a)?.op === found.op && (uses.get(a) ?? 0) > 1))) continue;
      for (const name of found.outputs) makers.set(name, found);
      return found;
    }
    return node;
  });
  return reachable(nodes, graph.output, o.isConstant);
}

/** Nodes that the output depends on and that depend on the image. */
function reachable(nodes: readonly Node[], output: string, isFolded: Nodes["isConstant"]): readonly Node[] {
  const needed = new Set([output]);
  const kept = [...nodes].reverse().filter((node) => {
    if (!node.outputs.some((name) => needed.has(name)) || node.outputs.every((name) => name === "" || isFolded(name))) return false;
    for (const name of node.inputs) needed.add(name);
    return true;
  });
  return kept.reverse();
}
