import type { Format } from "../../src/shared/analysisCell.ts";
import type { LineFigure } from "../../src/shared/figures/figure.ts";

/** A curve that grows while it is watched: all lines over one x axis. `plotFigure` makes a figure of it. */
export interface Line {
  readonly label: string;
  /** Place in the theme's chart colours. */
  readonly colour: number;
  /** The second line of an arm; with the marker it tells lines apart without colour. */
  readonly isDashed?: boolean;
  /** The raw values behind a smoothed line: drawn thin, in no legend, table or file. */
  readonly faint?: boolean;
  readonly y: readonly (number | null)[];
}
export interface Mark {
  readonly x: number;
  readonly text: string;
  /** Something went wrong here. */
  readonly severe?: boolean;
}
export interface Plot {
  readonly x: readonly number[];
  readonly lines: readonly Line[];
  readonly marks: readonly Mark[];
}
export interface Axes {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly format: Format;
  readonly log: boolean;
  /** Ends of the y axis; taken from the data when left out. */
  readonly range?: readonly [number, number];
  readonly xRange?: readonly [number, number];
}

/** The lines that have a name, as the figure that tables, files and readers get. */
export function plotFigure({ title, x, y, format, log, range, xRange }: Axes, plot: Plot): LineFigure {
  return {
    kind: "line",
    title,
    x: { label: x, format: "number", ...(xRange ? { range: xRange } : {}) },
    y: { label: y, format, ...(range ? { range } : {}), ...(log ? { scale: "log" } : {}) },
    series: plot.lines
      .filter((line) => !line.faint)
      .map(({ label, colour, isDashed, y: values }) => ({
        label,
        colour,
        ...(isDashed ? { isDashed } : {}),
        points: plot.x.flatMap((at, i) => {
          const value = values[i];
          return value === null || value === undefined ? [] : [{ x: at, y: value }];
        }),
      })),
    marks: plot.marks.map(({ x: at, text }) => ({ x: at, text })),
  };
}

/** Exponential moving average with the bias of the first points taken out (Kingma & Ba's correction); weight 0 leaves the line as it is. */
export function smooth(y: readonly (number | null)[], weight: number): (number | null)[] {
  let mean = 0;
  let total = 0;
  return y.map((value) => {
    if (value === null || !Number.isFinite(value)) return value;
    mean = weight * mean + (1 - weight) * value;
    total = weight * total + (1 - weight);
    return mean / total;
  });
}

/** Ends of the finite values, a little air around them; (0, 1) when there is none. */
export function extent(values: Iterable<number | null>, air = 0.05): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value === null || !Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return [0, 1];
  const margin = (high - low || Math.abs(high) || 1) * air;
  return [low - margin, high + margin];
}
