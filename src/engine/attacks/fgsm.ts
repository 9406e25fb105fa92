import { Type } from "@sinclair/typebox";
import { defineAttack } from "../define/index.ts";
import { ballAround } from "./ball.ts";
import { attackLosses, descend } from "./gradientDescent.ts";
import { gradientBall, gradientLabel, gradientParams, refuseRadius } from "./gradientParams.ts";
import { bestOf, evaluationsOfRestarts } from "./restarts.ts";
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
  async run(model, batch, p, ctx) {
    const ball = ballAround(batch.images, p.norm, p.eps);
    const next = (x: typeof batch.images, gradient: typeof batch.images) => ball.step(x, gradient, p.eps);
    const once: Parameters<typeof bestOf>[3] = (random, attempt) => {
      const start = attempt === 0 ? batch.images.clone() : ball.randomStart(random);
      return descend({ model, batch, start, steps: 1, loss: attackLosses[p.loss], next }, ctx);
    };
    try {
      return await bestOf(p.restarts, model, batch, once, ctx);
    } finally {
      ball.dispose();
    }
  },
});
