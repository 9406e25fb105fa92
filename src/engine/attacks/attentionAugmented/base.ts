import type { Static } from "@sinclair/typebox";
import { BulwarkError } from "../../../shared/errors.ts";
import { type Attack, type Bound, needsGradients, withStrength } from "../../define/index.ts";
import { stepLength } from "../gradientParams.ts";
import type { params } from "./params.ts";

export type Settings = Static<typeof params>;

/**
 * The attack that is wrapped, as strong as the parameters beside it say.
 * @throws PARAMETER_INVALID for one that follows no gradient of the images it attacks, or that says something else
 */
export function baseOf(p: Settings): Bound<Attack> {
  const { entry, id, params: own } = p.base as Bound<Attack>;
  const { properties } = entry.params;
  if (entry.access !== "gradients" || entry.preparation || entry.minimizes || "base" in properties || !needsGradients(entry, own))
    throw new BulwarkError(
      "PARAMETER_INVALID",
      `attentionAugmented: ${id} does not follow the gradient of each image's own loss, to which attention could be added.`,
      "Choose a gradient attack as base, such as pgd or iterStepLL.",
    );
  const beside = { eps: p.eps, steps: p.steps, stepSize: stepLength(p, "even"), randomStart: p.randomStart };
  return withStrength({ entry, id, params: own }, beside, { owner: "attentionAugmented", place: "base", words: "the base attack" });
}
