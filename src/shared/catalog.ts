/** The registries as plain data: what the language server, forms and docs know without loading tfjs. Built by `npm run generate`. */
export const catalogKinds = ["attack", "defense", "detector", "explanation", "measure", "analysis", "model", "dataset"] as const;
export type CatalogKind = (typeof catalogKinds)[number];

/** JSON schema of one parameter, as far as Bulwark uses it. */
export interface ParameterSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly enum?: readonly string[];
  readonly items?: unknown;
  readonly unit?: string;
  readonly advanced?: boolean;
  /** The parameter is a choice of an entry of this kind. */
  readonly registry?: CatalogKind;
}
export interface ParametersSchema {
  readonly type: "object";
  readonly properties: Readonly<Record<string, ParameterSchema>>;
  readonly required?: readonly string[];
}
export interface CatalogEntry {
  readonly kind: CatalogKind;
  readonly id: string;
  readonly title: string;
  readonly paper: string;
  readonly params: ParametersSchema;
  /** A defence that transforms the image in front of a model; the others change training. */
  readonly inFront?: true;
}
export type Catalog = readonly CatalogEntry[];

export const entriesOf = (catalog: Catalog, kind: CatalogKind): readonly CatalogEntry[] => catalog.filter((entry) => entry.kind === kind);
