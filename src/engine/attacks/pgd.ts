import { Type } from "@sinclair/typebox";
import { type AttackContext, bool, defineAttack, int, num } from "../define/index.ts";
import { type Images, tf } from "../tf.ts";
import { attackGradient, boxAround, signStep } from "./signStep.ts";

/** The clean images moved by uniform noise in [−ε, ε], each by its own stream. */
function randomStart(images: Images, eps: number, ctx: AttackContext): Images {
  const [b, height, width, channels] = images.shape;
  const size = height * width * channels;
  const noise = new Float32Array(b * size);
  for (let i = 0; i < b; i++) noise.set(ctx.random(i).uniforms(size, -eps, eps), i * size);
  return tf.tidy(() => tf.clipByValue(tf.add(images, tf.tensor4d(noise, images.shape)) as Images, 0, 1));
}

/** Iterated sign steps, each followed by the projection onto the L∞ ball and [0,1]. */
export const pgd = defineAttack({
  id: "pgd",
  title: "Projected gradient descent",
  paper: "Madry et al. 2018",
  access: "gradients",
  iterative: true,
  params: Type.Object({
    eps: num(8 / 255, "Radius of the L∞ ball: the most that a pixel may change.", { min: 0, max: 1, unit: "of 1" }),
    steps: int(40, "Iterations.", { min: 1, max: 10_000 }),
    stepSize: num(0, "Length of a step; 0 takes 2.5·eps/steps.", { min: 0, max: 1, unit: "of 1" }),
    randomStart: bool(true, "Start at a random place in the ball."),
  }),
  ball: ({ eps }) => ({ norm: "linf", radius: eps }),
  iterations: ({ steps }) => steps,
  async run(model, batch, { eps, steps, stepSize, randomStart: random }, ctx) {
    const size = stepSize > 0 ? stepSize : (2.5 * eps) / steps;
    const { low, high } = boxAround(batch.images, eps);
    let x = random ? randomStart(batch.images, eps, ctx) : batch.images.clone();
    try {
      for (let t = 0; t < steps; t++) {
        const { gradient, logits } = attackGradient(model, x, batch);
        const next = signStep(x, gradient, size, low, high);
        try {
          await ctx.iterate(x, logits);
        } catch (stopped) {
          next.dispose();
          throw stopped;
        } finally {
          tf.dispose([x, gradient, logits]);
        }
        x = next;
      }
      return x;
    } finally {
      tf.dispose([low, high]);
    }
  },
});
