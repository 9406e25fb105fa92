import { el, type Markup, nothing, tooltip } from "../markup.ts";

/** Height of a line of small text and of its box, in pixels. */
export const fontSize = 11;
export const lineHeight = 15;

/** Advance widths in hundredths of the size, those of a wide face (DejaVu Sans) rounded up. */
const advances: readonly (readonly [RegExp, number])[] = [
  [/[\u2e80-\uffff]/, 1],
  [/[mwMW@%—…]/, 0.98],
  [/[−+=<>~]/, 0.84],
  [/[A-HJ-Z0-9]/, 0.67],
  [/[ilj.,:;'|!()[\]\s\u202f/ftrI-]/, 0.41],
];

/** Width of a text in pixels in a usual sans-serif face; errs on the wide side, since nothing can be measured without a DOM. */
export function widthOf(text: string, size = fontSize): number {
  let width = 0;
  for (const letter of text) width += advances.find(([letters]) => letters.test(letter))?.[1] ?? 0.62;
  return width * size;
}

/** The text in at most `most` lines of `width` pixels, broken at spaces and camel humps, or inside a word that is too long; the last line ends in "…" where text is left. */
export function wrap(text: string, width: number, most: number, size = fontSize): string[] {
  const lines: string[] = [];
  let rest = text.trim();
  while (rest !== "" && lines.length < most) {
    const isLast = lines.length === most - 1;
    if (widthOf(rest, size) <= width) {
      lines.push(rest);
      return lines;
    }
    const fits = longestStart(rest, isLast ? width - widthOf("…", size) : width, size);
    const end = isLast ? fits : breakBefore(rest, fits);
    lines.push(`${rest.slice(0, end).trimEnd()}${isLast ? "…" : ""}`);
    rest = rest.slice(end).trimStart();
  }
  return lines;
}

/** Letters that fit: at least one, so that every step goes on. */
function longestStart(text: string, width: number, size: number): number {
  let [end, used] = [0, 0];
  for (const letter of text) {
    used += widthOf(letter, size);
    if (used > width && end > 0) break;
    end += letter.length;
  }
  return end;
}

function breakBefore(text: string, fits: number): number {
  const space = text.lastIndexOf(" ", fits);
  if (space > 0) return space;
  for (let at = fits; at > fits / 2; at--) if (/[a-z][A-Z]/.test(text.slice(at - 1, at + 1))) return at;
  return fits;
}

export interface TextPlace {
  readonly x: number;
  /** Baseline of the first line. */
  readonly y: number;
  readonly anchor?: "start" | "middle" | "end";
  readonly fill: string;
  readonly size?: number;
  readonly bold?: boolean;
}

/** Lines of text below each other; where they leave something out, the whole of it is shown on hover. */
export function textLines(lines: readonly string[], whole: string, p: TextPlace): Markup {
  const place = { x: p.x, "text-anchor": p.anchor === "start" ? undefined : p.anchor, fill: p.fill };
  const face = { "font-size": p.size, "font-weight": p.bold ? "600" : undefined };
  const isCut = lines.at(-1)?.endsWith("…") && !whole.endsWith("…");
  const [only] = lines;
  if (only === undefined) return nothing;
  if (lines.length <= 1) return el("text", { ...place, y: p.y, ...face }, isCut ? tooltip(whole) : nothing, only);
  const spans = lines.map((line, i) => el("tspan", { x: p.x, y: p.y + i * lineHeight }, line));
  return el("text", { ...place, ...face }, isCut ? tooltip(whole) : nothing, ...spans);
}
