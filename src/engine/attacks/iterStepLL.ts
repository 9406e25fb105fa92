import { Type } from "@sinclair/typebox";
import { epsilon } from "../../shared/format.ts";
import { defineAttack, misclassified } from "../define/index.ts";
import { crossEntropy } from "./gradientDescent.ts";
import { linfBall, linfRadius, refuseRadius, stepLength, stepSizeOf, stepsOf } from "./gradientParams.ts";
import { iterated } from "./iterated.ts";

/**
 * Small steps towards the class y_LL that the clean image is least likely to have, x ← P(x − a·sign ∇CE(z(x), y_LL)); y_LL stays that of the
 * clean image. Any misclassification is a success: that class is a direction, not the aim.
 */
export const iterStepLL = defineAttack({
  id: "iterStepLL",
  title: "Iterated steps towards the least likely class",
  paper: "Kurakin et al. 2017",
  access: "gradients",
  iterative: true,
  params: Type.Object({ eps: linfRadius(4 / 255), steps: stepsOf(3), stepSize: stepSizeOf("even") }, { refuse: refuseRadius }),
  label: ({ eps, steps }) => `Iter-StepLL-${steps}, ε ${epsilon(eps)}`,
  cheap: {},
  ball: linfBall,
  iterations: ({ steps }) => steps,
  target: () => "leastLikely",
  criterion: () => misclassified,
  run: (model, batch, p, ctx) =>
    iterated(model, batch, { norm: "linf", eps: p.eps, steps: p.steps, size: stepLength(p, "even"), loss: crossEntropy }, ctx),
});
