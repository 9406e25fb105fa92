import type { Format } from "../analysisCell.ts";

/** A value axis. `unit` stands in brackets behind the label; formats that write their own unit (percent) need none. */
export interface Axis {
  readonly label: string;
  readonly unit?: string;
  readonly format: Format;
  /** Ends of the axis; taken from the values when left out. */
  readonly range?: readonly [low: number, high: number];
  /** Values of 0 and below have no place on a logarithmic axis and are left out. */
  readonly scale?: "log";
}

/** A value, where it is known with the ends of its 95 % interval. */
export interface ChartPoint {
  readonly x: number;
  /** null: not measured. The line goes on to the next value. */
  readonly y: number | null;
  readonly low?: number;
  readonly high?: number;
}
export interface ChartSeries {
  readonly label: string;
  /** Place in the chart colours: lines of one arm share theirs. */
  readonly colour: number;
  /** Dashed for the second figure of an arm, such as the static attack beside the adaptive one. */
  readonly isDashed?: boolean;
  readonly points: readonly ChartPoint[];
}

interface Titled {
  readonly title: string;
}
/** Lines with bands where the points have intervals. `marks` are uprights where something happened. */
export interface LineFigure extends Titled {
  readonly kind: "line";
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly ChartSeries[];
  readonly marks?: readonly { readonly x: number; readonly text: string }[];
}
export interface ScatterFigure extends Titled {
  readonly kind: "scatter";
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly {
    readonly label: string;
    readonly colour: number;
    /** A hollow point is a second figure of its series, such as the static attack beside the adaptive one. */
    readonly points: readonly {
      readonly x: number;
      readonly y: number;
      readonly label?: string;
      readonly isHollow?: boolean;
      /** Address of a picture that a panel shows beside the point under the cursor. */
      readonly picture?: string;
    }[];
  }[];
  /** Each series has a number, beside its filled point and in the legend: for charts with too many series for colours. */
  readonly isNumbered?: boolean;
  /** Points that no other one beats on both axes, joined by steps from left to right. */
  readonly front?: readonly { readonly x: number; readonly y: number }[];
}
/** A matrix of values, rows from the top; null: not measured. `diverging` colours are grey at 0 and as strong on both sides. */
export interface HeatmapFigure extends Titled {
  readonly kind: "heatmap";
  readonly rows: { readonly label: string; readonly names: readonly string[] };
  readonly columns: { readonly label: string; readonly names: readonly string[] };
  readonly value: { readonly label: string; readonly format: Format; readonly range?: readonly [low: number, high: number] };
  readonly values: readonly (readonly (number | null)[])[];
  readonly colours?: "sequential" | "diverging";
}
/** Counts between `edges` (one more than counts, ascending); the last bin holds its upper edge. Series lie over each other. */
export interface HistogramFigure extends Titled {
  readonly kind: "histogram";
  readonly x: Axis;
  readonly y: Axis;
  readonly edges: readonly number[];
  readonly series: readonly { readonly label: string; readonly colour: number; readonly counts: readonly number[] }[];
}
/** Five numbers a box: whiskers end at `low` and `high`, values beyond them are `outliers`. `n` values went into it. */
export interface BoxFigure extends Titled {
  readonly kind: "box";
  readonly value: Axis;
  readonly boxes: readonly {
    readonly label: string;
    readonly colour: number;
    readonly n: number;
    readonly low: number;
    readonly q1: number;
    readonly median: number;
    readonly q3: number;
    readonly high: number;
    readonly outliers?: readonly number[];
  }[];
}
/** A bar for every group and series, with its interval where it is known; null: not measured. */
export interface BarFigure extends Titled {
  readonly kind: "bar";
  readonly value: Axis;
  readonly groups: { readonly label: string; readonly names: readonly string[] };
  readonly series: readonly {
    readonly label: string;
    readonly colour: number;
    readonly values: readonly ({ readonly y: number; readonly low?: number; readonly high?: number } | null)[];
  }[];
}
/** Pictures in rows; `columns` name them from left to right. `href` is a data URI, or an address that the page may load. */
export interface PicturesFigure extends Titled {
  readonly kind: "pictures";
  readonly columns: readonly string[];
  readonly rows: readonly {
    readonly label: string;
    readonly pictures: readonly { readonly href: string; readonly text: string }[];
  }[];
}
export type Figure = LineFigure | ScatterFigure | HeatmapFigure | HistogramFigure | BoxFigure | BarFigure | PicturesFigure;
