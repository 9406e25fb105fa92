import { type Static, Type } from "@sinclair/typebox";
import { BulwarkError } from "../../../shared/errors.ts";
import { number } from "../../../shared/format.ts";
import type { Classifier } from "../../classifier/classifier.ts";
import { probabilitiesOf } from "../../classifier/probabilities.ts";
import type { Progress } from "../../context.ts";
import { type AttackBatch, type AttackContext, choice, defineAttack, int, type ModelFacts } from "../../define/index.ts";
import type { Random } from "../../random.ts";
import { checkTarget, target, targetLabel, targetOf } from "../target.ts";
import { checkPixels } from "./aim.ts";
import type { SearchSpace } from "./evolution.ts";
import { randomShift } from "./randomShift.ts";
import { type Found, imagesOf, populations, type Scorer, scoreAll, scorerOf, show } from "./score.ts";
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
  queryBudget: int(0, "Candidates scored an image at most; 0 for no limit.", { min: 0, standIn: { words: "no limit", first: 10_000 } }),
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
  label: (o) =>
    `${o.pixels}-pixel ${o.strategy === "randomShift" ? "random shift" : "attack"}${targetLabel(o)}${isLoose(o) ? ", upper bound" : ""}`,
  upperBound: (o) => (isLoose(o) ? looseness : null),
  cheap: { popSize: 6, maxGen: 6 },
  ball: ({ pixels }) => ({ norm: "l0", radius: pixels }),
  iterations: ({ maxGen, strategy }) => (strategy === "randomShift" ? 1 : maxGen + 1),
  evaluations: (o) => ({ forward: queriesOf(o), gradient: 0 }),
  target: targetOf,
  check: checkParams,
  async run(model, batch, o, ctx) {
    const [height, width, channels] = model.inputShape;
    const space: SearchSpace = { height, width, channels, pixels: o.pixels };
    checkParams(o, model);
    const images = Float32Array.from(await batch.images.data());
    if (o.strategy === "randomShift") return randomShift(images, batch, space, ctx);
    const score = scorerOf(model, { passes: populations(model, o.popSize), shown: probabilitiesOf });
    const searches = await startSearches({ images, batch, model, score, space, params: o }, ctx);
    await show(searches.map(foundBy), batch, ctx);
    for (let generation = 0; generation <= o.maxGen; generation++) {
      const active = searches.filter((search) => !search.done);
      if (active.length === 0) break;
      await scoreAll(score, active, space, o.popSize, ctx);
      await show(searches.map(foundBy), batch, ctx);
      await ctx.checkpoint(progressOf(searches, generation, o.maxGen));
    }
    return imagesOf(searches.map(foundBy), batch);
  },
});

/**
 * Differential evolution moves all genes at once, without crossover: near exact for one pixel, it hardly gains from four on, whatever the
 * budget. Of 20 digits that the sample network had right, 400×50 at 16 pixels left 15, and the greedy search 6.
 */
const isLoose = ({ pixels, strategy }: Static<typeof params>): boolean => pixels > 3 && strategy !== "randomShift";
const looseness =
  "Accuracy under it is an upper bound on robustness: differential evolution finds few of the adversarial images of more than 3 pixels. greedyPixels, or sparseRs without gradients, finds more.";

/** The image itself and its generations, the first population among them. */
function queriesOf({ strategy, popSize, maxGen, queryBudget }: Static<typeof params>): number {
  if (strategy === "randomShift") return 0;
  const candidates = popSize * (maxGen + 1);
  return 1 + (queryBudget > 0 ? Math.min(candidates, queryBudget) : candidates);
}

function checkParams(o: Static<typeof params>, facts: ModelFacts): void {
  checkPixels(o.pixels, facts);
  checkTarget(o, facts);
  if (o.strategy !== "randomShift" && o.queryBudget > 0 && o.queryBudget < o.popSize)
    throw new BulwarkError(
      "PARAMETER_INVALID",
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

const foundBy = ({ bestImage, bestProbabilities }: Search): Found => ({
  image: bestImage,
  logits: bestProbabilities.map((p) => Math.log(Math.max(p, 1e-30))),
});
