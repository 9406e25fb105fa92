import { type Static, Type } from "@sinclair/typebox";
import { BulwarkError } from "../../../shared/errors.ts";
import type { Classifier } from "../../classifier/classifier.ts";
import { type AttackBatch, type AttackContext, choice, defineAttack, int, type ModelFacts, num } from "../../define/index.ts";
import { checkTarget, target, targetLabel, targetOf } from "../target.ts";
import { checkPixels, goalsOf } from "./aim.ts";
import { chunkLimit, cut } from "./chunks.ts";
import { imagesOf, type Scorer, scorerOf, show } from "./score.ts";
import { patchSquare, pixelSet, type SparseState } from "./sparseMoves.ts";
import { SparseSearch } from "./sparseSearch.ts";

const params = Type.Object({
  mode: choice(["l0", "patch"], "l0", "What may change: pixels anywhere, or a square whose place is searched too."),
  pixels: int(1, "Pixels that may be replaced (mode l0).", { min: 1, max: 10_000, unit: "pixels" }),
  side: int(5, "Side of the square (mode patch).", { min: 1, max: 1000, unit: "px" }),
  queries: int(10_000, "Candidates scored an image at most; the schedule of the search is stretched over them.", {
    min: 1,
    max: 1_000_000,
  }),
  alphaInit: num(0, "Share of the pixels that a move changes at first; 0 takes the paper's, 0.3 for pixels and 0.4 for a patch.", {
    min: 0,
    max: 1,
    advanced: true,
    standIn: { words: "the paper's", first: 0.3 },
  }),
  target,
});
type Params = Static<typeof params>;

/** Images that one pass takes at least, where there are fewer to search: their next queries are asked together. */
const leastTogether = 8;
/** Largest number of calls of `ctx.iterate`. */
const mostIterates = 100;

/**
 * Sparse-RS: random search on the margin of the scores, without gradients. An image costs one query and at most `queries` more, and is done
 * with the first that is misclassified, or has the target class.
 */
export const sparseRs = defineAttack({
  id: "sparseRs",
  title: "Sparse-RS",
  paper: "Croce et al. 2022",
  access: "scores",
  iterative: true,
  params,
  label: (o) => `Sparse-RS, ${o.mode === "l0" ? `${o.pixels} px` : `${o.side}×${o.side} patch`}${targetLabel(o)}`,
  cheap: { pixels: 4, side: 3, queries: 30 },
  ball: ({ mode, pixels, side }) => (mode === "l0" ? { norm: "l0", radius: pixels } : { norm: "l0", radius: side * side, window: side }),
  iterations: ({ queries }) => Math.min(queries, mostIterates) + 1,
  evaluations: ({ queries }) => ({ forward: queries + 1, gradient: 0 }),
  target: targetOf,
  check: checkParams,
  async run(model, batch, o, ctx) {
    checkParams(o, model);
    const n = batch.images.shape[0];
    const values = batch.images.size / n;
    const size = Math.min(chunkLimit(values), Math.max(n, leastTogether));
    const score = scorerOf(model, { passes: (count) => cut(count, size) });
    const searches = await startSearches({ model, batch, score, params: o }, ctx);
    await show(searches, batch, ctx);
    let reported = 0;
    for (;;) {
      const left = searches.filter(({ done }) => !done);
      if (left.length === 0) break;
      await askAll(model, score, left, Math.max(1, Math.floor(size / left.length)), ctx);
      const spent = searches.reduce((sum, { done, queries }) => sum + (done ? o.queries : queries), 0) / (n * o.queries);
      const done = n - searches.filter((search) => !search.done).length;
      const share = Math.floor(spent * Math.min(o.queries, mostIterates));
      if (share > reported) await show(searches, batch, ctx);
      reported = Math.max(reported, share);
      await ctx.checkpoint({ phase: `Sparse-RS, ${Math.floor(100 * spent)} % of the queries`, done, total: n });
    }
    return imagesOf(searches, batch);
  },
});

function checkParams(o: Params, facts: ModelFacts): void {
  const [height, width] = facts.inputShape;
  checkTarget(o, facts);
  if (o.mode === "l0") checkPixels(o.pixels, facts);
  else if (o.side > Math.min(height, width))
    throw new BulwarkError(
      "PARAMETER_INVALID",
      `A patch of ${o.side}×${o.side} pixels is larger than an image of ${height}×${width}.`,
      `Use a side of at most ${Math.min(height, width)}.`,
    );
}

interface Start {
  readonly model: Classifier;
  readonly batch: AttackBatch;
  readonly score: Scorer;
  readonly params: Params;
}

/** One search an image, each with random numbers of its own; images that need none are done at once. */
async function startSearches({ model, batch, score, params: o }: Start, ctx: AttackContext): Promise<SparseSearch[]> {
  const [height, width, channels] = model.inputShape;
  const images = Float32Array.from(await batch.images.data());
  const goals = await goalsOf(batch);
  const values = images.length / goals.length;
  const imageOf = (i: number): Float32Array => images.subarray(i * values, (i + 1) * values);
  const streams = goals.map((_, i) => ctx.random(i));
  const clean = await score(
    {
      count: goals.length,
      draw: (i, image) => image.set(imageOf(i)),
      random: (i) => (streams[i] as (typeof streams)[number]).stream("clean"),
    },
    ctx,
  );
  const alphaInit = o.alphaInit || (o.mode === "l0" ? 0.3 : 0.4);
  const options = { space: { height, width, channels, pixels: o.pixels }, alphaInit, queries: o.queries };
  return goals.map((goal, i) => {
    const rng = streams[i] as (typeof streams)[number];
    const state: SparseState =
      o.mode === "l0"
        ? pixelSet(imageOf(i), options, rng)
        : patchSquare(imageOf(i), o.side, { ...options, isTargeted: goal.target !== undefined }, rng);
    const logits = clean.slice(i * model.classes, (i + 1) * model.classes);
    return new SparseSearch(imageOf(i), logits, { goal, state, budget: o.queries }, rng);
  });
}

/** Asks the next queries of all searches together, up to `each` of every one; what is dropped counts as no query, like padding. */
async function askAll(
  model: Classifier,
  score: Scorer,
  searches: readonly SparseSearch[],
  each: number,
  ctx: AttackContext,
): Promise<void> {
  const asked = searches.map((search) => ({ search, queries: search.next(each) }));
  const all = asked.flatMap(({ search, queries }) => queries.map((query) => ({ search, query })));
  const at = (i: number) => all[i] as (typeof all)[number];
  const candidates = {
    count: all.length,
    draw: (i: number, image: Float32Array) => at(i).query.move.draw(image),
    random: (i: number) => at(i).search.streamOf(at(i).query),
  };
  const logits = await score(candidates, ctx);
  const k = model.classes;
  let from = 0;
  for (const { search, queries } of asked) {
    let taken = 0;
    for (const query of queries) {
      const at = (from + taken++) * k;
      if (search.accept(query, logits.subarray(at, at + k)) || search.done) break;
    }
    model.evaluations.forward -= queries.length - taken;
    from += queries.length;
  }
}
