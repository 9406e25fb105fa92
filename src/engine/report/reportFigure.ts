import { drawFigure, isEmpty } from "../../shared/figures/draw.ts";
import type { Figure } from "../../shared/figures/figure.ts";
import { escapeXml } from "../../shared/figures/svg.ts";
import { figureTable } from "../../shared/figures/table.ts";
import { reportTheme } from "../../shared/figures/theme.ts";
import { htmlTable } from "./reportTable.ts";

/** Drawn for a telephone: wider pages enlarge it a little, and on a narrow one its text still has ten pixels. */
const width = 320;
/** Rows of the table beside a drawing; of a longer line every so many points. */
export const mostRows = 40;

/** Numbers the figures of one document, so that the ids inside them are all different. */
export const figureIds = (): (() => string) => {
  let made = 0;
  return () => `f${++made}`;
};

/** A figure with its title and, where it has values, the same as a table. */
export function figureHtml(figure: Figure, nextId: () => string): string {
  const title = escapeXml(figure.title);
  if (isEmpty(figure)) return `<p class="soft">${title}: nothing was measured.</p>`;
  const drawing = drawFigure(figure, { ...reportTheme, width, id: nextId() });
  if (figure.kind === "pictures") return `<figure>${drawing}</figure>`;
  const table = htmlTable(figureTable(figure, mostRows), [false]);
  return `<figure><figcaption>${title}</figcaption>${drawing}<details><summary class="soft">As a table</summary>${table}</details></figure>`;
}

/** Figures beside each other. */
export const figuresHtml = (figures: readonly Figure[], nextId: () => string): string =>
  figures.length === 0 ? "" : `<div class="charts">${figures.map((figure) => captioned(figure, nextId)).join("")}</div>`;

/** Pictures that stand alone say what they are below each other; among charts they have a title like those. */
const captioned = (figure: Figure, nextId: () => string): string =>
  figure.kind === "pictures"
    ? figureHtml(figure, nextId).replace("<figure>", `<figure><figcaption>${escapeXml(figure.title)}</figcaption>`)
    : figureHtml(figure, nextId);
