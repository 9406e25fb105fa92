import { type Child, h } from "./dom.ts";

/** Names and values under each other; a value that is null is left out. */
export const factList = (facts: readonly (readonly [name: string, value: Child])[]): HTMLElement =>
  h(
    "dl",
    { class: "fact-list" },
    ...facts.flatMap(([name, value]) => (value === null || value === undefined ? [] : [h("dt", {}, name), h("dd", {}, value)])),
  );

/** A table that scrolls by itself, with the keyboard too. The first cell of each row is its heading. */
export function dataTable(label: string, head: readonly string[], rows: readonly (readonly Child[])[]): HTMLElement {
  const line = (cells: readonly Child[]): HTMLElement =>
    h("tr", {}, ...cells.map((cell, i) => (i === 0 ? h("th", { attributes: { scope: "row" } }, cell) : h("td", {}, cell))));
  return h(
    "div",
    { class: "table-scroll", attributes: { tabindex: 0, role: "group", "aria-label": label } },
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, ...head.map((text) => h("th", { attributes: { scope: "col" } }, text)))),
      h("tbody", {}, ...rows.map(line)),
    ),
  );
}
