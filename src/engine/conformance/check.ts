import type { TObject } from "@sinclair/typebox";
import { type Entry, type Params, resolveParams } from "../define/index.ts";
import { completed } from "../registry.ts";

/** A check for entries of one kind. `run` throws an error that says what is wrong. */
export interface Check {
  readonly name: string;
  run(): Promise<void>;
}

/** Ends a check where `holds` is not true. */
export function demand(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

/** Largest difference of two lists of numbers; infinite if their lengths differ or one holds NaN. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs((a[i] as number) - (b[i] as number));
    if (Number.isNaN(difference)) return Number.POSITIVE_INFINITY;
    largest = Math.max(largest, difference);
  }
  return largest;
}

/** The entry's own quick parameters, completed. */
export const cheapParams = (entry: Entry): Params => completed(entry, entry.cheap ?? {});

/** The quick parameters, and one set for each other option of each choice and for each switch. */
export function variants(entry: Entry): readonly (readonly [name: string, params: Params])[] {
  const cheap = cheapParams(entry);
  const others = Object.entries(entry.params.properties).flatMap(([key, property]): (readonly [string, Params])[] => {
    if (property["type"] === "boolean") return [[`${key} ${!cheap[key]}`, { ...cheap, [key]: !cheap[key] }]];
    if (!Array.isArray(property["enum"])) return [];
    const options = (property["enum"] as unknown[]).filter((option) => option !== cheap[key]);
    return options.map((option) => [`${key} ${String(option)}`, { ...cheap, [key]: option }]);
  });
  return [["its quick parameters", cheap], ...others];
}

/** Per parameter: its minimum, and values that must be refused. */
export function outOfBounds(schema: TObject): Record<string, { minimum: number | undefined; outside: unknown[] }> {
  const found: Record<string, { minimum: number | undefined; outside: unknown[] }> = {};
  for (const [key, property] of Object.entries(schema.properties)) {
    const type: unknown = property["type"];
    const minimum: unknown = property["minimum"];
    const maximum: unknown = property["maximum"];
    const outside: unknown[] = [];
    if (type === "number" || type === "integer") outside.push("many");
    if (type === "integer") outside.push(Number(minimum ?? 0) + 0.5);
    if (typeof minimum === "number") outside.push(minimum - 1);
    if (typeof maximum === "number") outside.push(maximum + 1);
    if (Array.isArray(property["enum"])) outside.push("no such choice");
    if (type === "boolean") outside.push("perhaps");
    if (Array.isArray(property["anyOf"])) outside.push("no such choice", -1.5, -1000);
    found[key] = { minimum: typeof minimum === "number" ? minimum : undefined, outside };
  }
  return found;
}

/** Values out of bounds are refused by the name of their parameter. */
export function demandBounds({ id, params }: Entry): void {
  for (const [key, { outside }] of Object.entries(outOfBounds(params)))
    for (const value of outside) {
      let message = "";
      try {
        resolveParams(params, { [key]: value }, id);
      } catch (thrown) {
        message = (thrown as Error).message;
      }
      demand(message.includes(key), `${key} = ${JSON.stringify(value)} is taken, and lies out of bounds`);
    }
}
