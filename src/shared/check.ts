import { takesFraction, withoutFractions } from "./fraction.ts";
import { nearest, suggestion } from "./nearest.ts";
import { isNameInside } from "./runs.ts";

/** A JSON schema, as far as Bulwark writes them: `checkValue` knows the keywords that stand in this file and passes over others. */
export type JsonSchema = Readonly<Record<string, unknown>>;
export type JsonPath = readonly (string | number)[];

/** What is wrong with a value: one sentence for it, one for what to do, without the full stop of the first. */
export interface Violation {
  /** Way to the value, or to the key where `isKey`. */
  readonly path: JsonPath;
  readonly isKey: boolean;
  readonly message: string;
  readonly fix: string;
  /** What was probably meant by a key or a word that is not known. */
  readonly meant?: string;
}

/**
 * Everything that is wrong with a value, in plain words that name key, value and what is allowed. One code for experiment files,
 * parameters and input contracts, on the command line and in the editor.
 * @param path how the value is called: `["train"]`
 */
export const checkValue = (schema: JsonSchema, value: unknown, path: JsonPath = []): Violation[] =>
  check(resolved(schema, schema), value, path, schema);

/** Follows `$ref` to the definitions of the whole schema. */
function resolved(schema: JsonSchema, root: JsonSchema): JsonSchema {
  const name = typeof schema["$ref"] === "string" ? /^#\/definitions\/(.+)$/.exec(schema["$ref"])?.[1] : undefined;
  const definitions = root["definitions"] as Readonly<Record<string, JsonSchema>> | undefined;
  return (name === undefined ? undefined : definitions?.[name]) ?? schema;
}

/** Schemas that ask for a type and nothing else, of which a long file has most: such values are passed without a look at other keywords. */
const bare = new WeakMap<JsonSchema, boolean>();
const said = new Set(["type", "nullable", "description", "default"]);

function fitsBare(schema: JsonSchema, value: unknown): boolean {
  let isBare = bare.get(schema);
  if (isBare === undefined) {
    isBare = typeof schema["type"] === "string" && schema["type"] !== "object" && Object.keys(schema).every((key) => said.has(key));
    bare.set(schema, isBare);
  }
  return isBare && (hasType(schema["type"] as string, value) || (value === null && schema["nullable"] === true));
}

function check(unresolved: JsonSchema, value: unknown, path: JsonPath, root: JsonSchema): Violation[] {
  const schema = resolved(unresolved, root);
  if (schema["registry"] !== undefined) return []; // a choice: checked where it is bound
  if (value === null && schema["nullable"] === true) return [];
  const plain = takesFraction(schema) ? withoutFractions(schema, value) : value;
  const wrong =
    checkType(schema, plain, path) ??
    checkOptions(schema, value, path) ??
    checkRange(schema, plain, path, value) ??
    checkOdd(schema, plain, path) ??
    checkInside(schema, plain, path);
  if (wrong) return [wrong];
  const all = Array.isArray(schema["allOf"]) ? (schema["allOf"] as JsonSchema[]) : [];
  return unique([
    ...(isRecord(value) ? checkKeys(schema, value, path, root) : []),
    ...(Array.isArray(value) ? checkItems(schema, value, path, root) : []),
    ...all.flatMap((part) => check(part, value, path, root)),
    ...checkCondition(schema, value, path, root),
    ...checkBranches(schema, value, path, root),
  ]);
}

/** `attacks[0].eps`; the whole value is "the file". */
export const pathText = (path: JsonPath): string =>
  path.length === 0 ? "the file" : path.map((step, i) => (typeof step === "number" ? `[${step}]` : i === 0 ? step : `.${step}`)).join("");

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
};
const at = (path: JsonPath, message: string, fix: string, isKey = false): Violation => ({ path, isKey, message, fix });

/** Parts of a schema may find the same fault. */
function unique(violations: Violation[]): Violation[] {
  if (violations.length < 2) return violations;
  const names = violations.map(({ path, message }) => `${path.join("/")} ${message}`);
  return violations.filter((_, i) => names.indexOf(names[i] as string) === i);
}

// ── types and ranges ────────────────────────────────────────────────────────────────────────────────────────────────────────
const typeWords: Readonly<Record<string, string>> = {
  number: "a number",
  integer: "a whole number",
  string: "a text in quotes",
  boolean: "true or false",
  array: "a list in [ ]",
  object: "an object in { }",
  null: "null",
};

function hasType(type: string, value: unknown): boolean {
  switch (type) {
    case "number":
      return typeof value === "number" && Number.isFinite(value);
    case "integer":
      return Number.isSafeInteger(value);
    case "array":
      return Array.isArray(value);
    case "object":
      return isRecord(value);
    case "null":
      return value === null;
    default:
      return typeof value === type;
  }
}

