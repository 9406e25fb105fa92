import type { Attribute } from "./file/model.ts";
import { floatOf, intOf, type Node, type OpGraph, textOf } from "./graph.ts";
import { unsupportedModel } from "./problems.ts";

/** Makes the nodes that replace one. The last of them has its outputs. */
class Steps {
  readonly nodes: Node[] = [];
  private readonly whole: Node;

  constructor(whole: Node) {
    this.whole = whole;
  }

  /** A node whose output is a new value. */
  put(op: string, inputs: readonly string[], attributes: readonly Attribute[] = []): string {
    const output = `${this.whole.outputs[0]}/${this.nodes.length}_${op}`;
    this.add(op, inputs, output, attributes);
    return output;
  }
  number(value: number): string {
    return this.put("Constant", [], [{ name: "value_float", float: value }]);
  }
  integers(values: readonly number[]): string {
    return this.put("Constant", [], [{ name: "value_ints", ints: values }]);
  }
  /** The last node. */
  end(op: string, inputs: readonly string[], attributes: readonly Attribute[] = []): readonly Node[] {
    this.add(op, inputs, this.whole.outputs[0] as string, attributes);
    return this.nodes;
  }

  private add(op: string, inputs: readonly string[], output: string, attributes: readonly Attribute[]): void {
    const own = new Map(attributes.map((one) => [one.name, one]));
    // Operator set 13 has axes of Squeeze and Unsqueeze as inputs, and a Softmax along one axis.
    this.nodes.push({ ...this.whole, op, inputs, outputs: [output], attributes: own, opset: Math.max(13, this.whole.opset) });
  }
}

/** The nodes that replace one; undefined to keep it. */
type Decompose = (node: Node, steps: Steps, file: string) => readonly Node[] | undefined;

const mean: Decompose = ({ inputs }, steps) => steps.end("Mul", [steps.put("Sum", inputs), steps.number(1 / inputs.length)]);

/** x over its own norm along an axis. */
const lpNormalization: Decompose = (node, steps, file) => {
  const [x = ""] = node.inputs;
  const p = intOf(node, "p", 2);
  if (p !== 1 && p !== 2)
    throw unsupportedModel(file, `has a node "${node.title}" (${node.op}) with p = ${p}`, "Export it with p = 1 or 2.");
  const norm = steps.put(`ReduceL${p}`, [x], [{ name: "axes", ints: [intOf(node, "axis", -1)] }]);
  return steps.end("Div", [x, norm]);
};

const isNear = (a: number, b: number): boolean => Math.abs(a - b) < 1e-6;

/** γ·ELU(x, α), unless γ and α are the usual ones. */
const selu: Decompose = (node, steps) => {
  const [alpha, gamma] = [floatOf(node, "alpha", 1.6732632), floatOf(node, "gamma", 1.0507009)];
  if (isNear(alpha, 1.6732632) && isNear(gamma, 1.0507009)) return undefined;
  return steps.end("Mul", [steps.put("Elu", node.inputs, [{ name: "alpha", float: alpha }]), steps.number(gamma)]);
};

/** x·σ(αx) */
const swish: Decompose = (node, steps) => {
  const alpha = floatOf(node, "alpha", 1);
  const [x = ""] = node.inputs;
  return alpha === 1 ? undefined : steps.end("Mul", [x, steps.put("Sigmoid", [steps.put("Mul", [x, steps.number(alpha)])])]);
};

/**
 * Sums of products as transposes, sums and one matrix product, whose leading axes are those that both operands have in common or one has alone.
 * An equation with more than two operands, with an axis twice in one, or with an ellipsis is refused, and so is a sum over several common axes.
 */
