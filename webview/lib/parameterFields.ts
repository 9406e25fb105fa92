import type { ParameterSchema } from "../../src/shared/catalog.ts";
import { fill, h } from "./dom.ts";
import { type Control, control } from "./parameterControl.ts";
import { section } from "./ui.ts";

export type Properties = Readonly<Record<string, ParameterSchema>>;
export type Values = Readonly<Record<string, unknown>>;

export interface ParameterFields {
  readonly element: HTMLElement;
  /** Builds the controls anew; parameters without a value show their default. */
  show(properties: Properties, values: Values): void;
  /** The first thing that is wrong, in a sentence. */
  fault(): string | null;
}

/** The parameters of an entry as its schema has them, the advanced ones folded away. `null` is a number that is none. */
export function parameterFields(changed: (name: string, value: unknown) => void): ParameterFields {
  let controls: readonly Control[] = [];
  const element = h("div", { class: "fields" });
  return {
    element,
    show(properties, values) {
      controls = Object.entries(properties).map(([name, schema]) =>
        control(name, schema, values[name] ?? schema.default, (value) => changed(name, value)),
      );
      const of = (advanced: boolean): HTMLElement[] => controls.filter((c) => c.advanced === advanced).map((c) => c.element);
      const more = of(true);
      fill(element, ...of(false), more.length > 0 && section("More", false, ...more));
    },
    fault: () => controls.map((c) => c.fault()).find((text) => text !== null) ?? null,
  };
}
