import type { Attributes, FileGraph, FileNode } from "./file/model.ts";

const graphsOf = ({ attributes }: Pick<FileNode, "attributes">): FileGraph[] =>
  [...attributes.values()].flatMap(({ graph }) => (graph ? [graph] : []));

/** Values that a node needs: its inputs, and what its branches use of the graph around them. */
export const needsOf = (node: FileNode): readonly string[] => {
  const graphs = graphsOf(node);
  return graphs.length === 0 ? node.inputs : [...node.inputs, ...graphs.flatMap(usedAround)];
};

/** The node and those in its branches. */
export const nodesIn = (node: FileNode): number =>
  graphsOf(node).reduce((sum, { nodes }) => nodes.reduce((all, one) => all + nodesIn(one), sum), 1);

/** Values made within a graph, its weights and inputs included. */
export const madeWithin = ({ nodes, initializers, inputs }: FileGraph): ReadonlySet<string> =>
  new Set([...nodes.flatMap(({ outputs }) => outputs), ...initializers.keys(), ...inputs.map(({ name }) => name)]);

function usedAround(graph: FileGraph): string[] {
  const own = madeWithin(graph);
  const used = [...graph.nodes.flatMap(needsOf), ...graph.outputs.map(({ name }) => name)];
  return used.filter((name) => name !== "" && !own.has(name));
}

/** A node of a body whose values have other names outside, those in its own branches too. */
export function renamedNode<T extends FileNode>(node: T, renamed: (name: string) => string): T {
  const { inputs, outputs } = node;
  return { ...node, inputs: inputs.map(renamed), outputs: outputs.map(renamed), attributes: withGraphs(node.attributes, renamed) };
}

function withGraphs(attributes: Attributes, renamed: (name: string) => string): Attributes {
  const value = <V extends { readonly name: string }>(one: V): V => ({ ...one, name: renamed(one.name) });
  const changed = (graph: FileGraph): FileGraph => ({
    ...graph,
    nodes: graph.nodes.map((node) => renamedNode(node, renamed)),
    initializers: new Map([...graph.initializers].map(([name, tensor]) => [renamed(name), tensor])),
    inputs: graph.inputs.map(value),
    outputs: graph.outputs.map(value),
  });
  return new Map([...attributes].map(([name, one]) => [name, one.graph ? { ...one, graph: changed(one.graph) } : one]));
}
