import { cellText } from "../../../src/shared/analysisCell.ts";
import { analysisFigures } from "../../../src/shared/reportFigures.ts";
import type { AnalysisResult, AnalysisTable } from "../../../src/shared/results.ts";
import { fill, h, onChange, type Part, show } from "../../lib/dom.ts";
import { figureCard } from "../../lib/figureCard.ts";
import type { Save } from "../../lib/figureFrame.ts";

/** The experiment's analyses: figures that can be read as tables and saved, then tables and what to bear in mind. */
export function analyses(save: Save): Part<readonly AnalysisResult[]> {
  const element = h("div", { class: "stack analyses" });
  const draw = onChange((results: readonly AnalysisResult[]) => {
    show(element, results.length > 0);
    fill(element, ...results.map((result) => one(result, save)));
  });
  return { element, update: draw };
}

function one(analysis: AnalysisResult, save: Save): HTMLElement {
  const { title, tables, notes } = analysis;
  const drawn = analysisFigures(analysis).map((figure) => {
    const { element, update } = figureCard(save);
    update(figure);
    return element;
  });
  return h(
    "section",
    { class: "analysis", attributes: { "aria-label": title } },
    h("h2", {}, title),
    drawn.length > 0 && h("div", { class: "chart-grid" }, ...drawn),
    ...tables.map(tableOf),
    notes.length > 0 && h("ul", { class: "plain notes muted small" }, ...notes.map((note) => h("li", {}, note))),
  );
}

function tableOf({ title, columns, rows }: AnalysisTable): HTMLElement {
  const head = columns.map(({ name, format }) =>
    h(
      "th",
      { class: format === "text" ? "" : "figure-cell", attributes: { scope: "col" } },
      format === "milliseconds" ? `${name} (ms)` : name,
    ),
  );
  const body = rows.map((row) =>
    h(
      "tr",
      {},
      ...columns.map(({ format }, i) => {
        const text = cellText(row[i], format);
        if (i === 0) return h("th", { attributes: { scope: "row" } }, text);
        return h("td", { class: format === "text" ? (text.length > 40 ? "long-text" : "") : "figure-cell" }, text);
      }),
    ),
  );
  return h(
    "div",
    { class: "analysis-table" },
    h("h3", {}, title),
    h(
      "div",
      { class: "table-scroll", attributes: { tabindex: 0, role: "group", "aria-label": title } },
      h("table", {}, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...body)),
    ),
  );
}
