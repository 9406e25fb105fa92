import { drawFigure, isEmpty } from "../../shared/figures/draw.ts";
import type { Figure } from "../../shared/figures/figure.ts";
import { figureTable } from "../../shared/figures/table.ts";
import { reportTheme } from "../../shared/figures/theme.ts";
import { html, type Markup, nothing } from "../../shared/markup.ts";
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

/** A figure with its title and, where it has values, the same as a table. Pictures say below each other what they are. */
export function figureHtml(figure: Figure, nextId: () => string, isCaptioned = figure.kind !== "pictures"): Markup {
  const { title } = figure;
  if (isEmpty(figure)) return html`<p class="soft">${title}: nothing was measured.</p>`;
  const drawing = drawFigure(figure, { ...reportTheme, width, id: nextId() });
  const caption = isCaptioned ? html`<figcaption>${title}</figcaption>` : nothing;
  if (figure.kind === "pictures") return html`<figure>${caption}${drawing}</figure>`;
  const table = htmlTable(figureTable(figure, mostRows), [false]);
  return html`<figure>${caption}${drawing}<details><summary class="soft">As a table</summary>${table}</details></figure>`;
}

/** Figures beside each other: among charts, pictures have a title like those. */
export const figuresHtml = (figures: readonly Figure[], nextId: () => string): Markup =>
  figures.length === 0 ? nothing : html`<div class="charts">${figures.map((figure) => figureHtml(figure, nextId, true))}</div>`;
