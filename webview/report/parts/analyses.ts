import { tableTexts } from "../../../src/shared/analysisTable.ts";
import type { Names } from "../../../src/shared/labels.ts";
import { analysisFigures } from "../../../src/shared/reportFigures.ts";
import type { AnalysisResult, AnalysisTable } from "../../../src/shared/results.ts";
import { fileUrl } from "../../lib/connect.ts";
import { fill, h, onChange, type Part, show } from "../../lib/dom.ts";
import { figureCard } from "../../lib/figureCard.ts";
import type { Save } from "../../lib/figureFrame.ts";
import type { ReportContext } from "../context.ts";
import { thresholdTrial } from "./thresholdTrial.ts";

/** The experiment's analyses: figures that can be read as tables and saved, then tables and what to bear in mind. */
export function analyses(save: Save): Part<ReportContext> {
  const element = h("div", { class: "stack analyses" });
  const trial = thresholdTrial();
  const draw = onChange((context: ReportContext) => {
    const { report, state, names } = context;
    const results = report.analyses ?? [];
    trial.update(context);
    const href = (file: string): string => fileUrl(state.base, file);
    show(element, results.length > 0);
    fill(element, ...results.map((result) => one(result, { names, href, trial: trial.element }, save)));
  });
  return { element, update: draw };
}

interface Shown {
  readonly names: Names;
  href(file: string): string;
  /** Stands in the section of detectors. */
  readonly trial: HTMLElement;
}

function one(analysis: AnalysisResult, { names, href, trial }: Shown, save: Save): HTMLElement {
  const { title, tables, notes } = analysis;
  const drawn = analysisFigures(analysis, names, href).map((figure) => {
    const { element, update } = figureCard(save);
    update(figure);
    return element;
  });
  return h(
    "section",
    { class: "analysis", attributes: { "aria-label": title } },
    h("h2", {}, title),
    drawn.length > 0 && h("div", { class: "chart-grid" }, ...drawn),
    analysis.id === "detectors" && trial,
    ...tables.map((table) => tableOf(table, names)),
    notes.length > 0 && h("ul", { class: "plain notes muted small" }, ...notes.map((note) => h("li", {}, note))),
  );
}

function tableOf(table: AnalysisTable, names: Names): HTMLElement {
  const { title, columns } = table;
  const { heads, rows } = tableTexts(table, names);
  const kind = (i: number): string => (columns[i]?.format === "text" ? "" : "figure-cell");
  const head = heads.map((text, i) => h("th", { class: kind(i), attributes: { scope: "col" } }, text));
  const body = rows.map((cells) =>
    h(
      "tr",
      {},
      ...cells.map((text, i) => {
        if (i === 0) return h("th", { attributes: { scope: "row" } }, text);
        return h("td", { class: kind(i) || (text.length > 40 ? "long-text" : "") }, text);
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
