import { cellText } from "../../shared/analysisCell.ts";
import type { AnalysisChart, ChartPoint, ChartSeries } from "../../shared/results.ts";

const size = { width: 480, height: 260, left: 74, right: 14, top: 12, bottom: 44 };
const colours = 6;
type Measured = ChartPoint & { readonly y: number };
const measured = ({ points }: ChartSeries): Measured[] => points.flatMap((point) => (point.y === null ? [] : [{ ...point, y: point.y }]));

interface Axis {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
}

/** About `wanted` ticks at 1, 2 or 5 times a power of ten, within the ends. */
function ticksWithin(low: number, high: number, wanted: number): readonly [step: number, ticks: number[]] {
  const raw = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((m) => m * power >= raw * 0.999) ?? 10);
  const [first, last] = [Math.ceil(low / step - 1e-9), Math.floor(high / step + 1e-9)];
  return [step, Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)))];
}

/** From the first value to the last. */
function xAxisOf(values: readonly number[], range: readonly [number, number] | undefined): Axis {
  const [min, max] = range ?? [Math.min(...values), Math.max(...values)];
  const [low, high] = min === max ? [min - 1, max + 1] : [min, max];
  return { low, high, ticks: ticksWithin(low, high, 6)[1] };
}

/** Round ends around the values and 0. */
function yAxisOf(values: readonly number[], range: readonly [number, number] | undefined): Axis {
  const [min, max] = range ?? [Math.min(...values, 0), Math.max(...values, 0)];
  const [step] = ticksWithin(min, max === min ? min + 1 : max, 5);
  const [low, high] = [Math.floor(min / step + 1e-9) * step, Math.max(1, Math.ceil(max / step - 1e-9)) * step];
  return { low, high, ticks: ticksWithin(low, high, 5)[1] };
}

/** A line chart that needs no script: bands where the points have intervals, marks that tell the lines apart without colour, a legend. */
export function analysisChart(chart: AnalysisChart, quote: (text: string) => string): string {
  const all = chart.series.flatMap(measured);
  if (all.length === 0) return `<p class="soft">${quote(chart.title)}: nothing was measured.</p>`;
  const x = xAxisOf(
    all.map((point) => point.x),
    chart.x.range,
  );
  const y = yAxisOf(
    all.flatMap((point) => [point.y, point.low ?? point.y, point.high ?? point.y]),
    chart.y.range,
  );
  const { width, height, left, right, top, bottom } = size;
  const px = (value: number): number => left + ((value - x.low) / (x.high - x.low)) * (width - left - right);
  const py = (value: number): number => top + (1 - (value - y.low) / (y.high - y.low)) * (height - top - bottom);
  const at = (value: number): string => value.toFixed(1);
  const grid = y.ticks.map(
    (v) =>
      `<line class="grid" x1="${left}" x2="${width - right}" y1="${at(py(v))}" y2="${at(py(v))}"/><text x="${left - 6}" y="${at(py(v))}" dy="4" text-anchor="end">${quote(cellText(v, chart.y.format))}</text>`,
  );
  const marks = x.ticks
    .filter((v) => chart.x.format !== "count" || Number.isInteger(v))
    .map((v) => `<text x="${at(px(v))}" y="${height - bottom + 16}" text-anchor="middle">${quote(cellText(v, chart.x.format))}</text>`);
  const lines = chart.series.map((series, i) =>
    lineOf(
      series,
      i,
      (p) => `${at(px(p.x))},${at(py(p.y))}`,
      (v, value) => `${at(px(v))},${at(py(value))}`,
      chart,
      quote,
    ),
  );
  const labels = `<text x="${(left + width - right) / 2}" y="${height - 6}" text-anchor="middle">${quote(chart.x.label)}</text><text transform="translate(12 ${(height - bottom + top) / 2}) rotate(-90)" text-anchor="middle">${quote(chart.y.label)}</text>`;
  const legend = chart.series.map(
    (series, i) =>
      `<span class="series${series.colour % colours}"><svg viewBox="0 0 26 10" aria-hidden="true"><path class="series${series.isDashed ? " dashed" : ""}" d="M0 5H26"/>${mark(i, 13, 5)}</svg> ${quote(series.label)}</span>`,
  );
  const name = `${chart.title}: ${chart.y.label} over ${chart.x.label}`;
  return `<figcaption>${quote(chart.title)}</figcaption><svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-label="${quote(name)}">${grid.join("")}${marks.join("")}${lines.join("")}${labels}</svg><div class="legend">${legend.join("")}</div>`;
}

/** Every point of a short line has a mark; a long one is only drawn. */
const marked = 40;

function lineOf(
  series: ChartSeries,
  index: number,
  place: (point: Measured) => string,
  placeOf: (x: number, y: number) => string,
  { x, y }: AnalysisChart,
  quote: (text: string) => string,
): string {
  const points = measured(series);
  const banded = points.filter((p): p is Measured & { low: number; high: number } => p.low !== undefined && p.high !== undefined);
  const outline = [...banded.map((p) => placeOf(p.x, p.high)), ...banded.toReversed().map((p) => placeOf(p.x, p.low))];
  const band = banded.length > 1 ? `<polygon class="band" points="${outline.join(" ")}"/>` : "";
  const dots = points.map((p) => {
    const [cx = "0", cy = "0"] = place(p).split(",");
    const said = `${series.label}, ${x.label} ${cellText(p.x, x.format)}: ${cellText(p.y, y.format)}`;
    return `<g>${mark(index, Number(cx), Number(cy))}<title>${quote(said)}</title></g>`;
  });
  const line = `<polyline class="series${series.isDashed ? " dashed" : ""}" points="${points.map(place).join(" ")}"/>`;
  return `<g class="series${series.colour % colours}">${band}${line}${points.length <= marked ? dots.join("") : ""}</g>`;
}

/** Circle, square, triangle, diamond in turn. */
function mark(index: number, x: number, y: number): string {
  if (index % 4 === 0) return `<circle class="dot" cx="${x}" cy="${y}" r="3"/>`;
  const shape = [[], [-3, -3, 3, -3, 3, 3, -3, 3], [0, -4, 4, 3, -4, 3], [0, -4, 4, 0, 0, 4, -4, 0]][index % 4] ?? [];
  return `<polygon class="dot" points="${shape.map((d, i) => (i % 2 === 0 ? x + d : y + d).toFixed(1)).join(" ")}"/>`;
}
