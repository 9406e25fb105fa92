import { cellText } from "../analysisCell.ts";
import { el, type Markup, px, tooltip } from "../markup.ts";
import { categories } from "./categories.ts";
import type { BoxFigure } from "./figure.ts";
import { axisText } from "./frame.ts";
import { colourOf, type DrawOptions, page } from "./page.ts";

const thickness = 16;

/** Lying boxes: quartiles, the median, whiskers to `low` and `high`, rings beyond them. */
export function drawBox(figure: BoxFigure, o: DrawOptions): Markup {
  const { title, value, boxes } = figure;
  const values = boxes.flatMap((box) => [box.low, box.high, ...(box.outliers ?? [])]);
  const rows = boxes.map(({ label, n }) => ({ label: `${label} (n\u00a0=\u00a0${n})`, height: thickness }));
  const area = categories({ title, value, values, rows, entries: [] }, o);
  const parts = boxes.map((box, i) => {
    const y = Math.round(area.middles[i] ?? 0);
    const at = (v: number): number => area.x(v) ?? area.left;
    const paint = colourOf(o, box.colour);
    const [low, q1, median, q3, high] = [box.low, box.q1, box.median, box.q3, box.high].map(at) as [number, number, number, number, number];
    const half = thickness / 2;
    const whiskers = `M${px(low)} ${y - 4}v8M${px(low)} ${y}H${px(q1)}M${px(q3)} ${y}H${px(high)}M${px(high)} ${y - 4}v8`;
    const frame = {
      x: q1,
      y: y - half,
      width: Math.max(1, q3 - q1),
      height: thickness,
      fill: paint,
      "fill-opacity": "0.25",
      stroke: paint,
      "stroke-width": 1.5,
    };
    const rings = (box.outliers ?? []).map((v) => el("circle", { cx: at(v), cy: y, r: 2.5, fill: "none", stroke: paint }));
    return el(
      "g",
      {},
      el("path", { d: whiskers, stroke: paint, "stroke-width": 1.5, fill: "none" }),
      el("rect", frame),
      el("path", { d: `M${px(median)} ${y - half}v${thickness}`, stroke: o.tokens.ink, "stroke-width": 2.5 }),
      ...rings,
      tooltip(`${box.label}: ${boxText(box, value.format)}`),
    );
  });
  const description = [`Box plots of ${axisText(value)}.`, ...boxes.map((box) => `${box.label}: ${boxText(box, value.format)}.`)].join(" ");
  return page({ title, description, height: area.height }, o, area.markup, ...parts);
}

const boxText = (box: BoxFigure["boxes"][number], format: BoxFigure["value"]["format"]): string =>
  `median ${cellText(box.median, format)}, half of ${box.n} between ${cellText(box.q1, format)} and ${cellText(box.q3, format)}`;
