import type { TObject } from "@sinclair/typebox";
import type { Choice } from "../../shared/results.ts";
import type { Analysis } from "./analysis.ts";
import type { Attack } from "./attack.ts";
import type { DatasetSpec } from "./dataset.ts";
import type { Defense } from "./defense.ts";
import type { Detector } from "./detector.ts";
import type { Explanation } from "./explanation.ts";
import type { Measure } from "./measure.ts";
import type { ModelSpec } from "./model.ts";
import type { Params } from "./params.ts";

/** What every entry of a registry has. */
export interface Entry {
  readonly id: string;
  readonly title: string;
  /** Where it comes from, such as "Madry et al. 2018". */
  readonly paper: string;
  readonly params: TObject;
  /** How it is called with these parameters in tables and legends: "PGD-40, ε 8/255". The title when left out. */
  label?(params: Params): string;
  /** Parameters that make it quick, for the conformance tests; those left out keep their defaults. */
  readonly cheap?: Params;
}
/** An entry as it is written down: its functions take the parameters that its own schema describes. */
export type Described<P extends TObject, Static> = Omit<Entry, "params" | "label" | "cheap"> & {
  readonly params: P;
  label?(params: Static): string;
  readonly cheap?: Partial<Static>;
};

/** The kinds of entries, by the names of `bulwark list`. */
export interface Kinds {
  attack: Attack;
  defense: Defense;
  detector: Detector;
  explanation: Explanation;
  measure: Measure;
  analysis: Analysis;
  model: ModelSpec;
  dataset: DatasetSpec;
}
export type Kind = keyof Kinds;

/** A registry choice, checked and complete; choices inside its parameters are bound too, files are absolute. Made by `bind` alone. */
export interface Bound<E extends Entry = Entry> {
  readonly id: string;
  readonly params: Params;
  readonly entry: E;
}

/** A bound choice as JSON: what documents and reports hold, and what `bind` takes again. */
export function documented({ id, params }: Bound): Choice {
  const plain = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(plain);
    if (typeof value !== "object" || value === null || !("entry" in value)) return value;
    const choice = documented(value as Bound);
    return { kind: choice.id, ...choice.params };
  };
  return { id, params: Object.fromEntries(Object.entries(params).map(([name, value]) => [name, plain(value)])) };
}

/** What a bound entry is called in tables and legends. */
export const labelOf = ({ entry, params }: Bound): string => entry.label?.(params) ?? entry.title;
