import { el, type Markup, nothing, px } from "../markup.ts";

/** All of a few points of a line have a marker, about twelve of many, the last one always. */
export const isMarked = (place: number, n: number): boolean => n <= 24 || (n - 1 - place) % Math.ceil(n / 12) === 0;

/** Outlines of the markers around (0, 0), about 8 pixels wide; the circle is drawn as one. With the colour they tell series apart. */
export const outlines: readonly (readonly (readonly [x: number, y: number])[])[] = [
  [],
  [
    [-3, -3],
    [3, -3],
    [3, 3],
    [-3, 3],
  ],
  [
    [0, -4],
    [4, 3],
    [-4, 3],
  ],
  [
    [0, -4.2],
    [4.2, 0],
    [0, 4.2],
    [-4.2, 0],
  ],
  [
    [0, 4],
    [4, -3],
    [-4, -3],
  ],
  [
    [-1.4, -4],
    [1.4, -4],
    [1.4, -1.4],
    [4, -1.4],
    [4, 1.4],
    [1.4, 1.4],
    [1.4, 4],
    [-1.4, 4],
    [-1.4, 1.4],
    [-4, 1.4],
    [-4, -1.4],
    [-1.4, -1.4],
  ],
];

/** A place among `n` shapes, one further each time round: there are as many colours as markers, and no two series are to share both. */
export const shapeOf = (index: number, n: number): number => (index + Math.floor(index / outlines.length)) % n;

/** The marker of series `index`: circle, square, triangle, diamond, triangle downwards, cross, in turn. */
export function marker(index: number, x: number, y: number, colour: string): Markup {
  const outline = outlines[shapeOf(index, outlines.length)] ?? [];
  if (outline.length === 0) return el("circle", { cx: x, cy: y, r: 3.2, fill: colour });
  return el("polygon", { points: outline.map(([dx, dy]) => `${px(x + dx)},${px(y + dy)}`).join(" "), fill: colour });
}

/** Patterns that tell filled areas apart without colour: the stripes of series `index`, none for the first. */
export const stripes = (id: string, index: number, colour: string): { readonly definition: Markup; readonly fill: string } => {
  if (index % 4 === 0) return { definition: nothing, fill: colour };
  const name = `${id}-s${index}`;
  const turn = [0, 45, -45, 90][index % 4] ?? 0;
  const shape = [
    el("rect", { width: 6, height: 6, fill: colour, "fill-opacity": 0.35 }),
    el("rect", { width: 3, height: 6, fill: colour }),
  ];
  const attributes = { id: name, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: `rotate(${turn})` };
  return { definition: el("pattern", attributes, ...shape), fill: `url(#${name})` };
};

export const dash = "6 4";
