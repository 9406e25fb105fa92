import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { checkValue } from "./check.ts";

/**
 * What comes from outside this process (a file of a run folder, a message of a webview) is read through a shape: a JSON schema together with
 * the type that it stands for, so that a field which the type has and the schema does not check fails to compile.
 */
export interface Shape<T> extends TSchema {
  static: T;
}

export const text = Type.String();
export const flag = Type.Boolean();
/** Finite: JSON has no other. */
export const num = Type.Number();
export const whole = Type.Integer();
/** Counts and indices. */
export const natural = Type.Integer({ minimum: 0 });
/** A measured value: one that was NaN or infinite is null in JSON, and is shown as unknown. */
export const measured = Type.Unsafe<number>({ type: "number", nullable: true });
/** A file by its name relative to the folder that the document lies in. */
export const fileInside = Type.Unsafe<string>({ type: "string", inside: true });
export const anything = Type.Unknown();
/** An object whose fields somebody else checks, such as the parameters of an entry. */
export const fields = Type.Unsafe<Readonly<Record<string, unknown>>>({ type: "object" });

export const orNull = <T extends TSchema>(shape: T) => Type.Unsafe<Static<T> | null>({ ...shape, nullable: true });
export const list = <T extends TSchema>(items: T) => Type.Unsafe<readonly Static<T>[]>({ type: "array", items });
export const pairOf = <T extends TSchema>(items: T) =>
  Type.Unsafe<readonly [Static<T>, Static<T>]>({ type: "array", items, minItems: 2, maxItems: 2 });
export const tripleOf = <T extends TSchema>(items: T) =>
  Type.Unsafe<readonly [Static<T>, Static<T>, Static<T>]>({ type: "array", items, minItems: 3, maxItems: 3 });
export const recordOf = <T extends TSchema>(values: T) =>
  Type.Unsafe<Readonly<Record<string, Static<T>>>>({ type: "object", additionalProperties: values });
export const oneOf = <const W extends readonly string[]>(words: W) => Type.Unsafe<W[number]>({ enum: words });

/** What does not fit, in a sentence without its full stop; null where all fits. */
export function misfit(shape: TSchema, value: unknown): string | null {
  const [first] = checkValue(shape, value);
  return first ? first.message : null;
}

/** No file of ours is nested deeper; whoever walks through it would run out of stack. */
const deepest = 200;

function isTooDeep(json: string): boolean {
  let [depth, isText] = [0, false];
  for (let i = 0; i < json.length; i++) {
    const letter = json.charCodeAt(i);
    if (isText && letter === 0x5c)
      i++; // a backslash and what it escapes
    else if (letter === 0x22) isText = !isText;
    else if (!isText && (letter === 0x5b || letter === 0x7b) && ++depth > deepest) return true;
    else if (!isText && (letter === 0x5d || letter === 0x7d)) depth--;
  }
  return false;
}

/** What a JSON file holds, or in a sentence without its full stop what is wrong with it. */
export type Read<T> = { readonly value: T } | { readonly wrong: string };

export function readAs<T>(shape: Shape<T>, json: string): Read<T> {
  if (isTooDeep(json)) return { wrong: `it is nested more than ${deepest} deep` };
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return { wrong: "it is not whole, or no JSON" };
  }
  const wrong = misfit(shape, value);
  return wrong === null ? { value: value as T } : { wrong };
}

/** @returns the value with its type; undefined where it does not fit */
export const fitting = <T>(shape: Shape<T>, value: unknown): T | undefined => (misfit(shape, value) === null ? (value as T) : undefined);
