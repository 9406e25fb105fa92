import { BulwarkError } from "../../shared/errors.ts";
import { type Bound, documented, type InferenceDefense } from "../define/index.ts";
import type { Random } from "../random.ts";
import { type Images, tf } from "../tf.ts";
import type { Classifier, FeatureSource } from "./classifier.ts";

/** Random numbers by image of the batch that is being computed. */
export interface Streams {
  random(i: number): Random;
}

/**
 * The model behind transformations, the first of the chain met first by the image. Where a defence declares `bpda`, its gradient is the
 * identity (Athalye et al. 2018, section 4.1); else gradients pass through it. Explanations see the same function: layers are those of
 * the network, for the transformed image. It shares the weights of `model`, which `dispose` frees.
 */
export function defended(model: Classifier, chain: readonly Bound<InferenceDefense>[], streams: Streams): Classifier {
  return chain.reduceRight((behind, defense) => inFront(behind, defense, streams), model);
}

function inFront(model: Classifier, defense: Bound<InferenceDefense>, streams: Streams): Classifier {
  const { entry, params } = defense;
  const choice = documented(defense);
  const backward = entry.backward(params);
  const plain = (x: Images): Images =>
    checked(
      tf.tidy(() => entry.transform(x, params, { model, random: streams.random })),
      x,
      choice.id,
    );
  const transform = backward === "bpda" ? identityGradient(plain) : plain;
  const passage = backward === "bpda" ? `BPDA through ${lower(entry.title)}` : `gradients through ${lower(entry.title)}`;
  const trained = model.defenses.slice(0, model.defenses.length - frontCount(model));
  const source = model.featureSource;
  return {
    ...model,
    evaluations: model.evaluations,
    logits: (x) => tf.tidy(() => model.logits(transform(x))),
    randomised: model.randomised || entry.randomised(params),
    featureSource: source && layersBehind(source, transform),
    defenses: [...trained, choice, ...model.defenses.slice(trained.length)],
    bare: model.bare ?? model,
    passage: model.passage ? `${passage}, ${model.passage}` : passage,
  };
}

const frontCount = (model: Classifier): number => (model.bare ? model.defenses.length - model.bare.defenses.length : 0);
const lower = (title: string): string => title.charAt(0).toLowerCase() + title.slice(1);

/** Forward f(x), backward the identity. */
const identityGradient = (f: (x: Images) => Images): ((x: Images) => Images) => {
  const op = tf.customGrad((x: tf.Tensor | tf.GradSaveFunc) => ({ value: f(x as Images), gradFunc: (dy: tf.Tensor) => dy }));
  return (x) => op(x) as Images;
};

/** @throws DEFENSE_INVALID for another shape than that of the images. */
function checked(output: Images, x: Images, id: string): Images {
  if (output.shape.length === 4 && output.shape.every((side, i) => side === x.shape[i])) return output;
  throw new BulwarkError(
    "DEFENSE_INVALID",
    `The defence ${id} turned images of ${x.shape.slice(1).join("×")} into ${output.shape.slice(1).join("×")}.`,
    "A defence in front of a model must keep the size and the channels of the image.",
  );
}

const layersBehind = (source: FeatureSource, transform: (x: Images) => Images): FeatureSource => ({
  ...source,
  features: (x, layer) => tf.tidy(() => source.features(transform(x), layer)),
  head: (features, x, layer) => tf.tidy(() => source.head(features, transform(x), layer)),
  toImage: (map, x) => tf.tidy(() => source.toImage(map, transform(x))),
});

/** What an attacker knows: nothing of what stands in front of the network, or everything. */
export type Knowledge = "static" | "adaptive";

/** The model that an attacker with this knowledge attacks, and how it was built, in words for the report. */
export function attackSurface(model: Classifier, knowledge: Knowledge): { readonly model: Classifier; readonly how: string } {
  if (!model.bare) return { model, how: "the model itself" };
  if (knowledge === "static") return { model: model.bare, how: "the same network with nothing in front" };
  return { model, how: model.passage ?? "" };
}
