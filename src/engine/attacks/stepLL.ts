import { Type } from "@sinclair/typebox";
import { epsilon } from "../../shared/format.ts";
import { defineAttack, misclassified } from "../define/index.ts";
import { crossEntropy } from "./gradientDescent.ts";
import { linfBall, linfRadius, refuseRadius } from "./gradientParams.ts";
import { iterated } from "./iterated.ts";

/**
 * One step of length ε towards the class that the clean image is least likely to have: x − ε·sign ∇CE(z(x), y_LL), y_LL = argmin z(x). Any
 * misclassification is a success: that class is a direction, not the aim.
 */
export const stepLL = defineAttack({
  id: "stepLL",
  title: "Step towards the least likely class",
  paper: "Kurakin et al. 2017",
  access: "gradients",
  iterative: false,
  params: Type.Object({ eps: linfRadius(16 / 255) }, { refuse: refuseRadius }),
  label: ({ eps }) => `StepLL, ε ${epsilon(eps)}`,
  cheap: {},
  ball: linfBall,
  target: () => "leastLikely",
  criterion: () => misclassified,
  run: (model, batch, { eps }, ctx) => iterated(model, batch, { norm: "linf", eps, steps: 1, size: eps, loss: crossEntropy }, ctx),
});
