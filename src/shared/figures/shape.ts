import { Type } from "@sinclair/typebox";
import { fileInside, flag, list, measured, natural, num, oneOf, orNull, pairOf, type Shape, text } from "../shapes.ts";
import type { Figure } from "./figure.ts";

export const format = oneOf(["text", "percent", "points", "difference", "number", "milliseconds", "count"]);
const range = Type.Optional(pairOf(num));
const axis = Type.Object({ label: text, unit: Type.Optional(text), format, range, scale: Type.Optional(oneOf(["log"])) });
const value = Type.Object({ label: text, format, range });
const point = Type.Object({ x: measured, y: orNull(num), low: Type.Optional(measured), high: Type.Optional(measured) });
const names = Type.Object({ label: text, names: list(text) });
const title = text;

/** A line chart as reports have held it from the start: without its kind. */
export const chart = {
  title,
  x: axis,
  y: axis,
  series: list(Type.Object({ label: text, colour: natural, isDashed: Type.Optional(flag), points: list(point) })),
};
const place = Type.Object({ x: measured, y: measured });

/** Figures as a report holds them; the pictures of one are files beside it. */
export const figure: Shape<Figure> = Type.Union([
  Type.Object({ kind: Type.Literal("line"), ...chart, marks: Type.Optional(list(Type.Object({ x: measured, text }))) }),
  Type.Object({
    kind: Type.Literal("scatter"),
    title,
    x: axis,
    y: axis,
    series: list(
      Type.Object({
        label: text,
        colour: natural,
        points: list(
          Type.Object({
            x: measured,
            y: measured,
            label: Type.Optional(text),
            isHollow: Type.Optional(flag),
            picture: Type.Optional(fileInside),
          }),
        ),
      }),
    ),
    isNumbered: Type.Optional(flag),
    front: Type.Optional(list(place)),
  }),
  Type.Object({
    kind: Type.Literal("heatmap"),
    title,
    rows: names,
    columns: names,
    value,
    values: list(list(orNull(num))),
    colours: Type.Optional(oneOf(["sequential", "diverging"])),
  }),
  Type.Object({
    kind: Type.Literal("histogram"),
    title,
    x: axis,
    y: axis,
    edges: list(measured),
    series: list(Type.Object({ label: text, colour: natural, counts: list(measured) })),
  }),
  Type.Object({
    kind: Type.Literal("box"),
    title,
    value: axis,
    boxes: list(
      Type.Object({
        label: text,
        colour: natural,
        n: natural,
        low: measured,
        q1: measured,
        median: measured,
        q3: measured,
        high: measured,
        outliers: Type.Optional(list(measured)),
      }),
    ),
  }),
  Type.Object({
    kind: Type.Literal("bar"),
    title,
    value: axis,
    groups: names,
    series: list(
      Type.Object({
        label: text,
        colour: natural,
        values: list(orNull(Type.Object({ y: measured, low: Type.Optional(measured), high: Type.Optional(measured) }))),
      }),
    ),
  }),
  Type.Object({
    kind: Type.Literal("pictures"),
    title,
    columns: list(text),
    rows: list(Type.Object({ label: text, pictures: list(Type.Object({ href: fileInside, text })) })),
  }),
]);
