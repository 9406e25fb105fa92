import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { number } from "../../src/shared/format.ts";
import { chartFrame, type Save } from "./chartFrame.ts";
import { h, onChange } from "./dom.ts";
import { type Axes, bandOutline, extent, type Line, type Marker, markedPoints, type Plot } from "./plot.ts";
import { chartColours, onThemeChange, token } from "./theme.ts";

export interface Chart {
  readonly element: HTMLElement;
  update(axes: Axes, plot: Plot): void;
}

/** A line chart in the theme's colours: hover or arrow keys read all lines, the legend switches them, and there is a table and files. */
export function createChart(save: Save): Chart {
  const stage = h("div", { class: "chart-stage", attributes: { tabindex: 0, role: "img" } });
  let chart: uPlot | null = null;
  let axes: Axes | null = null;
  let plot: Plot = { x: [], lines: [], marks: [] };
  const hidden = new Set<string>();
  const frame = chartFrame(
    stage,
    hidden,
    () => build(),
    save,
    () => chart?.root.querySelector("canvas") ?? null,
  );

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
        (at) => frame.read(at),
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
      frame.update(axes, plot);
      stage.setAttribute("aria-label", summary(axes, plot));
      structure(structureOf(axes, next));
      if (chart) chart.setData(aligned(plot));
      else build();
    },
  };
}

/** A chart is rebuilt when this changes; new values alone are only set. */
const structureOf = ({ title, y, log, range, xRange }: Axes, { lines, marks }: Plot): string =>
  JSON.stringify([title, y, log, range, xRange, lines.map((line) => [line.label, line.dash, line.marker]), marks]);

/** Left and right read the values before and after; false when the key means something else. */
function moveCursor(chart: uPlot, key: string, x: readonly number[]): boolean {
  if (key !== "ArrowLeft" && key !== "ArrowRight") return false;
  const at = Math.min(Math.max((chart.cursor.idx ?? -1) + (key === "ArrowLeft" ? -1 : 1), 0), x.length - 1);
  chart.setCursor({ left: chart.valToPos(x[at] ?? 0, "x"), top: 0 });
  return true;
}

const heightFor = (width: number): number => Math.round(Math.min(280, Math.max(190, width * 0.55)));
const aligned = (plot: Plot): uPlot.AlignedData => [[...plot.x], ...plot.lines.map((line) => [...line.y])];

/** The chart in one sentence per line: where it begins, ends, and its extremes. */
export function summary(axes: Axes, plot: Plot): string {
  const parts = plot.lines
    .filter((line) => !line.faint)
    .map((line) => {
      const values = line.y.filter((v): v is number => v !== null && Number.isFinite(v));
      if (values.length === 0) return `${line.label}: no values yet`;
      const ends = `from ${axes.format(values[0] ?? 0)} to ${axes.format(values[values.length - 1] ?? 0)}`;
      return `${line.label}: ${ends}, lowest ${axes.format(Math.min(...values))}, highest ${axes.format(Math.max(...values))}`;
    });
  return `Chart of ${axes.y} over ${axes.x}. ${parts.join(". ")}.`;
}

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
    axes.log ? [low ?? 0.1, high ?? 1] : axes.range ? [axes.range[0], axes.range[1]] : extent([low, high, ...bandEnds(plot())]);
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
        values: (_u, values) => values.map((v) => axes.xFormat?.(v) ?? (Number.isInteger(v) ? number(v) : "")),
      },
      { ...axis, label: axes.y, labelSize: 20, size: 52, values: (_u, values) => values.map((v) => (v === null ? "" : axes.format(v))) },
    ],
    series: [{}, ...plot().lines.map((line) => seriesOf(line, colours, shown(line)))],
    hooks: {
      setCursor: [(u) => read(u.cursor.idx ?? null)],
      drawAxes: [(u) => drawBands(u, plot(), colours, shown)],
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
    dash: [...line.dash],
    points: { show: false },
    spanGaps: true,
  };
}

const bandEnds = (plot: Plot): (number | null)[] => plot.lines.flatMap(({ band }) => (band ? [...band.low, ...band.high] : []));

/** Bands lie under the lines. */
function drawBands(u: uPlot, plot: Plot, colours: readonly string[], shown: (line: Line) => boolean): void {
  const { ctx } = u;
  ctx.save();
  ctx.globalAlpha = 0.15;
  for (const line of plot.lines) {
    const outline = shown(line) ? bandOutline(plot.x, line) : [];
    if (outline.length === 0) continue;
    ctx.fillStyle = colours[line.colour % colours.length] ?? "gray";
    ctx.beginPath();
    for (const [x, y] of outline) ctx.lineTo(u.valToPos(x, "x", true), u.valToPos(y, "y", true));
    ctx.fill();
  }
  ctx.restore();
}

/** Markers of lines with few points, and a dashed upright where something happened. */
function drawMarks(u: uPlot, plot: Plot, colours: readonly string[], shown: (line: Line) => boolean): void {
  const { ctx } = u;
  const unit = devicePixelRatio;
  ctx.save();
  for (const line of plot.lines) {
    if (!line.marker || line.faint || !shown(line)) continue;
    ctx.fillStyle = colours[line.colour % colours.length] ?? "gray";
    for (const i of markedPoints(line.y)) {
      markerPath(ctx, line.marker, u.valToPos(plot.x[i] ?? 0, "x", true), u.valToPos(line.y[i] ?? 0, "y", true), 3.5 * unit);
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

export function markerPath(ctx: CanvasRenderingContext2D, marker: Marker, x: number, y: number, r: number): void {
  ctx.beginPath();
  if (marker === "circle") ctx.arc(x, y, r, 0, 2 * Math.PI);
  else if (marker === "square") ctx.rect(x - r * 0.9, y - r * 0.9, r * 1.8, r * 1.8);
  else {
    ctx.moveTo(x, y - r * 1.2);
    ctx.lineTo(x + r * 1.1, marker === "diamond" ? y : y + r * 0.9);
    if (marker === "diamond") ctx.lineTo(x, y + r * 1.2);
    ctx.lineTo(x - r * 1.1, marker === "diamond" ? y : y + r * 0.9);
    ctx.closePath();
  }
}
