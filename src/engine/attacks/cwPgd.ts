import { Type } from "@sinclair/typebox";
import { defineAttack, num } from "../define/index.ts";
import { marginLoss } from "../losses/marginLoss.ts";
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
import { evaluationsOfRestarts } from "./restarts.ts";
import { checkTarget, targetOf } from "./target.ts";

const { eps, randomStart, norm, target, restarts, momentum, retire } = gradientParams;
const confidence = num(50, "Lead in logits beyond which an image is pushed no further.", { min: 0, max: 1e6, unit: "logits" });

/**
 * PGD that ascends −max(z_y − max_{j≠y} z_j + κ, 0), the margin of Carlini & Wagner up to a lead of κ, in the form that Madry et al. 2018 run:
 * "CW" of tables on adversarial training. Not the attack of Carlini & Wagner that looks for the smallest change.
 */
export const cwPgd = defineAttack({
  id: "cwPgd",
  title: "PGD with the margin loss of Carlini & Wagner",
  paper: "Madry et al. 2018",
  access: "gradients",
  iterative: true,
  params: Type.Object(
    { eps, steps: stepsOf(40), stepSize: stepSizeOf("turning"), randomStart, confidence, norm, target, restarts, momentum, retire },
    { refuse: refuseRadius },
  ),
  label: (p) => gradientLabel(`CW-PGD-${p.steps}`, p),
  cheap: { steps: 6 },
  ball: gradientBall,
  iterations: ({ steps, restarts: attempts }) => steps * attempts,
  evaluations: (p) => evaluationsOfRestarts(p.restarts, p.steps),
  target: targetOf,
  check: checkTarget,
  unbounded: unboundedParams,
  run(model, batch, p, ctx) {
    const loss: Parameters<typeof iterated>[2]["loss"] = (logits, goal) => marginLoss(logits, goal, p.confidence, "sum");
    return iterated(model, batch, { ...p, size: stepLength(p, "turning"), loss }, ctx);
  },
});
