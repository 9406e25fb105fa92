import type { Catalog, CatalogKind, ParameterSchema, ParametersSchema } from "./catalog.ts";
import { citedTitle, entriesOf } from "./catalog.ts";
import { InputContractSchema } from "./contract.ts";
import { epsilon } from "./format.ts";
import { int, num, type Schema } from "./schema.ts";
import { trainSchema } from "./trainSchema.ts";
import type { TrainSettings } from "./trainSettings.ts";

export { defaultTrain, type TrainSettings } from "./trainSettings.ts";

/** A registry choice in an experiment file: the id as `kind`, its parameters beside it. */
export type Chosen = { readonly kind: string } & Readonly<Record<string, unknown>>;

/** A model file as an experiment names it. */
export interface ChosenFile {
  readonly file: string;
  readonly input?: unknown;
  /** It is trained further on the data set; without it a file is taken as it is, unless a training defence changes it. */
  readonly fineTune?: boolean;
}

/** One defence, or several in the order in which they are written: training ones stack, those in front are met in that order. */
export type ChosenDefense = Chosen | readonly Chosen[];

/** What reports call an experiment's own arm, beside those of `compare`: its defences by their ids. */
export const firstArmName = (defenses: readonly string[], isFineTuned = false): string =>
  defenses.filter((id) => id !== "standard").join(" + ") || bareName(isFineTuned);

/** What an arm without defences is called. */
export const bareName = (isFineTuned: boolean): string => (isFineTuned ? "fine-tuned" : "undefended");

export interface ExperimentArm {
  /** What its defences are called when left out: "JPEG 80". */
  readonly name?: string;
  /** Of initial weights and training; that of the experiment when left out. */
  readonly seed?: number;
  readonly model?: Chosen | ChosenFile;
  readonly defense?: ChosenDefense;
  readonly train?: Partial<TrainSettings>;
}

/** `*.bulwark.jsonc`, contract.md §3, as a person writes it. */
export interface Experiment {
  readonly $schema?: string;
  readonly name?: string;
  readonly seed?: number;
  readonly dataset: { readonly kind: string; readonly path?: string; readonly train?: number; readonly test?: number } & Readonly<
    Record<string, unknown>
  >;
  readonly model: Chosen | ChosenFile;
  readonly defense?: ChosenDefense;
  /** Name of the experiment's own arm in reports; what its defences are called when left out. */
  readonly arm?: string;
  readonly train?: Partial<TrainSettings>;
  readonly attacks?: readonly Chosen[];
  readonly detectors?: readonly Chosen[];
  readonly explanations?: readonly Chosen[];
  readonly analyses?: readonly Chosen[];
  readonly compare?: readonly ExperimentArm[];
  /** A second undefended network, of another seed: the name of an arm, or whether the run makes one itself (the default). */
  readonly control?: string | boolean;
  readonly expect?: readonly {
    readonly metric: string;
    readonly attack?: string;
    readonly detector?: string;
    readonly arm?: string;
    readonly min?: number;
    readonly max?: number;
  }[];
  readonly plugins?: readonly string[];
}

/** What a parameter means, then its unit, range and default, as far as it has them: for completion and hover. */
function documented({ description = "", unit, minimum, maximum, default: value }: ParameterSchema): string {
  const range =
    minimum !== undefined && maximum !== undefined
      ? `${minimum} to ${maximum}`
      : minimum !== undefined
        ? `at least ${minimum}`
        : maximum !== undefined
          ? `at most ${maximum}`
          : "";
  const given = value === undefined || value === "" ? "" : `default ${typeof value === "number" ? epsilon(value) : JSON.stringify(value)}`;
  const facts = [unit ? `unit: ${unit}` : "", range, given].filter(Boolean).join("; ");
  return facts === "" ? description : `${description} (${facts})`;
}

