import { Type } from "@sinclair/typebox";
import { choice, entryOf, num, text } from "../../define/index.ts";
import { ballRadius, gradientParams, stepSizeOf, stepsOf } from "../gradientParams.ts";

export const params = Type.Object({
  base: entryOf(
    "attack",
    { kind: "pgd" },
    "The gradient attack that is wrapped. The eps, steps, stepSize and randomStart beside it are its own where it has parameters of these names; write others inside it.",
  ),
  sigma: num(10, "Weight of the shift of attention beside the loss of the base attack; 0 is the base attack.", {
    min: 0,
    max: 1e6,
    standIn: { words: "the base attack alone", first: 1 },
  }),
  reduction: choice(["sum", "mean"], "sum", "The shift of attention is the sum over the cells of the layer's grid, or their mean."),
  eps: ballRadius(4 / 255),
  steps: stepsOf(3),
  stepSize: stepSizeOf("even"),
  randomStart: gradientParams.randomStart,
  layer: text("", "Layer whose attention is shifted; empty for the last one with spatial extent.", { advanced: true }),
});
