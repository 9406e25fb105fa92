import { Type } from "@sinclair/typebox";
import { bool, defineAttack, int, num } from "../define/index.ts";
import { ballAround } from "./ball.ts";
import { attackLosses, descend } from "./gradientDescent.ts";
import { gradientBall, gradientLabel, gradientParams, refuseRadius, unboundedParams } from "./gradientParams.ts";
import { bestOf, evaluationsOfRestarts } from "./restarts.ts";
import { checkTarget, targetOf } from "./target.ts";

const { eps, norm, target, loss, restarts } = gradientParams;

/** Iterated gradient steps, by their sign (L∞) or their direction (L2), each followed by the projection onto the ball and [0,1]. */
export const pgd = defineAttack({
  id: "pgd",
  title: "Projected gradient descent",
  paper: "Madry et al. 2018",
  access: "gradients",
  iterative: true,
  params: Type.Object(
    {
      eps,
      steps: int(40, "Iterations.", { min: 1, max: 10_000, role: "steps" }),
      stepSize: num(0, "Length of a step; 0 takes 2.5·eps/steps.", {
        min: 0,
        max: 1000,
        unit: "of 1",
        role: "step",
        standIn: { words: "2.5·eps/steps", first: 1 / 255 },
      }),
      randomStart: bool(true, "Start at a random place in the ball."),
      norm,
      target,
      loss,
      restarts,
    },
    { refuse: refuseRadius },
  ),
  label: (p) => gradientLabel(`PGD-${p.steps}`, p),
  cheap: { steps: 6 },
  ball: gradientBall,
  iterations: ({ steps, restarts: attempts }) => steps * attempts,
  evaluations: (p) => evaluationsOfRestarts(p.restarts, p.steps),
  target: targetOf,
  check: checkTarget,
  unbounded: (p, facts) => ({ ...p, ...unboundedParams(p, facts), stepSize: p.norm === "linf" ? 0.1 : 0 }),
  async run(model, batch, p, ctx) {
    const size = p.stepSize > 0 ? p.stepSize : (2.5 * p.eps) / p.steps;
    const ball = ballAround(batch.images, p.norm, p.eps);
    const next = (x: typeof batch.images, gradient: typeof batch.images) => ball.step(x, gradient, size);
    const once: Parameters<typeof bestOf>[3] = (random, attempt) => {
      const start = attempt > 0 || p.randomStart ? ball.randomStart(random) : batch.images.clone();
      return descend({ model, batch, start, steps: p.steps, loss: attackLosses[p.loss], next }, ctx);
    };
    try {
      return await bestOf(p.restarts, model, batch, once, ctx);
    } finally {
      ball.dispose();
    }
  },
});