/** A parameter that is itself a registry choice: an id, or `{kind, …}`; `definitions` of the whole schema hold what it may be. */
function parameterSchema({ registry, several, ...parameter }: ParameterSchema): Schema {
  if (registry === undefined) return { ...parameter, description: documented(parameter) };
  const { description, default: value } = parameter;
  const one = [{ $ref: `#/definitions/${registry}Id` }, { $ref: `#/definitions/${registry}` }];
  const list = { type: "array", minItems: 1, items: { anyOf: one } };
  return { description, default: value, anyOf: several ? [...one, list] : one };
}

/** The schemas that parameters refer to, for every kind that one of them names. */
function definitionsOf(catalog: Catalog): Schema {
  const named = catalog.flatMap(({ params }) => Object.values(params.properties).flatMap(({ registry }) => registry ?? []));
  const pairs = [...new Set(named)].flatMap((kind) => [
    [kind, choiceSchema(catalog, kind)] as const,
    [`${kind}Id`, { enum: entriesOf(catalog, kind).map(({ id }) => id) }] as const,
  ]);
  return Object.fromEntries(pairs);
}

/** One registry entry as a schema: `kind` fixed, its parameters allowed, anything else not. */
function chosenSchema(id: string, title: string, params: ParametersSchema, extra: Schema = {}): Schema {
  const parameters = Object.entries(params.properties).map(([name, schema]) => [name, parameterSchema(schema)] as const);
  return {
    type: "object",
    title,
    properties: { kind: { const: id, description: title }, ...extra, ...Object.fromEntries(parameters) },
    required: ["kind"],
    additionalProperties: false,
  };
}

/**
 * `if kind is X then the parameters of X`, for every X: unlike `oneOf` this gives errors about the one entry that was meant.
 * `extra` are keys allowed beside the parameters; a parameter of the same name comes before them.
 */
function choiceSchema(catalog: Catalog, kind: CatalogKind, extra: Schema = {}): Schema {
  const entries = entriesOf(catalog, kind);
  return {
    type: "object",
    properties: {
      kind: {
        type: "string",
        enum: entries.map((e) => e.id),
        enumDescriptions: entries.map(citedTitle),
        description: `Which ${kind}.`,
      },
    },
    required: ["kind"],
    defaultSnippets: entries.map((e) => ({ label: e.id, description: citedTitle(e), body: { kind: e.id } })),
    allOf: entries.map((e) => ({
      if: { properties: { kind: { const: e.id } }, required: ["kind"] },
      then: chosenSchema(e.id, e.title, e.params, extra),
    })),
  };
}

const modelFileSchema = {
  type: "object",
  properties: {
    file: { type: "string", description: "Model file, relative to this file." },
    input: { ...InputContractSchema, description: "Input contract, as in <model>.bulwark.json, and in its place." },
    fineTune: {
      type: "boolean",
      default: false,
      description:
        "Train it further on the training images, from its own weights and with the settings of train. Otherwise it is taken as it is.",
    },
  },
  required: ["file"],
  additionalProperties: false,
} as const satisfies Schema;

const expectSchema: Schema = {
  type: "array",
  description: "Figures that must be met; if one is not, the exit code is 2.",
  items: {
    type: "object",
    required: ["metric"],
    additionalProperties: false,
    properties: {
      metric: {
        enum: ["clean.accuracy", "attacked.accuracy", "worst.accuracy", "successRate", "defenseSuccess", "robustness", "detector.auc"],
        description: "Which figure.",
      },
      attack: { type: "string", description: 'Its id, or "pgd-1", "pgd-2" where several are of one kind; every attack when left out.' },
      detector: { type: "string", description: "For detector.auc; every detector when left out." },
      arm: { type: "string", description: "The experiment's own arm when left out." },
      min: { type: "number", description: "At least this." },
      max: { type: "number", description: "At most this." },
    },
  },
};

