import type { Entry, Node, Trace } from "./trace.ts";

/** A result that may be written over a leaf: numbers in the trace's lists. */
export interface Overwrite {
  readonly result: number;
  readonly leaf: number;
}

/** Kernels that become one element-wise node each, which nothing is fused with. */
const isScaled = (node: Node): boolean => node.key.startsWith("Multiply");
const isSum = (node: Node): boolean => node.key.startsWith("Add");

/**
 * Finds moments that are updated, m ← factor · m + …: all that reads the old m is the product, which is there before the sum that gives the
 * new one. Once nothing else wants the old m, the sum may be written over it, which saves memory for one copy of every moment.
 */
export function overwritesOf({ nodes, leaves, results }: Pick<Trace, "nodes" | "leaves" | "results">): Overwrite[] {
  const makers = new Map<Entry, Node>();
  const readers = new Map<Entry, Node[]>();
  for (const node of nodes) {
    for (const output of node.outputs) makers.set(output, node);
    for (const input of new Set(node.inputs)) readers.set(input, [...(readers.get(input) ?? []), node]);
  }
  return results.flatMap((entry, result) => {
    const sum = makers.get(entry);
    if (!sum || !isSum(sum) || entry.dtype !== "float32") return [];
    for (const input of sum.inputs) {
      const product = makers.get(input);
      if (!product || !isScaled(product)) continue;
      const leaf = leaves.findIndex((at) => product.inputs[0] === at && at.dtype === "float32" && at.shape.join() === entry.shape.join());
      const old = leaves[leaf];
      if (old && product.inputs[1] !== old && readers.get(old)?.length === 1) return [{ result, leaf }];
    }
    return [];
  });
}

/** Whether nothing but the graph that is about to run wants the leaf's values, in an array of the backend's own. */
export const isSpent = (leaf: Entry): boolean => leaf.refs === 0 && leaf.isOurs === true && leaf.constant === undefined;
