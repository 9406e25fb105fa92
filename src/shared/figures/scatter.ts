import { cellText } from "../analysisCell.ts";
import { el, html, type Markup, nothing, px, tooltip } from "../markup.ts";
import type { ScatterFigure } from "./figure.ts";
import { axisText, type Frame, frame } from "./frame.ts";
import { dash, marker } from "./marks.ts";
import { colourOf, type DrawOptions, type LegendEntry, page } from "./page.ts";
import { placedNumbers } from "./placing.ts";

export const scatterLegend = ({ series, isNumbered }: ScatterFigure): LegendEntry[] =>
  series.map(({ label, colour }, i) => ({ label, colour, ...(isNumbered ? { marker: 0, number: i + 1 } : { marker: i }) }));

interface Dot {
  readonly series: number;
  readonly x: number;
  readonly y: number;
  readonly isHollow: boolean;
  readonly said: string;
  readonly picture: string | undefined;
}

/**
 * Points as markers of their series, half transparent so that heaps show. Numbered ones are opaque with their number beside them; because
 * there are many, the axes end close to the points.
 */
export function drawScatter(figure: ScatterFigure, o: DrawOptions): Markup {
  const { title, x, y, series, front = [] } = figure;
  const all = series.flatMap(({ points }) => points);
  const least = figure.isNumbered ? 320 : 150;
  const values = { xs: all.map((p) => p.x), ys: all.map((p) => p.y) };
  const ends = figure.isNumbered ? ({ x: "margin", y: "margin" } as const) : ({ x: "round", y: "round" } as const);
  const inFrame = frame({ title, x, y, ...values, entries: scatterLegend(figure), ends, least }, o);
  const dots = dotsOf(figure, inFrame);
  const parts = series.map(({ colour }, i) => {
    const own = dots.filter((one) => one.series === i).map((one) => dotMark(one, figure, colourOf(o, colour), o));
    return el("g", figure.isNumbered ? {} : { "fill-opacity": "0.7" }, ...own);
  });
  const counts = series.map(({ label, points }) => `${label}: ${points.length} points.`);
  const beats = front.length > 0 ? [`${front.length} points are on the front.`] : [];
  const description = [`Points of ${axisText(y)} over ${axisText(x)}.`, ...beats, ...counts].join(" ");
  const numbers = figure.isNumbered ? numbersOf(dots, inFrame, o) : [];
  const behind = [steps(front, inFrame, o), ...pairs(dots, o)];
  return page({ title, description, height: inFrame.height }, o, inFrame.markup, ...behind, ...parts, ...numbers);
}

const dotsOf = ({ x, y, series }: ScatterFigure, inFrame: Frame): Dot[] =>
  series.flatMap(({ label, points }, i) =>
    points.flatMap((point) => {
      const [left, top] = [inFrame.x(point.x), inFrame.y(point.y)];
      if (left === null || top === null) return [];
      const name = point.label ?? label;
      const said = point.picture ? name : `${name}: ${cellText(point.x, x.format)}, ${cellText(point.y, y.format)}`;
      return [{ series: i, x: left, y: top, isHollow: point.isHollow === true, said, picture: point.picture || undefined }];
    }),
  );

function dotMark(
  { series, x, y, isHollow, said, picture }: Dot,
  { isNumbered }: ScatterFigure,
  colour: string,
  { tokens, isFile }: DrawOptions,
): Markup {
  const hollow = { cx: x, cy: y, r: 3.2, fill: tokens.paper ?? "none", stroke: colour, "stroke-width": 1.4 };
  return el(
    "g",
    { "data-picture": isFile ? undefined : picture },
    isHollow ? el("circle", hollow) : marker(isNumbered ? 0 : series, x, y, colour),
    tooltip(said),
  );
}

/** A thin line between the filled and the hollow point of a series. */
function pairs(dots: readonly Dot[], { tokens }: DrawOptions): Markup[] {
  return dots
    .filter(({ isHollow }) => isHollow)
    .flatMap((hollow) => {
      const own = dots.find(({ series, isHollow }) => series === hollow.series && !isHollow);
      const apart = own ? Math.hypot(own.x - hollow.x, own.y - hollow.y) : 0;
      if (!own || apart < 8) return [];
      return [el("line", { x1: own.x, y1: own.y, x2: hollow.x, y2: hollow.y, stroke: tokens.grid })];
    });
}

/** Between two points of the front only the lower one is reached. */
function steps(front: NonNullable<ScatterFigure["front"]>, inFrame: Frame, o: DrawOptions): Markup {
  const places = [...front].sort((a, b) => a.x - b.x || a.y - b.y).map(({ x, y }) => [inFrame.x(x), inFrame.y(y)] as const);
  const known = places.filter((place): place is readonly [number, number] => place[0] !== null && place[1] !== null);
  if (known.length < 2) return nothing;
  const [first, ...rest] = known as [readonly [number, number], ...(readonly [number, number])[]];
  let [d, last] = [`M${px(first[0])} ${px(first[1])}`, first];
  for (const [x, y] of rest) {
    const isFalling = y > last[1]; // pixels grow downwards
    d += isFalling ? `V${px(y)}H${px(x)}` : `H${px(x)}V${px(y)}`;
    last = [x, y];
  }
  return el("path", { d, fill: "none", stroke: colourOf(o, 0), "stroke-dasharray": dash });
}

/** The number of each series at its filled point, or at its first one. */
function numbersOf(dots: readonly Dot[], { left, right, top, bottom }: Frame, { tokens }: DrawOptions): Markup[] {
  const places = [...new Set(dots.map(({ series }) => series))].flatMap((series) => {
    const own = dots.filter((one) => one.series === series);
    const shown = own.find(({ isHollow }) => !isHollow) ?? own[0];
    return shown ? [{ ...shown, number: series + 1 }] : [];
  });
  const bounds = { left: left + 1, right: right + 10, top: top - 8, bottom: bottom - 1 };
  return placedNumbers(places, dots, bounds).map(({ text, x, y, leader }) => {
    const [x1, y1, x2, y2] = leader ?? [];
    const line = leader ? el("line", { x1, y1, x2, y2, stroke: tokens.soft, "stroke-width": 0.7 }) : nothing;
    return html`${line}${el("text", { x, y, fill: tokens.ink }, text)}`;
  });
}
