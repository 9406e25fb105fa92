import type { Catalog } from "../shared/catalog.ts";
import { checkValue } from "../shared/check.ts";
import { experimentSchema } from "../shared/experiment.ts";
import { changeTo, type Problem } from "../shared/fileRules/problem.ts";
import { bareFractions } from "../shared/fileRules/syntax.ts";
import { at, jsonOf, keySpan, parseExperiment, spanOf } from "../shared/fileRules/tree.ts";

/** Where an experiment differs from its schema, in the words that the command line uses too. */
export function shapeProblems(text: string, catalog: Catalog): Problem[] {
  const root = parseExperiment(text);
  if (!root) return [];
  const fractions = bareFractions(text).map(({ message, fix, span, quoted }): Problem => {
    const fixes = [{ title: fix, span, text: quoted, isPreferred: true }];
    return { code: "EXPERIMENT_INVALID", severity: "error", message: `${message}. ${fix}.`, span, fixes };
  });
  if (fractions.length > 0) return fractions; // what else is said would come of them
  return checkValue(experimentSchema(catalog), jsonOf(root)).map(({ path, isKey, message, fix, meant }): Problem => {
    const node = at(root, ...path) ?? root;
    const span = path.length === 0 ? { offset: root.offset, length: 1 } : isKey ? keySpan(node) : spanOf(node);
    const fixes = meant === undefined ? [] : [changeTo(meant, span)];
    return { code: "EXPERIMENT_INVALID", severity: "error", message: `${message}. ${fix}`, span, fixes };
  });
}
