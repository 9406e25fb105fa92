import type { AnalysisResult, AnalysisTable } from "../../shared/results.ts";
import { chartTable, tableTexts } from "./reportAnalyses.ts";
import { analysisChart } from "./reportChart.ts";
import type { TextTable } from "./reportText.ts";

type Quote = (text: string) => string;

/** Cells longer than this wrap. */
const long = 40;

/** `isText`: for tables of figures, which columns are words, set to the left. */
export function htmlTable({ heads, rows }: TextTable, quote: Quote, isText: readonly boolean[] = []): string {
  const kind = (i: number): string => (isText[i] ? ' class="text"' : "");
  const cell = (text: string, i: number): string =>
    text.length > long ? `<td class="text long">${quote(text)}</td>` : `<td${kind(i)}>${quote(text)}</td>`;
  const head = heads.map((text, i) => `<th scope="col"${kind(i)}>${quote(text)}</th>`).join("");
  const body = rows.map((row) => `<tr>${row.map(cell).join("")}</tr>`).join("");
  const kinds = isText.length > 0 ? ' class="figures"' : "";
  return `<div class="scroll"><table${kinds}><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`;
}

/** Every analysis: charts, each with its figures, tables and what to bear in mind. */
export function analysesHtml(analyses: readonly AnalysisResult[], quote: Quote): string {
  return analyses
    .map(({ title, charts, tables, notes }) => {
      const drawn = charts.map(
        (chart) =>
          `<figure>${analysisChart(chart, quote)}<details><summary class="soft">As a table</summary>${htmlTable(chartTable(chart), quote, [false])}</details></figure>`,
      );
      const shown = tables.map((table) => `<h3>${quote(table.title)}</h3>${htmlTable(tableTexts(table), quote, textColumns(table))}`);
      const said = notes.map((note) => `<li>${quote(note)}</li>`);
      return `<h2>${quote(title)}</h2>${drawn.length > 0 ? `<div class="charts">${drawn.join("")}</div>` : ""}${shown.join("")}<ul class="soft">${said.join("")}</ul>`;
    })
    .join("\n");
}

const textColumns = ({ columns }: AnalysisTable): boolean[] => columns.map(({ format }) => format === "text");
