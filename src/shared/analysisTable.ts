import { cellText, type TextTable } from "./analysisCell.ts";
import type { Names } from "./labels.ts";
import type { AnalysisTable, Column } from "./results.ts";

/** A table of an analysis as it is read: heads in sentence case, arms by what they are called. */
export const tableTexts = ({ columns, rows }: AnalysisTable, names: Pick<Names, "text">): TextTable => ({
  heads: columns.map((column) => headText(column, names)),
  rows: rows.map((row) =>
    columns.map(({ format }, i) => {
      const text = cellText(row[i], format);
      return format === "text" ? names.text(text) : text;
    }),
  ),
});

/** Letters that stand for a quantity (p, δ, β) stay as they are. */
function headText({ name, format }: Column, names: Pick<Names, "text">): string {
  const named = names.text(name);
  const head = /^[a-z]{2}/.test(named) ? named.charAt(0).toUpperCase() + named.slice(1) : named;
  return format === "milliseconds" ? `${head} (ms)` : head;
}
