import { Type } from "@sinclair/typebox";
import { epsilon } from "../../../shared/format.ts";
import { defineAttack, int, num } from "../../define/index.ts";
import { attackLosses } from "../gradientDescent.ts";
import { linfRadius } from "../gradientParams.ts";
import { iterated } from "../iterated.ts";
import { refuseSize, substitutePreparation } from "./preparation.ts";
import { classifierOfSubstitute, queriesOf } from "./substitute.ts";

const params = Type.Object({
  eps: linfRadius(0.3),
  initialImages: int(150, "Images that the substitute begins with, none of which is evaluated where the data set has training images.", {
    min: 1,
    max: 100_000,
    unit: "images",
  }),
  augmentations: int(5, "Times that the images are doubled, each followed by a training.", { min: 0, max: 10 }),
  epochs: int(10, "Epochs of the substitute after each doubling.", { min: 1, max: 1000 }),
  lambda: num(0.1, "How far new images lie along the substitute's gradient.", { min: 0, max: 1, unit: "of 1" }),
});

/**
 * An attacker who sees predicted classes and nothing else: trains a substitute network on the answers, and shows the model the images that
 * FGSM makes on it. The model is never asked for a gradient or a score.
 * Source: Papernot et al. 2017; the substitute is LeNet as in Ranjan et al. 2017.
 */
export const blackBox = defineAttack({
  id: "blackBox",
  title: "Black-box attack with a substitute",
  paper: "Papernot et al. 2017",
  access: "labels",
  iterative: false,
  params,
  label: (p) => `Black box, ε ${epsilon(p.eps)}, ${queriesOf(p)} queries`,
  cheap: { initialImages: 2, augmentations: 1, epochs: 2 },
  ball: ({ eps }) => ({ norm: "linf", radius: eps }),
  evaluations: () => ({ forward: 0, gradient: 0 }),
  check: refuseSize,
  preparation: substitutePreparation,
  async run(_model, batch, { eps }, ctx) {
    if (!ctx.prepared) throw new Error("blackBox runs with the substitute of its preparation");
    const substitute = classifierOfSubstitute(ctx.prepared);
    const o = { eps, norm: "linf", steps: 1, size: eps, loss: attackLosses.crossEntropy } as const;
    // The harness judges iterates by the attacked model, and these scores are those of the substitute.
    return iterated(substitute, batch, o, { ...ctx, iterate: () => ctx.checkpoint() });
  },
});
