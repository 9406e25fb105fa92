import { type Static, Type } from "@sinclair/typebox";
import { number } from "../../../shared/format.ts";
import { scoresNotNumbers } from "../../classifier/probabilities.ts";
import { type AttackBatch, type AttackContext, defineAttack, everyImage, int, num } from "../../define/index.ts";
import { marginLoss } from "../../losses/marginLoss.ts";
import type { AttackLoss } from "../gradientDescent.ts";
import { goalsOf } from "../pixels/aim.ts";
import { slopesOf } from "../pixels/gradients.ts";
import { imagesOf, show } from "../pixels/score.ts";
import { checkTarget, targetLabel, targetOf, targetParameter } from "../target.ts";
import { TanhDescent } from "./tanhDescent.ts";

const params = Type.Object({
  binarySearchSteps: int(6, "Constants that are tried for each image, by binary search.", { min: 1, max: 100 }),
  steps: int(1000, "Steps of Adam for each constant; fewer where the loss gets no further.", { min: 1, max: 100_000, role: "steps" }),
  learningRate: num(0.01, "Step size of Adam, on the variable w whose image is ½(tanh w + 1).", { min: 0, max: 10 }),
  initialConst: num(0.001, "The first constant: how much success weighs beside the distance.", { min: 0, max: 1e10 }),
  confidence: num(0, "Lead in logits that the target has to have.", { min: 0, max: 1e6, unit: "logits" }),
  target: targetParameter("runnerUp"),
});
type Params = Static<typeof params>;

/**
 * The smallest change in L2 that gives the image another class: ‖x' − x‖² + c·f(x') is descended, f being how far the target, or any
 * other class than the label, is from leading by the confidence. The nearest image over all constants counts. An image goes to its next
 * constant as soon as its loss gets no further, whatever the others do.
 * Source: Carlini & Wagner 2017, section VI; the runner-up as the default target is from Ranjan et al. 2017.
 */
export const carliniWagner = defineAttack({
  id: "carliniWagner",
  title: "Carlini & Wagner L2",
  paper: "Carlini & Wagner 2017",
  access: "gradients",
  iterative: true,
  minimizes: "l2",
  params,
  label: (p) =>
    [`C&W L2, ${p.binarySearchSteps}×${p.steps} steps`, ...(p.confidence > 0 ? [`confidence ${number(p.confidence)}`] : [])].join(", ") +
    targetLabel(p),
  cheap: { binarySearchSteps: 3, steps: 12, learningRate: 0.1, initialConst: 1 },
  ball: everyImage,
  iterations: ({ binarySearchSteps, steps }) => binarySearchSteps * steps,
  target: targetOf,
  check: checkTarget,
  async run(model, batch, p, ctx) {
    checkTarget(p, model);
    const searches = await startSearches(batch, p, ctx);
    const losses: AttackLoss[] = [(logits, goal) => marginLoss(logits, goal, p.confidence, "sum")];
    const total = p.binarySearchSteps * p.steps;
    for (let step = 0; step < total; step++) {
      for (const { search, logits, gradients } of await slopesOf(model, searches, { name: `carliniWagner/${step}`, losses }, ctx)) {
        if (logits.some(Number.isNaN)) throw scoresNotNumbers();
        search.follow(logits, gradients[0] as Float32Array);
      }
      await show(
        searches.map(({ done, found, seen }) => (done ? found : seen)),
        batch,
        ctx,
      );
      const done = searches.filter((search) => search.done).length;
      await ctx.checkpoint({ phase: `Carlini & Wagner, step ${step + 1} of ${total}`, done, total: searches.length });
      if (done === searches.length) break;
    }
    return imagesOf(
      searches.map(({ found }) => found),
      batch,
    );
  },
});

/** One search an image. */
async function startSearches(batch: AttackBatch, p: Params, ctx: AttackContext): Promise<TanhDescent[]> {
  const images = Float32Array.from(await batch.images.data());
  const goals = await goalsOf(batch);
  const size = images.length / goals.length;
  return goals.map((goal, i) => new TanhDescent(images.slice(i * size, (i + 1) * size), goal, p, ctx.random(i)));
}
