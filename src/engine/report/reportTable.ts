import type { TextTable } from "../../shared/analysisCell.ts";
import { escapeXml as quote } from "../../shared/figures/svg.ts";
import type { AnalysisTable } from "../../shared/results.ts";

/** Cells longer than this wrap. */
const long = 40;

/** `isText`: for tables of figures, which columns are words, set to the left. */
export function htmlTable({ heads, rows }: TextTable, isText: readonly boolean[] = []): string {
  const kind = (i: number): string => (isText[i] ? ' class="text"' : "");
  const cell = (text: string, i: number): string =>
    text.length > long ? `<td class="text long">${quote(text)}</td>` : `<td${kind(i)}>${quote(text)}</td>`;
  const head = heads.map((text, i) => `<th scope="col"${kind(i)}>${quote(text)}</th>`).join("");
  const body = rows.map((row) => `<tr>${row.map(cell).join("")}</tr>`).join("");
  const kinds = isText.length > 0 ? ' class="figures"' : "";
  return `<div class="scroll"><table${kinds}><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`;
}

export const textColumns = ({ columns }: AnalysisTable): boolean[] => columns.map(({ format }) => format === "text");
