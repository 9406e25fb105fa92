/** JSON schemas, as experiment files have them. */
export type Schema = Readonly<Record<string, unknown>>;

export const num = (description: string, value: number, extra: Schema = {}): Schema => ({
  type: "number",
  description,
  default: value,
  ...extra,
});
export const int = (...described: Parameters<typeof num>): Schema => ({ ...num(...described), type: "integer" });