/** More arms; `parts` are schemas of what an arm may have of its own. */
const compareSchema = (parts: Readonly<Record<string, Schema>>): Schema => ({
  type: "array",
  description: "More arms on the same data with the same attacks.",
  items: {
    type: "object",
    additionalProperties: false,
    properties: {
      name: {
        type: "string",
        description: 'Name of the arm in reports; what its defences are called when left out, such as "JPEG 80".',
      },
      seed: { type: "integer", minimum: 0, description: "Seed of its weights and training; the experiment's when left out." },
      ...parts,
    },
  },
});

/** Keys of an experiment's entries beside the parameters of what they choose. */
export const besideParameters = {
  dataset: {
    train: {
      type: "integer",
      minimum: 0,
      description: "Use only so many training images, drawn once by the seed; all when left out.",
    },
    test: { type: "integer", minimum: 0, description: "Use only the first so many test images; all when left out." },
  },
  attacks: {
    knowledge: {
      enum: ["static", "adaptive", "both"],
      default: "both",
      description: "What the attack knows of a defence: nothing, everything, or once each.",
    },
  },
  detectors: {
    falsePositiveRate: num("Share of validation images that the threshold may flag.", 0.05, { minimum: 0, maximum: 0.5 }),
    positives: {
      enum: ["all", "successful"],
      default: "all",
      description:
        "Attacked images that count against the clean ones: all, or those that the model misclassifies. Both are of images that are classified correctly without an attack.",
    },
  },
  explanations: {
    images: int("Images to draw.", 4, { minimum: 1 }),
    samples: int("The same as images, where the explanation has no parameter of this name.", 4, { minimum: 1 }),
  },
} as const satisfies Schema;

/** JSON schema of experiment files, made from the catalogue: used by engine, editor and docs alike. */
export function experimentSchema(catalog: Catalog): Schema {
  const builtIn = choiceSchema(catalog, "model");
  const model = {
    description: "A built-in architecture to train, or a model file: as it is, or with fineTune trained further.",
    if: { required: ["file"] },
    then: modelFileSchema,
    else: { ...builtIn, properties: { ...(builtIn["properties"] as Schema), file: modelFileSchema.properties.file } },
  };
  const oneDefense = choiceSchema(catalog, "defense");
  const defense = {
    description: "How it is defended: one defence, or a list in the order in which they apply.",
    if: { type: "array" },
    then: { type: "array", items: oneDefense },
    else: oneDefense,
  };
  const train = trainSchema(choiceSchema(catalog, "attack"));
  const list = (kind: CatalogKind, description: string, extra: Schema = {}): Schema => ({
    type: "array",
    description,
    items: choiceSchema(catalog, kind, extra),
  });
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Bulwark experiment",
    type: "object",
    additionalProperties: false,
    required: ["dataset", "model"],
    definitions: definitionsOf(catalog),
    properties: {
      $schema: { type: "string" },
      name: { type: "string", description: "Name shown in lists; the file's name by default." },
      seed: int("Seed of everything random in the run.", 1, { minimum: 0 }),
      dataset: { description: "Where the images come from.", ...choiceSchema(catalog, "dataset", besideParameters.dataset) },
      model,
      defense,
      arm: {
        type: "string",
        minLength: 1,
        description: 'Name of the experiment\'s own arm in reports, such as "ResNet-18"; what its defences are called when left out.',
      },
      train,
      attacks: list("attack", "Attacks run against every arm.", besideParameters.attacks),
      detectors: list("detector", "Detectors scored on clean and attacked images.", besideParameters.detectors),
      explanations: list("explanation", "Attention drawn before and after.", besideParameters.explanations),
      analyses: list("analysis", "Further tables and curves, of every arm or over all of them."),
      compare: compareSchema({ model, defense, train }),
      control: {
        type: ["boolean", "string"],
        default: true,
        description:
          "A second undefended network, of another seed: what static images do to a network that they were not made for. The run trains one where an arm with a defence in its training stands beside an undefended one that is trained too, and not from a file; false for none, or the name of an undefended arm with a seed of its own.",
      },
      expect: expectSchema,
      plugins: { type: "array", description: "Modules that register more entries; trusted workspaces only.", items: { type: "string" } },
    },
  };
}
