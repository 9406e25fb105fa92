import { createScanner, type Node, type ParseError, parseTree } from "jsonc-parser";

/** Lists and objects in one another; no file of ours has ten. Whatever walks a tree takes a place on the stack for each. */
export const deepestJson = 200;

/** jsonc-parser's numbers of tokens, which it declares as a type alone. */
const kinds = { openBrace: 1, closeBrace: 2, openBracket: 3, closeBracket: 4, end: 17 } as const;

/** Whether lists and objects lie deeper in one another than any reader goes. Comments and texts do not count. */
export function isTooDeep(text: string): boolean {
  const scanner = createScanner(text, true);
  let depth = 0;
  for (let token: number = scanner.scan(); token !== kinds.end; token = scanner.scan()) {
    if (token === kinds.openBrace || token === kinds.openBracket) depth++;
    else if (token === kinds.closeBrace || token === kinds.closeBracket) depth--;
    if (depth > deepestJson) return true;
  }
  return false;
}

/** The tree of a JSON text, comments and trailing commas allowed; undefined for an empty text and one that is too deep. */
export const jsonTree = (text: string, errors: ParseError[] = []): Node | undefined =>
  isTooDeep(text) ? undefined : parseTree(text, errors, { allowTrailingComma: true });
