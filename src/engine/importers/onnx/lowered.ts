import type { Topology } from "../topology/graph.ts";
import { analyse, batch } from "./analysis.ts";
import { decomposed } from "./decompose.ts";
import { fused } from "./fuse.ts";
import type { OpGraph } from "./graph.ts";
import type { ImageInput } from "./input.ts";
import { isIdentity, type Stored } from "./layout.ts";
import { Lowering, lowerRules } from "./lower/index.ts";
import { checkOperators, refusedOperator } from "./operators.ts";
import { Plan } from "./plan.ts";
import { wrongInput } from "./problems.ts";

export interface Lowered {
  readonly topology: Topology;
  readonly plan: Plan;
  /** How the file's values are stored, by name. */
  readonly stored: ReadonlyMap<string, Stored>;
  readonly notes: readonly string[];
}

/** Lowers a graph to the layers of an equivalent channels-last network. @throws MODEL_UNSUPPORTED, MODEL_INPUT, MODEL_INVALID */
export function loweredTo(file: OpGraph, image: ImageInput, name: string): Lowered {
  checkOperators(file);
  const graph = decomposed(file);
  const analysis = analyse(graph, image.sizes, image.fixedCount);
  const nodes = fused(graph, analysis);
  const plan = new Plan();
  const o = new Lowering({ file: graph.file, plan, analysis, nodes });
  const [, a = 1, b = 1, c = 1] = image.sizes;
  const [height, width, channels] = image.isChannelsFirst ? [b, c, a] : [a, b, c];
  const input = plan.input(graph.input.name, [height, width, channels]);
  const sizes = [batch, height, width, channels];
  const axes = image.isChannelsFirst ? [[0], [3], [1], [2]] : [[0], [1], [2], [3]];
  o.set(graph.input.name, { ref: input, physical: sizes, sizes, axes });
  for (const node of nodes) {
    const rule = lowerRules.get(node.op);
    if (!rule) throw refusedOperator(node, graph);
    rule(node, o);
  }
  const output = scoresOf(graph, o);
  const topology: Topology = { name, kind: "Functional", layers: plan.layers, inputs: [input], outputs: [output] };
  return { topology, plan, stored: new Map([...o.stores].filter(([value]) => file.own.has(value))), notes: notesOf(plan) };
}

function notesOf({ moves }: Plan): string[] {
  const [first] = moves;
  if (!first) return [];
  const count = moves.length === 1 ? "one Permute layer moves" : `${moves.length} Permute layers move`;
  return [`${count} numbers into another order, which takes time (first for "${first.title}")`];
}

/** The output as [B,K]. @throws MODEL_INPUT if it is not a list of scores */
function scoresOf(graph: OpGraph, o: Lowering) {
  const shape = o.shape(graph.output);
  const last = { ...(graph.nodes.at(-1) as OpGraph["nodes"][number]), title: "scores", inputs: [graph.output], outputs: ["scores"] };
  const axis = shape.findIndex((side, i) => i > 0 && side !== 1);
  const isScores = shape[0] === batch && shape.every((side, i) => i === 0 || i === axis || side === 1);
  if (!isScores || !o.isLive(graph.output))
    throw wrongInput(
      graph.file,
      `gives [${shape.map((side) => (side >= batch ? "B" : side)).join(", ")}] for images, not one score for each class`,
      "Use an image classifier.",
    );
  const value = o.stored(last, 0);
  const scores = value.axes[axis] ?? [];
  if (value.physical.length === 2 && isIdentity([0, ...scores])) return value.ref;
  return o.arranged(last, 0, [[0], scores]).ref;
}