function checkType(schema: JsonSchema, value: unknown, path: JsonPath): Violation | undefined {
  const types = [schema["type"] ?? []].flat().map(String);
  if (types.length === 0 || types.some((type) => hasType(type, value))) return undefined;
  const range = rangeText(schema);
  const fraction = takesFraction(schema) ? ', or a fraction in quotes such as "8/255"' : "";
  const wanted = `${types.map((type) => typeWords[type] ?? type).join(" or ")}${range === "" ? "" : ` ${range}`}${fraction}`;
  return at(path, `${pathText(path)} is ${shown(value)} but must be ${wanted}`, "Correct the value.");
}

/** "between 0 and 1", "of at least 1", or "" where any number will do. */
function rangeText({ minimum, maximum, exclusiveMinimum }: JsonSchema): string {
  if (minimum !== undefined && maximum !== undefined) return `between ${minimum} and ${maximum}`;
  if (minimum !== undefined) return `of at least ${minimum}`;
  if (maximum !== undefined) return `of at most ${maximum}`;
  return exclusiveMinimum === undefined ? "" : `above ${exclusiveMinimum}`;
}

function checkRange(schema: JsonSchema, value: unknown, path: JsonPath, written: unknown): Violation | undefined {
  if (typeof value !== "number") return undefined;
  const { minimum, maximum, exclusiveMinimum } = schema;
  const isBelow = value < Number(minimum ?? Number.NEGATIVE_INFINITY) || value <= Number(exclusiveMinimum ?? Number.NEGATIVE_INFINITY);
  if (!isBelow && value <= Number(maximum ?? Number.POSITIVE_INFINITY)) return undefined;
  const range = rangeText(schema).replace(/^of /, "");
  return at(path, `${pathText(path)} is ${shown(written)} but must be ${range}`, "Correct the value.");
}

function checkOdd({ odd }: JsonSchema, value: unknown, path: JsonPath): Violation | undefined {
  if (odd !== true || typeof value !== "number" || value % 2 === 1) return undefined;
  return at(path, `${pathText(path)} is ${value} but must be odd, so that a window has a middle`, `Use ${value - 1} or ${value + 1}.`);
}

function checkInside({ inside }: JsonSchema, value: unknown, path: JsonPath): Violation | undefined {
  if (inside !== true || typeof value !== "string" || isNameInside(value)) return undefined;
  return at(path, `${pathText(path)} is ${shown(value)} but must name a file inside the run folder`, "Correct the name.");
}

function checkOptions(schema: JsonSchema, value: unknown, path: JsonPath): Violation | undefined {
  const options = "const" in schema ? [schema["const"]] : schema["enum"];
  if (!Array.isArray(options) || options.includes(value)) return undefined;
  return notOneOf(options.map(String), value, path);
}

function notOneOf(options: readonly string[], value: unknown, path: JsonPath): Violation {
  const message = `${pathText(path)} is ${shown(value)}, which is not known`;
  if (typeof value !== "string") return at(path, message, `Allowed: ${options.join(", ")}.`);
  return { ...at(path, message, suggestion(value, options, "Allowed")), ...meantBy(value, options) };
}

function meantBy(name: string, known: readonly string[]): Pick<Violation, "meant"> {
  const meant = nearest(name, known);
  return meant === undefined ? {} : { meant };
}

// ── keys, items, branches ───────────────────────────────────────────────────────────────────────────────────────────────────
function checkKeys(schema: JsonSchema, value: Readonly<Record<string, unknown>>, path: JsonPath, root: JsonSchema): Violation[] {
  const properties = isRecord(schema["properties"]) ? (schema["properties"] as Readonly<Record<string, JsonSchema>>) : {};
  const required = Array.isArray(schema["required"]) ? (schema["required"] as string[]) : [];
  const owner = typeof value["kind"] === "string" ? `${value["kind"]}` : pathText(path);
  const keys = Object.keys(value).flatMap((key): Violation[] => {
    const property = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (property && fitsBare(property, value[key])) return [];
    if (property) return value[key] === undefined ? [] : check(property, value[key], [...path, key], root);
    if (isRecord(schema["additionalProperties"])) return check(schema["additionalProperties"], value[key], [...path, key], root);
    if (schema["additionalProperties"] !== false) return [];
    const known = Object.keys(properties).filter((name) => name !== "$schema");
    return [{ ...at([...path, key], `${owner} has no "${key}"`, suggestion(key, known, "It has"), true), ...meantBy(key, known) }];
  });
  // A misspelt key is not missing as well: that would be told first, and alone on the command line.
  const misspelt = new Set(keys.flatMap((one) => (one.isKey && one.path.length === path.length + 1 ? [one.meant] : [])));
  const missing = required
    .filter((key) => value[key] === undefined && !misspelt.has(key))
    .map((key) => at(path, `${pathText(path)} has no "${key}"`, `Add "${key}".`));
  return [...missing, ...keys, ...checkOrder(properties, value, path)];
}

