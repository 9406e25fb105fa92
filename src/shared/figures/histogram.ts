import { cellText } from "../analysisCell.ts";
import { el, type Markup, px, tooltip } from "../markup.ts";
import type { HistogramFigure } from "./figure.ts";
import { axisText, frame } from "./frame.ts";
import { shapeOf } from "./marks.ts";
import { colourOf, type DrawOptions, type LegendEntry, page } from "./page.ts";

export const histogramLegend = ({ series }: HistogramFigure): LegendEntry[] =>
  series.map(({ label, colour }) => ({ label, colour, marker: null }));

export const binText = ({ x, edges }: HistogramFigure, bin: number): string =>
  `${cellText(edges[bin], x.format)}–${cellText(edges[bin + 1], x.format)}`;

/** Steps around the bins of each series, filled lightly, so that those behind still show. */
export function drawHistogram(figure: HistogramFigure, o: DrawOptions): Markup {
  const { title, x, y, edges, series } = figure;
  const ys = [0, ...series.flatMap(({ counts }) => counts)];
  const inFrame = frame({ title, x, y, xs: edges, ys, entries: histogramLegend(figure) }, o);
  const base = inFrame.y(0) ?? inFrame.bottom;
  const parts = series.map(({ label, colour, counts }, i) => {
    const paint = colourOf(o, colour);
    const places = counts.map((count, bin) => ({
      count,
      bin,
      left: inFrame.x(edges[bin] as number) ?? inFrame.left,
      right: inFrame.x(edges[bin + 1] as number) ?? inFrame.right,
      top: inFrame.y(count) ?? base,
    }));
    const steps = places.map(({ right, top }) => `V${px(top)}H${px(right)}`);
    const d = `M${px(places[0]?.left ?? inFrame.left)} ${px(base)}${steps.join("")}V${px(base)}`;
    const outline = { stroke: paint, "stroke-width": 1.5, "stroke-dasharray": [undefined, "6 3", "2 2"][shapeOf(i, 3)] };
    const hits = places.map(({ count, bin, left, right, top }) =>
      el(
        "rect",
        { x: left, y: top, width: right - left, height: base - top, fill: "transparent" },
        tooltip(`${label}, ${binText(figure, bin)}: ${cellText(count, y.format)}`),
      ),
    );
    return el("g", {}, el("path", { d, fill: paint, "fill-opacity": "0.25", ...outline }), ...hits);
  });
  return page({ title, description: describe(figure), height: inFrame.height }, o, inFrame.markup, ...parts);
}

function describe(figure: HistogramFigure): string {
  const lines = figure.series.map(({ label, counts }) => {
    const most = counts.indexOf(counts.reduce((a, b) => Math.max(a, b), 0));
    return most < 0 ? `${label}: nothing was counted.` : `${label}: most in ${binText(figure, most)}.`;
  });
  return [`Histogram of ${axisText(figure.x)}.`, ...lines].join(" ");
}
