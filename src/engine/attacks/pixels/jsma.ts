import { type Static, Type } from "@sinclair/typebox";
import { number } from "../../../shared/format.ts";
import type { Classifier } from "../../classifier/classifier.ts";
import {
  type AttackBatch,
  type AttackContext,
  type BallFacts,
  choice,
  defineAttack,
  drawnTargets,
  intOr,
  num,
  type Refuse,
} from "../../define/index.ts";
import type { Random } from "../../random.ts";
import { type Logits, tf } from "../../tf.ts";
import type { AttackLoss } from "../gradientDescent.ts";
import { checkTarget, targetLabel } from "../target.ts";
import { type Goal, goalsOf, isReached } from "./aim.ts";
import { type Climber, slopesOf } from "./gradients.ts";
import { saliencyPair } from "./saliencyPair.ts";
import { type Found, imagesOf, show } from "./score.ts";

/** A θ of 0 changes nothing. */
const refuseTheta: Refuse = ({ theta }) =>
  theta === 0 ? { message: "theta is 0, which changes no feature.", fix: "Use 1, or −1 to darken." } : null;

const params = Type.Object(
  {
    theta: num(1, "What is added to a feature, cut at the ends of [0,1]; a negative one darkens.", { min: -1, max: 1, unit: "of 1" }),
    gamma: num(0.1, "Share of the features that may change. A feature is one channel of one pixel.", { min: 0, max: 1, unit: "of 1" }),
    target: intOr(
      drawnTargets,
      "random",
      "Target class. Random: one for each image, uniform among those that are not its label; runner up, least likely: the others' most or least likely one on the clean image.",
      { min: 0 },
    ),
    on: choice(
      ["logits", "probabilities"],
      "logits",
      "Scores that the saliency map is made of. Logits as in the paper's text; probabilities as in the code of Feinman et al. 2017, where the other classes fall by what the target gains.",
    ),
  },
  { refuse: refuseTheta },
);
type Params = Static<typeof params>;

/** Pairs that may change: ⌊F·γ/2⌋ of F features. */
const mostPairs = ({ gamma }: Params, { inputShape: [height, width, channels] }: BallFacts): number =>
  Math.floor((height * width * channels * gamma) / 2);

/**
 * Jacobian-based saliency map attack towards a class, as in cleverhans 1 and 2: each iteration adds θ to the pair of features i, j with the
 * largest −A·B, where A = ∂z_t/∂x_i + ∂z_t/∂x_j > 0 and B, the same sum over the other classes, < 0 (reversed for a negative θ). A feature
 * changes once, and only if it is not at that end of [0,1] before. An image is done when it has the target class, when ⌊F·γ/2⌋ pairs are
 * spent, or when no pair is left with such signs, where that code goes on with its first features. An image whose attacker has to evade a
 * detector as well goes on behind the target class.
 * Source: Papernot et al. 2016, Alg. 3; Feinman et al. 2017.
 */
export const jsma = defineAttack({
  id: "jsma",
  title: "Jacobian-based saliency map attack (JSMA)",
  paper: "Papernot et al. 2016",
  access: "gradients",
  iterative: true,
  params,
  label: (p) =>
    [
      "JSMA",
      ...(p.theta === 1 ? [] : [`θ ${number(p.theta)}`]),
      `γ ${number(p.gamma)}`,
      ...(p.on === "logits" ? [] : ["on probabilities"]),
    ].join(", ") + targetLabel(p),
  cheap: { gamma: 0.04 },
  ball: (p, facts) => ({ norm: "l0", radius: Math.min(2 * mostPairs(p, facts), facts.inputShape[0] * facts.inputShape[1]) }),
  evaluations: (p, facts) => ({ forward: 0, gradient: facts ? 2 * mostPairs(p, facts) : Number.POSITIVE_INFINITY }),
  target: ({ target }) => target,
  check: checkTarget,
  async run(model, batch, p, ctx) {
    checkTarget(p, model);
    const most = mostPairs(p, model);
    const searches = await startSearches(batch, p.theta, ctx);
    const losses = lossesOf(model, p.on);
    for (let pair = 0; pair < most; pair++) {
      for (const { search, logits, gradients } of await slopesOf(model, searches, { name: `jacobian/${pair}`, losses }, ctx))
        search.follow(logits, gradients, !model.penalty);
      await show(
        searches.map(({ seen }) => seen),
        batch,
        ctx,
      );
      for (const search of searches) search.take();
      const done = searches.filter((search) => search.done).length;
      await ctx.checkpoint({ phase: `JSMA, pair ${pair + 1} of ${most}`, done, total: searches.length });
      if (done === searches.length) break;
    }
    return imagesOf(searches, batch);
  },
});

