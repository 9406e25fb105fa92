import { epsilon } from "../../shared/format.ts";
import { type Ball, choice, int, type ModelFacts, num, type Refuse, type Target } from "../define/index.ts";
import { target, targetLabel } from "./target.ts";

/** The parameters that gradient attacks within a ball share. */
export const gradientParams = {
  eps: num(8 / 255, "Radius of the ball: for L∞ the largest change of a pixel, for L2 the length of the whole change.", {
    min: 0,
    max: 1000,
    unit: "of 1",
    role: "radius",
  }),
  norm: choice(["linf", "l2"], "linf", "Norm of the ball.", "norm"),
  target,
  loss: choice(["crossEntropy", "margin"], "crossEntropy", "What is ascended. The margin does not saturate on confident models."),
  restarts: int(1, "Attempts for each image; the best one counts. All but the first start at a random place in the ball.", {
    min: 1,
    max: 1000,
  }),
};
export interface GradientParams {
  readonly eps: number;
  readonly norm: "linf" | "l2";
  readonly target: Target;
  readonly loss: "crossEntropy" | "margin";
  readonly restarts: number;
}

export const gradientBall = ({ norm, eps }: GradientParams): Ball => ({ norm, radius: eps });

/** A radius in units of 255: pixels lie between 0 and 1, so that no larger L∞ ball exists. */
export const refuseRadius: Refuse = (params) => {
  const { norm, eps } = params as Pick<GradientParams, "norm" | "eps">;
  if (norm !== "linf" || eps <= 1) return null;
  const message = `eps is ${eps}, but pixels lie between 0 and 1, and so does the radius of an L∞ ball.`;
  const converted = `Use ${eps}/255 = ${Number((eps / 255).toPrecision(4))}, or "norm": "l2".`;
  return { message, fix: eps <= 255 ? converted : "Use a value of at most 1." };
};

/** What changes where the ball is to hold every image: the radius; any wrong class will do, and one attempt. */
export const unboundedParams = (params: GradientParams, { inputShape: [height, width, channels] }: ModelFacts) => ({
  eps: params.norm === "linf" ? 1 : Math.sqrt(height * width * channels),
  target: -1,
  restarts: 1,
});

/** "PGD-40, L2, ε 1, 5 restarts, margin, target 3": defaults are left out. */
export const gradientLabel = (name: string, p: GradientParams): string =>
  [
    name,
    ...(p.norm === "l2" ? ["L2"] : []),
    `ε ${epsilon(p.eps)}`,
    ...(p.restarts > 1 ? [`${p.restarts} restarts`] : []),
    ...(p.loss === "margin" ? ["margin loss"] : []),
  ].join(", ") + targetLabel(p);
