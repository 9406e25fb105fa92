import { BulwarkError } from "../../shared/errors.ts";
import type { Choice } from "../../shared/results.ts";
import { checkDefenses } from "../classifier/checkDefenses.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { defended } from "../classifier/defended.ts";
import { type Bound, type InferenceDefense, isInference } from "../define/index.ts";
import type { Random } from "../random.ts";
import { bind } from "../registry.ts";

/**
 * Choices as defences in front of a model, in their order.
 * @throws UNKNOWN_ID, PARAMETER_INVALID; PARAMETER_INVALID too for a defence that a network is trained with
 */
export const frontDefenses = (choices: readonly Choice[]): Bound<InferenceDefense>[] =>
  choices.map(({ id, params }) => {
    const bound = bind("defense", { ...params, kind: id });
    if (isInference(bound)) return bound;
    throw new BulwarkError(
      "PARAMETER_INVALID",
      `"${id}" is a defence that a network is trained with; it cannot stand in front of one.`,
      "Choose a defence that transforms the image, or train with this one in an experiment.",
    );
  });

/** A model behind further defences, which are tried first. @throws DEFENSE_INVALID, and what `frontDefenses` throws */
export async function behindDefenses(model: Classifier, choices: readonly Choice[], rng: Random): Promise<Classifier> {
  const chain = frontDefenses(choices);
  if (chain.length === 0) return model;
  const behind = defended(model, chain, { random: (i) => rng.stream(`defense/${i}`) });
  await checkDefenses(behind.front ?? [], behind.inputShape);
  return behind;
}
