import { cellText } from "../analysisCell.ts";
import { el, html, type Markup, nothing, px, tooltip } from "../markup.ts";
import type { ChartPoint, ChartSeries, LineFigure } from "./figure.ts";
import { axisText, type Frame, frame } from "./frame.ts";
import { dash, isMarked, marker } from "./marks.ts";
import { colourOf, type DrawOptions, type LegendEntry, page } from "./page.ts";
import { widthOf } from "./text.ts";

type Measured = ChartPoint & { readonly y: number };
type Banded = Measured & { readonly low: number; readonly high: number };
const measured = ({ points }: ChartSeries): Measured[] =>
  points.flatMap((point) => (point.y === null || !Number.isFinite(point.y) ? [] : [{ ...point, y: point.y }]));
const isBanded = (point: Measured): point is Banded => point.low !== undefined && point.high !== undefined;

export const lineLegend = ({ series }: Pick<LineFigure, "series">): LegendEntry[] =>
  series.map(({ label, colour, isDashed }, i) => ({ label, colour, marker: i, ...(isDashed ? { isDashed } : {}) }));

export function drawLine(figure: LineFigure, o: DrawOptions): Markup {
  const { title, x, y, series, marks = [] } = figure;
  const all = series.flatMap(measured);
  const inFrame = frame(
    {
      title,
      x,
      y,
      xs: all.map((point) => point.x),
      ys: all.flatMap((point) => [point.y, point.low ?? point.y, point.high ?? point.y]),
      entries: lineLegend(figure),
    },
    o,
  );
  const drawn = series.map((one, i) => [one, i] as const);
  const parts = [
    ...drawn.map(([one]) => band(one, inFrame, colourOf(o, one.colour))),
    ...marks.map((mark) => upright(mark, inFrame, o)),
    ...drawn.map(([one, i]) => lineOf(one, i, figure, inFrame, colourOf(o, one.colour))),
  ];
  return page({ title, description: describeLine(figure), height: inFrame.height }, o, inFrame.markup, ...parts);
}

/** Up along the high ends, back along the low ones; where a single place has an interval, that alone as an upright. */
function band(series: ChartSeries, f: Frame, colour: string): Markup {
  const banded = measured(series).filter(isBanded);
  const place = (x: number, y: number): string | null => {
    const [left, top] = [f.x(x), f.y(y)];
    return left === null || top === null ? null : `${px(left)},${px(top)}`;
  };
  const outline = [...banded.map((p) => place(p.x, p.high)), ...banded.toReversed().map((p) => place(p.x, p.low))];
  const points = outline.filter((one) => one !== null);
  if (points.length < 2) return nothing;
  if (banded.length === 1) return el("polyline", { points: points.join(" "), stroke: colour, "stroke-width": 1, fill: "none" });
  return el("polygon", { points: points.join(" "), fill: colour, "fill-opacity": "0.14" });
}

function lineOf(series: ChartSeries, index: number, { x, y }: LineFigure, f: Frame, colour: string): Markup {
  const placed = measured(series).flatMap((point) => {
    const [left, top] = [f.x(point.x), f.y(point.y)];
    return left === null || top === null ? [] : [{ point, left, top }];
  });
  const points = placed.map(({ left, top }) => `${px(left)},${px(top)}`).join(" ");
  const stroke = { fill: "none", stroke: colour, "stroke-width": 2, "stroke-dasharray": series.isDashed ? dash : undefined };
  const line = placed.length > 1 ? el("polyline", { points, ...stroke, "stroke-linejoin": "round" }) : nothing;
  const dots = placed.map(({ point, left, top }, i) => {
    if (!isMarked(i, placed.length)) return nothing;
    const said = `${series.label}, ${x.label} ${cellText(point.x, x.format)}: ${cellText(point.y, y.format)}${ends(point, y)}`;
    return el("g", {}, marker(index, left, top, colour), tooltip(said));
  });
  return el("g", {}, line, ...dots);
}

const ends = (point: Measured, { format }: LineFigure["y"]): string =>
  isBanded(point) ? ` (${cellText(point.low, format)}–${cellText(point.high, format)})` : "";

function upright({ x, text }: { readonly x: number; readonly text: string }, f: Frame, { tokens }: DrawOptions): Markup {
  const at = f.x(x);
  if (at === null || at < f.left - 1 || at > f.right + 1) return nothing;
  const isRight = at + widthOf(text) + 6 > f.right;
  const line = el("path", { d: `M${px(at)} ${f.top}V${f.bottom}`, stroke: tokens.ink, "stroke-dasharray": "3 3" });
  const place = { x: at + (isRight ? -4 : 4), y: f.top + 10, "text-anchor": isRight ? "end" : undefined, fill: tokens.ink };
  return html`${line}${el("text", place, text)}`;
}

/** The figure in one sentence a line: where it begins and ends, and its extremes. */
export function describeLine({ x, y, series, marks = [] }: LineFigure): string {
  const text = (value: number): string => cellText(value, y.format);
  const lines = series.map((one) => {
    const values = measured(one).map((point) => point.y);
    const [first, last] = [values[0], values.at(-1)];
    if (first === undefined || last === undefined) return `${one.label}: nothing was measured.`;
    if (values.length === 1) return `${one.label}: ${text(first)}.`;
    const [lowest, highest] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
    return `${one.label}: from ${text(first)} to ${text(last)}, lowest ${text(lowest)}, highest ${text(highest)}.`;
  });
  const noted = marks.map((mark) => `${mark.text} at ${cellText(mark.x, x.format)}.`);
  return [`Lines of ${axisText(y)} over ${axisText(x)}.`, ...lines, ...noted].join(" ");
}
