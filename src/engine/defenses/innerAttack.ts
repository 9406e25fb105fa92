import type { Static } from "@sinclair/typebox";
import { BulwarkError } from "../../shared/errors.ts";
import {
  type Attack,
  type Bound,
  entriesOf,
  int,
  type Losses,
  labelOf,
  type ModelFacts,
  num,
  type TrainingPlan,
  type TrainingStep,
  withStrength,
} from "../define/index.ts";
import { tf } from "../tf.ts";

/** What the defences that train on adversarial images have in common: which attack makes them, and how the two halves of a batch add up. */
export const strengthFields = {
  eps: num(8 / 255, "Largest change per pixel that the network is trained to withstand.", { min: 0, unit: "of 1", role: "radius" }),
  steps: int(7, "Steps of the inner attack.", { min: 1, role: "steps" }),
  stepSize: num(0, "Length of a step of the inner attack; 0 takes the attack's own rule.", {
    min: 0,
    unit: "of 1",
    role: "step",
    standIn: { words: "the attack's own rule", first: 1 / 255 },
  }),
};
export const innerAttackFields = {
  attack: entriesOf(
    "attack",
    { kind: "pgd" },
    "The inner attack, or a list of them, of which each batch draws one. The three parameters below are its own where it has parameters of their names; write others inside it.",
  ),
  ...strengthFields,
  ramp: num(
    0,
    "Epochs over which the inner attack grows from nothing to its strength. Under a large eps a network that knows nothing yet may learn nothing: it then gives every image the same scores.",
    { min: 0, unit: "epochs", standIn: { words: "all of it from the start", first: 1 }, advanced: true },
  ),
};
type Strength = { readonly [name in keyof typeof strengthFields]: Static<(typeof strengthFields)[name]> };
export type InnerAttack = Strength & { readonly attack: Bound | readonly Bound[]; readonly ramp: number };

/** The parameters that are the strength of an attack or a recipe within. */
export const strengthOf = ({ eps, steps, stepSize }: Strength): Strength => ({ eps, steps, stepSize });

/** The chosen attacks, strong as the defence says. @param owner id of the defence, for messages @throws PARAMETER_INVALID */
const innerAttacks = (p: InnerAttack, owner: string): Bound<Attack>[] =>
  [p.attack]
    .flat()
    .map((attack) => withStrength(attack as Bound<Attack>, strengthOf(p), { owner, place: "attack", words: "the inner attack" }));

/** "PGD-7, ε 8/255", or several of them. */
export const innerAttackLabel = (p: InnerAttack, owner: string): string => innerAttacks(p, owner).map(labelOf).join(" or ");

/**
 * `base` with the attacks, one of which makes the adversarial images of a batch.
 * @throws PARAMETER_INVALID for an inner attack that is not made for a single batch, EXPERIMENT_INVALID over a plan that crafts already
 */
export function crafting(base: TrainingPlan, p: InnerAttack, owner: string, facts: ModelFacts): TrainingPlan {
  if (base.craft)
    throw new BulwarkError(
      "EXPERIMENT_INVALID",
      `${owner} stands over another defence that trains on adversarial images (${base.craft.id}).`,
      "Keep one of the two.",
    );
  const attacks = innerAttacks(p, owner);
  for (const attack of attacks) check(attack, owner, facts);
  const [craft, ...craftAlternatives] = attacks;
  return { ...base, ...(craft ? { craft } : {}), craftAlternatives, craftRamp: p.ramp };
}

function check({ entry, id, params: inner }: Bound<Attack>, owner: string, facts: ModelFacts): void {
  if (entry.preparation)
    throw new BulwarkError(
      "PARAMETER_INVALID",
      `${owner}: ${id} makes a ${entry.preparation.noun} once for many images, so it cannot be the inner attack.`,
      "Choose an attack that moves each image by itself, such as pgd or fgsm.",
    );
  if (entry.minimizes)
    throw new BulwarkError(
      "PARAMETER_INVALID",
      `${owner}: ${id} looks for the smallest change and knows no radius, so it cannot be the inner attack.`,
      "Choose an attack within a radius, such as pgd or fgsm.",
    );
  entry.check?.(inner, facts);
}

/** The step with the adversarial images in place of the clean ones; in validation, where there are none, as it is. */
export const attacked = (step: TrainingStep): TrainingStep => ({ ...step, images: step.crafted ?? step.images });

export interface Halves {
  /** ½·loss of the clean images + ½·loss of the adversarial ones, accuracy counted on the clean ones, the halves as its parts. */
  readonly mean: Losses;
  /** The network's output for the adversarial images; undefined in validation, where there are none and `mean` is the clean loss. */
  readonly adversarialOutput?: tf.Tensor;
}

/**
 * The loss of a batch that is half clean and half adversarial, [x; x_adv], as the mean over both. Each half is a pass of its own: both get
 * the same dropout masks, and batch normalisation takes the statistics of each.
 */
export function halves(base: TrainingPlan, step: TrainingStep): Halves {
  const clean = base.loss(step);
  if (!step.crafted) return { mean: clean };
  const adversarial = base.loss(attacked(step));
  const total = tf.div(tf.add(clean.total, adversarial.total), 2) as tf.Scalar;
  const parts = { clean: clean.total, adversarial: adversarial.total };
  return { mean: { total, output: clean.output, parts }, adversarialOutput: adversarial.output };
}
