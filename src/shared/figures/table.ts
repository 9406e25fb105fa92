import { cellText, type TextTable } from "../analysisCell.ts";
import { barText } from "./bar.ts";
import type { ChartSeries, Figure, LineFigure, ScatterFigure } from "./figure.ts";
import { axisText } from "./frame.ts";
import { binText } from "./histogram.ts";

/**
 * The figure as a table: what a screen reader reads, and what stands in a report without pictures.
 * @param most rows of a long line or cloud: of more, every so many
 */
export function figureTable(figure: Figure, most = Number.POSITIVE_INFINITY): TextTable {
  switch (figure.kind) {
    case "line":
      return lineTable(figure, most);
    case "scatter":
      return scatterTable(figure, most);
    case "heatmap": {
      const { rows, columns, values, value } = figure;
      return {
        heads: [`${rows.label} \\ ${columns.label}`, ...columns.names],
        rows: rows.names.map((name, r) => [name, ...columns.names.map((_, c) => cellText(values[r]?.[c], value.format))]),
      };
    }
    case "histogram":
      return {
        heads: [axisText(figure.x), ...figure.series.map(({ label }) => label)],
        rows: figure.edges
          .slice(1)
          .map((_, bin) => [binText(figure, bin), ...figure.series.map(({ counts }) => cellText(counts[bin], figure.y.format))]),
      };
    case "box": {
      const heads = ["", "n", "low", "lower quartile", "median", "upper quartile", "high", "outliers"];
      const text = (value: number): string => cellText(value, figure.value.format);
      return {
        heads,
        rows: figure.boxes.map((b) => [
          b.label,
          cellText(b.n, "count"),
          ...[b.low, b.q1, b.median, b.q3, b.high].map(text),
          cellText(b.outliers?.length ?? 0, "count"),
        ]),
      };
    }
    case "bar":
      return {
        heads: [figure.groups.label, ...figure.series.map(({ label }) => label)],
        rows: figure.groups.names.map((name, i) => [name, ...figure.series.map(({ values }) => barText(values[i], figure.value.format))]),
      };
    case "pictures":
      return {
        heads: ["", ...figure.columns],
        rows: figure.rows.map(({ label, pictures }) => [label, ...figure.columns.map((_, i) => pictures[i]?.text ?? "")]),
      };
  }
}

const thin = <T>(all: readonly T[], most: number): T[] => {
  const stride = Math.max(1, Math.ceil(all.length / most));
  return all.filter((_, i) => i % stride === 0 || i === all.length - 1);
};

function lineTable({ x, y, series }: LineFigure, most: number): TextTable {
  const places = thin(commonPlaces(series), most);
  const columns = series.map(({ points }) => pointsAt(points, places));
  return {
    heads: [axisText(x), ...series.map(({ label }) => label)],
    rows: places.map((at, row) => [
      cellText(at, x.format),
      ...columns.map((points) => {
        const point = points[row];
        if (!point) return "";
        const { low, high } = point;
        const ends = low !== undefined && high !== undefined ? ` (${cellText(low, y.format)}–${cellText(high, y.format)})` : "";
        return `${cellText(point.y, y.format)}${ends}`;
      }),
    ]),
  };
}

/** Every x of any line, as often as the line that has it most: at a step a value comes twice. */
export function commonPlaces(series: readonly Pick<ChartSeries, "points">[]): number[] {
  const most = new Map<number, number>();
  for (const { points } of series) {
    const seen = new Map<number, number>();
    for (const { x } of points) {
      seen.set(x, (seen.get(x) ?? 0) + 1);
      most.set(x, Math.max(most.get(x) ?? 0, seen.get(x) ?? 0));
    }
  }
  return [...most].sort(([a], [b]) => a - b).flatMap(([x, times]) => Array.from({ length: times }, () => x));
}

/** The points of a line at the places of all, each once; null where it has none. */
export function pointsAt(points: ChartSeries["points"], places: readonly number[]): (ChartSeries["points"][number] | null)[] {
  const left = new Map<number, ChartSeries["points"][number][]>();
  for (const point of points) {
    const same = left.get(point.x);
    if (same) same.push(point);
    else left.set(point.x, [point]);
  }
  return places.map((at) => left.get(at)?.shift() ?? null);
}

function scatterTable({ x, y, series, isNumbered }: ScatterFigure, most: number): TextTable {
  const all = series.flatMap(({ label, points }) => points.map((point) => ({ label: point.label ?? label, point })));
  return {
    heads: ["", axisText(x), axisText(y)],
    rows: thin(all, isNumbered ? all.length : most).map(({ label, point }) => [
      label,
      cellText(point.x, x.format),
      cellText(point.y, y.format),
    ]),
  };
}
