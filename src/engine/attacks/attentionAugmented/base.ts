import type { Static } from "@sinclair/typebox";
import { BulwarkError } from "../../../shared/errors.ts";
import { type Attack, type Bound, needsGradients, resolveParams } from "../../define/index.ts";
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
  if (entry.access !== "gradients" || entry.preparation || "base" in properties || !needsGradients(entry, own))
    throw new BulwarkError(
      "PARAMETER_INVALID",
      `attentionAugmented: ${id} does not follow the gradient of each image's own loss, to which attention could be added.`,
      "Choose a gradient attack as base, such as pgd or iterStepLL.",
    );
  const beside = { eps: p.eps, steps: p.steps, stepSize: stepLength(p, "even"), randomStart: p.randomStart };
  const strength = Object.fromEntries(Object.entries(beside).filter(([name]) => name in properties));
  for (const name of Object.keys(strength))
    if (own[name] !== properties[name]?.["default"] && own[name] !== strength[name])
      throw new BulwarkError(
        "PARAMETER_INVALID",
        `attentionAugmented: ${name} is ${own[name]} in the base attack and ${strength[name]} beside it.`,
        `Write ${name} beside "base", not inside it.`,
      );
  const plain = Object.fromEntries(Object.entries(own).filter(([name]) => properties[name]?.["registry"] === undefined));
  resolveParams(entry.params, { ...plain, ...strength }, `attentionAugmented: ${id}`);
  return { id, entry, params: { ...own, ...strength } };
}
