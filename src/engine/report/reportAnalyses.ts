import { cellText } from "../../shared/analysisCell.ts";
import type { AnalysisChart, AnalysisTable, Format } from "../../shared/results.ts";
import type { TextTable } from "./reportText.ts";

const headText = (name: string, format: Format): string => (format === "milliseconds" ? `${name} (ms)` : name);

export const tableTexts = ({ columns, rows }: AnalysisTable): TextTable => ({
  heads: columns.map(({ name, format }) => headText(name, format)),
  rows: rows.map((row) => columns.map(({ format }, i) => cellText(row[i], format))),
});

const most = 40;

/** The points of a chart as a table, one column a line; of a long line every so many points. */
export function chartTable({ x, y, series }: AnalysisChart): TextTable {
  const all = [...new Set(series.flatMap(({ points: own }) => own.map((point) => point.x)))].sort((a, b) => a - b);
  const stride = Math.ceil(all.length / most);
  const places = all.filter((_, i) => i % stride === 0 || i === all.length - 1);
  return {
    heads: [x.label, ...series.map(({ label }) => label)],
    rows: places.map((at) => [
      cellText(at, x.format),
      ...series.map(({ points: own }) => {
        const point = own.find((one) => one.x === at);
        if (!point) return "";
        const band =
          point.low !== undefined && point.high !== undefined
            ? ` (${cellText(point.low, y.format)}–${cellText(point.high, y.format)})`
            : "";
        return `${cellText(point.y, y.format)}${band}`;
      }),
    ]),
  };
}
