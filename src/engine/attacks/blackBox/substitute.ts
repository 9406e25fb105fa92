import { createHash } from "node:crypto";
import { type Classifier, inputGradient } from "../../classifier/classifier.ts";
import { classifierOf } from "../../classifier/network.ts";
import type { PrepareContext } from "../../define/index.ts";
import { type Images, tf, type tfl, valuesOf } from "../../tf.ts";
import { feed, type ImageSource } from "../../training/feed.ts";
import { adam, trainedWeights } from "../../training/optimizers.ts";
import { plainPlan } from "../../training/plan.ts";
import { trainStep } from "../../training/step.ts";
import { Tally } from "../../training/tally.ts";
import { substituteNetwork } from "./network.ts";
import { oracleOf } from "./oracle.ts";

export interface SubstituteSettings {
  readonly initialImages: number;
  readonly augmentations: number;
  readonly epochs: number;
  readonly lambda: number;
}
/** A trained substitute. */
export interface Substitute {
  readonly network: tfl.LayersModel;
  /** Images whose label the oracle was asked for. */
  readonly queries: number;
  /** SHA-256 of its weights; empty while it is trained. */
  readonly hash: string;
}

const [batchSize, learningRate] = [128, 1e-3];
/** Rounds after which λ changes its sign. */
const period = 3;

/** Images asked about in all: every augmentation doubles them. */
export const queriesOf = ({ initialImages, augmentations }: SubstituteSettings): number => initialImages * 2 ** augmentations;

/** The substitute as a classifier of the same images; disposing it frees the network. */
export const classifierOfSubstitute = ({ network }: Pick<Substitute, "network">): Classifier =>
  classifierOf(network, { contract: { input: {} }, outputs: "logits", freeze: false });

/** λ of a round, + in the first three, − in the next three, and so on. */
export const stepOfRound = (lambda: number, round: number): number => (Math.floor(round / period) % 2 === 0 ? lambda : -lambda);

/**
 * Trains a substitute for a model that is asked for labels alone: on the first images, then on as many again after each round, which lie a
 * step along the sign of the substitute's gradient of the oracle's label. Weights go on from round to round, each with an Adam of its own.
 * Source: Papernot et al. 2017, Alg. 1, with the settings of cleverhans' tutorial; λ as in their section 5.
 */
export async function trainSubstitute(
  model: Classifier,
  images: ImageSource,
  p: SubstituteSettings,
  ctx: PrepareContext<Substitute>,
): Promise<Substitute> {
  const oracle = oracleOf(model, ctx);
  const size = model.inputShape.reduce((a, b) => a * b, 1);
  const places = ctx.rng.stream("initial").permutation(images.size).slice(0, p.initialImages);
  const set = new GrowingSet(queriesOf(p), size);
  const first = await images.read(places);
  set.add(first.images, await oracle.ask(first.images));
  const network = substituteNetwork(model.inputShape, model.classes, ctx.rng.stream("network").integer(2 ** 31));
  try {
    for (let round = 0; round <= p.augmentations; round++) {
      await trainRound(network, set, { round, rounds: p.augmentations + 1, shape: model.inputShape, queries: oracle.queries, p }, ctx);
      if (round === p.augmentations) break;
      const further = await augmented(network, set, stepOfRound(p.lambda, round), model.inputShape, ctx);
      set.add(further, await oracle.ask(further));
    }
    return { network, queries: oracle.queries, hash: await hashOf(network) };
  } catch (thrown) {
    network.dispose();
    throw thrown;
  }
}

export async function hashOf(network: tfl.LayersModel): Promise<string> {
  const hash = createHash("sha256");
  for (const weight of network.getWeights()) hash.update(new Uint8Array(Float32Array.from(await weight.data()).buffer));
  return hash.digest("hex");
}

/** Images and the oracle's labels, as a source to train on. */
class GrowingSet implements ImageSource {
  size = 0;
  readonly #images: Float32Array;
  readonly #labels: Int32Array;
  readonly #values: number;

  constructor(most: number, values: number) {
    this.#images = new Float32Array(most * values);
    this.#labels = new Int32Array(most);
    this.#values = values;
  }

  add(images: Float32Array, labels: Int32Array): void {
    this.#images.set(images, this.size * this.#values);
    this.#labels.set(labels, this.size);
    this.size += labels.length;
  }

  async read(places: ArrayLike<number>) {
    const images = new Float32Array(places.length * this.#values);
    Array.from(places).forEach((place, i) => {
      images.set(this.#images.subarray(place * this.#values, (place + 1) * this.#values), i * this.#values);
    });
    return { images, labels: Int32Array.from(places, (place) => this.#labels[place] as number), n: places.length };
  }
}

interface Round {
  readonly round: number;
  readonly rounds: number;
  readonly shape: Classifier["inputShape"];
  readonly queries: number;
  readonly p: SubstituteSettings;
}

async function trainRound(network: tfl.LayersModel, set: ImageSource, o: Round, ctx: PrepareContext<Substitute>): Promise<void> {
  const { epochs } = o.p;
  const weights = trainedWeights(network);
  const optimizer = adam(weights, 0);
  const tally = new Tally();
  const learner = { network, plan: plainPlan, contract: { input: {} }, shape: o.shape };
  const masks = ctx.rng.stream("masks"); // the network has no dropout
  try {
    for (let epoch = 0; epoch < epochs; epoch++) {
      for await (const batch of feed(set, batchSize, undefined, ctx.rng.stream(`order/${o.round}/${epoch}`))) {
        const { loss, parts } = trainStep(learner, weights, optimizer, batch, { learningRate, masks, tally });
        tf.dispose([loss, parts]);
        await ctx.checkpoint();
      }
      const done = o.round * epochs + epoch + 1;
      await ctx.onStep?.({ done, total: o.rounds * epochs, prepared: { network, queries: o.queries, hash: "" } });
    }
  } finally {
    optimizer.dispose();
    tally.dispose();
  }
}

/** Each image of the set, a step of λ along the sign of the gradient of its label's logit, in [0,1]. */
async function augmented(
  network: tfl.LayersModel,
  set: ImageSource,
  lambda: number,
  shape: Classifier["inputShape"],
  ctx: Pick<PrepareContext, "checkpoint">,
): Promise<Float32Array> {
  const model = classifierOfSubstitute({ network });
  const size = shape.reduce((a, b) => a * b, 1);
  const further = new Float32Array(set.size * size);
  const most = Math.max(1, Math.min(batchSize, Math.floor(1e6 / size)));
  for (let start = 0; start < set.size; start += most) {
    const n = Math.min(most, set.size - start);
    const { images, labels } = await set.read(Int32Array.from({ length: n }, (_, i) => start + i));
    further.set(await valuesOf(stepped(model, images, labels, lambda)), start * size);
    await ctx.checkpoint();
  }
  return further;
}

/** clip(x + λ·sign ∂z_label/∂x), [n,H,W,C]; the caller disposes. */
export function stepped(model: Classifier, images: Float32Array, labels: Int32Array, lambda: number): Images {
  const x = tf.tensor4d(images, [labels.length, ...model.inputShape]);
  const own = tf.tidy(() => tf.cast(tf.oneHot(tf.tensor1d(labels, "int32"), model.classes), "float32"));
  const { gradient, logits } = inputGradient(model, x, (z) => tf.sum(tf.mul(z, own)) as tf.Scalar);
  const moved = tf.tidy(() => tf.clipByValue(tf.add(x, tf.mul(tf.sign(gradient), lambda)), 0, 1) as Images);
  tf.dispose([x, own, gradient, logits]);
  return moved;
}
