import { plural } from "../format.ts";
import { el, html, type Markup, tooltip } from "../markup.ts";
import type { PicturesFigure } from "./figure.ts";
import { type DrawOptions, header, page } from "./page.ts";
import { lineHeight, textLines, wrap } from "./text.ts";

const gap = 6;
const largest = 128;

/** Rows of square pictures with enlarged pixels, column names on top, a text below each row and each picture. */
export function drawPictures(figure: PicturesFigure, o: DrawOptions): Markup {
  const { title, columns, rows } = figure;
  const { tokens } = o;
  const head = header(title, [], o);
  const across = Math.max(1, columns.length, ...rows.map(({ pictures }) => pictures.length));
  const side = Math.floor(Math.min(largest, (o.width - 4) / across - gap));
  const left = (column: number): number => 2 + column * (side + gap);
  const names = columns.map((name, i) => textLines(wrap(name, side, 1), name, { x: left(i), y: head.bottom + 11, fill: tokens.soft }));
  let y = head.bottom + (columns.length > 0 ? lineHeight + 2 : 0);
  const drawn = rows.map(({ label, pictures }) => {
    const below = pictures.map(({ text }) => wrap(text, side, 4));
    const tallest = Math.max(...below.map((lines) => lines.length), 0);
    const whole = wrap(label, across * (side + gap), 2);
    const markup = pictures.map(({ href, text }, i) => {
      const image = {
        href,
        x: left(i),
        y,
        width: side,
        height: side,
        "image-rendering": "pixelated",
        preserveAspectRatio: "xMidYMid meet",
      };
      const frame = { x: left(i), y, width: side, height: side, fill: "none", stroke: tokens.grid };
      const lines = textLines(below[i] ?? [], text, { x: left(i), y: y + side + 12, fill: tokens.soft });
      return el("g", {}, el("image", image), el("rect", frame), lines, tooltip(text));
    });
    y += side + tallest * lineHeight + 3;
    const caption = textLines(whole, label, { x: 2, y: y + 11, fill: tokens.ink });
    y += whole.length * lineHeight + 12;
    return html`${[...markup, caption]}`;
  });
  const sentences = rows.map(({ label, pictures }) => `${label}: ${pictures.flatMap(({ text }) => text || []).join(", ")}.`);
  const description = [`${plural(rows.length, "row")} of pictures.`, ...sentences].join(" ");
  return page({ title, description, height: y }, o, head.markup, ...names, ...drawn);
}
