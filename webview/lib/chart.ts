import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { cellText } from "../../src/shared/analysisCell.ts";
import { describeLine } from "../../src/shared/figures/line.ts";
import { dash, isMarked, outlines } from "../../src/shared/figures/marks.ts";
import { number } from "../../src/shared/format.ts";
import { h, onChange } from "./dom.ts";
import { figureFrame, type Save } from "./figureFrame.ts";
import { type Axes, extent, type Line, type Plot, plotFigure } from "./plot.ts";
import { chartColours, onThemeChange, token } from "./theme.ts";

export interface Chart {
  readonly element: HTMLElement;
  update(axes: Axes, plot: Plot): void;
}

/** A curve that is drawn while it grows: hover or arrow keys read all lines, the legend switches them, and there is a table and files. */
export function createChart(save: Save): Chart {
  const stage = h("div", { class: "chart-stage", attributes: { tabindex: 0, role: "img" } });
  let chart: uPlot | null = null;
  let axes: Axes | null = null;
  let plot: Plot = { x: [], lines: [], marks: [] };
  const hidden = new Set<string>();
  const frame = figureFrame({ stage, hidden, rebuild: () => build(), save, hasReadings: true });

  const build = (): void => {
    chart?.destroy();
    chart = null;
    if (!axes || plot.x.length === 0 || stage.clientWidth === 0) return;
    const shown = (line: Line): boolean => !hidden.has(line.label);
    chart = new uPlot(
      options(
        axes,
        () => plot,
        shown,
        stage.clientWidth,
        (at) => frame.read(at === null ? null : (plot.x[at] ?? null)),
      ),
      aligned(plot),
      stage,
    );
  };
  const structure = onChange((_key: string) => build());
  new ResizeObserver(() => {
    if (!chart) build();
    else if (chart.width !== stage.clientWidth) chart.setSize({ width: stage.clientWidth, height: heightFor(stage.clientWidth) });
  }).observe(stage);
  onThemeChange(build);
  stage.addEventListener("keydown", (event) => {
    if (chart && moveCursor(chart, event.key, plot.x)) event.preventDefault();
  });
  return {
    element: frame.element,
    update(nextAxes, next) {
      axes = nextAxes;
      plot = next;
      const figure = plotFigure(axes, plot);
      frame.update(figure);
      stage.setAttribute("aria-label", `${axes.title}. ${describeLine(figure)}`);
      structure(structureOf(axes, next));
      if (chart) chart.setData(aligned(plot));
      else build();
    },
  };
}

/** A chart is rebuilt when this changes; new values alone are only set. */
const structureOf = ({ title, y, log, range, xRange }: Axes, { lines, marks }: Plot): string =>
  JSON.stringify([title, y, log, range, xRange, lines.map((line) => [line.label, line.isDashed, line.faint]), marks]);

/** Left and right read the values before and after; false when the key means something else. */
function moveCursor(chart: uPlot, key: string, x: readonly number[]): boolean {
  if (key !== "ArrowLeft" && key !== "ArrowRight") return false;
  const at = Math.min(Math.max((chart.cursor.idx ?? -1) + (key === "ArrowLeft" ? -1 : 1), 0), x.length - 1);
  chart.setCursor({ left: chart.valToPos(x[at] ?? 0, "x"), top: 0 });
  return true;
}

const heightFor = (width: number): number => Math.round(Math.min(280, Math.max(190, width * 0.55)));
const aligned = (plot: Plot): uPlot.AlignedData => [[...plot.x], ...plot.lines.map((line) => [...line.y])];

