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
import { evaluationsOfRestarts } from "./restarts.ts";
import { checkTarget, targetOf } from "./target.ts";

const { eps, randomStart, norm, target, loss, restarts, momentum, retire } = gradientParams;

/** Iterated gradient steps, by their sign (L∞) or their direction (L2), each followed by the projection onto the ball and [0,1]. */
export const pgd = defineAttack({
  id: "pgd",
  title: "Projected gradient descent",
  paper: "Madry et al. 2018",
  access: "gradients",
  iterative: true,
  params: Type.Object(
    { eps, steps: stepsOf(40), stepSize: stepSizeOf("turning"), randomStart, norm, target, loss, restarts, momentum, retire },
    { refuse: refuseRadius },
  ),
  label: (p) => gradientLabel(`PGD-${p.steps}`, p),
  cheap: { steps: 6 },
  ball: gradientBall,
  iterations: ({ steps, restarts: attempts }) => steps * attempts,
  evaluations: (p) => evaluationsOfRestarts(p.restarts, p.steps),
  target: targetOf,
  check: checkTarget,
  unbounded: unboundedParams,
  run: (model, batch, p, ctx) => iterated(model, batch, { ...p, size: stepLength(p, "turning"), loss: attackLosses[p.loss] }, ctx),
});
