import { Type } from "@sinclair/typebox";
import { defineAttack } from "../define/index.ts";
import { attackLosses } from "./gradientDescent.ts";
import { gradientBall, gradientLabel, gradientParams, refuseRadius } from "./gradientParams.ts";
import { iterated } from "./iterated.ts";
import { evaluationsOfRestarts } from "./restarts.ts";
import { checkTarget, targetOf } from "./target.ts";

const { eps, norm, target, loss, restarts } = gradientParams;

/** One step of length ε: along the sign of the gradient, x + ε·sign ∇L, or for L2 along the gradient, x + ε·∇L/‖∇L‖₂. */
export const fgsm = defineAttack({
  id: "fgsm",
  title: "Fast gradient sign method",
  paper: "Goodfellow et al. 2015",
  access: "gradients",
  iterative: false,
  params: Type.Object({ eps, norm, target, loss, restarts }, { refuse: refuseRadius }),
  label: (p) => gradientLabel(p.norm === "l2" ? "FGM" : "FGSM", p),
  cheap: {},
  ball: gradientBall,
  evaluations: (p) => evaluationsOfRestarts(p.restarts, 1),
  target: targetOf,
  check: checkTarget,
  run: (model, batch, p, ctx) => iterated(model, batch, { ...p, steps: 1, size: p.eps, loss: attackLosses[p.loss] }, ctx),
});
