import { Type } from "@sinclair/typebox";
import { choice, defineTrainingDefense } from "../define/index.ts";
import { attacked, crafting, halves, innerAttackFields, innerAttackLabel } from "./innerAttack.ts";

const id = "adversarialTraining";

/**
 * Training on adversarial images that an inner attack makes of every batch, against the network as it is: min_θ E max_δ CE(z(x + δ), y).
 * Several inner attacks take turns by chance, batch by batch: single-step ones (StepLL) among stronger ones, as in ensemble adversarial
 * training (Tramèr et al. 2018), whose attacks on other, fixed networks are no part of it.
 * It changes which images are trained on and nothing else, so that it stands over any network and any targets.
 * @throws PARAMETER_INVALID for an inner attack that is not made for a single batch, EXPERIMENT_INVALID over a plan that crafts already
 */
export const adversarialTraining = defineTrainingDefense({
  id,
  title: "Adversarial training",
  paper: "Madry et al. 2018",
  params: Type.Object({
    ...innerAttackFields,
    batch: choice(
      ["replaced", "mixed"],
      "replaced",
      "Train on adversarial images alone (Madry et al. 2018), or half on clean and half on adversarial ones (Goodfellow et al. 2015).",
    ),
  }),
  label: (p) => `Adversarial training with ${innerAttackLabel(p, id)}`,
  cheap: { eps: 0.02, steps: 2 },
  plan(base, p, facts) {
    const plan = crafting(base, p, id, facts);
    if (p.batch === "replaced") return { ...plan, loss: (step) => base.loss(attacked(step)) };
    return { ...plan, stepCost: 2 * base.stepCost, loss: (step) => halves(base, step).mean };
  },
});
