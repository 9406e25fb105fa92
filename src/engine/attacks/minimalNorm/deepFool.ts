import { type Static, Type } from "@sinclair/typebox";
import { number } from "../../../shared/format.ts";
import type { Classifier } from "../../classifier/classifier.ts";
import { scoresNotNumbers } from "../../classifier/probabilities.ts";
import { type AttackBatch, type AttackContext, choice, defineAttack, everyImage, int, num, type Presets } from "../../define/index.ts";
import { type Logits, tf } from "../../tf.ts";
import type { AttackLoss } from "../gradientDescent.ts";
import { goalsOf } from "../pixels/aim.ts";
import { slopesOf } from "../pixels/gradients.ts";
import { imagesOf, show } from "../pixels/score.ts";
import { BoundarySearch } from "./boundary.ts";

const presets: Presets = { foolbox08: { overshoot: 0.05 } };

const params = Type.Object(
  {
    steps: int(100, "Iterations.", { min: 1, max: 10_000, role: "steps" }),
    overshoot: num(0.02, "Share by which each change is lengthened, so that it ends beyond the boundary.", { min: 0, max: 10 }),
    classes: int(10, "Classes whose boundaries are looked at: the most likely ones of the clean image, its own among them.", {
      min: 2,
      max: 100_000,
    }),
    maxResidueRatio: num(0, "An image is given up once its change is as long as this share of the image (L2); 0 for no limit.", {
      min: 0,
      max: 1000,
      standIn: { words: "no limit", first: 0.1 },
    }),
    variant: choice(
      ["original", "foolbox08"],
      "original",
      "Original: steps add up, and their sum is lengthened. Foolbox 0.8: each step is lengthened (overshoot 0.05) and clipped.",
    ),
  },
  { presets, presetBy: "variant" },
);
type Params = Static<typeof params>;

/**
 * DeepFool: the nearest decision boundary of the linearised model, step by step, until the image has crossed one. It finds how far an image is
 * from being misclassified, in L2, and knows no radius. An image leaves the batch as soon as it is misclassified.
 * Source: Moosavi-Dezfooli et al. 2016, Alg. 2; the limit on the residue ratio is that of Ranjan et al. 2017.
 */
export const deepFool = defineAttack({
  id: "deepFool",
  title: "DeepFool",
  paper: "Moosavi-Dezfooli et al. 2016",
  access: "gradients",
  iterative: true,
  minimizes: "l2",
  params,
  label: (p) =>
    [
      `DeepFool-${p.steps}`,
      ...(p.maxResidueRatio > 0 ? [`residue ratio under ${number(p.maxResidueRatio)}`] : []),
      ...(p.variant === "foolbox08" ? ["as Foolbox 0.8"] : []),
    ].join(", "),
  cheap: { steps: 6 },
  ball: everyImage,
  iterations: ({ steps }) => steps,
  evaluations: ({ steps, classes }) => ({ forward: 0, gradient: steps * classes }),
  async run(model, batch, p, ctx) {
    const searches = await startSearches(batch, p, ctx);
    for (let step = 0; step < p.steps; step++) {
      await look(model, searches, p, step, ctx);
      await show(searches, batch, ctx);
      for (const search of searches) if (!search.done) search.step();
      const done = searches.filter((search) => search.done).length;
      await ctx.checkpoint({ phase: `DeepFool, step ${step + 1} of ${p.steps}`, done, total: searches.length });
      if (done === searches.length) break;
    }
    return imagesOf(searches, batch);
  },
});

/** One search an image. */
async function startSearches(batch: AttackBatch, p: Params, ctx: AttackContext): Promise<BoundarySearch[]> {
  const images = Float32Array.from(await batch.images.data());
  const goals = await goalsOf(batch);
  const size = images.length / goals.length;
  const most = p.maxResidueRatio > 0 ? p.maxResidueRatio : Number.POSITIVE_INFINITY;
  const o = { overshoot: p.overshoot, most, foolbox: p.variant === "foolbox08" };
  return goals.map(({ label }, i) => new BoundarySearch(images.slice(i * size, (i + 1) * size), label, o, ctx.random(i)));
}

/** z_k of the class asked for, summed over the batch. */
const logitAskedFor: AttackLoss = (z: Logits, { labels, targets = labels }) =>
  tf.sum(tf.mul(z, tf.cast(tf.oneHot(targets, z.shape[1]), "float32"))) as tf.Scalar;

/** Logits and gradients of the label and its rivals at every image that is not done; an image that has crossed is done after the first. */
async function look(model: Classifier, searches: readonly BoundarySearch[], p: Params, step: number, ctx: AttackContext): Promise<void> {
  const pass = async (): Promise<void> => {
    const seen = await slopesOf(model, searches, { name: `deepFool/${step}`, losses: [logitAskedFor] }, ctx);
    for (const { search, logits, gradients } of seen) {
      if (logits.some(Number.isNaN)) throw scoresNotNumbers();
      search.begin(logits, p.classes);
      search.learn(gradients[0] as Float32Array);
    }
  };
  const open = (): BoundarySearch[] => searches.filter((search) => !search.done);
  for (const search of open()) search.ask(search.goal.label);
  await pass();
  for (const search of open()) search.done = search.isCrossed;
  const rivals = Math.max(0, ...open().map((search) => search.rivals.length));
  for (let j = 0; j < rivals && open().length > 0; j++) {
    for (const search of open()) search.ask(search.rivals[j] ?? (search.rivals.at(-1) as number));
    await pass();
  }
}
