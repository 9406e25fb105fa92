import type { Markup } from "../../src/shared/markup.ts";

/** Drawn markup as an element of the page: parsed apart from it, so that nothing of it runs or loads before it is put there. */
export function svgNode({ text }: Markup): Element {
  const drawn = new DOMParser().parseFromString(text, "text/html").body.firstElementChild;
  if (!drawn) throw new Error("the markup holds no element");
  return document.importNode(drawn, true);
}