/** One search an image. */
async function startSearches(batch: AttackBatch, theta: number, ctx: AttackContext): Promise<SaliencySearch[]> {
  const images = Float32Array.from(await batch.images.data());
  const goals = await goalsOf(batch);
  const values = images.length / goals.length;
  return goals.map((goal, i) => new SaliencySearch(images.slice(i * values, (i + 1) * values), { goal, theta }, ctx.random(i)));
}

/**
 * What is ascended, summed over the batch: the target's score, and minus the sum of the others'. Of probabilities that sum to 1 they have the
 * same gradient, which takes one pass; that of log p_t is a positive multiple of it, makes the same pairs the best, and does not underflow.
 */
function lossesOf({ isMultiLabel }: Classifier, on: Params["on"]): AttackLoss[] {
  const weighted =
    (scores: (z: Logits) => tf.Tensor, of: (own: tf.Tensor) => tf.Tensor): AttackLoss =>
    (z, { labels, targets = labels }) =>
      tf.sum(tf.mul(scores(z), of(tf.cast(tf.oneHot(targets, z.shape[1]), "float32")))) as tf.Scalar;
  const own = (mask: tf.Tensor): tf.Tensor => mask;
  const others = (mask: tf.Tensor): tf.Tensor => tf.sub(mask, 1);
  if (on === "logits") return [weighted((z) => z, own), weighted((z) => z, others)];
  if (isMultiLabel) return [weighted(tf.logSigmoid, own), weighted(tf.sigmoid, others)];
  return [weighted(tf.logSoftmax, own)];
}

/** JSMA on one image: the gradients of both losses in, a pair of features out. */
class SaliencySearch implements Climber {
  readonly goal: Goal;
  readonly rng: Random;
  image: Float32Array;
  done = false;
  /** The image that was last scored. */
  seen: Found;
  readonly #theta: number;
  #next: Float32Array | undefined;
  /** Features that may change, ascending. */
  #domain: readonly number[];

  constructor(image: Float32Array, { goal, theta }: { readonly goal: Goal; readonly theta: number }, rng: Random) {
    this.goal = goal;
    this.rng = rng;
    this.image = image;
    this.seen = { image, logits: [] };
    this.#theta = theta;
    this.#domain = Array.from(image.keys()).filter((i) => (theta > 0 ? (image[i] as number) < 1 : (image[i] as number) > 0));
  }

  /**
   * Takes what was seen of the image and chooses the pair that changes next.
   * @param gradients of both losses; of one where the other's is the same
   */
  follow(logits: Float32Array, gradients: readonly Float32Array[], stops: boolean): void {
    this.seen = { image: this.image, logits };
    const [u = new Float32Array(0), v = u] = gradients.map((gradient) => (this.#theta > 0 ? gradient : gradient.map((slope) => -slope)));
    const pair = stops && isReached(logits, this.goal) ? null : saliencyPair(u, v, this.#domain);
    this.done = pair === null;
    if (!pair) return;
    this.#domain = this.#domain.filter((i) => !pair.includes(i));
    this.#next = Float32Array.from(this.image);
    for (const i of pair) this.#next[i] = Math.min(1, Math.max(0, (this.image[i] as number) + this.#theta));
  }

  /** Changes the pair, once the harness has seen the image before. */
  take(): void {
    this.image = this.#next ?? this.image;
    this.#next = undefined;
  }
}
