import { BulwarkError } from "../../../shared/errors.ts";

/** A cell of a one-hot row: 0 or 1, also written as a truth value; NaN for what is no number. */
export function bitOf(cell: string): number {
  const text = cell.trim().toLowerCase();
  if (text === "true") return 1;
  if (text === "false") return 0;
  return text === "" ? Number.NaN : Number(text);
}

export const areBits = (row: readonly number[]): boolean => row.every((bit) => bit === 0 || bit === 1);

/** Probabilities of classes: between 0 and 1, and together 1 but for rounding. */
export const areProbabilities = (row: readonly number[]): boolean =>
  row.length > 1 && row.every((p) => p >= 0 && p <= 1) && Math.abs(row.reduce((a, b) => a + b, 0) - 1) < 0.02;

/** Place of the one class that a row marks. @throws DATASET_INVALID for several, none, or probabilities */
export function markedClass(row: readonly number[], image: string, place: string, name: string): number {
  if (!areBits(row))
    throw new BulwarkError(
      "DATASET_INVALID",
      `${place} of ${name} gives ${image} ${areProbabilities(row) ? "probabilities of classes" : "numbers"} (${row.slice(0, 5).join(", ")}${row.length > 5 ? " …" : ""}), and an image has one class.`,
      "Write 1 for its class and 0 for the others, or the class alone.",
    );
  const ones = row.flatMap((bit, k) => (bit === 1 ? [k] : []));
  if (ones.length !== 1)
    throw new BulwarkError(
      "DATASET_INVALID",
      `${place} of ${name} marks ${ones.length} classes for ${image}, and an image has one.`,
      "Leave out images of several classes or of none.",
    );
  return ones[0] as number;
}
