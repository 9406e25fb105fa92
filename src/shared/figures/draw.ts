import type { Markup } from "../markup.ts";
import { barLegend, drawBar } from "./bar.ts";
import { drawBox } from "./box.ts";
import type { Figure } from "./figure.ts";
import { drawHeatmap } from "./heatmap.ts";
import { drawHistogram, histogramLegend } from "./histogram.ts";
import { drawLine, lineLegend } from "./line.ts";
import type { DrawOptions, LegendEntry } from "./page.ts";
import { drawPictures } from "./pictures.ts";
import { drawScatter, scatterLegend } from "./scatter.ts";

/** A figure as SVG: the same text wherever it is shown. Colours are those of `o`; its text keeps its size at any width. */
export function drawFigure(figure: Figure, o: DrawOptions): Markup {
  switch (figure.kind) {
    case "line":
      return drawLine(figure, o);
    case "scatter":
      return drawScatter(figure, o);
    case "heatmap":
      return drawHeatmap(figure, o);
    case "histogram":
      return drawHistogram(figure, o);
    case "box":
      return drawBox(figure, o);
    case "bar":
      return drawBar(figure, o);
    case "pictures":
      return drawPictures(figure, o);
  }
}

/** The series of a figure as a legend lists them; none where names stand beside what they name. */
export function legendOf(figure: Figure): LegendEntry[] {
  switch (figure.kind) {
    case "line":
      return lineLegend(figure);
    case "scatter":
      return scatterLegend(figure);
    case "histogram":
      return histogramLegend(figure);
    case "bar":
      return barLegend(figure);
    case "heatmap":
    case "box":
    case "pictures":
      return [];
  }
}

/** Nothing to draw: no series has a measured value. */
export function isEmpty(figure: Figure): boolean {
  switch (figure.kind) {
    case "line":
      return figure.series.every(({ points }) => points.every(({ y }) => y === null));
    case "scatter":
      return figure.series.every(({ points }) => points.length === 0);
    case "heatmap":
      return figure.values.every((row) => row.every((value) => value === null));
    case "histogram":
      return figure.series.every(({ counts }) => counts.length === 0);
    case "box":
      return figure.boxes.length === 0;
    case "bar":
      return figure.series.every(({ values }) => values.every((value) => value === null));
    case "pictures":
      return figure.rows.length === 0;
  }
}
