import { epsilon, number } from "../../shared/format.ts";
import { type Ball, bool, choice, int, type ModelFacts, num, type Refuse, type Target } from "../define/index.ts";
import { target, targetLabel } from "./target.ts";

const radius = (value: number, description: string) => num(value, description, { min: 0, max: 1000, unit: "of 1", role: "radius" });
export const ballRadius = (value: number) =>
  radius(value, "Radius of the ball: for L∞ the largest change of a pixel, for L2 the length of the whole change.");
/** Radius of an attack that knows no ball but that of L∞. */
export const linfRadius = (value: number) => radius(value, "Radius of the L∞ ball: the largest change of a pixel.");

/** The parameters that gradient attacks within a ball share. */
export const gradientParams = {
  eps: ballRadius(8 / 255),
  norm: choice(["linf", "l2"], "linf", "Norm of the ball.", "norm"),
  target,
  loss: choice(["crossEntropy", "margin"], "crossEntropy", "What is ascended. The margin does not saturate on confident models."),
  restarts: int(1, "Attempts for each image; the best one counts. All but the first start at a random place in the ball.", {
    min: 1,
    max: 1000,
  }),
  randomStart: bool(true, "Start at a random place in the ball."),
  momentum: num(0, "Share of the direction of earlier gradients that is kept from step to step; 0 for none, 1 is usual.", {
    min: 0,
    max: 1,
    advanced: true,
    standIn: { words: "none", first: 1 },
  }),
  retire: bool(
    false,
    "An image that is broken takes no further steps, which saves gradients where accuracy alone counts. It stays near the border of its class: leave it off to train on the images or to show them to other models. Without effect on a randomised model and where a detector is evaded.",
  ),
};
export const stepsOf = (count: number) => int(count, "Iterations.", { min: 1, max: 10_000, role: "steps" });

/** Length of a step where the parameters leave it to the attack: `even` steps reach the edge of the ball and no further (Kurakin et al. 2017), `turning` ones can come back from it (Madry et al. 2018). */
const rules = { even: { words: "eps/steps", factor: 1 }, turning: { words: "2.5·eps/steps", factor: 2.5 } } as const;
type StepRule = keyof typeof rules;
export const stepSizeOf = (rule: StepRule) =>
  num(0, `Length of a step; 0 takes ${rules[rule].words}.`, {
    min: 0,
    max: 1000,
    unit: "of 1",
    role: "step",
    standIn: { words: rules[rule].words, first: 1 / 255 },
  });
export const stepLength = (p: { readonly eps: number; readonly steps: number; readonly stepSize: number }, rule: StepRule): number =>
  p.stepSize > 0 ? p.stepSize : (rules[rule].factor * p.eps) / p.steps;

/** Those that not every attack has may be left out. */
export interface GradientParams {
  readonly eps: number;
  readonly norm: "linf" | "l2";
  readonly target: Target;
  readonly loss?: "crossEntropy" | "margin";
  readonly restarts?: number;
  readonly momentum?: number;
}

export const gradientBall = ({ norm, eps }: Pick<GradientParams, "norm" | "eps">): Ball => ({ norm, radius: eps });
export const linfBall = ({ eps }: Pick<GradientParams, "eps">): Ball => ({ norm: "linf", radius: eps });

/** A radius in units of 255: pixels lie between 0 and 1, so that no larger L∞ ball exists. */
export const refuseRadius: Refuse = (params) => {
  const { norm, eps } = params as Partial<GradientParams> & Pick<GradientParams, "eps">;
  if (norm === "l2" || eps <= 1) return null;
  const message = `eps is ${eps}, but pixels lie between 0 and 1, and so does the radius of an L∞ ball.`;
  const converted = `Use ${eps}/255 = ${Number((eps / 255).toPrecision(4))}${norm ? ', or "norm": "l2"' : ""}.`;
  return { message, fix: eps <= 255 ? converted : "Use a value of at most 1." };
};

/** The same attack in a ball that holds every image: any wrong class will do, and one attempt. */
export const unboundedParams = <P extends GradientParams>(p: P, { inputShape: [height, width, channels] }: ModelFacts): P => ({
  ...p,
  eps: p.norm === "linf" ? 1 : Math.sqrt(height * width * channels),
  target: -1,
  ...(p.restarts === undefined ? {} : { restarts: 1 }),
  stepSize: p.norm === "linf" ? 0.1 : 0,
});

/** "PGD-40, L2, ε 1, 5 restarts, margin, target 3": defaults are left out. */
export const gradientLabel = (name: string, p: GradientParams): string =>
  [
    name,
    ...(p.norm === "l2" ? ["L2"] : []),
    `ε ${epsilon(p.eps)}`,
    ...(p.restarts !== undefined && p.restarts > 1 ? [`${p.restarts} restarts`] : []),
    ...(p.loss === "margin" ? ["margin loss"] : []),
    ...(p.momentum ? [`momentum ${number(p.momentum)}`] : []),
  ].join(", ") + targetLabel(p);
