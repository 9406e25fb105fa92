import { el, html, type Markup } from "../markup.ts";
import type { Axis } from "./figure.ts";
import { type DrawOptions, header, type LegendEntry } from "./page.ts";
import { lineHeight, textLines, widthOf, wrap } from "./text.ts";
import { type Ends, type Scale, scaleOf } from "./ticks.ts";

export const axisText = ({ label, unit, scale }: Axis): string => {
  const notes = [...(unit ? [unit] : []), ...(scale === "log" ? ["log scale"] : [])];
  return notes.length > 0 ? `${label} (${notes.join(", ")})` : label;
};

/** The area that values are drawn in, with both axes around it. */
export interface Frame {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  /** Of the whole figure. */
  readonly height: number;
  /** Pixels of a value; null where it has no place. */
  x(value: number): number | null;
  y(value: number): number | null;
  /** Title, legend, grid, ticks and labels. */
  readonly markup: Markup;
}
export interface FrameContent {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly xs: readonly number[];
  readonly ys: readonly number[];
  readonly entries: readonly LegendEntry[];
  /** Where the axes end: by default x at the first and the last value, y at round ones. */
  readonly ends?: { readonly x: Ends; readonly y: Ends };
  /** Of the area, in pixels, at least. */
  readonly least?: number;
}

const tick = 6;

/** Two value axes. The label of the upright one stands above it, so that it is read without turning the head and takes no width. */
export function frame(c: FrameContent, o: DrawOptions): Frame {
  const { ink, soft } = o.tokens;
  const head = header(c.title, c.entries, o);
  const yLabel = wrap(axisText(c.y), o.width - 4, 2);
  const top = head.bottom + yLabel.length * lineHeight + 10;
  const bottom = top + Math.max(c.least ?? 150, Math.min(260, Math.round(o.width * 0.48)));
  const yScale = scaleOf(c.y, c.ys, { wanted: 5, ends: c.ends?.y ?? "round" });
  const left = Math.ceil(Math.max(...yScale.ticks.map(({ text }) => widthOf(text)), 8)) + tick + 2;
  const right = o.width - 12;
  const xScale = xScaleOf(c, right - left);
  const xLabel = wrap(axisText(c.x), right - left, 2);
  const at = (scale: Scale, from: number, to: number) => (value: number) => {
    const share = scale.at(value);
    return share === null ? null : from + share * (to - from);
  };
  const x = at(xScale, left, right);
  const y = at(yScale, bottom, top);
  const parts = [
    head.markup,
    textLines(yLabel, axisText(c.y), { x: 2, y: head.bottom + 11, fill: soft }),
    ...yScale.ticks.map(({ value, text }) => gridLine(y(value) ?? bottom, left, right, text, o)),
    ...valueTicks(xScale, x, bottom, [left, right], o),
    el("path", { d: `M${left} ${Math.round(bottom) + 0.5}H${right}`, stroke: ink, "shape-rendering": "crispEdges" }),
    textLines(xLabel, axisText(c.x), { x: (left + right) / 2, y: bottom + tick + 2 * lineHeight, anchor: "middle", fill: soft }),
  ];
  return { left, right, top, bottom, x, y, markup: html`${parts}`, height: bottom + tick + (1 + xLabel.length) * lineHeight + 8 };
}

/** As many ticks as have room for their texts. */
export function fittingScale(room: number, scale: (wanted: number) => Scale): Scale {
  for (let wanted = 8; wanted > 2; wanted--) {
    const tried = scale(wanted);
    const needed = tried.ticks.reduce((sum, { text }) => sum + widthOf(text) + 10, 0);
    if (needed <= room) return tried;
  }
  return scale(2);
}

const xScaleOf = (c: FrameContent, room: number): Scale =>
  fittingScale(room, (wanted) => scaleOf(c.x, c.xs, { wanted, ends: c.ends?.x ?? "values" }));

/** A level line on a whole pixel with its text at the left. */
function gridLine(y: number, left: number, right: number, text: string, { tokens }: DrawOptions): Markup {
  const place = { d: `M${left} ${Math.round(y) + 0.5}H${right}`, stroke: tokens.grid, "shape-rendering": "crispEdges" };
  return html`${el("path", place)}${el("text", { x: left - tick, y: y + 4, "text-anchor": "end", fill: tokens.soft }, text)}`;
}

/** Ticks below a level axis; the texts at its ends stay inside the figure. */
export function valueTicks(
  scale: Scale,
  x: (value: number) => number | null,
  y: number,
  [left, right]: readonly [number, number],
  { tokens, width }: DrawOptions,
): Markup[] {
  return scale.ticks.map(({ value, text }) => {
    const at = Math.min(Math.max(x(value) ?? left, left), right);
    const half = widthOf(text) / 2;
    const place = Math.min(Math.max(at, half + 1), width - half - 1);
    const line = el("path", { d: `M${Math.round(at) + 0.5} ${y}v4`, stroke: tokens.grid, "shape-rendering": "crispEdges" });
    return html`${line}${el("text", { x: place, y: y + lineHeight + 2, "text-anchor": "middle", fill: tokens.soft }, text)}`;
  });
}
