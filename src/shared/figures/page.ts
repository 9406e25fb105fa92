import { el, html, type Markup, nothing } from "../markup.ts";
import { dash, marker } from "./marks.ts";
import { fontSize, lineHeight, textLines, widthOf, wrap } from "./text.ts";
import type { FigureTheme } from "./theme.ts";

export interface DrawOptions extends FigureTheme {
  /** Of the drawing, in pixels; text keeps its size, so a figure is drawn anew for another width. */
  readonly width: number;
  /** Unique in the document that holds the figure; ids of its parts begin with it. */
  readonly id: string;
  /** A file that stands alone: it says that it is SVG and has its title in it, which a page writes itself. */
  readonly isFile?: boolean;
  /** Left out where the page has a legend of its own. */
  readonly hasLegend?: boolean;
}

export interface LegendEntry {
  readonly label: string;
  readonly colour: number;
  /** Decides the marker; null for areas, which have a square of their colour. */
  readonly marker: number | null;
  readonly isDashed?: boolean;
  /** Stands beside the points of the series. */
  readonly number?: number;
}
export const swatchWidth = 26;

export const colourOf = (theme: FigureTheme, place: number): string => theme.colours[place % theme.colours.length] ?? "currentColor";

/** A short piece of the series as it is drawn, its middle at `y`. */
export function swatch({ colour, marker: kind, isDashed, number }: LegendEntry, theme: FigureTheme, x: number, y: number): Markup {
  const paint = colourOf(theme, colour);
  if (number !== undefined) {
    const text = { x: x + 15, y: y + 4, "text-anchor": "end", fill: theme.tokens.ink, "font-size": fontSize };
    return html`${el("text", text, String(number))}${marker(kind ?? 0, x + 21, y, paint)}`;
  }
  if (kind === null) return el("rect", { x: x + 6, y: y - 5, width: 12, height: 10, fill: paint });
  const line = { x1: x, x2: x + 24, y1: y, y2: y, stroke: paint, "stroke-width": 2, "stroke-dasharray": isDashed ? dash : undefined };
  return html`${el("line", line)}${marker(kind, x + 12, y, paint)}`;
}

/** Title and legend at the top of a figure; `bottom` is where the rest begins. */
export function header(
  title: string,
  entries: readonly LegendEntry[],
  o: DrawOptions,
): { readonly markup: Markup; readonly bottom: number } {
  const parts: Markup[] = [];
  let y = 0;
  if (o.isFile) {
    const lines = wrap(title, o.width - 8, 3, 13);
    parts.push(textLines(lines, title, { x: 2, y: 15, fill: o.tokens.ink, size: 13, bold: true }));
    y += lines.length * lineHeight + 8;
  }
  if (o.hasLegend !== false && entries.length > 1) {
    const legend = legendRows(entries, o, y);
    parts.push(legend.markup);
    y = legend.bottom;
  }
  return { markup: html`${parts}`, bottom: y + 4 };
}

/** Entries beside each other as long as they fit; a long one takes a row, or two. */
function legendRows(entries: readonly LegendEntry[], o: DrawOptions, top: number): { readonly markup: Markup; readonly bottom: number } {
  let [x, y, tallest] = [2, top, 1];
  const markup = entries.map((entry) => {
    const whole = Math.min(o.width - 4, swatchWidth + 4 + widthOf(entry.label));
    if (x > 2 && x + whole > o.width - 2) [x, y, tallest] = [2, y + tallest * lineHeight, 1];
    const lines = wrap(entry.label, o.width - 8 - swatchWidth, 2);
    tallest = Math.max(tallest, lines.length);
    const place = { x: x + swatchWidth + 4, y: y + fontSize + 1, fill: o.tokens.ink };
    const drawn = html`${swatch(entry, o, x, y + fontSize - 3)}${textLines(lines, entry.label, place)}`;
    x += whole + 14;
    return drawn;
  });
  return { markup: html`${markup}`, bottom: y + tallest * lineHeight };
}

export interface Page {
  readonly title: string;
  /** What the figure shows, in sentences, for those who do not see it. */
  readonly description: string;
  readonly height: number;
}

/** The whole figure: named and described, on its own paper where it has one. */
export function page({ title, description, height }: Page, o: DrawOptions, ...parts: readonly Markup[]): Markup {
  const { tokens, width, id, isFile } = o;
  const attributes = {
    xmlns: isFile ? "http://www.w3.org/2000/svg" : undefined,
    class: "figure-drawing",
    viewBox: `0 0 ${Math.round(width)} ${Math.round(height)}`,
    width: Math.round(width),
    height: Math.round(height),
    role: "img",
    "aria-labelledby": `${id}-t ${id}-d`,
    "font-family": tokens.font,
    "font-size": fontSize,
  };
  const named = [el("title", { id: `${id}-t` }, title), el("desc", { id: `${id}-d` }, description)];
  const paper = tokens.paper === null ? nothing : el("rect", { width: "100%", height: "100%", fill: tokens.paper });
  return el("svg", attributes, ...named, paper, ...parts);
}
