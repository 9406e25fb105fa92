import type { Attribute, Attributes, FileFunction, FileNode } from "./file/model.ts";
import { nodesIn, renamedNode } from "./names.ts";
import { exportAgain, invalidModel, tooLarge } from "./problems.ts";

const deepest = 8;
const mostNodes = 100_000;

/**
 * Replaces calls of the model's own functions by their bodies. Inner values are named after the calling node.
 * @throws MODEL_INVALID for a function that calls itself, MODEL_TOO_LARGE
 */
export function inlined(nodes: readonly FileNode[], functions: readonly FileFunction[], file: string): readonly FileNode[] {
  if (functions.length === 0) return nodes;
  const known = new Map(functions.map((one) => [`${one.domain}:${one.name}`, one]));
  const all: FileNode[] = [];
  let count = 0;
  const add = (node: FileNode, depth: number): void => {
    count += nodesIn(node); // calls too: a function may hold nothing but calls
    if (count > mostNodes) throw tooLarge(file, `has more than ${mostNodes.toLocaleString("en-GB")} nodes`, exportAgain);
    const called = known.get(`${node.domain}:${node.op}`);
    if (!called) {
      all.push(node);
      return;
    }
    if (depth > deepest)
      throw invalidModel(file, `nests functions deeper than ${deepest}, or one calls itself: "${called.name}"`, exportAgain);
    for (const inner of bodyOf(called, node)) add(inner, depth + 1);
  };
  for (const node of nodes) add(node, 1);
  return all;
}

function bodyOf(called: FileFunction, call: FileNode): FileNode[] {
  const prefix = call.name || call.outputs[0] || called.name;
  const names = new Map<string, string>();
  called.inputs.forEach((name, i) => {
    names.set(name, call.inputs[i] ?? "");
  });
  called.outputs.forEach((name, i) => {
    if (call.outputs[i]) names.set(name, call.outputs[i]);
  });
  const renamed = (name: string): string => (name === "" ? "" : (names.get(name) ?? `${prefix}/${name}`));
  return called.nodes.map((node) => {
    const attributes = filled(node.attributes, call.attributes, called.defaults);
    return renamedNode({ ...node, name: `${prefix}/${node.name || node.op}`, attributes }, renamed);
  });
}

/** Resolves attributes that refer to the call's: its value, else the function's default, else the attribute is left out. */
function filled(own: Attributes, given: Attributes, defaults: Attributes): Attributes {
  const entries = [...own].flatMap(([name, attribute]): [string, Attribute][] => {
    if (attribute.refersTo === undefined) return [[name, attribute]];
    const value = given.get(attribute.refersTo) ?? defaults.get(attribute.refersTo);
    return value ? [[name, { ...value, name }]] : [];
  });
  return new Map(entries);
}
