import { type ParseError, parse, printParseErrorCode } from "jsonc-parser";
import { getLanguageService, TextDocument } from "vscode-json-languageservice";
import { BulwarkError } from "../../shared/errors.ts";
import { type Experiment, experimentSchema } from "../../shared/experiment.ts";
import { catalog } from "../catalog.ts";
import { readText } from "../io/files.ts";

/**
 * Reads `*.bulwark.jsonc` and holds it against the same schema that the editor uses; the first mistake is reported with its line.
 * @throws FILE_NOT_FOUND, EXPERIMENT_INVALID
 */
export async function loadExperiment(file: string): Promise<Experiment> {
  return parseExperiment(await readText(file), file);
}

/** `name` is what errors call the text. @throws EXPERIMENT_INVALID */
export async function parseExperiment(source: string, name: string): Promise<Experiment> {
  const errors: ParseError[] = [];
  const value: unknown = parse(source, errors, { allowTrailingComma: true });
  const [broken] = errors;
  if (broken) {
    const line = source.slice(0, broken.offset).split("\n").length;
    throw invalid(`${name}:${line} is not JSON: ${words(printParseErrorCode(broken.error))}`, "Correct the line.");
  }
  await validate(source, name);
  return value as Experiment;
}

async function validate(source: string, name: string): Promise<void> {
  const service = getLanguageService({});
  const document = TextDocument.create(`file:///${encodeURIComponent(name)}`, "jsonc", 1, source);
  const settings = { validate: true, comments: "ignore", trailingCommas: "ignore" } as const;
  const problems = await service.doValidation(document, service.parseJSONDocument(document), settings, experimentSchema(catalog()));
  const [first] = problems.sort((a, b) => a.range.start.line - b.range.start.line || a.range.start.character - b.range.start.character);
  if (!first) return;
  const at = document.getText(first.range).split("\n")[0]?.slice(0, 60) ?? "";
  const { line, character } = first.range.start;
  throw invalid(
    `${name}:${line + 1}:${character + 1} ${String(first.message).replace(/\s+/g, " ").replace(/\.$/, "")}, at ${at}`,
    "Correct it; docs/reference/experiment.md lists what is allowed.",
  );
}

const words = (code: string): string => code.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
const invalid = (message: string, fix: string): BulwarkError => new BulwarkError("EXPERIMENT_INVALID", `${message}.`, fix);
