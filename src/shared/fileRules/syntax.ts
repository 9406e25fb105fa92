import type { Node, ParseError } from "jsonc-parser";
import { jsonTree } from "../jsonTree.ts";
import type { Span } from "./tree.ts";
import { textOf } from "./tree.ts";

/** What a person wrote that JSON does not have, and what to write instead. */
interface BareFraction {
  readonly message: string;
  readonly fix: string;
  readonly span: Span;
  readonly quoted: string;
}

/** 8/255 without quotes, which is no JSON. */
export function bareFractions(text: string): BareFraction[] {
  const errors: ParseError[] = [];
  jsonTree(text, errors);
  return [...new Set(errors.map(({ offset }) => offset))].flatMap((slash) => {
    const above = /[\d.]+\s*$/.exec(text.slice(0, slash))?.[0];
    const below = /^\/\s*[\d.]+/.exec(text.slice(slash))?.[0];
    if (above === undefined || below === undefined) return [];
    const written = above + below;
    const quoted = JSON.stringify(written.replace(/\s/g, ""));
    return [
      {
        message: `${written} is not a number in JSON`,
        fix: `Write ${quoted}`,
        span: { offset: slash - above.length, length: written.length },
        quoted,
      },
    ];
  });
}

/** The second of two equal keys of one object: JSON would silently take it. */
export function repeatedKeys(node: Node): Node[] {
  const children = node.children ?? [];
  const keys = node.type === "object" ? children.flatMap((property) => property.children?.[0] ?? []) : [];
  const names = keys.map(textOf);
  return [...keys.filter((_, i) => names.indexOf(names[i]) < i), ...children.flatMap(repeatedKeys)];
}
