import { tableTexts } from "../../shared/analysisTable.ts";
import { escapeXml as quote } from "../../shared/figures/svg.ts";
import type { Names } from "../../shared/labels.ts";
import { analysisFigures } from "../../shared/reportFigures.ts";
import type { AnalysisResult } from "../../shared/results.ts";
import { figuresHtml } from "./reportFigure.ts";
import { htmlTable, textColumns } from "./reportTable.ts";

/** Every analysis: its figures, tables and what to bear in mind. `href` turns a file of the run folder into an address. */
export function analysesHtml(
  analyses: readonly AnalysisResult[],
  { names, href }: { readonly names: Names; readonly href: (file: string) => string },
  nextId: () => string,
): string {
  return analyses
    .map((analysis) => {
      const { title, tables, notes } = analysis;
      const shown = tables.map((table) => `<h3>${quote(table.title)}</h3>${htmlTable(tableTexts(table, names), textColumns(table))}`);
      const said = notes.map((note) => `<li>${quote(note)}</li>`);
      return `<h2>${quote(title)}</h2>${figuresHtml(analysisFigures(analysis, names, href), nextId)}${shown.join("")}<ul class="soft">${said.join("")}</ul>`;
    })
    .join("\n");
}
