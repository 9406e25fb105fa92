import { type Static, Type } from "@sinclair/typebox";
import { BulwarkError } from "../../../shared/errors.ts";
import { number } from "../../../shared/format.ts";
import type { Classifier } from "../../classifier/classifier.ts";
import type { Progress } from "../../context.ts";
import { type AttackBatch, type AttackContext, choice, defineAttack, int, type ModelFacts } from "../../define/index.ts";
import type { Random } from "../../random.ts";
import { type Images, type Logits, tf } from "../../tf.ts";
import { checkTarget, target, targetLabel, targetOf } from "../target.ts";
import type { SearchSpace } from "./evolution.ts";
import { randomShift } from "./randomShift.ts";
import { type Scorer, scoreAll, scorerOf } from "./score.ts";
import { type Search, startSearch } from "./search.ts";

const params = Type.Object({
  pixels: int(1, "Pixels that may be replaced.", { min: 1, max: 64, unit: "pixels" }),
  strategy: choice(
    ["rand1", "best1dither", "randomShift"],
    "rand1",
    "How candidates are bred: the paper's, SciPy's, or none at all (128 levels added to random pixels, a baseline).",
  ),
  stopMode: choice(["misclassify", "paper5pct"], "misclassify", "Stop at a wrong prediction, or when the true class is under 5 %."),
  target,
  popSize: int(400, "Candidates in a generation.", { min: 4, max: 10_000 }),
  maxGen: int(100, "Generations at most.", { min: 1, max: 10_000 }),
  queryBudget: int(0, "Candidates scored an image at most; 0 for no limit.", { min: 0 }),
});

/**
 * Replaces a few pixels, found by differential evolution on the model's probabilities: no gradient is used. All images of the batch are
 * searched together and leave the batch when they are done. An image costs one query, and `popSize` in each generation; one that is
 * misclassified already, or has the target class, costs no more than the one.
 */
export const nPixel = defineAttack({
  id: "nPixel",
  title: "N-pixel attack",
  paper: "Su et al. 2019",
  access: "scores",
  iterative: true,
  params,
  label: (o) => `${o.pixels}-pixel ${o.strategy === "randomShift" ? "random shift" : "attack"}${targetLabel(o)}`,
  cheap: { popSize: 6, maxGen: 6 },
  ball: ({ pixels }) => ({ norm: "l0", radius: pixels }),
  iterations: ({ maxGen, strategy }) => (strategy === "randomShift" ? 1 : maxGen + 2),
  evaluations: (o) => ({ forward: queriesOf(o), gradient: 0 }),
  target: targetOf,
  check: checkParams,
  async run(model, batch, o, ctx) {
    const [height, width, channels] = model.inputShape;
    const space: SearchSpace = { height, width, channels, pixels: o.pixels };
    checkParams(o, model);
    const images = Float32Array.from(await batch.images.data());
    if (o.strategy === "randomShift") return randomShift(images, batch, space, ctx);
    const score = scorerOf(model, o.popSize);
    const searches = await startSearches({ images, batch, model, score, space, params: o }, ctx);
    await show(model, searches, batch, ctx);
    for (let generation = 0; generation <= o.maxGen; generation++) {
      const active = searches.filter((search) => !search.done);
      if (active.length === 0) break;
      await scoreAll(score, active, space, o.popSize, ctx);
      await show(model, searches, batch, ctx);
      await ctx.checkpoint(progressOf(searches, generation, o.maxGen));
    }
    return bestImages(searches, batch);
  },
});

/** The image itself and its generations, the first population among them. */
function queriesOf({ strategy, popSize, maxGen, queryBudget }: Static<typeof params>): number {
  if (strategy === "randomShift") return 0;
  const candidates = popSize * (maxGen + 1);
  return 1 + (queryBudget > 0 ? Math.min(candidates, queryBudget) : candidates);
}

function checkParams(o: Static<typeof params>, facts: ModelFacts): void {
  const [height, width] = facts.inputShape;
  const refuse = (message: string, fix: string) => new BulwarkError("PARAMETER_INVALID", message, fix);
  if (o.pixels > height * width)
    throw refuse(`${o.pixels} pixels are more than an image of ${height}×${width} has.`, `Use at most ${height * width}.`);
  checkTarget(o, facts);
  if (o.strategy !== "randomShift" && o.queryBudget > 0 && o.queryBudget < o.popSize)
    throw refuse(
      `queryBudget ${o.queryBudget} does not pay for one generation of ${o.popSize}: nothing would be searched.`,
      `Use a queryBudget of at least ${o.popSize}, a smaller popSize, or a queryBudget of 0 for no limit.`,
    );
}

interface Start {
  readonly images: Float32Array;
  readonly batch: AttackBatch;
  readonly model: Classifier;
  readonly score: Scorer;
  readonly space: SearchSpace;
  readonly params: Static<typeof params>;
}

/** One search an image, each with random numbers of its own; images that need none are done at once. */
async function startSearches({ images, batch, model, score, space, params: o }: Start, ctx: AttackContext): Promise<Search[]> {
  const n = batch.images.shape[0];
  const values = images.length / n;
  const imageOf = (i: number): Float32Array => images.subarray(i * values, (i + 1) * values);
  const random = (i: number): Random => ctx.random(i).stream("clean");
  const clean = await score({ count: n, draw: (i, image) => image.set(imageOf(i)), random }, ctx);
  const labels = await batch.labels.data();
  const targets = await batch.targets?.data();
  return Array.from({ length: n }, (_, i) =>
    startSearch(
      imageOf(i),
      clean.subarray(i * model.classes, (i + 1) * model.classes),
      {
        space,
        aim: { label: labels[i] as number, target: targets?.[i], stopMode: o.stopMode },
        strategy: o.strategy === "best1dither" ? "best1dither" : "rand1",
        popSize: o.popSize,
        budget: o.queryBudget || Number.POSITIVE_INFINITY,
      },
      ctx.random(i),
    ),
  );
}

function progressOf(searches: readonly Search[], generation: number, generations: number): Progress {
  const done = searches.filter((search) => search.done).length;
  const odds = searches.reduce((least, search) => Math.min(least, search.done ? least : search.bestOdds), Number.POSITIVE_INFINITY);
  const fitness = Number.isFinite(odds) ? `, best fitness ${number(odds / (1 + odds))}` : "";
  return { phase: `N-pixel attack, generation ${generation} of ${generations}${fitness}`, done, total: searches.length };
}

function bestImages(searches: readonly Search[], batch: AttackBatch): Images {
  const values = batch.images.size / searches.length;
  const images = new Float32Array(batch.images.size);
  searches.forEach((search, i) => {
    images.set(search.bestImage, i * values);
  });
  return tf.tensor4d(images, batch.images.shape);
}

/** Tells the harness the best candidates so far; log-probabilities are as good as logits. */
async function show(model: Classifier, searches: readonly Search[], batch: AttackBatch, ctx: AttackContext): Promise<void> {
  const scores = new Float32Array(searches.length * model.classes);
  searches.forEach((search, i) => {
    scores.set(
      search.bestProbabilities.map((p) => Math.log(Math.max(p, 1e-30))),
      i * model.classes,
    );
  });
  const images = bestImages(searches, batch);
  const logits: Logits = tf.tensor2d(scores, [searches.length, model.classes]);
  try {
    await ctx.iterate(images, logits);
  } finally {
    tf.dispose([images, logits]);
  }
}
