import { cividis, inkOn } from "../../../src/shared/colour.ts";
import { number, percent } from "../../../src/shared/format.ts";
import type { PatchPlacement, PatchSuccessMapResult } from "../../../src/shared/patch.ts";
import { fill, h, onChange, roving } from "../../lib/dom.ts";
import { type MapFigure, mapFigures, mapValues } from "../model.ts";

/** A table in colours: rows and columns are the places of the patch, each cell says its number and takes the patch there. */
export function heatMap(put: (at: Pick<PatchPlacement, "row" | "column">) => void): {
  readonly element: HTMLElement;
  update(map: PatchSuccessMapResult, figure: MapFigure): void;
} {
  const table = h("table", { class: "heat" });
  let width = 1;
  const select = roving(table, "button", () => width);
  const draw = onChange((map: PatchSuccessMapResult, figure: MapFigure) => {
    width = map.columns.length;
    const head = h("tr", {}, h("th", {}, "Row \\ column"), ...map.columns.map((c) => h("th", { attributes: { scope: "col" } }, number(c))));
    const rows = mapValues(map, figure).map((values, i) =>
      h(
        "tr",
        {},
        h("th", { attributes: { scope: "row" } }, number(map.rows[i])),
        ...values.map((value, j) => cell(value, { row: map.rows[i] ?? 0, column: map.columns[j] ?? 0 }, figure, put)),
      ),
    );
    fill(
      table,
      h("caption", { class: "visually-hidden" }, `${mapFigures[figure]}, by the centre of the patch`),
      h("thead", {}, head),
      h("tbody", {}, ...rows),
    );
    select(0);
  });
  return { element: h("div", { class: "map-scroll" }, table), update: draw };
}

function cell(
  value: number | null,
  at: Pick<PatchPlacement, "row" | "column">,
  figure: MapFigure,
  put: (at: Pick<PatchPlacement, "row" | "column">) => void,
): HTMLElement {
  const text = value === null ? "–" : String(Math.round(value * 100));
  const where = `row ${number(at.row)}, column ${number(at.column)}`;
  const spoken = `${where}: ${value === null ? "no images" : `${percent(value)} ${mapFigures[figure].toLowerCase()}`}. Put the patch here.`;
  const td = h("td", {}, h("button", { title: spoken, attributes: { type: "button", tabindex: -1 }, on: { click: () => put(at) } }, text));
  if (value !== null) {
    const colour = cividis(value);
    td.style.background = `rgb(${colour.join(" ")})`;
    td.style.color = inkOn(colour);
  }
  return td;
}
