import path from "node:path";
import { BulwarkError } from "../../../shared/errors.ts";
import { contractFile } from "../locate.ts";
import { checkExtent } from "./extent.ts";
import type { FileModel, FileNode, FileValue } from "./file/model.ts";
import { inlined } from "./functions.ts";
import { needsOf } from "./names.ts";
import { exportAgain, invalidModel, unsupportedModel, wrongInput } from "./problems.ts";
import { refuseTrainingMode } from "./trainingMode.ts";
import { type Constant, ofTensor } from "./values.ts";

/** A node with what decides how it computes. */
export interface Node extends FileNode {
  /** Its name in messages: its own, or that of its first output. */
  readonly title: string;
  /** Version of its operator set. */
  readonly opset: number;
}
/** The operations from the image to the scores, in topological order. */
export interface OpGraph {
  readonly file: string;
  readonly nodes: readonly Node[];
  readonly initializers: ReadonlyMap<string, Constant>;
  readonly input: FileValue;
  readonly output: string;
  /** Values that nodes of the file's own graph make, which it can give as outputs; not those within functions and branches. */
  readonly own: ReadonlySet<string>;
}

export interface ReadGraph extends OpGraph {
  readonly notes: readonly string[];
  /** Version of its operator set, where that is newer than those known here. */
  readonly newer: number | undefined;
}

const oldest = 7;
const newest = 22;
const otherOpset = "Export it with opset_version=17.";

/** Of a node of another domain, that of its own. */
function opsetOf({ opsets }: FileModel, { domain }: FileNode, file: string): number {
  const version = opsets.get(domain);
  if (domain !== "") return version ?? 0;
  if (version === undefined) throw invalidModel(file, "does not say which operator set it is written for", otherOpset);
  if (version >= oldest) return version;
  throw unsupportedModel(file, `is opset ${version}; ${oldest} to ${newest} are supported`, otherOpset);
}

/** For a newer operator set: what an operator means may have changed. @param why its scores could not be compared with another program's */
export const newerOpset = (file: string, version: number, why: string): BulwarkError =>
  unsupportedModel(
    file,
    `is opset ${version}, newer than ${newest}, the newest one known here, and ${why}`,
    `Export it with opset_version=17, or another one up to ${newest}.`,
  );

/**
 * The part of a model that its output depends on. Checks that each value is made once, and before it is used.
 * @param wanted the output chosen by the contract
 * @throws MODEL_INVALID, MODEL_INPUT, MODEL_UNSUPPORTED, MODEL_TOO_LARGE
 */
export function opGraphOf(model: FileModel, file: string, wanted: string | undefined): ReadGraph {
  const { graph } = model;
  if (!graph) throw invalidModel(file, "is not an ONNX model", exportAgain);
  if (graph.outputs.length === 0)
    throw invalidModel(file, "names no output of its graph", "Export it again, with an output that holds a score for each class.");
  if (graph.nodes.length === 0)
    throw invalidModel(
      file,
      "holds no nodes: it computes nothing from its input",
      "Export the network itself, with its scores as the output.",
    );
  const nodes = inlined(graph.nodes, model.functions, file);
  const makers = makersOf(nodes, new Set([...graph.initializers.keys(), ...graph.inputs.map(({ name }) => name)]), file);
  const output = chosenOutput(graph.outputs, wanted, file);
  const known = (name: string): boolean => graph.initializers.has(name) || graph.inputs.some((input) => input.name === name);
  const used = inOrder(output, makers, known, file);
  checkExtent(used, new Set(graph.inputs.map(({ name }) => name)), file);
  const live = used.map((node) => ({ ...node, title: node.name || node.outputs[0] || node.op, opset: opsetOf(model, node, file) }));
  if (graph.isSparse && nodes.some(({ inputs }) => inputs.some((name) => name && !makers.has(name) && !known(name))))
    throw unsupportedModel(file, "holds sparse weights", "Export it with dense weights.");
  const version = live.find(({ domain }) => domain === "")?.opset ?? 0;
  const newer = version > newest ? version : undefined;
  const notes = newer
    ? [`opset ${newer} is newer than ${newest}, the newest one known here: it opens where its scores agree with ONNX Runtime's`]
    : [];
  const initializers = new Map([...graph.initializers].map(([name, ref]) => [name, ofTensor(ref, file)] as const));
  refuseTrainingMode({ file, nodes: live, initializers });
  const own = new Set(graph.nodes.flatMap(({ outputs }) => outputs));
  return { file, nodes: live, initializers, input: imageInput(graph.inputs, live, file), output, newer, own, notes };
}

