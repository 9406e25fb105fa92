import type { TableCell } from "../analysisCell.ts";
import type { Figure, LineFigure } from "./figure.ts";
import { axisText } from "./frame.ts";
import { commonPlaces, pointsAt } from "./table.ts";

export interface FigureData {
  readonly heads: readonly string[];
  readonly rows: readonly (readonly TableCell[])[];
}

/** The values of a figure in full precision, for files: shares in [0,1], ends of intervals in columns of their own. */
export function figureData(figure: Figure): FigureData {
  switch (figure.kind) {
    case "line":
      return lineData(figure);
    case "scatter":
      return {
        heads: ["series", "point", axisText(figure.x), axisText(figure.y)],
        rows: figure.series.flatMap(({ label, points }) => points.map((point) => [label, point.label ?? null, point.x, point.y])),
      };
    case "heatmap":
      return {
        heads: [figure.rows.label, ...figure.columns.names],
        rows: figure.rows.names.map((name, r) => [name, ...figure.columns.names.map((_, c) => figure.values[r]?.[c] ?? null)]),
      };
    case "histogram":
      return {
        heads: ["from", "to", ...figure.series.map(({ label }) => label)],
        rows: figure.edges
          .slice(1)
          .map((to, bin) => [figure.edges[bin] ?? null, to, ...figure.series.map(({ counts }) => counts[bin] ?? null)]),
      };
    case "box":
      return {
        heads: ["box", "n", "low", "q1", "median", "q3", "high", "outliers"],
        rows: figure.boxes.map((b) => [b.label, b.n, b.low, b.q1, b.median, b.q3, b.high, (b.outliers ?? []).join(" ")]),
      };
    case "bar":
      return {
        heads: [figure.groups.label, ...figure.series.flatMap(({ label }) => [label, `${label}, low`, `${label}, high`])],
        rows: figure.groups.names.map((name, i) => [
          name,
          ...figure.series.flatMap(({ values }) => [values[i]?.y ?? null, values[i]?.low ?? null, values[i]?.high ?? null]),
        ]),
      };
    case "pictures":
      return {
        heads: ["row", ...figure.columns],
        rows: figure.rows.map(({ label, pictures }) => [label, ...pictures.map(({ text }) => text)]),
      };
  }
}

function lineData({ x, series }: LineFigure): FigureData {
  const places = commonPlaces(series);
  const columns = series.map(({ label, points }) => ({
    label,
    isBanded: points.some(({ low }) => low !== undefined),
    points: pointsAt(points, places),
  }));
  return {
    heads: [axisText(x), ...columns.flatMap(({ label, isBanded }) => (isBanded ? [label, `${label}, low`, `${label}, high`] : [label]))],
    rows: places.map((at, row) => [
      at,
      ...columns.flatMap(({ isBanded, points }) => {
        const point = points[row];
        return isBanded ? [point?.y ?? null, point?.low ?? null, point?.high ?? null] : [point?.y ?? null];
      }),
    ]),
  };
}

/** What spreadsheets take for a formula; the last four are their wide forms. */
const formula = /^[=+\-@\t\r\n＝＋－＠]/;
const plainNumber = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i;

/**
 * Comma-separated values (RFC 4180): cells that need it are quoted, an unknown one is empty. A text that a spreadsheet would compute has an
 * apostrophe before it, by which spreadsheets know a text; numbers stay as they are.
 */
export const csvText = (rows: readonly (readonly (TableCell | undefined)[])[], end = "\r\n"): string =>
  rows.map((cells) => `${cells.map(csvCell).join(",")}${end}`).join("");

function csvCell(value: TableCell | undefined): string {
  const plain = value === null || value === undefined ? "" : String(value);
  const text = typeof value !== "number" && formula.test(plain) && !plainNumber.test(plain) ? `'${plain}` : plain;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function figureCsv(figure: Figure): string {
  const { heads, rows } = figureData(figure);
  return csvText([heads, ...rows]);
}
