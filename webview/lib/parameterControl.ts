import type { ParameterSchema } from "../../src/shared/catalog.ts";
import { capital, epsilon, parameterLabel, parseNumber } from "../../src/shared/format.ts";
import { h } from "./dom.ts";
import { button, checkbox, dropdown, slider, textField } from "./ui.ts";

export interface Control {
  readonly name: string;
  readonly element: HTMLElement;
  readonly advanced: boolean;
  /** What is wrong with the value, in a sentence. */
  fault(): string | null;
}
type Changed = (value: unknown) => void;

/** One parameter: the control that its schema asks for, its unit, and a way back to its default. */
export function control(name: string, schema: ParameterSchema, value: unknown, changed: Changed, own?: Inner): Control {
  const inner = own ?? innerOf(name, schema, value, changed);
  const restore = () => {
    inner.set(schema.default);
    changed(schema.default);
  };
  const reset =
    schema.default === undefined
      ? null
      : button("", restore, { icon: "discard", appearance: "icon", label: `Default: ${spokenDefault(schema)}` });
  return {
    name,
    element: h(
      "div",
      { class: "field-row" },
      h("span", { class: "field-name", ...(schema.description ? { title: schema.description } : {}) }, parameterLabel(name)),
      h("div", { class: "field-control" }, ...inner.elements),
      reset,
      schema.description ? h("p", { class: "description muted" }, schema.description) : null,
    ),
    advanced: schema.advanced ?? false,
    fault: inner.fault,
  };
}

function innerOf(name: string, schema: ParameterSchema, value: unknown, changed: Changed): Inner {
  if (schema.enum) return choiceOf(name, schema.enum, value, changed);
  const number = schema.anyOf?.find(({ type }) => type === "integer") ?? schema;
  if (schema.anyOf || number.standIn)
    return numberOrWord(name, number, schema.anyOf?.flatMap((one) => one.enum ?? []) ?? [], value, changed);
  if (schema.type === "boolean") return flag(name, value, changed);
  return schema.type === "number" || schema.type === "integer" ? numberOf(name, schema, value, changed) : textOf(name, value, changed);
}

/** What is typed, chosen or dragged. */
export interface Inner {
  readonly elements: readonly HTMLElement[];
  set(value: unknown): void;
  fault(): string | null;
}
function spoken(value: unknown): string {
  if (typeof value === "number") return epsilon(value);
  if (typeof value === "object" && value !== null && "kind" in value) return String(value.kind);
  return String(value);
}
/** The default as the form shows it. */
function spokenDefault(schema: ParameterSchema): string {
  const number = schema.anyOf?.find(({ standIn }) => standIn) ?? schema;
  return number.standIn && schema.default === number.minimum ? number.standIn.words : spoken(schema.default);
}
const none = (): null => null;

/** Why a number may not be used, or null. */
export function numberFault(name: string, schema: ParameterSchema, value: number | null): string | null {
  if (value === null) return `${parameterLabel(name)}: enter a number, such as ${spoken(schema.default ?? 1)}.`;
  if (schema.type === "integer" && !Number.isInteger(value)) return `${parameterLabel(name)}: enter a whole number.`;
  if (schema.minimum !== undefined && value < schema.minimum) return `${parameterLabel(name)}: at least ${spoken(schema.minimum)}.`;
  if (schema.maximum !== undefined && value > schema.maximum) return `${parameterLabel(name)}: at most ${spoken(schema.maximum)}.`;
  return null;
}

function numberOf(name: string, schema: ParameterSchema, value: unknown, changed: Changed): Inner {
  let current: number | null = typeof value === "number" ? value : null;
  const field = textField(parameterLabel(name), current === null ? "" : epsilon(current), (text) => {
    current = parseNumber(text);
    field.element.classList.toggle("invalid", numberFault(name, schema, current) !== null);
    field.element.setAttribute("aria-invalid", String(numberFault(name, schema, current) !== null));
    if (current !== null) range?.set(current);
    changed(current);
  });
  const { usual } = schema;
  const [minimum, maximum] = usual ?? [schema.minimum, schema.maximum];
  const step = schema.type === "integer" ? 1 : usual ? (usual[1] - usual[0]) / 100 : 1 / 255;
  const widest = schema.type === "integer" ? 1000 : 10; // a slider over more would step past the useful values
  const range =
    minimum !== undefined && maximum !== undefined && maximum - minimum <= widest
      ? slider(parameterLabel(name), { min: minimum, max: maximum, step, value: current ?? minimum }, (v) => {
          current = schema.type === "integer" ? Math.round(v) : Number(v.toPrecision(12));
          field.value = epsilon(current);
          changed(current);
        })
      : null;
  const unit = schema.unit ? h("span", { class: "unit muted" }, schema.unit) : null;
  return {
    elements: [range?.element, field.element, unit].filter((element) => element instanceof HTMLElement),
    set(next) {
      current = typeof next === "number" ? next : null;
      field.value = current === null ? "" : epsilon(current);
      field.element.classList.remove("invalid");
      if (current !== null) range?.set(current);
    },
    fault: () => (current === null && schema.default === undefined && field.value === "" ? null : numberFault(name, schema, current)),
  };
}

function choiceOf(name: string, options: readonly string[], value: unknown, changed: Changed): Inner {
  const list = options.map((option) => ({ value: option, text: parameterLabel(option) }));
  const control = dropdown(parameterLabel(name), changed);
  control.element.classList.add("bare");
  control.set(list, String(value ?? options[0]));
  return { elements: [control.element], set: (next) => control.set(list, String(next)), fault: none };
}

/** Choices of the list besides the parameter's own words. */
const [asNumber, asStandIn] = ["number", "standIn"];
/**
 * A number or a word: one of the parameter's own, or what its minimum stands for. The list has the words and "Number", which shows the field.
 */
function numberOrWord(name: string, schema: ParameterSchema, words: readonly string[], value: unknown, changed: Changed): Inner {
  const { standIn, minimum = 0 } = schema;
  const list = [
    ...(standIn ? [{ value: asStandIn, text: capital(standIn.words) }] : []),
    ...words.map((word) => ({ value: word, text: parameterLabel(word) })),
    { value: asNumber, text: parameterLabel(asNumber) },
  ];
  const first = standIn?.first ?? minimum;
  const chosen = (): string => (typeof current === "string" ? current : standIn && current === minimum ? asStandIn : asNumber);
  let current = value;
  const field = numberOf(name, { ...schema, default: first }, value, (next) => {
    current = next;
    changed(next);
  });
  const show = (): void => {
    which.set(list, chosen());
    for (const element of field.elements) element.hidden = chosen() !== asNumber;
  };
  const which = dropdown(parameterLabel(name), (word) => {
    current = word === asNumber ? first : word === asStandIn ? minimum : word;
    field.set(first);
    show();
    changed(current);
  });
  which.element.classList.add("bare");
  show();
  return {
    elements: [which.element, ...field.elements],
    set(next) {
      current = next;
      field.set(typeof next === "number" ? next : first);
      show();
    },
    fault: () => (chosen() === asNumber ? field.fault() : null),
  };
}

function flag(name: string, value: unknown, changed: Changed): Inner {
  const control = checkbox("On", value === true, changed, parameterLabel(name));
  return { elements: [control.element], set: (next) => control.set(next === true), fault: none };
}

function textOf(name: string, value: unknown, changed: Changed): Inner {
  const field = textField(parameterLabel(name), value === undefined ? "" : String(value), changed, 16);
  return {
    elements: [field.element],
    set(next) {
      field.value = next === undefined ? "" : String(next);
    },
    fault: none,
  };
}
