/** Settings of a kernel besides its inputs. */
export type Attributes = object | string | number;

/** Attributes as text for a key. Unlike JSON it distinguishes NaN from the infinities. */
export const attributeKey = (attributes: Attributes): string =>
  typeof attributes === "object" ? objectKey(attributes) : String(attributes);
const isPlain = (value: unknown): boolean =>
  value === undefined || typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
const objectKey = (attributes: object): string =>
  Object.values(attributes).every(isPlain)
    ? JSON.stringify(attributes) // several times faster without a replacer
    : JSON.stringify(attributes, (_, v) => (typeof v === "number" && !Number.isFinite(v) ? String(v) : v));

export const isSameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a === b || (a.length === b.length && a.every((size, axis) => size === b[axis]));
