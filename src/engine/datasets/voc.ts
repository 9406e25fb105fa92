import { XMLParser } from "fast-xml-parser";
import { BulwarkError } from "../../shared/errors.ts";
import type { Box } from "../define/index.ts";
import type { Fit } from "../io/fit.ts";

/** The one importer of the XML parser. */
const parser = new XMLParser({ isArray: (name) => name === "object", parseTagValue: false });

export interface Annotation {
  /** Size of the annotated image as the file says; undefined where it does not. */
  readonly size: readonly [height: number, width: number] | undefined;
  readonly boxes: readonly Box[];
}

/**
 * A Pascal-VOC annotation. VOC counts pixels from 1 and includes both corners; here a box covers [xmin,xmax)×[ymin,ymax) counted
 * from 0. @throws DATASET_INVALID
 */
export function parseVoc(xml: string, name: string): Annotation {
  const bad = (what: string) => new BulwarkError("DATASET_INVALID", `${name} ${what}.`, "Write the boxes as Pascal-VOC XML.");
  let root: unknown;
  try {
    root = parser.parse(xml, true);
  } catch {
    throw bad("is not well-formed XML");
  }
  const annotation = child(root, "annotation");
  if (annotation === undefined) throw bad("has no <annotation>");
  const size = child(annotation, "size");
  const height = number(child(size, "height"));
  const width = number(child(size, "width"));
  const objects = child(annotation, "object") ?? [];
  const boxes = (Array.isArray(objects) ? objects : [objects]).map((object: unknown): Box => {
    const box = child(object, "bndbox");
    const [x0, y0, x1, y1] = ["xmin", "ymin", "xmax", "ymax"].map((key) => number(child(box, key)));
    if (x0 === undefined || y0 === undefined || x1 === undefined || y1 === undefined || x1 < x0 || y1 < y0)
      throw bad("has a box without a valid xmin, ymin, xmax and ymax");
    const label = child(object, "name");
    return { label: typeof label === "string" ? label : "", xmin: Math.max(0, x0 - 1), ymin: Math.max(0, y0 - 1), xmax: x1, ymax: y1 };
  });
  return { size: height !== undefined && width !== undefined && height > 0 && width > 0 ? [height, width] : undefined, boxes };
}

const child = (node: unknown, key: string): unknown =>
  typeof node === "object" && node !== null && key in node ? (node as Record<string, unknown>)[key] : undefined;

function number(value: unknown): number | undefined {
  const parsed = typeof value === "string" && value.trim() !== "" ? Number(value) : Number.NaN;
  return Number.isFinite(parsed) ? parsed : undefined;
}

/**
 * Those of an image's boxes that show its label: where one names that class, these alone; where none names any class of the data, all.
 * @param indexOf class of a name, undefined for a name that is no class
 */
export function boxesOfClass(boxes: readonly Box[], label: number, indexOf: (name: string) => number | undefined): readonly Box[] {
  const classes = boxes.map((box) => indexOf(box.label));
  return classes.every((index) => index === undefined) ? boxes : boxes.filter((_, i) => classes[i] === label);
}

/**
 * Boxes of an image `from` where they lie after it was resized to `to`; what is cropped away, or was outside before, is cut off. One of
 * which nothing is left has no width or no height: whoever uses boxes counts it.
 */
export function resizeBoxes(
  boxes: readonly Box[],
  from: readonly [height: number, width: number],
  to: readonly [height: number, width: number],
  { rule, crop = 1 }: Fit,
): Box[] {
  const ratios = [to[0] / from[0], to[1] / from[1]] as const;
  const common = rule === "cover" ? Math.max(...ratios) / crop : Math.min(...ratios);
  const [sy, sx] = rule === "fill" ? ratios : rule === "none" || rule === "crop" ? [1, 1] : [common, common];
  const dy = (to[0] - from[0] * sy) / 2;
  const dx = (to[1] - from[1] * sx) / 2;
  const within = (value: number, end: number): number => Math.min(end, Math.max(0, value));
  return boxes.map((box) => ({
    label: box.label,
    xmin: within(box.xmin * sx + dx, to[1]),
    ymin: within(box.ymin * sy + dy, to[0]),
    xmax: within(box.xmax * sx + dx, to[1]),
    ymax: within(box.ymax * sy + dy, to[0]),
  }));
}
