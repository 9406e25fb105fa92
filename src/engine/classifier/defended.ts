import { BulwarkError } from "../../shared/errors.ts";
import { inSentence } from "../../shared/format.ts";
import { type Bound, type DefenseMaps, type DefenseView, documented, type ImageSize, type InferenceDefense } from "../define/index.ts";
import type { Streams } from "../random.ts";
import { type Images, type Mask, tf } from "../tf.ts";
import type { Classifier, FrontDefense, LayerSource } from "./classifier.ts";
import { continued } from "./streams.ts";

/**
 * The model behind transformations, the first of the chain met first by the image. Where a defence declares `bpda`, its gradient is the
 * identity (Athalye et al. 2018, section 4.1); else gradients pass through it. Explanations see the same function: layers are those of
 * the network, for the transformed image. It shares the weights of `model`, which `dispose` frees.
 * @param streams random numbers of randomised defences, until `withStreams` names others
 */
export function defended(model: Classifier, chain: readonly Bound<InferenceDefense>[], streams: Streams): Classifier {
  return chain.reduceRight((behind, defense) => inFront(behind, defense, streams), model);
}

function inFront(model: Classifier, defense: Bound<InferenceDefense>, streams: Streams, mask?: Mask): Classifier {
  const { entry, params } = defense;
  const choice = documented(defense);
  const behind = model.front ?? [];
  const backward = entry.backward(params);
  const draw = (): Streams => continued(streams, `front/${behind.length}`);
  /** Draws go on from call to call. */
  const transformer = (drawn: Streams): ((x: Images) => Images) => {
    const plain = (x: Images): Images => transformed(defense, x, { model, random: drawn.random, mask });
    return backward === "bpda" ? identityGradient(plain) : plain;
  };
  const transform = transformer(draw());
  const passage = backward === "bpda" ? `BPDA through ${inSentence(entry.title)}` : `gradients through ${inSentence(entry.title)}`;
  const trained = model.defenses.slice(0, model.defenses.length - behind.length);
  const randomised = model.randomised || entry.randomised(params);
  const { slices: _, ...whole } = model;
  return {
    ...whole,
    evaluations: model.evaluations,
    logits: (x) => tf.tidy(() => model.logits(transform(x))),
    randomised,
    ...(randomised ? { withStreams: (others) => inFront(model.withStreams?.(others) ?? model, defense, others, mask) } : {}),
    withMask: (known) => inFront(model.withMask?.(known) ?? model, defense, streams, known),
    // Several readings of the layers of one batch have to agree: each begins its draws anew.
    layers: model.layers && layersBehind(model.layers, (x) => transformer(draw())(x)),
    front: [
      { ...choice, ...factsOf(defense), transform, maps: (x) => mapsOf(defense, x, { model, random: draw().random, mask }) },
      ...behind,
    ],
    defenses: [...trained, choice, ...model.defenses.slice(trained.length)],
    bare: model.bare ?? model,
    passage: model.passage ? `${passage}, ${model.passage}` : passage,
  };
}

/**
 * A chain as transformations alone, without a model behind them.
 * @returns those before the first defence that looks at a model, or all
 */
export function withoutModel(chain: readonly Bound<InferenceDefense>[], streams: Streams): FrontDefense[] {
  const first = chain.findIndex(({ entry, params }) => entry.usesModel(params));
  return (first < 0 ? chain : chain.slice(0, first)).map((defense, i, all) => {
    const { random } = continued(streams, `front/${all.length - 1 - i}`);
    const see: DefenseView = {
      random,
      get model(): never {
        throw new Error(`${defense.id} looks at a model and does not say so`);
      },
    };
    return {
      ...documented(defense),
      ...factsOf(defense),
      transform: (x) => transformed(defense, x, see),
      maps: (x) => mapsOf(defense, x, see),
    };
  });
}

const factsOf = ({ entry, params }: Bound<InferenceDefense>) => ({
  title: entry.title,
  backward: entry.backward(params),
  neighbourhood: entry.neighbourhood?.(params) ?? null,
  remark: (size: ImageSize) => entry.remark?.(params, size) ?? null,
});

/** What is to be said of defences for images of this shape, without repetition: their windows may be larger than the image. */
export function frontNotes(
  chains: readonly (readonly (Pick<FrontDefense, "title" | "neighbourhood" | "remark"> | Bound<InferenceDefense>)[])[],
  [height, width]: Classifier["inputShape"],
): string[] {
  const notes = chains.flat().flatMap((defense) => {
    const { title, neighbourhood, remark } = "entry" in defense ? factsOf(defense) : defense;
    const remarked = remark?.([height, width]) ?? null;
    if (remarked !== null) return [`${title}: ${remarked}.`];
    if (!neighbourhood || neighbourhood.side <= Math.min(height, width)) return [];
    const { side, beyond } = neighbourhood;
    return [`${title}: its window of ${side}×${side} pixels is larger than the image of ${height}×${width}; ${beyond}.`];
  });
  return [...new Set(notes)];
}

/** Forward f(x), backward the identity. */
const identityGradient = (f: (x: Images) => Images): ((x: Images) => Images) => {
  const op = tf.customGrad((x: tf.Tensor | tf.GradSaveFunc) => ({ value: f(x as Images), gradFunc: (dy: tf.Tensor) => dy }));
  return (x) => op(x) as Images;
};

/** What one defence makes of images [b,H,W,C] in [0,1]; the caller disposes. @throws DEFENSE_INVALID for another shape than that of the images */
export function transformed(defense: Bound<InferenceDefense>, x: Images, see: DefenseView): Images {
  const output = tf.tidy(() => defense.entry.transform(x, defense.params, see));
  if (output.shape.length === 4 && output.shape.every((side, i) => side === x.shape[i])) return output;
  const [before, after] = [x, output].map(({ shape: [n = 0, ...sides] }) => ({ n, sides: sides.join("×") }));
  const change =
    before?.sides === after?.sides
      ? `turned ${before?.n} images into ${after?.n}`
      : `turned images of ${before?.sides} into ${after?.sides}`;
  throw new BulwarkError(
    "DEFENSE_INVALID",
    `The defence ${defense.id} ${change}.`,
    "A defence in front of a model must keep the number, the size and the channels of the images.",
  );
}

const mapsOf = ({ entry, params }: Bound<InferenceDefense>, x: Images, see: DefenseView): DefenseMaps =>
  tf.tidy(() => entry.maps?.(x, params, see) ?? {});

const layersBehind = (source: LayerSource, transform: (x: Images) => Images): LayerSource => ({
  ...source,
  run: (x, o) => source.run(() => transform(typeof x === "function" ? x() : x), o),
  toImage: (map, x) => tf.tidy(() => source.toImage(map, transform(x))),
  inPlace: (map, x) => tf.tidy(() => source.inPlace(map, transform(x))),
});
