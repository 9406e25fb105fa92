import { BulwarkError } from "../../shared/errors.ts";
import { minus } from "../../shared/format.ts";
import type { StoredArray } from "../io/npz.ts";

const readAtOnce = 1 << 22; // values

/** What the values of images are, as far as it was looked. */
interface Range {
  readonly least: number;
  readonly largest: number;
  /** The first image with a value outside [0,1], and that value. */
  readonly outside: { readonly image: number; readonly value: number } | null;
  readonly hasNone: boolean;
}

/**
 * Refuses images whose values are not what their type says: floats in [0,1], or bytes. The whole array is read, as the remedy depends on the
 * range of all of them. Bytes that are 0 and 1 alone would be read as 0 and 1/255, nearly black pictures that nobody means: they are refused
 * too, for a note beside the figures is easily missed. @throws DATASET_INVALID
 */
export async function checkValues(images: StoredArray, name: string): Promise<void> {
  if (images.type === "uint8") return refuseBits(images, name);
  const range = await rangeOf(images);
  if (images.type === "int" && images.shape[0] !== 0)
    throw invalid(
      `The images of ${name} are whole numbers from ${signed(range.least)} to ${signed(range.largest)}, and not of type uint8.`,
      range.least >= 0 && range.largest <= 255
        ? 'Save them as images.astype("uint8").'
        : range.least >= 0
          ? 'Save them as images.astype("float32") / 65535, or divided by the largest value that a pixel can have.'
          : "Save them as floats from 0 to 1, or as uint8.",
    );
  if (range.outside)
    throw invalid(`Image ${range.outside.image} of ${name} has the value ${signed(range.outside.value)}, outside [0,1].`, remedy(range));
}

const invalid = (message: string, fix: string): BulwarkError => new BulwarkError("DATASET_INVALID", message, fix);
const signed = (value: number): string => (value < 0 ? `${minus}${-value}` : String(value));

/** Floats that are a little outside come of rounding or of interpolation. */
const slack = 0.05;

function remedy({ least, largest, hasNone }: Range): string {
  if (hasNone) return "Leave such images out, or repair them before they are saved.";
  if (least < 0 && least >= -1 - slack && largest <= 1 + slack) return "Save (images + 1) / 2: they seem to reach from −1 to 1.";
  if (least >= 0 && largest <= 1 + slack) return "Save numpy.clip(images, 0, 1).";
  if (least >= 0 && largest <= 255) return "Divide by 255, or save the bytes as uint8.";
  if (least >= 0) return "Divide by the largest value that a pixel can have.";
  return "Save the images as they were before they were normalised, from 0 to 1.";
}

/** A run of consecutive images at a time. @param until stops where it is true for the values */
async function eachPart(images: StoredArray, until: (values: ArrayLike<number>, start: number) => boolean): Promise<void> {
  const [n = 0, ...sides] = images.shape;
  const step = Math.max(
    1,
    Math.floor(
      readAtOnce /
        Math.max(
          1,
          sides.reduce((a, b) => a * b, 1),
        ),
    ),
  );
  for (let start = 0; start < n; start += step) if (until(await images.read(start, Math.min(n, start + step)), start)) return;
}

async function rangeOf(images: StoredArray): Promise<Range> {
  const pixels = images.shape.slice(1).reduce((a, b) => a * b, 1);
  let [least, largest, hasNone] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, false];
  let outside: Range["outside"] = null;
  await eachPart(images, (values, start) => {
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as number;
      if (!(value >= 0 && value <= 1)) outside ??= { image: start + Math.floor(i / pixels), value };
      if (!Number.isFinite(value)) hasNone = true;
      if (value < least) least = value;
      if (value > largest) largest = value;
    }
    return false;
  });
  return { least, largest, outside, hasNone };
}

async function refuseBits(images: StoredArray, name: string): Promise<void> {
  let largest = 0;
  await eachPart(images, (values) => {
    for (let i = 0; i < values.length && largest < 2; i++) largest = Math.max(largest, values[i] as number);
    return largest > 1;
  });
  if (largest === 1)
    throw invalid(
      `The images of ${name} are bytes of 0 and 1 alone, which would be nearly black: a byte is read as 255ths.`,
      "Save them as images * 255, or as images.astype(bool).",
    );
}
