import { BulwarkError } from "../../shared/errors.ts";
import { int, type ModelFacts } from "../define/index.ts";

/** The parameter `target` of attacks that may aim at a class. */
export const target = int(-1, "Target class; −1 for any class but the label.", { min: -1 });

interface Targeted {
  readonly target: number;
}
export const targetOf = (params: Targeted): number | null => (params.target < 0 ? null : params.target);

/** @throws PARAMETER_INVALID for a class that the model does not have */
export function checkTarget(params: Targeted, { classes }: ModelFacts): void {
  if (params.target < classes) return;
  throw new BulwarkError(
    "PARAMETER_INVALID",
    `The target is class ${params.target}, but the model has ${classes} classes.`,
    `Use a target from 0 to ${classes - 1}.`,
  );
}

/** ", target 3" behind the name of an attack that has one. */
export const targetLabel = (params: Targeted): string => (params.target < 0 ? "" : `, target ${params.target}`);
