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

/** Chains that were tried already, by model. */
const tried = new WeakMap<Classifier, Set<string>>();

/** A model behind further defences; a chain is tried once per process. @throws DEFENSE_INVALID, and what `frontDefenses` throws */
export async function behindDefenses(model: Classifier, choices: readonly Choice[], rng: Random): Promise<Classifier> {
  const behind = behindCheckedLater(model, choices, rng);
  if (behind === model) return model;
  const known = tried.get(model) ?? new Set();
  const key = JSON.stringify(choices);
  if (!known.has(key)) await checkDefenses(behind.front ?? [], behind.inputShape);
  tried.set(model, known.add(key));
  return behind;
}

/** The same without a trial, for callers that check the output on their own images. @throws what `frontDefenses` throws */
export function behindCheckedLater(model: Classifier, choices: readonly Choice[], rng: Random): Classifier {
  const chain = frontDefenses(choices);
  return chain.length === 0 ? model : defended(model, chain, { random: (i) => rng.stream(`defense/${i}`) });
}
