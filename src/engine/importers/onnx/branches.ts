import { knownConstants } from "./analysis.ts";
import type { FileGraph } from "./file/model.ts";
import { inOrder, makersOf, type Node, type OpGraph } from "./graph.ts";
import type { ImageInput } from "./input.ts";
import { madeWithin, renamedNode } from "./names.ts";
import { refuseTrainingMode } from "./trainingMode.ts";
import { type Constant, ofTensor } from "./values.ts";

/** Most nodes that are visited while branches are chosen. One may decide the sizes that choose the next one. */
const mostVisits = 1_000_000;

/**
 * The graph without the If nodes whose condition follows from sizes alone, as torch writes them for a `squeeze` of an axis that may be 1: the
 * nodes of the branch that is taken stand in their place. Others stay, and are refused later.
 * @throws what `analyse` throws; MODEL_INVALID for a branch in training mode
 */
export function withoutBranches(graph: OpGraph, { sizes, fixedCount }: ImageInput): OpGraph {
  let whole = graph;
  for (let visits = 0; visits < mostVisits && whole.nodes.some(isIf); visits += whole.nodes.length) {
    const next = taken(whole, knownConstants(whole, sizes, fixedCount));
    if (!next) break;
    whole = next;
  }
  if (whole !== graph) refuseTrainingMode(whole);
  return whole;
}

const isIf = ({ op, domain }: Node): boolean => op === "If" && domain === "";

/** Undefined where no condition is known. */
function taken(graph: OpGraph, known: (name: string) => number | undefined): OpGraph | undefined {
  const { file, input, output } = graph;
  const initializers = new Map(graph.initializers);
  let isChanged = false;
  const nodes = graph.nodes.flatMap((node) => {
    const condition = isIf(node) ? known(node.inputs[0] ?? "") : undefined;
    const body = condition === undefined ? undefined : node.attributes.get(condition === 0 ? "else_branch" : "then_branch")?.graph;
    if (!body) return [node];
    isChanged = true;
    return branchOf(node, body, { file, initializers });
  });
  if (!isChanged) return undefined;
  const makers = makersOf(nodes, new Set([...initializers.keys(), input.name]), file);
  const isGiven = (name: string): boolean => initializers.has(name) || name === input.name;
  return { ...graph, nodes: inOrder(output, makers, isGiven, file), initializers };
}

/** The nodes of a branch under names of their own, and its weights among those of the graph. */
function branchOf(node: Node, body: FileGraph, o: { readonly file: string; readonly initializers: Map<string, Constant> }): Node[] {
  const within = madeWithin(body);
  const renamed = (name: string): string => (within.has(name) ? `${node.title}/${name}` : name);
  for (const [name, tensor] of body.initializers) o.initializers.set(renamed(name), ofTensor(tensor, o.file));
  const inner = body.nodes.map((one): Node => {
    const own = renamedNode(one, renamed);
    return { ...own, title: `${node.title}/${one.name || one.op}`, opset: one.domain === node.domain ? node.opset : 0 };
  });
  const outputs = node.outputs.flatMap((name, i): Node[] => {
    const value = body.outputs[i]?.name;
    if (value === undefined) return [];
    return [{ ...node, op: "Identity", inputs: [renamed(value)], outputs: [name], attributes: new Map() }];
  });
  return [...inner, ...outputs];
}
