import { cellText } from "../analysisCell.ts";
import { el, type Markup, nothing, tooltip } from "../markup.ts";
import { categories } from "./categories.ts";
import type { BarFigure } from "./figure.ts";
import { axisText } from "./frame.ts";
import { stripes } from "./marks.ts";
import { colourOf, type DrawOptions, type LegendEntry, page } from "./page.ts";

export const barLegend = ({ series }: BarFigure): LegendEntry[] => series.map(({ label, colour }) => ({ label, colour, marker: null }));

const thickness = 13;

/** Bars from 0, a group of them for every name, one for every series; intervals as lines with ends. */
export function drawBar(figure: BarFigure, o: DrawOptions): Markup {
  const { title, value, groups, series } = figure;
  const known = series.flatMap(({ values }) => values.flatMap((one) => (one ? [one.y, one.low ?? one.y, one.high ?? one.y] : [])));
  const rows = groups.names.map((label) => ({ label, height: series.length * thickness }));
  const area = categories({ title, value, values: [0, ...known], rows, entries: barLegend(figure) }, o);
  const paints = series.map(({ colour }, i) => stripes(o.id, i, colourOf(o, colour)));
  const parts = series.flatMap(({ label, values }, i) =>
    values.map((one, group) => {
      if (!one) return nothing;
      const top = (area.middles[group] ?? 0) + (i - series.length / 2) * thickness;
      const zero = area.x(Math.min(Math.max(0, value.range?.[0] ?? 0), value.range?.[1] ?? 0)) ?? area.left;
      const end = area.x(one.y) ?? zero;
      const said = `${groups.names[group] ?? ""}, ${label}: ${barText(one, value.format)}`;
      const bar = { x: Math.min(zero, end), y: top + 1, width: Math.max(1, Math.abs(end - zero)), height: thickness - 2 };
      return el("g", {}, el("rect", { ...bar, fill: paints[i]?.fill }), whisker(one, area.x, top + thickness / 2, o), tooltip(said));
    }),
  );
  const description = [
    `Bars of ${axisText(value)} by ${groups.label}.`,
    ...series.map(
      ({ label, values }) => `${label}: ${values.map((one, i) => `${groups.names[i] ?? ""} ${barText(one, value.format)}`).join(", ")}.`,
    ),
  ].join(" ");
  const definitions = el("defs", {}, ...paints.map(({ definition }) => definition));
  return page({ title, description, height: area.height }, o, definitions, area.markup, ...parts);
}

type Bar = BarFigure["series"][number]["values"][number];

export function barText(one: Bar | undefined, format: BarFigure["value"]["format"]): string {
  if (!one) return "–";
  const ends = one.low !== undefined && one.high !== undefined ? ` (${cellText(one.low, format)}–${cellText(one.high, format)})` : "";
  return `${cellText(one.y, format)}${ends}`;
}

function whisker({ low, high }: NonNullable<Bar>, x: (value: number) => number | null, y: number, { tokens }: DrawOptions): Markup {
  if (low === undefined || high === undefined) return nothing;
  const [from, to] = [x(low), x(high)];
  if (from === null || to === null) return nothing;
  const d = `M${from.toFixed(1)} ${y - 3}v6M${from.toFixed(1)} ${y}H${to.toFixed(1)}M${to.toFixed(1)} ${y - 3}v6`;
  return el("path", { d, stroke: tokens.ink, fill: "none" });
}
