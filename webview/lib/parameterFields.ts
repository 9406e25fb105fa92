import { type Catalog, entriesOf, type ParameterSchema } from "../../src/shared/catalog.ts";
import { parameterLabel } from "../../src/shared/format.ts";
import { fill, h } from "./dom.ts";
import { type Control, control, type Inner } from "./parameterControl.ts";
import { dropdown, section } from "./ui.ts";

export type Properties = Readonly<Record<string, ParameterSchema>>;
export type Values = Readonly<Record<string, unknown>>;

export const defaultsOf = (properties: Properties): Record<string, unknown> =>
  Object.fromEntries(Object.entries(properties).flatMap(([name, p]) => (p.default === undefined ? [] : [[name, p.default]])));

/** Enter in a field of `element` runs what its parameters are for; in controls that have a use of their own for it, it does not. */
export function runOnEnter(element: HTMLElement, run: () => void): HTMLElement {
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.target instanceof HTMLElement) || !event.target.closest(".field-row")) return;
    if (event.target.closest("vscode-dropdown, vscode-button")) return;
    event.preventDefault();
    run();
  });
  return element;
}

export interface ParameterFields {
  readonly element: HTMLElement;
  /** Builds the controls anew; parameters without a value show their default. The catalogue has the entries of nested choices. */
  show(properties: Properties, values: Values, catalog: Catalog): void;
  /** The first thing that is wrong, in a sentence. */
  fault(): string | null;
}

/** The parameters of an entry as its schema has them, the advanced ones folded away. `null` is a number that is none. */
export function parameterFields(changed: (name: string, value: unknown) => void): ParameterFields {
  let controls: readonly Control[] = [];
  const element = h("div", { class: "fields" });
  return {
    element,
    show(properties, values, catalog) {
      controls = Object.entries(properties).map(([name, schema]) => {
        const value = values[name] ?? schema.default;
        const change = (next: unknown): void => changed(name, next);
        return control(name, schema, value, change, schema.registry && nestedChoice(name, schema, value, catalog, change));
      });
      const of = (advanced: boolean): HTMLElement[] => controls.filter((c) => c.advanced === advanced).map((c) => c.element);
      const more = of(true);
      fill(element, ...of(false), more.length > 0 && section("More", false, ...more));
    },
    fault: () => controls.map((c) => c.fault()).find((text) => text !== null) ?? null,
  };
}

interface Nested extends Values {
  readonly kind: string;
}
const isNested = (value: unknown): value is Nested =>
  typeof value === "object" && value !== null && "kind" in value && typeof value.kind === "string";

/** A choice inside the parameters, with parameters of its own: the base attack of another attack. */
function nestedChoice(
  name: string,
  { registry }: ParameterSchema,
  value: unknown,
  catalog: Catalog,
  changed: (value: Nested) => void,
): Inner {
  const entries = registry ? entriesOf(catalog, registry) : [];
  let now: Nested = { kind: entries[0]?.id ?? "" };
  const inner = parameterFields((key, next) => {
    now = { ...now, [key]: next };
    changed(now);
  });
  const which = dropdown(parameterLabel(name), (kind) => {
    set({ kind });
    changed(now);
  });
  which.element.classList.add("bare");
  const set = (next: unknown): void => {
    if (isNested(next)) now = next;
    else if (typeof next === "string") now = { kind: next }; // an id alone
    which.set(
      entries.map(({ id, title }) => ({ value: id, text: title })),
      now.kind,
    );
    inner.show(entries.find(({ id }) => id === now.kind)?.params.properties ?? {}, now, catalog);
  };
  set(value);
  return { elements: [which.element, inner.element], set, fault: inner.fault };
}
