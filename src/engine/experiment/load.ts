import path from "node:path";
import { findNodeAtLocation, getNodeValue, type Node, type ParseError, printParseErrorCode } from "jsonc-parser";
import { checkValue, type Violation } from "../../shared/check.ts";
import { BulwarkError } from "../../shared/errors.ts";
import { type Experiment, experimentSchema } from "../../shared/experiment.ts";
import { bareFractions, repeatedKeys } from "../../shared/fileRules/syntax.ts";
import { lineColumn } from "../../shared/fileRules/tree.ts";
import { deepestJson, isTooDeep, jsonTree } from "../../shared/jsonTree.ts";
import { catalog } from "../catalog.ts";
import { readText } from "../io/files.ts";
import { type LoadedPlugin, usePlugins } from "../plugins/load.ts";

/** Bytes. A person writes a few thousand. */
export const mostExperiment = 1 << 20;

/**
 * Reads `*.bulwark.jsonc` and holds it against the same schema that the editor uses; the first mistake is reported with its line.
 * @throws FILE_NOT_FOUND, FILE_UNREADABLE, EXPERIMENT_INVALID, PLUGIN_INVALID
 */
export async function loadExperiment(file: string): Promise<LoadedExperiment> {
  return parseExperiment(await readText(file, { most: mostExperiment }), file, path.dirname(file));
}

/** An experiment whose plugins are registered. */
export interface LoadedExperiment {
  readonly experiment: Experiment;
  readonly plugins: readonly LoadedPlugin[];
}

/**
 * @param name what errors call the text
 * @param directory that the plugins lie in
 * @throws EXPERIMENT_INVALID, PLUGIN_INVALID
 */
export async function parseExperiment(source: string, name: string, directory: string): Promise<LoadedExperiment> {
  const errors: ParseError[] = [];
  if (isTooDeep(source)) throw invalid(`${name} has more than ${deepestJson} nested lists and objects`, "Reduce the nesting.");
  const root = jsonTree(source, errors);
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
  const plugins = await usePlugins(pluginNames(value), directory); // before the schema, which lists what they register
  const faults = checkValue(experimentSchema(catalog()), value).map((violation) => ({ violation, offset: offsetOf(root, violation) }));
  const [first] = faults.sort((a, b) => a.offset - b.offset);
  if (first) throw invalid(`${name}:${place(source, first.offset)} ${first.violation.message}`, first.violation.fix);
  return { experiment: value as Experiment, plugins };
}

/** What an experiment names as plugins; anything but texts is left for the schema to refuse. */
export function pluginNames(value: unknown): string[] {
  const named = (value as Partial<Experiment> | null)?.plugins;
  return Array.isArray(named) && named.every((name) => typeof name === "string") ? [...named] : [];
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
