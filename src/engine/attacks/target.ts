import { BulwarkError } from "../../shared/errors.ts";
import { drawnTargets, intOr, type ModelFacts, type Target } from "../define/index.ts";

const anyClass = -1;
export const anyClassWords = { words: "any class but the label", first: 0 } as const;
/** The parameter `target` of attacks that may aim at a class: −1 for any but the label, as far as the attack has such a form. */
export const targetParameter = (value: Target) =>
  intOr(
    drawnTargets,
    value,
    "Target class; −1 for any class but the label. Random: one for each image, uniform among the others; runner up, least likely: the others' most or least likely one on the clean image.",
    { min: anyClass, standIn: anyClassWords },
  );
export const target = targetParameter(anyClass);

interface Targeted {
  readonly target: Target;
}
export const targetOf = ({ target: chosen }: Targeted): Target | null => (chosen === anyClass ? null : chosen);

/** @throws PARAMETER_INVALID for a class that the model does not have */
export function checkTarget({ target: chosen }: Targeted, { classes }: ModelFacts): void {
  if (typeof chosen === "string" || chosen < classes) return;
  throw new BulwarkError(
    "PARAMETER_INVALID",
    `The target is class ${chosen}, but the model has ${classes} classes.`,
    `Use a target from 0 to ${classes - 1}.`,
  );
}

const words = { random: "random target", runnerUp: "runner-up target", leastLikely: "least likely target" } as const;
/** ", target 3" or ", random target" behind the name of an attack that has one. */
export function targetLabel({ target: chosen }: Targeted): string {
  if (typeof chosen === "string") return `, ${words[chosen]}`;
  return chosen === anyClass ? "" : `, target ${chosen}`;
}
