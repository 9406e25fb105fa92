import { count } from "../../../shared/format.ts";
import type { FileNode } from "./file/model.ts";
import { nodesIn } from "./names.ts";
import { tooLarge } from "./problems.ts";

/** Most operators that compute from the image; one of several such inputs counts for each. Swin-T has a third of these, ResNet-1001 a quarter. */
const most = 16_000;
/** What they give is about their input and not computed from it: all behind them is known before there is an image. */
const measures = new Set(["Shape", "Size"]);

/**
 * Refuses a network that is too large to be built, before its shapes are computed: that would take seconds.
 * @param nodes in topological order
 * @throws MODEL_TOO_LARGE
 */
export function checkExtent(nodes: readonly FileNode[], images: ReadonlySet<string>, file: string): void {
  const fromImage = new Set(images);
  let operations = 0;
  for (const node of nodes) {
    const inputs = measures.has(node.op) ? 0 : node.inputs.filter((name) => fromImage.has(name)).length;
    if (inputs === 0) continue;
    operations += Math.max(inputs, nodesIn(node));
    for (const output of node.outputs) fromImage.add(output);
  }
  if (operations > most)
    throw tooLarge(file, `has ${count(operations)} operations on its images; the limit is ${count(most)}`, "Use a smaller network.");
}
