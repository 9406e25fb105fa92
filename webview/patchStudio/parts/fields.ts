import { h } from "../../lib/dom.ts";
import { textField } from "../../lib/ui.ts";

export interface NumberField {
  readonly element: HTMLElement;
  set(value: number): void;
  /** What is wrong with what was typed, in a sentence. */
  fault(): string | null;
}
interface Range {
  readonly low: number;
  readonly high: number;
  readonly whole?: boolean;
}

/** A number that a person types; what is none, or lies outside, is marked and not taken. */
export function numberField(name: string, { low, high, whole = false }: Range, changed: (value: number) => void): NumberField {
  let problem: string | null = null;
  const field = textField(name, "", (text) => {
    const value = Number(text.trim() === "" ? Number.NaN : text);
    const ok = Number.isFinite(value) && value >= low && value <= high && (!whole || Number.isInteger(value));
    problem = ok ? null : `${name}: enter a ${whole ? "whole " : ""}number from ${low} to ${high}.`;
    field.element.classList.toggle("invalid", !ok);
    field.element.setAttribute("aria-invalid", String(!ok));
    if (ok) changed(value);
  });
  let shown: number | null = null;
  return {
    element: h("label", { class: "field" }, h("span", { class: "field-name" }, name), field.element),
    set(value) {
      if (value === shown || problem !== null) return;
      shown = value;
      if (Number(field.value) !== value || field.value === "") field.value = String(value);
    },
    fault: () => problem,
  };
}

/** The first sentence about what was typed wrongly. */
export const firstFault = (fields: readonly { fault(): string | null }[]): string | null =>
  fields.map((field) => field.fault()).find((text) => text !== null) ?? null;