/** Numbers that have to be below another number of the same object, with the defaults of what is left out. */
function checkOrder(
  properties: Readonly<Record<string, JsonSchema>>,
  value: Readonly<Record<string, unknown>>,
  path: JsonPath,
): Violation[] {
  const numberOf = (key: string): unknown => value[key] ?? properties[key]?.["default"];
  return Object.entries(properties).flatMap(([lower, { below }]) => {
    if (typeof below !== "string") return [];
    const [small, large] = [numberOf(lower), numberOf(below)];
    if (typeof small !== "number" || typeof large !== "number" || small < large) return [];
    const place = [...path, value[lower] === undefined ? below : lower];
    const message = `${pathText([...path, lower])} is ${small} but must be below ${below}, which is ${large}`;
    return [at(place, message, `Set ${lower} below ${large}, or ${below} above ${small}.`)];
  });
}

function checkItems(schema: JsonSchema, value: readonly unknown[], path: JsonPath, root: JsonSchema): Violation[] {
  const { items, minItems, maxItems } = schema;
  const [least, most] = [Number(minItems ?? 0), Number(maxItems ?? Number.POSITIVE_INFINITY)];
  if (value.length < least || value.length > most) {
    const count = least === most ? `${least}` : least > value.length ? `at least ${least}` : `at most ${most}`;
    return [at(path, `${pathText(path)} has ${value.length} entries but must have ${count}`, "Correct the list.")];
  }
  return value.flatMap((item, i) => {
    const own = Array.isArray(items) ? (items[i] as JsonSchema | undefined) : items;
    if (isRecord(own) && fitsBare(own, item)) return [];
    return isRecord(own) ? check(own, item, [...path, i], root) : [];
  });
}

function checkCondition(schema: JsonSchema, value: unknown, path: JsonPath, root: JsonSchema): Violation[] {
  if (!isRecord(schema["if"])) return [];
  const { then: met, else: unmet } = schema;
  if (check(schema["if"], value, path, root).length === 0) return isRecord(met) ? check(met, value, path, root) : [];
  const [wanted] = Array.isArray(schema["if"]["required"]) ? (schema["if"]["required"] as string[]) : [];
  return isRecord(unmet) ? check(unmet, value, path, root).map((violation) => belongingTo(wanted, met, violation)) : [];
}

/** A key that only the shape with `wanted` has: the fix is not one of the other keys. */
function belongingTo(wanted: string | undefined, shape: unknown, violation: Violation): Violation {
  const { path, isKey, message } = violation;
  const key = String(path.at(-1));
  const known = isRecord(shape) && isRecord(shape["properties"]) ? shape["properties"] : {};
  if (wanted === undefined || !isKey || key === wanted || !Object.hasOwn(known, key)) return violation;
  return { path, isKey, message, fix: `"${key}" goes with "${wanted}".` };
}

/** Of several shapes one has to fit; the message says what is wrong with the one that was meant. */
function checkBranches(schema: JsonSchema, value: unknown, path: JsonPath, root: JsonSchema): Violation[] {
  const branches = ((schema["anyOf"] ?? schema["oneOf"]) as readonly JsonSchema[] | undefined)?.map((branch) => resolved(branch, root));
  if (!branches) return [];
  const kinds = branches.map((branch) => kindsOf(branch));
  if (isRecord(value) && kinds.every((known) => known !== undefined)) {
    const meant = branches.find((_, i) => kinds[i]?.includes(value["kind"] as string));
    return meant ? check(meant, value, path, root) : [notOneOf(kinds.flat(), value["kind"], [...path, "kind"])];
  }
  const found = branches.map((branch) => check(branch, value, path, root));
  if (found.some((violations) => violations.length === 0)) return [];
  const options = branches.flatMap((branch) => ("const" in branch ? [String(branch["const"])] : []));
  if (options.length === branches.length) return [notOneOf(options, value, path)];
  const types = branches.map((branch) => String(branch["type"] ?? (Array.isArray(branch["enum"]) ? typeof branch["enum"][0] : "object")));
  const meant = types.findIndex((type) => hasType(type, value));
  if (meant >= 0) return found[meant] ?? [];
  const words = types.map((type) => typeWords[type] ?? type).join(" or ");
  return [at(path, `${pathText(path)} is ${shown(value)} but must be ${words}`, "Correct the value.")];
}

/** The kinds that a branch is for: a value of one of them is checked against this branch alone. */
function kindsOf(branch: JsonSchema): readonly string[] | undefined {
  const properties = isRecord(branch["properties"]) ? branch["properties"] : {};
  const kind = isRecord(properties["kind"]) ? properties["kind"] : {};
  if (typeof kind["const"] === "string") return [kind["const"]];
  return Array.isArray(kind["enum"]) ? kind["enum"].map(String) : undefined;
}
