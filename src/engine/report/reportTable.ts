import type { TextTable } from "../../shared/analysisCell.ts";
import { html, type Markup, nothing } from "../../shared/markup.ts";
import type { AnalysisTable } from "../../shared/results.ts";

/** Cells longer than this wrap. */
const long = 40;
/** A column of this name is printed under the figures of the column before it, so that wide tables fit a page. */
const underFigure = "95 % interval";

/** `isText`: for tables of figures, which columns are words, set to the left. */
export function htmlTable({ heads, rows }: TextTable, isText: readonly boolean[] = []): Markup {
  const columns = heads.flatMap((head, i) => (head === underFigure && i > 0 ? [] : [{ i, isWithNext: heads[i + 1] === underFigure }]));
  const isOfFigures = isText.length > 0;
  const kind = (i: number, text: string): Markup => {
    if (isOfFigures && text.length > long) return html` class="text long"`;
    return isText[i] ? html` class="text"` : nothing;
  };
  const lines = (row: readonly string[], { i, isWithNext }: (typeof columns)[number]): Markup => {
    const under = isWithNext ? (row[i + 1] ?? "–") : "–"; // a missing figure has no interval either
    return html`${row[i] ?? ""}${under === "–" ? nothing : html`<br><small>${under}</small>`}`;
  };
  const head = columns.map((column) => html`<th scope="col"${kind(column.i, "")}>${lines(heads, column)}</th>`);
  const cells = (row: readonly string[]): Markup[] =>
    columns.map((column) => html`<td${kind(column.i, row[column.i] ?? "")}>${lines(row, column)}</td>`);
  const body = rows.map((row) => html`<tr>${cells(row)}</tr>`);
  const kinds = isOfFigures ? html` class="figures"` : nothing;
  return html`<div class="scroll"><table${kinds}><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`;
}

export const textColumns = ({ columns }: AnalysisTable): boolean[] => columns.map(({ format }) => format === "text");
