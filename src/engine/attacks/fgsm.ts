import { Type } from "@sinclair/typebox";
import { defineAttack, num } from "../define/index.ts";
import { tf } from "../tf.ts";
import { attackGradient, boxAround, signStep } from "./signStep.ts";

/** One step of length ε along the sign of the gradient: x + ε·sign ∇CE(z(x), y). */
export const fgsm = defineAttack({
  id: "fgsm",
  title: "Fast gradient sign method",
  paper: "Goodfellow et al. 2015",
  access: "gradients",
  iterative: false,
  params: Type.Object({
    eps: num(8 / 255, "Radius of the L∞ ball: the most that a pixel may change.", { min: 0, max: 1, unit: "of 1" }),
  }),
  ball: ({ eps }) => ({ norm: "linf", radius: eps }),
  async run(model, batch, { eps }, ctx) {
    const { gradient, logits } = attackGradient(model, batch.images, batch);
    try {
      await ctx.iterate(batch.images, logits);
      const { low, high } = boxAround(batch.images, eps);
      const moved = signStep(batch.images, gradient, eps, low, high);
      tf.dispose([low, high]);
      return moved;
    } finally {
      tf.dispose([gradient, logits]);
    }
  },
});
