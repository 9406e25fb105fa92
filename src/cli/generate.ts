import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { catalog } from "../engine/catalog.ts";
import { type CatalogEntry, type CatalogKind, catalogKinds, citedTitle, type ParameterSchema } from "../shared/catalog.ts";
import { errorCodes } from "../shared/errors.ts";
import { besideParameters, experimentSchema } from "../shared/experiment.ts";
import { enginePage } from "./enginePage.ts";
import { parametersPage } from "./parametersPage.ts";
import { rulesPage } from "./rulesPage.ts";
import { commonHelp, imagesHelp, verbs } from "./usage.ts";

/** `npm run generate`: what follows from the registries and schemas, written for those that cannot import the engine, and for readers. */
export function generate(root: string): void {
  const entries = catalog();
  const write = (file: string, text: string): void => {
    const target = path.join(root, file);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, text);
  };
  write("src/shared/catalog.generated.json", `${JSON.stringify(entries, null, 1)}\n`);
  for (const kind of catalogKinds) write(`docs/reference/${plural[kind]}.md`, kindPage(kind, entries));
  write("docs/reference/experiment.md", experimentPage());
  write("docs/reference/cli.md", cliPage());
  write("docs/reference/parameters.md", `${note}\n${parametersPage()}`);
  write("docs/reference/engine.md", `${note}${enginePage()}`);
  write("docs/reference/rules.md", `${note}${rulesPage()}`);
}

const plural: Readonly<Record<CatalogKind, string>> = {
  attack: "attacks",
  defense: "defenses",
  detector: "detectors",
  explanation: "explanations",
  measure: "measures",
  analysis: "analyses",
  model: "models",
  dataset: "datasets",
};
const note = "<!-- Written by `npm run generate`: do not edit. -->\n";
const row = (cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;

function kindPage(kind: CatalogKind, entries: readonly CatalogEntry[]): string {
  const own = entries.filter((entry) => entry.kind === kind);
  const title = plural[kind].charAt(0).toUpperCase() + plural[kind].slice(1);
  const parts = own.map((entry) => `## \`${entry.id}\`\n\n${citedTitle(entry)}.\n\n${parameters(entry)}`);
  return `${note}\n# ${title}\n\n${parts.length === 0 ? "This version has none." : parts.join("\n\n")}\n`;
}

function parameters({ params }: CatalogEntry): string {
  const own = Object.entries(params.properties);
  if (own.length === 0) return "No parameters.";
  const rows = own.map(([name, schema]) => row([`\`${name}\``, text(schema.default), range(schema), schema.description ?? ""]));
  return [row(["parameter", "default", "values", ""]), row(["---", "---", "---", "---"]), ...rows].join("\n");
}

const text = (value: unknown): string => (value === undefined ? "" : `\`${JSON.stringify(value)}\``);

function range({ type, enum: options, anyOf, minimum, maximum, unit, registry, several }: ParameterSchema): string {
  if (anyOf) return anyOf.map(range).join(", or ");
  if (registry)
    return `id of ${/^[aeiou]/.test(registry) ? "an" : "a"} ${registry}, or \`{"kind": id, …}\` with its parameters${several ? "; or a list" : ""}`;
  if (options) return options.map((option) => `\`${option}\``).join(", ");
  const low = minimum === undefined ? "" : `≥ ${minimum}`;
  const high = maximum === undefined ? "" : `≤ ${maximum}`;
  return [type ?? "", [low, high].filter(Boolean).join(", "), unit ? `(${unit})` : ""].filter(Boolean).join(" ");
}

type Schema = Readonly<Record<string, unknown>>;
const record = (value: unknown): Schema => (typeof value === "object" && value !== null ? (value as Schema) : {});

function experimentPage(): string {
  const schema = record(experimentSchema(catalog()));
  const properties = record(schema["properties"]);
  const train = record(record(properties["train"])["properties"]);
  const beside = Object.entries(besideParameters)
    .map(([list, keys]) => `${list === "dataset" ? "In" : "Each of"} \`${list}\`:\n\n${propertyTable(keys)}`)
    .join("\n\n");
  return `${note}
# Experiment files

\`*.bulwark.jsonc\`, JSON with comments. \`kind\` names an entry of the other reference pages; its parameters stand beside it.

${propertyTable(properties)}

## \`train\`

${propertyTable(train)}

## Beside the parameters

${beside}

## \`expect\`

Each entry names a \`metric\` (${(record(record(record(record(properties["expect"])["items"])["properties"])["metric"])["enum"] as string[]).map((metric) => `\`${metric}\``).join(", ")}) with \`min\`, \`max\` or both. Without \`arm\` the experiment's own arm is meant, without \`attack\` every attack; of two attacks of one kind the first is called \`pgd-1\`, the second \`pgd-2\`. Of several figures the worst counts. An entry that could be met by accident is refused before anything is trained. If one is not met, the exit code is 2.
`;
}

function propertyTable(properties: Schema): string {
  const rows = Object.entries(properties).map(([name, value]) => {
    const schema = record(value);
    return row([`\`${name}\``, text(schema["default"]), String(schema["description"] ?? "")]);
  });
  return [row(["key", "default", ""]), row(["---", "---", "---"]), ...rows].join("\n");
}

function cliPage(): string {
  const rows = Object.values(verbs).map(({ usage, does }) => row([`\`${usage}\``, does]));
  const common = commonHelp.map(([option, does]) => row([`\`${option}\``, does]));
  return `${note}
# Command line

Progress and log go to stderr, results to stdout.

${[row(["command", "does"]), row(["---", "---"]), ...rows].join("\n")}

## Everywhere

${[row(["option", ""]), row(["---", "---"]), ...common].join("\n")}

A data set is written \`kind\` or \`kind:path\` (\`mnist\`, \`imageFolder:photos\`); a model is a model file, a run folder or a run's \`model/\`.
${imagesHelp}
An image meets defences in the order in which \`--defense\` names them; a \`--defense-set\` belongs to the \`--defense\` before it. \`--contract FILE\`
names an [input contract](../guide/your-own-model.md) that replaces the one beside the model.

## Exit codes

| code | means |
| --- | --- |
| 0 | done |
| 1 | a bug |
| 2 | an expectation of the experiment is not met |
| 3 | bad input: one line \`error CODE: message — fix\` |
| 130 | cancelled |

## Error codes

${errorCodes.map((code) => `\`${code}\``).join(" ")}
`;
}
