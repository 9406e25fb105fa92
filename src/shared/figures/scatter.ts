import { cellText } from "../analysisCell.ts";
import type { ScatterFigure } from "./figure.ts";
import { axisText, frame } from "./frame.ts";
import { marker } from "./marks.ts";
import { colourOf, type DrawOptions, type LegendEntry, page } from "./page.ts";
import { el, tooltip } from "./svg.ts";

export const scatterLegend = ({ series }: ScatterFigure): LegendEntry[] =>
  series.map(({ label, colour }, i) => ({ label, colour, marker: i }));

/** Points as markers of their series, half transparent so that heaps show. */
export function drawScatter(figure: ScatterFigure, o: DrawOptions): string {
  const { title, x, y, series } = figure;
  const all = series.flatMap(({ points }) => points);
  const content = { title, x, y, xs: all.map((p) => p.x), ys: all.map((p) => p.y), entries: scatterLegend(figure), isRoundX: true };
  const inFrame = frame(content, o);
  const parts = series.map(({ label, colour, points }, i) => {
    const dots = points.map((point) => {
      const [left, top] = [inFrame.x(point.x), inFrame.y(point.y)];
      if (left === null || top === null) return "";
      const said = `${point.label ?? label}: ${cellText(point.x, x.format)}, ${cellText(point.y, y.format)}`;
      return el("g", {}, marker(i, left, top, colourOf(o, colour)), tooltip(said));
    });
    return el("g", { "fill-opacity": "0.7" }, ...dots);
  });
  const counts = series.map(({ label, points }) => `${label}: ${points.length} points.`);
  const description = [`Points of ${axisText(y)} over ${axisText(x)}.`, ...counts].join(" ");
  return page({ title, description, height: inFrame.height }, o, inFrame.markup, ...parts);
}
