import { type RuleId, severityOf } from "../rules.ts";
import type { ExperimentFile, Problem } from "./problem.ts";

/** A rule about an experiment file: it needs no run. Its severity and reason stand in `shared/rules.ts`. */
export interface FileRule {
  readonly id: RuleId;
  /** Looks at one choice after another, so that it has something to say of a single attack too; else at the whole file. */
  readonly scope: "choice" | "file";
  check(file: ExperimentFile): readonly Omit<Problem, "code" | "severity">[];
}

export const checkAll = (rules: readonly FileRule[], file: ExperimentFile): Problem[] =>
  rules.flatMap(({ id, check }) => check(file).map((problem) => ({ code: id, severity: severityOf(id), ...problem })));
