import { findNodeAtLocation, getNodeValue, type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import { checkValue, type Violation } from "../../shared/check.ts";
import { BulwarkError } from "../../shared/errors.ts";
import { type Experiment, experimentSchema } from "../../shared/experiment.ts";
import { bareFractions, repeatedKeys } from "../../shared/fileRules/syntax.ts";
import { lineColumn } from "../../shared/fileRules/tree.ts";
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
  const root = parseTree(source, errors, { allowTrailingComma: true });
  const [broken] = errors;
  const [fraction] = bareFractions(source);
  if (fraction) throw invalid(`${name}:${place(source, fraction.span.offset)} ${fraction.message}`, `${fraction.fix}.`);
  if (broken || !root) {
    const what = broken ? words(printParseErrorCode(broken.error)) : "it is empty";
    throw invalid(`${name}:${lineColumn(source, broken?.offset ?? 0).line} is not JSON: ${what}`, "Correct the line.");
  }
  const [repeated] = repeatedKeys(root);
  if (repeated)
    throw invalid(`${name}:${place(source, repeated.offset)} "${repeated.value}" stands twice in one object`, "Remove one of them.");
  const value: unknown = getNodeValue(root);
  const faults = checkValue(experimentSchema(catalog()), value).map((violation) => ({ violation, offset: offsetOf(root, violation) }));
  const [first] = faults.sort((a, b) => a.offset - b.offset);
  if (first) throw invalid(`${name}:${place(source, first.offset)} ${first.violation.message}`, first.violation.fix);
  return value as Experiment;
}

/** Where a fault stands: its key, or its value. */
function offsetOf(root: Node, { path, isKey }: Violation): number {
  const node = findNodeAtLocation(root, [...path]) ?? root;
  return (isKey ? node.parent?.offset : undefined) ?? node.offset;
}

/** "3:12" */
function place(source: string, offset: number): string {
  const { line, column } = lineColumn(source, offset);
  return `${line}:${column}`;
}

const words = (code: string): string => code.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
const invalid = (message: string, fix: string): BulwarkError => new BulwarkError("EXPERIMENT_INVALID", `${message}.`, fix);