const einsum: Decompose = (node, steps, file) => {
  const equation = textOf(node, "equation", "").replaceAll(/\s/g, "");
  const refuse = (): never => {
    const what = `has a node "${node.title}" (Einsum) with the equation "${equation}", which is not computed here`;
    throw unsupportedModel(file, what, "Export it with matrix products.");
  };
  const [left = "", right] = equation.split("->");
  const terms = left.split(",");
  const all = terms.join("");
  const output =
    right ??
    [...new Set(all)]
      .filter((letter) => all.split(letter).length === 2)
      .sort()
      .join("");
  const isPlain =
    /^[A-Za-z,]*$/.test(left) && /^[A-Za-z]*$/.test(output) && [...terms, output].every((term) => new Set(term).size === term.length);
  if (!isPlain || terms.length !== node.inputs.length || [...output].some((letter) => !all.includes(letter))) return refuse();
  /** Sums over the letters that nothing else has. */
  const reduced = (index: number): [name: string, letters: string] => {
    const own = terms[index] as string;
    const others = output + terms.filter((_, i) => i !== index).join("");
    const gone = [...own].flatMap((letter, axis) => (others.includes(letter) ? [] : [axis]));
    const name = node.inputs[index] as string;
    if (gone.length === 0) return [name, own];
    const sum = steps.put("ReduceSum", [name, steps.integers(gone)], [{ name: "keepdims", int: 0 }]);
    return [sum, [...own].filter((_, axis) => !gone.includes(axis)).join("")];
  };
  const [name, letters] = reduced(0);
  if (terms.length === 1)
    return steps.end("Transpose", [name], [{ name: "perm", ints: [...output].map((letter) => letters.indexOf(letter)) }]);
  if (terms.length !== 2) return refuse();
  const [otherName, otherLetters] = reduced(1);
  const summed = [...letters].filter((letter) => otherLetters.includes(letter) && !output.includes(letter));
  if (summed.length > 1) return refuse();
  /** An operand with the axes of the wanted letters; those that it lacks have size 1. */
  const arranged = (from: string, own: string, wanted: readonly string[]): string => {
    const kept = wanted.filter((letter) => own.includes(letter));
    const perm = kept.map((letter) => own.indexOf(letter));
    const moved = perm.every((axis, i) => axis === i) ? from : steps.put("Transpose", [from], [{ name: "perm", ints: perm }]);
    const missing = wanted.flatMap((letter, axis) => (own.includes(letter) ? [] : [axis]));
    return missing.length === 0 ? moved : steps.put("Unsqueeze", [moved, steps.integers(missing)]);
  };
  if (summed.length === 0) return steps.end("Mul", [arranged(name, letters, [...output]), arranged(otherName, otherLetters, [...output])]);
  const only = (own: string, other: string): string | undefined =>
    [...output].reverse().find((letter) => own.includes(letter) && !other.includes(letter));
  const [row = "row", column = "column", inner = ""] = [only(letters, otherLetters), only(otherLetters, letters), summed[0]];
  const leading = [...output].filter((letter) => letter !== row && letter !== column);
  const product = steps.put("MatMul", [
    arranged(name, letters, [...leading, row, inner]),
    arranged(otherName, otherLetters, [...leading, inner, column]),
  ]);
  const made = [...leading, row, column];
  const gone = made.flatMap((letter, axis) => (letter.length > 1 ? [axis] : []));
  const squeezed = gone.length === 0 ? product : steps.put("Squeeze", [product, steps.integers(gone)]);
  const kept = made.filter((letter) => letter.length === 1);
  return steps.end("Transpose", [squeezed], [{ name: "perm", ints: [...output].map((letter) => kept.indexOf(letter)) }]);
};

const rules: ReadonlyMap<string, Decompose> = new Map([
  ["Mean", mean],
  ["LpNormalization", lpNormalization],
  ["Selu", selu],
  ["Swish", swish],
  ["Einsum", einsum],
]);

/** Replaces operators that are made of others by those. @throws MODEL_UNSUPPORTED */
export function decomposed(graph: OpGraph): OpGraph {
  const nodes = graph.nodes.flatMap((node) => rules.get(node.op)?.(node, new Steps(node), graph.file) ?? [node]);
  return { ...graph, nodes };
}
