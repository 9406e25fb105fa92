import { findNodeAtLocation, getNodeValue, type Node } from "jsonc-parser";
import { type Catalog, type CatalogEntry, type CatalogKind, entriesOf, parameterWith } from "../catalog.ts";
import { parseFraction } from "../format.ts";
import { jsonTree } from "../jsonTree.ts";

export interface Span {
  readonly offset: number;
  readonly length: number;
}
/** Place of a character as people count, from 1. */
export function lineColumn(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
export const parseExperiment = (text: string): Node | undefined => jsonTree(text);
export const at = (root: Node, ...path: (string | number)[]): Node | undefined => findNodeAtLocation(root, path);
/** The value that a JSON pointer such as "/attacks/1" names. */
export const atPointer = (root: Node, pointer: string): Node | undefined => {
  const steps = pointer.split("/").slice(1);
  const path = steps.map((step) => (/^\d+$/.test(step) ? Number(step) : step.replaceAll("~1", "/").replaceAll("~0", "~")));
  return at(root, ...path);
};
export const spanOf = ({ offset, length }: Node): Span => ({ offset, length });
/** Span of the key of a value, or of the value where there is none. */
export const keySpan = (value: Node): Span => spanOf(value.parent?.type === "property" ? (value.parent.children?.[0] ?? value) : value);
export const jsonOf = (node: Node): unknown => getNodeValue(node);
export const textOf = (node: Node | undefined): string | undefined => (typeof node?.value === "string" ? node.value : undefined);
/** A number, or a fraction in quotes. */
export function numberOf(node: Node | undefined): number | undefined {
  const value: unknown = node?.value;
  return typeof value === "number" ? value : typeof value === "string" ? (parseFraction(value) ?? undefined) : undefined;
}
/** Elements of a list; the node itself where it stands for a list of one. */
export const itemsOf = (node: Node | undefined): readonly Node[] => (node?.type === "array" ? (node.children ?? []) : node ? [node] : []);

/** A place where a registry entry is chosen, by the `kind` of an object or, inside parameters, by its id alone. */
export interface ChoiceSite {
  readonly kind: CatalogKind;
  readonly node: Node;
  /** The id as it is written; undefined while there is none. */
  readonly id: Node | undefined;
  /** Undefined for an unknown id. */
  readonly entry: CatalogEntry | undefined;
}
/** Norm of the ball of an attack as it is written, else as it is by default. */
export function normOf({ node, entry }: ChoiceSite): string | undefined {
  const key = entry && parameterWith(entry, "norm");
  return (key === undefined ? undefined : textOf(at(node, key))) ?? entry?.norm;
}
const lists = { analyses: "analysis", attacks: "attack", detectors: "detector", explanations: "explanation" } as const;

/** Every choice of an experiment, in the order of the file, choices inside parameters included. */
export function choiceSites(root: Node, catalog: Catalog): ChoiceSite[] {
  const sites: ChoiceSite[] = [];
  const add = (kind: CatalogKind, node: Node | undefined, canBeId = false): void => {
    const isId = canBeId && node?.type === "string";
    if (!node || (!isId && (node.type !== "object" || at(node, "file")))) return;
    const id = isId ? node : at(node, "kind");
    const entry = entriesOf(catalog, kind).find((one) => one.id === textOf(id));
    sites.push({ kind, node, id, entry });
    for (const [name, { registry, several }] of Object.entries(entry?.params.properties ?? {}))
      if (registry && !isId) for (const inner of several ? itemsOf(at(node, name)) : [at(node, name)]) add(registry, inner, true);
  };
  add("dataset", at(root, "dataset"));
  for (const arm of armsOf(root)) {
    add("model", at(arm, "model"));
    for (const defense of itemsOf(at(arm, "defense"))) add("defense", defense);
    add("attack", at(arm, "train", "quickAttack"));
  }
  for (const [key, kind] of Object.entries(lists)) for (const item of at(root, key)?.children ?? []) add(kind, item);
  return sites;
}

/** The experiment itself, which is the first arm, then those of `compare`. */
export const armsOf = (root: Node): readonly Node[] => [root, ...(at(root, "compare")?.children ?? [])];
