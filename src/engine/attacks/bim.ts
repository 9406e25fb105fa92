import { Type } from "@sinclair/typebox";
import { defineAttack } from "../define/index.ts";
import { attackLosses } from "./gradientDescent.ts";
import {
  gradientBall,
  gradientLabel,
  gradientParams,
  refuseRadius,
  stepLength,
  stepSizeOf,
  stepsOf,
  unboundedParams,
} from "./gradientParams.ts";
import { iterated } from "./iterated.ts";
import { checkTarget, targetOf } from "./target.ts";

const { eps, norm, target, loss, momentum, retire } = gradientParams;

/**
 * FGSM in small steps from the clean image, x ← P(x + a·sign ∇L), without anything random (I-FGSM). With momentum, the direction is
 * μ·g + ∇L/‖∇L‖₁ in place of ∇L: MI-FGSM (Dong et al. 2018), whose images transfer better. It gives the last iterate (BIM-B of Feinman et
 * al. 2017), or with `retire` the first that is misclassified, else the last (their BIM-A).
 */
export const bim = defineAttack({
  id: "bim",
  title: "Basic iterative method",
  paper: "Kurakin et al. 2017",
  access: "gradients",
  iterative: true,
  params: Type.Object(
    { eps, steps: stepsOf(10), stepSize: stepSizeOf("even"), norm, target, loss, momentum, retire },
    { refuse: refuseRadius },
  ),
  label: (p) => gradientLabel(`${p.retire ? "BIM-A" : "BIM"}-${p.steps}`, p),
  cheap: { steps: 4 },
  ball: gradientBall,
  iterations: ({ steps }) => steps,
  target: targetOf,
  check: checkTarget,
  unbounded: unboundedParams,
  run: (model, batch, p, ctx) => iterated(model, batch, { ...p, size: stepLength(p, "even"), loss: attackLosses[p.loss] }, ctx),
});
