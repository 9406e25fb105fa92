import { cellText } from "../../src/shared/analysisCell.ts";
import type { AnalysisChart, ChartPoint, ChartSeries } from "../../src/shared/results.ts";
import { type Axes, dashes, type Line, markers, type Plot } from "../lib/plot.ts";

/** Lines with more points than this have no markers. */
const fewPoints = 40;

/** A chart of an analysis for the panel's chart: all lines over one x axis, on which a value may come twice (a step). */
export function analysisPlot(chart: AnalysisChart): readonly [Axes, Plot] {
  const x = commonPlaces(chart.series);
  const lines = chart.series.map((series, i): Line => {
    const placed = place(series.points, x);
    const isBanded = series.points.some(({ low }) => low !== undefined);
    return {
      label: series.label,
      colour: series.colour,
      dash: dashes[series.isDashed ? 1 : 0] ?? [],
      marker: series.points.length > fewPoints ? null : (markers[i % markers.length] ?? null),
      y: placed.map((point) => point?.y ?? null),
      ...(isBanded ? { band: { low: placed.map((p) => p?.low ?? null), high: placed.map((p) => p?.high ?? null) } } : {}),
    };
  });
  const { range } = chart.y;
  const axes: Axes = {
    title: chart.title,
    x: chart.x.label,
    y: chart.y.label,
    format: (value) => cellText(value, chart.y.format),
    xFormat: (value) => (chart.x.format === "count" && !Number.isInteger(value) ? "" : cellText(value, chart.x.format)),
    log: false,
    ...(range ? { range } : {}),
    ...xRangeOf(chart, x),
  };
  return [axes, { x, lines, marks: [] }];
}

/** A single value gets room on both sides: an axis without length cannot be drawn. */
function xRangeOf(chart: AnalysisChart, x: readonly number[]): { readonly xRange?: readonly [number, number] } {
  if (chart.x.range) return { xRange: chart.x.range };
  const [only] = x;
  return x.length === 1 && only !== undefined ? { xRange: [only - 1, only + 1] } : {};
}

/** Every x of any line, as often as the line that has it most. */
function commonPlaces(series: readonly ChartSeries[]): number[] {
  const most = new Map<number, number>();
  for (const { points: own } of series) {
    const seen = new Map<number, number>();
    for (const { x } of own) {
      seen.set(x, (seen.get(x) ?? 0) + 1);
      most.set(x, Math.max(most.get(x) ?? 0, seen.get(x) ?? 0));
    }
  }
  return [...most].sort(([a], [b]) => a - b).flatMap(([x, times]) => Array.from({ length: times }, () => x));
}

/** The points of a line at their places. */
function place(own: readonly ChartPoint[], x: readonly number[]): (ChartPoint | null)[] {
  const left = new Map<number, ChartPoint[]>();
  for (const point of own) left.set(point.x, [...(left.get(point.x) ?? []), point]);
  return x.map((at) => left.get(at)?.shift() ?? null);
}
