import { Type } from "@sinclair/typebox";
import { defineTrainingDefense, num } from "../define/index.ts";
import { tf } from "../tf.ts";
import { crafting, halves, innerAttackFields, innerAttackLabel } from "./innerAttack.ts";

const id = "adversarialLogitPairing";

/**
 * Training on clean and adversarial images alike, whose logits are pulled together: mean CE over [x; x_adv] + λ·MSE(z(x), z(x_adv)), the
 * mean over images and classes, its gradient through both (Kannan et al. 2018; λ .5 as in the published runs of its code). λ = 0 is
 * `adversarialTraining` with a mixed batch. The logits of a volumized network are those that its slices agree on.
 * @throws as `adversarialTraining`
 */
export const adversarialLogitPairing = defineTrainingDefense({
  id,
  title: "Adversarial logit pairing",
  paper: "Kannan et al. 2018",
  params: Type.Object({
    ...innerAttackFields,
    lambda: num(0.5, "Weight of the squared difference between the logits of an image and of its adversarial copy.", { min: 0 }),
  }),
  label: (p) => `Adversarial logit pairing with ${innerAttackLabel(p, id)}`,
  cheap: { eps: 0.02, steps: 2 },
  plan(base, p, facts) {
    return {
      ...crafting(base, p, id, facts),
      stepCost: 2 * base.stepCost,
      loss(step) {
        const { mean, adversarialOutput } = halves(base, step);
        if (!adversarialOutput || p.lambda === 0) return mean;
        const [clean, adversarial] = [step.toLogits(mean.output), step.toLogits(adversarialOutput)];
        const pairing = tf.mul(tf.mean(tf.square(tf.sub(clean, adversarial))), step.criterionScale) as tf.Scalar;
        return { ...mean, total: tf.add(mean.total, tf.mul(pairing, p.lambda)), parts: { ...mean.parts, pairing } };
      },
    };
  },
});
