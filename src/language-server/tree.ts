import { findNodeAtLocation, getNodeValue, type Node, parseTree } from "jsonc-parser";

export interface Span {
  readonly offset: number;
  readonly length: number;
}
export const parseExperiment = (text: string): Node | undefined => parseTree(text, [], { allowTrailingComma: true });
export const at = (root: Node, ...path: (string | number)[]): Node | undefined => findNodeAtLocation(root, path);
export const spanOf = ({ offset, length }: Node): Span => ({ offset, length });
/** Span of the key of a value, or of the value where there is none. */
export const keySpan = (value: Node): Span => spanOf(value.parent?.type === "property" ? (value.parent.children?.[0] ?? value) : value);
export const jsonOf = (node: Node): unknown => getNodeValue(node);
export const textOf = (node: Node | undefined): string | undefined => (typeof node?.value === "string" ? node.value : undefined);
export const numberOf = (node: Node | undefined): number | undefined => (typeof node?.value === "number" ? node.value : undefined);

/** A place where a registry entry is chosen by its `kind`. */
export interface ChoiceSite {
  readonly kind: "analysis" | "attack" | "dataset" | "defense" | "detector" | "explanation" | "model";
  readonly node: Node;
}
const lists = { analyses: "analysis", attacks: "attack", detectors: "detector", explanations: "explanation" } as const;

/** Every choice of an experiment, in the order of the file. */
export function choiceSites(root: Node): ChoiceSite[] {
  const sites: ChoiceSite[] = [];
  const add = (kind: ChoiceSite["kind"], node: Node | undefined): void => {
    if (node?.type === "object" && !at(node, "file")) sites.push({ kind, node });
  };
  const arms = [root, ...(at(root, "compare")?.children ?? [])];
  add("dataset", at(root, "dataset"));
  for (const arm of arms) {
    add("model", at(arm, "model"));
    for (const node of defenseNodes(arm)) add("defense", node);
    add("attack", at(arm, "train", "quickAttack"));
  }
  for (const [key, kind] of Object.entries(lists)) for (const item of at(root, key)?.children ?? []) add(kind, item);
  return sites;
}

/** The defences of an arm: one, or a list. */
export function defenseNodes(arm: Node): readonly Node[] {
  const node = at(arm, "defense");
  return node?.type === "array" ? (node.children ?? []) : node ? [node] : [];
}
