import type { Catalog } from "../shared/catalog.ts";
import { checkValue } from "../shared/check.ts";
import { experimentSchema } from "../shared/experiment.ts";
import type { Problem } from "./problem.ts";
import { at, jsonOf, keySpan, parseExperiment, spanOf } from "./tree.ts";

/** Where an experiment differs from its schema, in the words that the command line uses too. */
export function shapeProblems(text: string, catalog: Catalog): Problem[] {
  const root = parseExperiment(text);
  if (!root) return [];
  return checkValue(experimentSchema(catalog), jsonOf(root)).map(({ path, isKey, message, fix }): Problem => {
    const node = at(root, ...path) ?? root;
    const span = path.length === 0 ? { offset: root.offset, length: 1 } : isKey ? keySpan(node) : spanOf(node);
    return { code: "EXPERIMENT_INVALID", severity: "error", message: `${message}. ${fix}`, span, fixes: [] };
  });
}
