import { el, html, type Markup } from "../markup.ts";
import type { Axis } from "./figure.ts";
import { axisText, fittingScale, valueTicks } from "./frame.ts";
import { type DrawOptions, header, type LegendEntry } from "./page.ts";
import { lineHeight, textLines, widthOf, wrap } from "./text.ts";
import { scaleOf } from "./ticks.ts";

/** Rows with a name at the left and a value axis below: names may be long, and a narrow figure still has room for both. */
export interface Categories {
  readonly left: number;
  readonly right: number;
  /** Middle of each row. */
  readonly middles: readonly number[];
  x(value: number): number | null;
  readonly markup: Markup;
  readonly height: number;
}
export interface CategoryContent {
  readonly title: string;
  readonly value: Axis;
  readonly values: readonly number[];
  readonly rows: readonly { readonly label: string; readonly height: number }[];
  readonly entries: readonly LegendEntry[];
}

/** Names take what they need, at most this share of the width. */
const mostForNames = 0.4;
const between = 8;

export function categories(c: CategoryContent, o: DrawOptions): Categories {
  const { ink, soft, grid } = o.tokens;
  const head = header(c.title, c.entries, o);
  const wanted = Math.max(...c.rows.map(({ label }) => widthOf(label)), 0) + 8;
  const left = Math.ceil(Math.min(wanted, o.width * mostForNames)) + 2;
  const right = o.width - 12;
  const names = c.rows.map(({ label }) => wrap(label, left - 8, 3));
  const heights = c.rows.map(({ height }, i) => Math.max(height, (names[i] as string[]).length * lineHeight) + between);
  const tops = heights.map((_, i) => head.bottom + 4 + heights.slice(0, i).reduce((a, b) => a + b, 0));
  const bottom = head.bottom + 4 + heights.reduce((a, b) => a + b, 0);
  const middles = tops.map((top, i) => top + (heights[i] as number) / 2);
  const scale = fittingScale(right - left, (ticks) => scaleOf(c.value, c.values, { wanted: ticks, ends: "round" }));
  const x = (value: number): number | null => {
    const share = scale.at(value);
    return share === null ? null : left + share * (right - left);
  };
  const middle = (left + right) / 2;
  const label = wrap(axisText(c.value), 2 * (o.width - middle) - 8, 2);
  const parts = [
    head.markup,
    ...scale.ticks.map(({ value }) => {
      const d = `M${Math.round(x(value) ?? left) + 0.5} ${head.bottom + 4}V${bottom}`;
      return el("path", { d, stroke: grid, "shape-rendering": "crispEdges" });
    }),
    ...names.map((lines, i) => {
      const y = (middles[i] as number) - ((lines.length - 1) * lineHeight) / 2 + 4;
      return textLines(lines, c.rows[i]?.label ?? "", { x: left - 6, y, anchor: "end", fill: ink });
    }),
    ...valueTicks(scale, x, bottom, [left, right], o),
    textLines(label, axisText(c.value), { x: middle, y: bottom + 2 * lineHeight + 4, anchor: "middle", fill: soft }),
  ];
  return { left, right, middles, x, markup: html`${parts}`, height: bottom + (1 + label.length) * lineHeight + 12 };
}
