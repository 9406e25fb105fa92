import { Type } from "@sinclair/typebox";
import { BulwarkError } from "../../../shared/errors.ts";
import type { Classifier } from "../../classifier.ts";
import { type AttackBatch, type AttackContext, choice, defineAttack, int } from "../../define.ts";
import type { Random } from "../../random.ts";
import { type Images, type Logits, tf } from "../../tf.ts";
import type { SearchSpace } from "./evolution.ts";
import { probabilitiesOf, scoreAll } from "./score.ts";
import { type Search, startSearch } from "./search.ts";

const params = Type.Object({
  pixels: int(1, "Pixels that may be replaced.", { min: 1, max: 64, unit: "pixels" }),
  strategy: choice(
    ["rand1", "best1dither", "randomShift"],
    "rand1",
    "How candidates are bred: the paper's, SciPy's, or none at all (128 levels added to random pixels, a baseline).",
  ),
  stopMode: choice(["misclassify", "paper5pct"], "misclassify", "Stop at a wrong prediction, or when the true class is under 5 %."),
  target: int(-1, "Class aimed at; −1 for any other than the label.", { min: -1 }),
  popSize: int(400, "Candidates in a generation.", { min: 4, max: 10_000 }),
  maxGen: int(100, "Generations at most.", { min: 1, max: 10_000 }),
  queryBudget: int(0, "Candidates scored an image at most; 0 for no limit.", { min: 0 }),
});

/**
 * Replaces a few pixels, found by differential evolution on the model's probabilities: no gradient is used. All images of the batch are
 * searched together and leave the batch when they are done.
 */
export const nPixel = defineAttack({
  id: "nPixel",
  title: "N-pixel attack",
  paper: "Su et al. 2019",
  access: "scores",
  iterative: true,
  params,
  ball: ({ pixels }) => ({ norm: "l0", radius: pixels }),
  iterations: ({ maxGen, strategy }) => (strategy === "randomShift" ? 1 : maxGen + 2),
  target: ({ target }) => (target < 0 ? null : target),
  async run(model, batch, o, ctx) {
    const [height, width, channels] = model.inputShape;
    const space: SearchSpace = { height, width, channels, pixels: o.pixels };
    if (o.pixels > height * width) {
      throw new BulwarkError(
        "PARAMETER_INVALID",
        `nPixel: ${o.pixels} pixels are more than the image has.`,
        `Use at most ${height * width}.`,
      );
    }
    const images = Float32Array.from(await batch.images.data());
    if (o.strategy === "randomShift") return randomShift(images, batch, space, ctx);
    const clean = await probabilitiesOf(model, images);
    const labels = await batch.labels.data();
    const targets = await batch.targets?.data();
    const values = height * width * channels;
    const searches = Array.from({ length: batch.images.shape[0] }, (_, i) =>
      startSearch(
        images.slice(i * values, (i + 1) * values),
        clean.slice(i * model.classes, (i + 1) * model.classes),
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
    await show(model, searches, batch, ctx);
    for (let generation = 0; generation <= o.maxGen; generation++) {
      const active = searches.filter((search) => !search.done);
      if (active.length === 0) break;
      await scoreAll(model, active, space, o.popSize, ctx);
      await show(model, searches, batch, ctx);
    }
    return bestImages(searches, batch);
  },
});

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

/** Adds 128 levels to `pixels` different random pixels of each image, clamped: what chance does. */
async function randomShift(images: Float32Array, batch: AttackBatch, space: SearchSpace, ctx: AttackContext): Promise<Images> {
  const count = space.height * space.width;
  for (let i = 0; i < batch.images.shape[0]; i++) {
    const rng: Random = ctx.random(i);
    for (const pixel of rng.permutation(count).subarray(0, space.pixels)) {
      const at = (i * count + pixel) * space.channels;
      for (let c = at; c < at + space.channels; c++) images[c] = Math.min(1, (images[c] as number) + 128 / 255);
    }
  }
  await ctx.checkpoint();
  return tf.tensor4d(images, batch.images.shape);
}
