import { BulwarkError } from "../../shared/errors.ts";

/** The second operand of a measure that compares; it must be there and as long as the first. */
export function requireReference(id: string, a: Uint8Array, b: Uint8Array | undefined): Uint8Array {
  if (b && b.length === a.length) return b;
  const what = b ? `one of ${a.length} and one of ${b.length} values were given` : "only one was given";
  throw new BulwarkError(
    "PARAMETER_INVALID",
    `${id} compares two slices of the same size, but ${what}.`,
    "Give a reference of equal size.",
  );
}
