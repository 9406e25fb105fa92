import { type Static, Type } from "@sinclair/typebox";
import { BulwarkError } from "../../shared/errors.ts";
import {
  type Attack,
  type Bound,
  choice,
  defineTrainingDefense,
  entryOf,
  int,
  type Losses,
  labelOf,
  type ModelFacts,
  num,
  resolveParams,
  type TrainingPlan,
  type TrainingStep,
} from "../define/index.ts";
import { tf } from "../tf.ts";

const fields = {
  attack: entryOf(
    "attack",
    { kind: "pgd" },
    "The inner attack. The three parameters below are its own where it has parameters of their names; write others inside it.",
  ),
  eps: num(8 / 255, "Largest change per pixel that the network is trained to withstand.", { min: 0, unit: "of 1", role: "radius" }),
  steps: int(7, "Steps of the inner attack.", { min: 1, role: "steps" }),
  stepSize: num(0, "Length of a step of the inner attack; 0 takes the attack's own rule.", {
    min: 0,
    unit: "of 1",
    role: "step",
    standIn: { words: "the attack's own rule", first: 1 / 255 },
  }),
  batch: choice(
    ["replaced", "mixed"],
    "replaced",
    "Train on adversarial images alone (Madry et al. 2018), or half on clean and half on adversarial ones (Goodfellow et al. 2015).",
  ),
};
const params = Type.Object(fields);
type Fields = Static<typeof params>;

/**
 * Training on adversarial images that an inner attack makes of every batch, against the network as it is: min_θ E max_δ CE(z(x + δ), y).
 * It changes which images are trained on and nothing else, so that it stands over any network and any targets.
 * @throws PARAMETER_INVALID for an inner attack that is not made for a single batch, EXPERIMENT_INVALID over a plan that crafts already
 */
export const adversarialTraining = defineTrainingDefense({
  id: "adversarialTraining",
  title: "Adversarial training",
  paper: "Madry et al. 2018",
  params,
  label: (p) => `Adversarial training with ${labelOf(innerAttack(p))}`,
  cheap: { eps: 0.02, steps: 2 },
  plan(base, p, facts) {
    if (base.craft)
      throw new BulwarkError(
        "EXPERIMENT_INVALID",
        `adversarialTraining stands over another defence that trains on adversarial images (${base.craft.id}).`,
        "Keep one of the two.",
      );
    const craft = innerAttack(p);
    check(craft, facts);
    return { ...base, craft, loss: p.batch === "mixed" ? mixed(base) : (step) => base.loss(attacked(step)) };
  },
});

/** The chosen attack, strong as the defence says. @throws PARAMETER_INVALID */
function innerAttack({ attack, eps, steps, stepSize }: Fields): Bound<Attack> {
  const { entry, id, params: inner } = attack as Bound<Attack>;
  const { properties } = entry.params;
  const outer = Object.entries({ eps, steps, stepSize }).filter(([name]) => name in properties);
  for (const [name, value] of outer) {
    const given = inner[name];
    if (given === properties[name]?.["default"] || given === value) continue;
    throw new BulwarkError(
      "PARAMETER_INVALID",
      `adversarialTraining: ${name} is ${given} in the inner attack and ${value} beside it.`,
      `Write ${name} beside "attack", not inside it.`,
    );
  }
  const strength = Object.fromEntries(outer);
  resolveParams(entry.params, strength, `adversarialTraining: ${id}`);
  return { id, entry, params: { ...inner, ...strength } };
}

function check({ entry, id, params: inner }: Bound<Attack>, facts: ModelFacts): void {
  if (entry.preparation)
    throw new BulwarkError(
      "PARAMETER_INVALID",
      `adversarialTraining: ${id} makes a ${entry.preparation.noun} once for many images, so it cannot be the inner attack.`,
      "Choose an attack that moves each image by itself, such as pgd or fgsm.",
    );
  entry.check?.(inner, facts);
}

/** The step with the adversarial images in place of the clean ones; in validation, where there are none, as it is. */
const attacked = (step: TrainingStep): TrainingStep => ({ ...step, images: step.crafted ?? step.images });

/** ½·loss of the clean images + ½·loss of the adversarial ones. */
const mixed =
  (base: TrainingPlan) =>
  (step: TrainingStep): Losses => {
    const clean = base.loss(step);
    if (!step.crafted) return clean;
    const adversarial = base.loss(attacked(step));
    const total = tf.div(tf.add(clean.total, adversarial.total), 2) as tf.Scalar;
    return { total, output: clean.output, parts: { clean: clean.total, adversarial: adversarial.total } };
  };
