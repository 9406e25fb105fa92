import { intOf, type Node, type OpGraph } from "./graph.ts";
import { invalidModel } from "./problems.ts";
import { type Constant, ofTensor } from "./values.ts";

/**
 * Refuses a network exported in training mode: its batch normalisation uses the mean and variance of the current batch, and its dropout is
 * random unless its ratio is 0, so the scores of an image change with the rest of the batch or from run to run. ONNX Runtime would not warn.
 * @throws MODEL_INVALID
 */
export function refuseTrainingMode({ file, nodes, initializers }: Pick<OpGraph, "file" | "nodes" | "initializers">): void {
  const made = new Map<string, Constant>();
  for (const { op, outputs, attributes } of nodes) {
    const tensor = op === "Constant" ? attributes.get("value")?.tensor : undefined;
    if (tensor) made.set(outputs[0] ?? "", ofTensor(tensor, file));
  }
  const scalar = (name: string | undefined): number | undefined => {
    const constant = name === undefined ? undefined : (initializers.get(name) ?? made.get(name));
    return constant?.shape.length === 0 ? constant.data[0] : undefined;
  };
  const drops = ({ op, inputs: [, ratio, training] }: Node): boolean =>
    op === "Dropout" && Boolean(scalar(training)) && scalar(ratio) !== 0;
  const normalisations = nodes.filter((node) => node.op === "BatchNormalization" && normalisesBatch(node)).length;
  const dropouts = nodes.filter(drops).length;
  if (normalisations + dropouts === 0) return;
  const counts = [normalisations > 0 ? `${normalisations} BatchNormalization` : "", dropouts > 0 ? `${dropouts} Dropout` : ""];
  const what = counts.filter((count) => count !== "").join(" and ");
  throw invalidModel(
    file,
    `was exported in training mode (${what}): the scores of an image depend on the images beside it, or on chance`,
    "Call model.eval() before the export.",
  );
}

/** From operator set 14 on an attribute tells; before, more than one output does. */
const normalisesBatch = (node: Node): boolean =>
  node.opset < 14 ? node.outputs.filter((name) => name !== "").length > 1 : intOf(node, "training_mode", 0) === 1;
