import { Type } from "@sinclair/typebox";
import type { Classifier } from "../../classifier/classifier.ts";
import { type AttackBatch, type AttackContext, defineAttack, int, type ModelFacts } from "../../define/index.ts";
import { margin } from "../gradientDescent.ts";
import { checkTarget, target, targetLabel, targetOf } from "../target.ts";
import { checkPixels, goalsOf } from "./aim.ts";
import type { SearchSpace } from "./evolution.ts";
import { slopesOf } from "./gradients.ts";
import { GreedySearch } from "./greedySearch.ts";
import { imagesOf, populations, type Scorer, scorerOf, show } from "./score.ts";

/**
 * Replaces one pixel after another. Each round takes the gradient of the margin, tries the pixels that it ranks first and some random ones,
 * each channel at an end of [0,1], and keeps the best replacement. One that raises the margin is not made; where none lowers it, as while
 * no slice changes its vote, the first that leaves it as it is and that the gradient recommends is made. The random ones find what a masked
 * gradient does not show. An image costs one gradient and `candidates` + 2·`random` queries a round, until it is misclassified or
 * has the target class.
 */
export const greedyPixels = defineAttack({
  id: "greedyPixels",
  title: "Greedy pixel attack",
  paper: "after Su et al. 2019",
  access: "gradients",
  iterative: true,
  params: Type.Object({
    pixels: int(1, "Pixels that may be replaced.", { min: 1, max: 10_000, unit: "pixels" }),
    candidates: int(50, "Pixels tried in a round, those that the gradient ranks first.", { min: 1, max: 10_000, unit: "pixels" }),
    random: int(20, "Random pixels tried beside them.", { min: 0, max: 10_000, unit: "pixels" }),
    target,
  }),
  label: (o) => `${o.pixels}-pixel greedy attack${targetLabel(o)}`,
  cheap: { pixels: 4, candidates: 6, random: 2 },
  ball: ({ pixels }) => ({ norm: "l0", radius: pixels }),
  iterations: ({ pixels }) => pixels,
  evaluations: (o) => ({ forward: o.pixels * triedAtOnce(o), gradient: o.pixels }),
  target: targetOf,
  check: checkParams,
  async run(model, batch, o, ctx) {
    checkParams(o, model);
    const [height, width, channels] = model.inputShape;
    const space: SearchSpace = { height, width, channels, pixels: o.pixels };
    const searches = await startSearches(batch, { ...o, space }, ctx);
    const popSize = Math.min(triedAtOnce(o), 2 * height * width);
    const score = scorerOf(model, { passes: populations(model, popSize) });
    for (let round = 0; round < o.pixels; round++) {
      const left = searches.filter(({ done }) => !done);
      if (left.length === 0) break;
      await aimAll(model, searches, round, ctx);
      if (round === 0) await show(searches, batch, ctx);
      await tryAll(
        score,
        left.filter(({ done }) => !done),
        round,
        ctx,
      );
      await show(searches, batch, ctx);
      const done = searches.filter((search) => search.done).length;
      await ctx.checkpoint({ phase: `Greedy pixel attack, pixel ${round + 1} of ${o.pixels}`, done, total: searches.length });
    }
    return imagesOf(searches, batch);
  },
});

/** Candidates of a round: a random pixel is tried in two colours. */
const triedAtOnce = ({ candidates, random }: { readonly candidates: number; readonly random: number }): number => candidates + 2 * random;

function checkParams(o: { readonly pixels: number } & Parameters<typeof checkTarget>[0], facts: ModelFacts): void {
  checkPixels(o.pixels, facts);
  checkTarget(o, facts);
}

type Options = Omit<ConstructorParameters<typeof GreedySearch>[1], "goal">;

/** One search an image, each with random numbers of its own. */
async function startSearches(batch: AttackBatch, o: Options, ctx: AttackContext): Promise<GreedySearch[]> {
  const images = Float32Array.from(await batch.images.data());
  const goals = await goalsOf(batch);
  const values = images.length / goals.length;
  return goals.map((goal, i) => new GreedySearch(images.subarray(i * values, (i + 1) * values), { ...o, goal }, ctx.random(i)));
}

/** Gradients of all searches; images that have reached their goal already are done with that. */
async function aimAll(model: Classifier, searches: readonly GreedySearch[], round: number, ctx: AttackContext): Promise<void> {
  for (const { search, logits, gradients } of await slopesOf(model, searches, { name: `gradient/${round}`, losses: [margin] }, ctx)) {
    if (round === 0) search.see(logits);
    if (!search.done) search.aim(gradients[0] as Float32Array);
  }
}

/** Scores what all searches try together; then each keeps its best. */
async function tryAll(score: Scorer, searches: readonly GreedySearch[], round: number, ctx: AttackContext): Promise<void> {
  const tried = searches.flatMap((search) => search.pending.map((_, i) => ({ search, i })));
  if (tried.length === 0) return;
  const at = (j: number) => tried[j] as (typeof tried)[number];
  const candidates = {
    count: tried.length,
    draw: (j: number, image: Float32Array) => at(j).search.draw(at(j).i, image),
    random: (j: number) => at(j).search.rng.stream(`candidate/${round}/${at(j).i}`),
  };
  const logits = await score(candidates, ctx);
  const k = logits.length / tried.length;
  let from = 0;
  for (const search of searches) {
    const end = from + search.pending.length * k;
    search.accept(logits.subarray(from, end));
    from = end;
  }
}
