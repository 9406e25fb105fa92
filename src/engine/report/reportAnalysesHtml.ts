import { tableTexts } from "../../shared/analysisTable.ts";
import type { Names } from "../../shared/labels.ts";
import { html, type Markup } from "../../shared/markup.ts";
import { analysisFigures } from "../../shared/reportFigures.ts";
import type { AnalysisResult } from "../../shared/results.ts";
import { figuresHtml } from "./reportFigure.ts";
import { htmlTable, textColumns } from "./reportTable.ts";

/** Every analysis: its figures, tables and what to bear in mind. `href` turns a file of the run folder into an address. */
export function analysesHtml(
  analyses: readonly AnalysisResult[],
  { names, href }: { readonly names: Names; readonly href: (file: string) => string },
  nextId: () => string,
): Markup[] {
  return analyses.map((analysis) => {
    const { title, tables, notes } = analysis;
    const shown = tables.map((table) => html`<h3>${table.title}</h3>${htmlTable(tableTexts(table, names), textColumns(table))}`);
    const said = notes.map((note) => html`<li>${note}</li>`);
    return html`<h2>${title}</h2>${figuresHtml(analysisFigures(analysis, names, href), nextId)}${shown}<ul class="soft">${said}</ul>
`;
  });
}
