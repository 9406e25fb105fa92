import path from "node:path";
import type { InputContract } from "../../../shared/contract.ts";
import { type Header, hashOfFiles } from "../artifacts.ts";
import { builtFrom } from "../build.ts";
import type { ModelFile } from "../modelFile.ts";
import type { FileNode } from "../onnx/file/model.ts";
import { chosenOutput, imageInput, inOrder, type OpGraph } from "../onnx/graph.ts";
import { type ImageInput, imageInputOf } from "../onnx/input.ts";
import { type Lowered, loweredTo } from "../onnx/lowered.ts";
import { UnsupportedModel } from "../onnx/problems.ts";
import type { Constant } from "../onnx/values.ts";
import { setWeights } from "../onnx/weights.ts";
import { fittedScores, withoutLayout } from "../topology/index.ts";
import { type GraphDef, graphDefOf } from "./graphDef.ts";
import { betweenBlocks, imageRules } from "./images.ts";
import { partRules } from "./parts.ts";
import { convertInstead, refusalOf } from "./refusals.ts";
import { type Rule, Translation } from "./translation.ts";
import { constantsOf, WeightFiles } from "./weights.ts";

/** Operation of TensorFlow → its operators of ONNX. */
export const rules: ReadonlyMap<string, Rule> = new Map([...imageRules, ...partRules]);

/**
 * A TensorFlow.js graph model. Its operations become the op graph that an ONNX file has, and that becomes layers. Weights are read only when
 * the network is built.
 * @throws MODEL_INVALID, MODEL_TOO_LARGE
 */
export function openGraphModel(file: string, header: Header): ModelFile {
  const graphDef = graphDefOf(header, file);
  const files = new WeightFiles();
  const constants = constantsOf(header, files);
  let known: { readonly image: ImageInput; readonly lowered: Lowered } | undefined;
  const normalised = () => {
    if (!known) throw new Error("the model was not normalised");
    return known;
  };
  return {
    format: "tfjs-graph",
    metadata: header.metadata,
    sha256: () => hashOfFiles(header),
    close: () => files.close(),
    normalise: (contract, size) => {
      const { graph, notes } = opGraphOf(graphDef, constants, file, contract);
      const image = imageInputOf(graph, contract, size);
      const lowered = withAdvice(() => loweredTo(graph, image, nameOf(file)));
      known = { image, lowered };
      const fitted = fittedScores(lowered.topology, withoutLayout(contract), { file, size });
      return { ...fitted, notes: [...notes, ...lowered.notes, ...fitted.notes] };
    },
    evidence: () =>
      normalised().image.isBytes
        ? { source: { kind: "layer", text: "the type of its input, whole numbers" }, input: { mean: 0, scale: 1 } }
        : undefined,
    build: (topology, reading) => {
      const { plan } = normalised().lowered;
      return builtFrom(topology, plan.numbers, file, (network) => setWeights(network, plan, file, reading));
    },
  };
}

/** That of the folder, as the file is called model.json. */
const nameOf = (file: string): string => path.basename(path.dirname(path.resolve(file)));

/** What cannot be computed is about operators of ONNX here: the advice for those does not help. */
function withAdvice<T>(compute: () => T): T {
  try {
    return compute();
  } catch (error) {
    throw error instanceof UnsupportedModel ? new UnsupportedModel(error.file, error.what, convertInstead) : error;
  }
}

/**
 * Translates what the output depends on.
 * @throws MODEL_UNSUPPORTED naming what has no translation; MODEL_INPUT, MODEL_INVALID
 */
function opGraphOf(graphDef: GraphDef, weights: ReadonlyMap<string, Constant>, file: string, contract: InputContract) {
  const key = chosenOutput(graphDef.outputs, contract.output?.name, file);
  const value = graphDef.outputs.find(({ name }) => name === key)?.value ?? key;
  const isGiven = (name: string): boolean => weights.has(name) || graphDef.inputs.some((input) => input.name === name);
  const makers = new Map<string, FileNode>();
  for (const node of graphDef.nodes) if (!isGiven(node.name)) for (const output of node.outputs) makers.set(output, node);
  const live = inOrder(value, makers, isGiven, file);
  const missing = live.filter(({ op }) => !rules.has(op));
  if (missing.length > 0) throw refusalOf(live, missing, { file, output: value });
  const o = new Translation(file, weights);
  const values = new Map<string, string>();
  const named = (name: string): string => values.get(name) ?? (isGiven(name) ? name : o.refuse(`that uses "${name}"`));
  for (const node of live) translate(node, o, { values, named });
  const output = named(value);
  const graph: OpGraph = {
    file,
    nodes: o.nodes,
    initializers: o.constants,
    input: imageInput(graphDef.inputs, o.nodes, file),
    output,
    own: new Set(), // no other program runs it
  };
  return { graph, notes: [...o.notes] };
}

/** @param o values: those of the graph under the names that they have in the op graph; named: the name of one there */
function translate(
  node: FileNode,
  o: Translation,
  { values, named }: { readonly values: Map<string, string>; named(name: string): string },
): void {
  o.begin(node);
  const inputs = node.inputs.map(named);
  const block = inputs.map((name) => o.blockOf(name)).find((one) => one !== undefined);
  if (block && node.op !== "BatchToSpaceND" && !betweenBlocks.has(node.op)) o.refuse("behind a SpaceToBatchND");
  const results = [(rules.get(node.op) as Rule)(o, node, inputs)].flat();
  for (const output of node.outputs) {
    const [, index = "0"] = /:(\d+)$/.exec(output.slice(node.name.length)) ?? [];
    const result = results[Number(index)];
    if (result !== undefined) values.set(output, block && node.op !== "BatchToSpaceND" ? o.inBlocks(result, block) : result);
  }
}