function options(
  axes: Axes,
  plot: () => Plot,
  shown: (line: Line) => boolean,
  width: number,
  read: (at: number | null) => void,
): uPlot.Options {
  const colours = chartColours();
  const foreground = token("foreground");
  const font = `11px ${token("font-family", "sans-serif")}`;
  const axis = {
    stroke: foreground,
    font,
    labelFont: font,
    grid: { stroke: token("charts-lines", "rgba(128,128,128,.3)"), width: 0.5 },
    ticks: { size: 4 },
  };
  const range = (_u: uPlot, low: number | null, high: number | null): [number, number] =>
    axes.log ? [low ?? 0.1, high ?? 1] : axes.range ? [axes.range[0], axes.range[1]] : extent([low, high]);
  return {
    width,
    height: heightFor(width),
    legend: { show: false },
    cursor: { y: false, drag: { x: true, y: false } },
    scales: {
      x: { time: false, ...(axes.xRange ? { range: [axes.xRange[0], axes.xRange[1]] } : {}) },
      y: axes.log ? { distr: 3 } : { range },
    },
    axes: [
      {
        ...axis,
        label: axes.x,
        labelSize: 20,
        size: 28,
        values: (_u, values) => values.map((v) => (Number.isInteger(v) ? number(v) : "")),
      },
      {
        ...axis,
        label: axes.y,
        labelSize: 20,
        size: 52,
        values: (_u, values) => values.map((v) => (v === null ? "" : cellText(v, axes.format))),
      },
    ],
    series: [{}, ...plot().lines.map((line) => seriesOf(line, colours, shown(line)))],
    hooks: {
      setCursor: [(u) => read(u.cursor.idx ?? null)],
      draw: [(u) => drawMarks(u, plot(), colours, shown)],
    },
  };
}

function seriesOf(line: Line, colours: readonly string[], show: boolean): uPlot.Series {
  return {
    label: line.label,
    show,
    stroke: colours[line.colour % colours.length] ?? "gray",
    width: line.faint ? 1 : 2,
    alpha: line.faint ? 0.3 : 1,
    dash: line.isDashed ? dash.split(" ").map(Number) : [],
    points: { show: false },
    spanGaps: true,
  };
}

/** Markers of lines with few points, and a dashed upright where something happened. */
function drawMarks(u: uPlot, plot: Plot, colours: readonly string[], shown: (line: Line) => boolean): void {
  const { ctx } = u;
  const unit = devicePixelRatio;
  ctx.save();
  for (const [index, line] of plot.lines.filter(({ faint }) => !faint).entries()) {
    if (!shown(line)) continue;
    ctx.fillStyle = colours[line.colour % colours.length] ?? "gray";
    const known = line.y.flatMap((value, i) => (value !== null && Number.isFinite(value) ? [i] : []));
    for (const i of known.filter((_, k) => isMarked(k, known.length))) {
      markerPath(ctx, index, u.valToPos(plot.x[i] ?? 0, "x", true), u.valToPos(line.y[i] ?? 0, "y", true), unit);
      ctx.fill();
    }
  }
  ctx.setLineDash([3 * unit, 3 * unit]);
  for (const mark of plot.marks) {
    const x = u.valToPos(mark.x, "x", true);
    ctx.strokeStyle = ctx.fillStyle = mark.severe ? token("errorForeground", "red") : token("foreground");
    ctx.beginPath();
    ctx.moveTo(x, u.bbox.top);
    ctx.lineTo(x, u.bbox.top + u.bbox.height);
    ctx.stroke();
    ctx.textAlign = x > u.bbox.left + u.bbox.width / 2 ? "right" : "left";
    ctx.font = `${11 * unit}px ${token("font-family", "sans-serif")}`;
    ctx.fillText(` ${mark.text} `, x, mark.severe ? u.bbox.top + 12 * unit : u.bbox.top + u.bbox.height - 6 * unit);
  }
  ctx.restore();
}

/** The marker of line `index` as figures draw it, `unit` canvas pixels to one of theirs. */
function markerPath(ctx: CanvasRenderingContext2D, index: number, x: number, y: number, unit: number): void {
  const outline = outlines[index % outlines.length] ?? [];
  ctx.beginPath();
  if (outline.length === 0) ctx.arc(x, y, 3.2 * unit, 0, 2 * Math.PI);
  for (const [dx, dy] of outline) ctx.lineTo(x + dx * unit, y + dy * unit);
  ctx.closePath();
}
