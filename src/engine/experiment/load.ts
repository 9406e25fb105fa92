import { findNodeAtLocation, getNodeValue, type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import { checkValue, type Violation } from "../../shared/check.ts";
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
  const root = parseTree(source, errors, { allowTrailingComma: true });
  const [broken] = errors;
  if (broken || !root) {
    const what = broken ? words(printParseErrorCode(broken.error)) : "it is empty";
    throw invalid(`${name}:${placeOf(source, broken?.offset ?? 0).line} is not JSON: ${what}`, "Correct the line.");
  }
  const value: unknown = getNodeValue(root);
  const faults = checkValue(experimentSchema(catalog()), value).map((violation) => ({ violation, offset: offsetOf(root, violation) }));
  const [first] = faults.sort((a, b) => a.offset - b.offset);
  if (first) {
    const { line, column } = placeOf(source, first.offset);
    throw invalid(`${name}:${line}:${column} ${first.violation.message}`, first.violation.fix);
  }
  return value as Experiment;
}

/** Where a fault stands: its key, or its value. */
function offsetOf(root: Node, { path, isKey }: Violation): number {
  const node = findNodeAtLocation(root, [...path]) ?? root;
  return (isKey ? node.parent?.offset : undefined) ?? node.offset;
}

function placeOf(source: string, offset: number): { readonly line: number; readonly column: number } {
  const before = source.slice(0, offset).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

const words = (code: string): string => code.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
const invalid = (message: string, fix: string): BulwarkError => new BulwarkError("EXPERIMENT_INVALID", `${message}.`, fix);
