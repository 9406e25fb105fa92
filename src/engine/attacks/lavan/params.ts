import { Type } from "@sinclair/typebox";
import { choice, int, num, type Refuse } from "../../define/index.ts";
import { targetParameter } from "../target.ts";

/** Step sizes where the parameters name none. */
export const learningRates = { adam: 0.05, sign: 0.02, raw: 0.1 } as const;

const refuse: Refuse = (p) => {
  if (p["place"] !== "at")
    return p["top"] === 0 && p["left"] === 0
      ? null
      : { message: "top and left say where the noise lies, but place draws it.", fix: 'Set "place": "at", or leave top and left out.' };
  if (p["places"] === 1) return null;
  return { message: `place "at" is one place, not ${p["places"]}.`, fix: "Leave places out, or choose another place." };
};

export const params = Type.Object(
  {
    size: num(42 / 299, "Side of the noise as a share of the image's height, such as 42/299.", { max: 1, fraction: true }),
    steps: int(1000, "Iterations at most, for each place.", { min: 1, max: 100_000, role: "steps" }),
    target: targetParameter("random"),
    confidence: num(0.99, "An image is done when the target class, or without one any wrong class, has this probability.", {
      min: 0,
      max: 1,
    }),
    optimizer: choice(["adam", "sign", "raw"], "adam", "How the noise follows the gradient: by Adam, its sign, or the gradient itself."),
    learningRate: num(0, "Step size; 0 takes .05 for adam, .02 for sign, .1 for raw.", {
      min: 0,
      max: 1000,
      standIn: { words: "the optimizer's default", first: 0.05 },
    }),
    start: choice(["uniform", "fromImage"], "uniform", "The noise begins as uniform values, or as the image itself."),
    place: choice(
      ["border", "touching", "anywhere", "slice", "at"],
      "border",
      "Where the noise lies: at most 10 % away from a border, touching one, anywhere, inside one slice of a grid, or at top and left.",
    ),
    places: int(1, "Places that are tried for each image; the worst one counts.", { min: 1, max: 1000 }),
    grid: int(16, "Side of a slice, for place slice: one slice of a volumized model changes.", { min: 1, unit: "pixels", advanced: true }),
    top: int(0, "First row of the noise, for place at.", { min: 0, unit: "pixels", advanced: true }),
    left: int(0, "First column of the noise, for place at.", { min: 0, unit: "pixels", advanced: true }),
  },
  { refuse },
);
