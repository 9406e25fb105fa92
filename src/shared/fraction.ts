import { isDistance, type ParameterSchema } from "./catalog.ts";
import { parseFraction } from "./format.ts";

type Schema = Readonly<Record<string, unknown>>;

/** A number that may be written "8/255": a distance between pixel values, as the schema says. */
export const takesFraction = (schema: Schema): boolean =>
  schema["type"] === "number" && (schema["fraction"] === true || isDistance(schema as Pick<ParameterSchema, "role">));

/** A value with the fractions of its schema as numbers, inside lists too; everything else as it is. */
export function withoutFractions(schema: Schema, value: unknown): unknown {
  if (typeof value === "string") return takesFraction(schema) ? (parseFraction(value) ?? value) : value;
  const { items } = schema;
  if (!Array.isArray(value) || typeof items !== "object" || items === null || Array.isArray(items)) return value;
  return value.map((item) => withoutFractions(items as Schema, item));
}
