import { type RuleId, severityOf } from "../../shared/rules.ts";
import type { ExperimentFile, Problem } from "../problem.ts";

/** A rule about an experiment file: it needs no run. Its severity and reason stand in `shared/rules.ts`. */
export interface FileRule {
  readonly id: RuleId;
  check(file: ExperimentFile): readonly Omit<Problem, "code" | "severity">[];
}

export const checkAll = (rules: readonly FileRule[], file: ExperimentFile): Problem[] =>
  rules.flatMap(({ id, check }) => check(file).map((problem) => ({ code: id, severity: severityOf(id), ...problem })));