export function makersOf<T extends FileNode>(nodes: readonly T[], given: ReadonlySet<string>, file: string): Map<string, T> {
  const makers = new Map<string, T>();
  for (const node of nodes)
    for (const output of node.outputs) {
      if (output === "") continue;
      if (makers.has(output) || given.has(output))
        throw new BulwarkError("MODEL_INVALID", `Two nodes of ${file} make "${output}".`, exportAgain);
      makers.set(output, node);
    }
  return makers;
}

export function chosenOutput(outputs: readonly FileValue[], wanted: string | undefined, file: string): string {
  const names = outputs.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw invalidModel(file, `names its output "${twice}" twice`, exportAgain);
  const [only] = names;
  if (wanted !== undefined && !names.includes(wanted))
    throw wrongInput(file, `has no output "${wanted}"`, `Set output.name in its input contract to one of ${names.join(", ")}.`);
  if (wanted !== undefined) return wanted;
  if (only === undefined) throw invalidModel(file, "has no output", exportAgain);
  if (names.length === 1) return only;
  const scores = outputs.find(({ shape }) => shape?.length === 2) ?? outputs[0];
  throw wrongInput(
    file,
    `has ${names.length} outputs: ${names.slice(0, 8).join(", ")}`,
    `Choose one in the input contract, ${path.basename(contractFile(file))} beside it: {"input": {}, "output": {"name": ${JSON.stringify(scores?.name)}}}.`,
  );
}

/** The nodes that the output needs, each after its inputs. Not recursive, as networks can be deep. */
export function inOrder<T extends FileNode>(
  output: string,
  makers: ReadonlyMap<string, T>,
  known: (name: string) => boolean,
  file: string,
): T[] {
  const done = new Set<T>();
  const open = new Set<T>();
  const stack: { node: T; needs: readonly string[]; next: number }[] = [];
  const enter = (name: string, user: string): void => {
    const node = makers.get(name);
    if (node === undefined && !known(name))
      throw new BulwarkError("MODEL_INVALID", `"${name}" is used by "${user}" of ${file}, but nothing makes it.`, exportAgain);
    if (node === undefined || done.has(node)) return;
    if (open.has(node))
      throw new BulwarkError("MODEL_INVALID", `The nodes of ${file} form a circle through "${node.name || node.outputs[0]}".`, exportAgain);
    open.add(node);
    stack.push({ node, needs: needsOf(node), next: 0 });
  };
  enter(output, "the output");
  for (let top = stack.at(-1); top; top = stack.at(-1)) {
    const input = top.needs[top.next++];
    if (input === undefined) {
      done.add(top.node);
      stack.pop();
    } else if (input !== "") enter(input, top.node.name || top.node.op);
  }
  return [...done];
}

const images = [1, 2, 10, 11, 16]; // float32, uint8, float16, float64, bfloat16

/** A node with a body, such as an If. */
export const hasBody = ({ attributes }: Node): boolean => [...attributes.values()].some(({ isOther }) => isOther);

export function imageInput(inputs: readonly FileValue[], nodes: readonly Node[], file: string): FileValue {
  const used = new Set(nodes.flatMap(needsOf));
  const live = inputs.filter(({ name }) => used.has(name));
  const [input] = live;
  const shapes = live.map(({ name, shape }) => `${name} [${shape?.map((side) => side ?? "?").join(", ") ?? "?"}]`).join(", ");
  if (live.length > 1) throw wrongInput(file, `takes ${live.length} inputs: ${shapes}`, "Use an image classifier.");
  if (!input) throw wrongInput(file, "gives scores that do not depend on its input", "Use an image classifier.");
  if (!images.includes(input.type) || input.shape?.length !== 4)
    throw wrongInput(file, `does not take images: ${shapes}`, "Use an image classifier, with an input of four axes.");
  if (input.shape.some((side) => side !== null && side < 1))
    throw invalidModel(
      file,
      `takes images of an impossible size: ${shapes}`,
      "Export it with the size of its images, and with a dynamic batch or batch 1.",
    );
  return input;
}

/** An integer list attribute. */
export const intsOf = (node: Node, name: string): readonly number[] | undefined => node.attributes.get(name)?.ints;
export const intOf = <T>(node: Node, name: string, otherwise: T): number | T => node.attributes.get(name)?.int ?? otherwise;
export const floatOf = (node: Node, name: string, otherwise: number): number => node.attributes.get(name)?.float ?? otherwise;
export const textOf = (node: Node, name: string, otherwise: string): string => node.attributes.get(name)?.text ?? otherwise;
