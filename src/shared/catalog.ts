/** The registries as plain data: what the language server, forms and docs know without loading tfjs. Built by `npm run generate`. */
export const catalogKinds = ["attack", "defense", "detector", "explanation", "measure", "analysis", "model", "dataset"] as const;
export type CatalogKind = (typeof catalogKinds)[number];

/** JSON schema of one parameter, as far as Bulwark uses it. */
export interface ParameterSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  /** Ends of the slider, where more is allowed than is of use. */
  readonly usual?: readonly [number, number];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly enum?: readonly string[];
  /** A whole number, or one of a few words: a schema for each. */
  readonly anyOf?: readonly ParameterSchema[];
  readonly items?: unknown;
  readonly unit?: string;
  readonly advanced?: boolean;
  /** The parameter is a choice of an entry of this kind. */
  readonly registry?: CatalogKind;
  /** Or a list of such choices. */
  readonly several?: boolean;
  /** "path" for a file. */
  readonly format?: string;
  /** Of a file: a pattern of what may be written in place of a path. */
  readonly instead?: string;
  readonly role?: ParameterRole;
  /** May be written as a fraction, though it is no distance by itself. */
  readonly fraction?: boolean;
  /** Where the minimum is not a quantity. */
  readonly standIn?: StandIn;
}
/** What the minimum of a parameter means, and the number that a form fills in when the user wants one instead. */
export interface StandIn {
  /** "any class but the label" */
  readonly words: string;
  readonly first: number;
}
/**
 * What a parameter means to an attack, whatever its name: radius and norm of its ball, length of a step, number of steps, another
 * distance between pixel values. Distances are in units of [0,1] pixels.
 */
export type ParameterRole = "radius" | "norm" | "step" | "steps" | "distance";

/** Whether this value of the parameter names a file. */
export const isPath = ({ format, instead }: ParameterSchema, value: string): boolean =>
  format === "path" && value !== "" && !(instead !== undefined && new RegExp(instead).test(value));

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
  /** Of an attack: more than one step, what it asks of the model, and the norm of its ball with default parameters. */
  readonly iterative?: boolean;
  readonly access?: "gradients" | "scores" | "labels";
  readonly norm?: "linf" | "l2" | "l0";
}
export type Catalog = readonly CatalogEntry[];

export const entriesOf = (catalog: Catalog, kind: CatalogKind): readonly CatalogEntry[] => catalog.filter((entry) => entry.kind === kind);

/** Title and where it was published, if anywhere. */
export const citedTitle = ({ title, paper }: CatalogEntry): string => (paper === "" ? title : `${title} (${paper})`);

const distances: readonly unknown[] = ["radius", "step", "distance"] satisfies ParameterRole[];
/** A distance between pixel values, which people write as n/255. */
export const isDistance = ({ role }: Pick<ParameterSchema, "role">): boolean => distances.includes(role);

/** Name of the parameter that has this role; undefined where an entry has none. */
export const parameterWith = ({ params }: CatalogEntry, role: ParameterRole): string | undefined =>
  Object.entries(params.properties).find(([, schema]) => schema.role === role)?.[0];
