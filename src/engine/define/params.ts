import { type Static, type TObject, type TSchema, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { ParameterRole, StandIn } from "../../shared/catalog.ts";
import { checkValue } from "../../shared/check.ts";
import { BulwarkError } from "../../shared/errors.ts";
import type { Chosen } from "../../shared/experiment.ts";
import { withoutFractions } from "../../shared/fraction.ts";
import { suggestion } from "../../shared/nearest.ts";
import type { Bound, Kind } from "./entry.ts";

interface NumberOptions {
  readonly min?: number;
  readonly max?: number;
  /** Ends of the slider in forms, where more is allowed than is of use. */
  readonly usual?: readonly [least: number, most: number];
  /** Shown in forms and docs, such as "pixels" or "of 1". */
  readonly unit?: string;
  /** Shown under "More" in forms. */
  readonly advanced?: boolean;
  /** What the number means to an attack, for rules and forms that do not know its name. */
  readonly role?: ParameterRole;
  /** May be written as a fraction in quotes; a distance may anyway. */
  readonly fraction?: boolean;
  /** Side of a window that has a pixel in the middle. */
  readonly odd?: boolean;
  /** Name of another number of the same entry that has to be larger. */
  readonly below?: string;
  /** What the minimum means where it is not a quantity, in the words of forms. */
  readonly standIn?: StandIn;
}
const numberOptions = (value: number, description: string, o: NumberOptions) => ({
  default: value,
  description,
  ...(o.min === undefined ? {} : { minimum: o.min }),
  ...(o.max === undefined ? {} : { maximum: o.max }),
  ...(o.usual === undefined ? {} : { usual: o.usual }),
  ...(o.unit === undefined ? {} : { unit: o.unit }),
  ...(o.advanced ? { advanced: true } : {}),
  ...(o.role === undefined ? {} : { role: o.role }),
  ...(o.fraction ? { fraction: true } : {}),
  ...(o.odd ? { odd: true } : {}),
  ...(o.below === undefined ? {} : { below: o.below }),
  ...(o.standIn === undefined ? {} : { standIn: o.standIn }),
});
/** A real parameter with its default. */
export const num = (value: number, description: string, options: NumberOptions = {}) =>
  Type.Number(numberOptions(value, description, options));
/** A whole-number parameter with its default. */
export const int = (value: number, description: string, options: NumberOptions = {}) =>
  Type.Integer(numberOptions(value, description, options));
export const bool = (value: boolean, description: string) => Type.Boolean({ default: value, description });
export const text = (value: string, description: string, { advanced = false }: { readonly advanced?: boolean } = {}) =>
  Type.String({ default: value, description, ...(advanced ? { advanced } : {}) });
/** One of a few named options; the first is not special, `value` is the default. */
export const choice = <const T extends readonly string[]>(options: T, value: T[number], description: string, role?: ParameterRole) =>
  Type.Unsafe<T[number]>({ type: "string", enum: options, default: value, description, ...(role === undefined ? {} : { role }) });
/** A whole number, or one of a few words in its place. */
export const intOr = <const T extends readonly string[]>(
  options: T,
  value: number | T[number],
  description: string,
  o: Pick<NumberOptions, "min" | "standIn">,
) =>
  Type.Unsafe<number | T[number]>({
    anyOf: [
      { type: "integer", minimum: o.min, ...(o.standIn === undefined ? {} : { standIn: o.standIn }) },
      { type: "string", enum: options },
    ],
    default: value,
    description,
  });
/**
 * A parameter that is itself a registry choice: the base attack of another attack, the inner attack of adversarial training. In files it
 * is written `{"kind": id, …parameters}` or just `"id"`; the entry that has the parameter finds it bound, with its own parameters complete.
 */
export const entryOf = (kind: Kind, value: Chosen, description: string) =>
  Type.Unsafe<Bound>({ type: "object", registry: kind, default: value, description });
/** A registry choice, or a list of at least one; the entry that has the parameter finds it bound as it is written. */
export const entriesOf = (kind: Kind, value: Chosen, description: string) =>
  Type.Unsafe<Bound | readonly Bound[]>({ type: "object", registry: kind, several: true, default: value, description });
/**
 * A file. Relative to the experiment file where there is one, else to the working directory; "" for none. Bound parameters hold it absolute.
 * @param instead pattern of what may be written in place of a path
 */
export const file = (description: string, { instead }: { readonly instead?: string } = {}) =>
  Type.String({ format: "path", default: "", description, ...(instead === undefined ? {} : { instead }) });
/** A parameter that may be left out altogether. */
export const optional = <T extends TSchema>(schema: T) => Type.Optional(schema);

export type Params = Readonly<Record<string, unknown>>;

/** Fills in the values of a preset, then defaults, makes numbers of fractions such as "8/255", and checks; `owner` names the entry in the error ("pgd"), `title` begins messages about parameters in combination. Unknown keys and values out of bounds raise PARAMETER_INVALID. */
export function resolveParams<P extends TObject>(schema: P, given: Params, owner: string, title = owner): Static<P> {
  const known = Object.keys(schema.properties);
  for (const key of Object.keys(given))
    if (!known.includes(key))
      throw new BulwarkError("PARAMETER_INVALID", `${owner} has no parameter "${key}".`, suggestion(key, known, "It has"));
  const plain = Object.entries(given).map(([key, value]) => [key, withoutFractions(schema.properties[key] ?? {}, value)] as const);
  const filled = Value.Default(schema, structuredClone({ ...presetOf(schema, given), ...Object.fromEntries(plain) })) as Params;
  const [wrong] = checkValue(schema, filled, [owner]);
  if (wrong) throw new BulwarkError("PARAMETER_INVALID", `${wrong.message}.`, wrong.fix);
  const refusal = (schema["refuse"] as Refuse | undefined)?.(filled);
  if (refusal) throw new BulwarkError("PARAMETER_INVALID", `${title}: ${refusal.message}`, refusal.fix);
  return filled as Static<P>;
}

/**
 * What parameters decide together, without a model: `Type.Object({…}, { refuse })`. Null where they go together. What image size and
 * classes decide too is for `check` of the entry.
 */
export type Refuse<P = Params> = (params: P) => { readonly message: string; readonly fix: string } | null;

/** Values that stand in for the defaults under the parameter `preset`, or the one that `presetBy` of the schema names, by its options. */
export type Presets = Readonly<Record<string, Params>>;

function presetOf(schema: TObject, given: Params): Params {
  const presets = (schema["presets"] ?? {}) as Presets;
  return presets[String(given[String(schema["presetBy"] ?? "preset")])] ?? {};
}
