import { cellText } from "../analysisCell.ts";
import { cividis, diverging, type Rgb } from "../colour.ts";
import { el, html, type Markup, nothing, tooltip } from "../markup.ts";
import type { HeatmapFigure } from "./figure.ts";
import { type DrawOptions, header, page } from "./page.ts";
import { fontSize, lineHeight, textLines, widthOf, wrap } from "./text.ts";

const hex = (rgb: Rgb): string => `#${rgb.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
/** WCAG's relative luminance decides whether black or white is read on a colour. */
const isLight = (rgb: Rgb): boolean => {
  const [r, g, b] = rgb.map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4)) as [
    number,
    number,
    number,
  ];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18;
};

interface Grid {
  readonly left: number;
  readonly top: number;
  readonly cellWidth: number;
  readonly cellHeight: number;
  readonly areUpright: boolean;
}

/** Ends of the colours; diverging ones are as far from 0 on both sides. */
function rangeOf({ value, values, colours }: HeatmapFigure): readonly [number, number] {
  if (value.range) return value.range;
  const known = values.flat().filter((v): v is number => v !== null && Number.isFinite(v));
  const low = known.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = known.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (known.length === 0) return [0, 1];
  const most = Math.max(Math.abs(low), Math.abs(high)) || 1;
  return colours === "diverging" ? [-most, most] : [low, high];
}

/** A matrix of coloured cells with their values where they fit, names at the left and on top, and the colours with their ends below. */
export function drawHeatmap(figure: HeatmapFigure, o: DrawOptions): Markup {
  const { title, rows, columns, values, value } = figure;
  const head = header(title, [], o);
  const range = rangeOf(figure);
  const paint = (v: number): Rgb => {
    const share = (v - range[0]) / (range[1] - range[0] || 1);
    return figure.colours === "diverging" ? diverging(2 * share - 1) : cividis(share);
  };
  const grid = gridOf(figure, head.bottom + lineHeight, o);
  const bottom = grid.top + rows.names.length * grid.cellHeight;
  const cells = values.flatMap((row, r) => row.map((v, c) => cell(figure, { v, r, c }, grid, v === null ? null : paint(v), o)));
  const axisNames = `${rows.label} ↓  ${columns.label} →`;
  const parts = [
    head.markup,
    textLines(wrap(axisNames, o.width - 4, 1), axisNames, { x: 2, y: head.bottom + 11, fill: o.tokens.soft }),
    ...rowNames(rows.names, grid, o),
    ...columnNames(columns.names, grid, o),
    ...cells,
    strip(figure, range, paint, bottom + 10, o),
  ];
  const description = `Matrix of ${value.label}: ${rows.names.length} rows (${rows.label}), ${columns.names.length} columns (${columns.label}). ${extremesText(figure)}`;
  return page({ title, description, height: bottom + 10 + 3 * lineHeight }, o, ...parts);
}

function gridOf({ rows, columns }: HeatmapFigure, top: number, o: DrawOptions): Grid {
  const wanted = Math.max(...rows.names.map((name) => widthOf(name)), 0) + 8;
  const left = Math.ceil(Math.min(wanted, o.width * 0.35));
  const cellWidth = Math.min(72, (o.width - left - 4) / Math.max(1, columns.names.length));
  const areUpright = columns.names.some((name) => widthOf(name) > cellWidth - 4);
  const longest = Math.max(...columns.names.map((name) => widthOf(name)), 0);
  const room = areUpright ? Math.min(110, longest) + 8 : lineHeight + 4;
  return { left, top: top + room, cellWidth, cellHeight: Math.min(40, Math.max(18, cellWidth * 0.6)), areUpright };
}

function rowNames(names: readonly string[], grid: Grid, { tokens }: DrawOptions): Markup[] {
  return names.map((name, i) => {
    const lines = wrap(name, grid.left - 8, grid.cellHeight >= 2 * lineHeight ? 2 : 1);
    const y = grid.top + (i + 0.5) * grid.cellHeight + 4 - ((lines.length - 1) * lineHeight) / 2;
    return textLines(lines, name, { x: grid.left - 6, y, anchor: "end", fill: tokens.ink });
  });
}

/** Upright where one of them is wider than its column. */
function columnNames(names: readonly string[], grid: Grid, { tokens }: DrawOptions): Markup[] {
  return names.map((name, i) => {
    const x = grid.left + (i + 0.5) * grid.cellWidth;
    const y = grid.top - 6;
    if (!grid.areUpright) return textLines([name], name, { x, y, anchor: "middle", fill: tokens.ink });
    const [line = ""] = wrap(name, 110, 1);
    const cut = line === name ? nothing : tooltip(name);
    return el("text", { transform: `translate(${(x + 4).toFixed(1)} ${y.toFixed(1)}) rotate(-90)`, fill: tokens.ink }, cut, line);
  });
}

function cell(
  { rows, columns, value }: HeatmapFigure,
  { v, r, c }: { readonly v: number | null; readonly r: number; readonly c: number },
  grid: Grid,
  rgb: Rgb | null,
  { tokens }: DrawOptions,
): Markup {
  const [x, y] = [grid.left + c * grid.cellWidth, grid.top + r * grid.cellHeight];
  const text = cellText(v, value.format).replace(" %", "");
  const box = {
    x,
    y,
    width: grid.cellWidth - 1,
    height: grid.cellHeight - 1,
    fill: rgb ? hex(rgb) : "none",
    stroke: rgb ? undefined : tokens.grid,
  };
  const said = tooltip(`${rows.names[r] ?? ""}, ${columns.names[c] ?? ""}: ${cellText(v, value.format)}`);
  const fits = widthOf(text) <= grid.cellWidth - 3;
  const place = { x: x + grid.cellWidth / 2, y: y + grid.cellHeight / 2 + 4, "text-anchor": "middle" };
  const written = fits ? el("text", { ...place, fill: rgb ? (isLight(rgb) ? "#000" : "#fff") : tokens.soft }, text) : "";
  return el("g", {}, el("rect", box), written, said);
}

/** The colours from the low end to the high one, with their values. */
function strip(
  { value }: HeatmapFigure,
  [low, high]: readonly [number, number],
  paint: (v: number) => Rgb,
  y: number,
  o: DrawOptions,
): Markup {
  const [steps, width] = [32, Math.min(200, o.width - 8)];
  const boxes = Array.from({ length: steps }, (_, i) =>
    el("rect", {
      x: 4 + (i * width) / steps,
      y,
      width: width / steps + 0.6,
      height: 8,
      fill: hex(paint(low + ((i + 0.5) / steps) * (high - low))),
    }),
  );
  const ends = (
    [
      [low, 4, "start"],
      [high, 4 + width, "end"],
    ] as const
  ).map(([v, x, anchor]) =>
    el("text", { x, y: y + 8 + fontSize + 2, "text-anchor": anchor, fill: o.tokens.soft }, cellText(v, value.format)),
  );
  const lines = wrap(value.label, o.width - 8, 1);
  return html`${boxes}${ends}${textLines(lines, value.label, { x: 4, y: y + 8 + 2 * lineHeight - 1, fill: o.tokens.soft })}`;
}

function extremesText({ rows, columns, values, value }: HeatmapFigure): string {
  const known = values.flatMap((row, r) => row.flatMap((v, c) => (v === null || !Number.isFinite(v) ? [] : [{ v, r, c }])));
  if (known.length === 0) return "Nothing was measured.";
  const text = ({ v, r, c }: (typeof known)[number]): string =>
    `${cellText(v, value.format)} (${rows.names[r] ?? ""}, ${columns.names[c] ?? ""})`;
  return `Lowest ${text(known.reduce((a, b) => (b.v < a.v ? b : a)))}, highest ${text(known.reduce((a, b) => (b.v > a.v ? b : a)))}.`;
}
