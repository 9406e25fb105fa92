import type { Static, TObject } from "@sinclair/typebox";
import type { Classifier } from "../classifier/classifier.ts";
import type { Streams } from "../random.ts";
import type { Images, Labels, Logits, tf, tfl } from "../tf.ts";
import type { Bound, Described, Entry } from "./entry.ts";
import type { Measure } from "./measure.ts";
import type { ModelFacts } from "./model.ts";
import type { Params } from "./params.ts";

/** How images become volumes of slices: "3D convolution for proactive defense against localized adversary attacks", section 3. */
export interface VolumizerOptions {
  /** Side of a slice in pixels, or height and width. */
  readonly patch: number | readonly [height: number, width: number];
  readonly measure: Measure;
  readonly measureParams: Params;
  readonly order: "asc" | "desc";
  /**
   * What distances are taken to: the slice of highest or lowest entropy, one by its place in raster order, or one that is given, in bytes
   * [p_h·p_w·C].
   */
  readonly reference: "mostSalient" | "minEntropy" | { readonly index: number } | { readonly slice: Uint8Array };
  /** The reference competes with its true score, or with 0 as in the authors' code. */
  readonly refScore: "true" | "zero";
  /** What happens where the patch does not divide the image. */
  readonly onRemainder: "error" | "reflectPad" | "drop";
}

/** How a training defence changes building, feeding and judging the network. */
export interface TrainingPlan {
  /**
   * The network that is trained, made from the 2-D one that the experiment names (which it may return as it is). `note` is told where
   * it departs from that one, a sentence at a time.
   */
  network(base: tfl.LayersModel, note?: (text: string) => void): tfl.LayersModel;
  /** Images [b,H,W,C] → input of the network. Differentiable; identity for a plain network. */
  prepare(x: Images): tf.Tensor;
  /** Network output → logits [b,k]. */
  toLogits(output: tf.Tensor): Logits;
  /** Mean loss over the batch. */
  loss(output: tf.Tensor, labels: Labels): tf.Scalar;
  /**
   * The training loop multiplies the learning rate of SGD by this, to undo the scale of the loss (a sum over slices is Z times a mean).
   * Adam's step does not depend on the scale of the loss, so its learning rate stays as it is. Weight decay is divided by it.
   */
  readonly learningRateScale: number;
  /** Feeds each batch of `batchSize` images in an order of its own, `microBatch` images to an optimiser step. */
  readonly syllabus: Syllabus | undefined;
  /** How `prepare` cuts and orders images, for maps that have to go back to the image; absent where it does not. */
  readonly volumizer?: VolumizerOptions;
}
export interface Syllabus {
  microBatch(batchSize: number): number;
  /** Positions 0…n−1 in the order they are fed. `images` are n images of `pixels` floats in [0,1] each. */
  order(images: Float32Array, n: number): Int32Array;
}
/**
 * A change of training. Plans stack: each defence makes its plan of the one before it, `standard` returns it as it is.
 */
export interface TrainingDefense extends Entry {
  readonly kind: "training";
  plan(base: TrainingPlan, params: Params, facts: ModelFacts): TrainingPlan;
}
/** What a transformation may look at. */
export interface DefenseView extends Streams {
  /** The model behind this defence and those that follow it in the list. */
  readonly model: Classifier;
}
/** A transformation in front of the network. It states facts about itself; gradients past it and averages over it are not its business. */
export interface InferenceDefense extends Entry {
  readonly kind: "inference";
  /** Two passes over the same image may differ. */
  randomised(params: Params): boolean;
  /** "exact": `transform` is differentiable as it stands; "bpda": its gradient is taken as the identity (Athalye et al. 2018). */
  backward(params: Params): "exact" | "bpda";
  /** [b,H,W,C] in [0,1] → the same shape and range; an image alone gives what it gives in a batch. Called in a tidy. */
  transform(x: Images, params: Params, see: DefenseView): Images;
}
export type Defense = TrainingDefense | InferenceDefense;
export function defineTrainingDefense<P extends TObject>(
  spec: Described<P, Static<P>> & { plan(base: TrainingPlan, params: Static<P>, facts: ModelFacts): TrainingPlan },
): TrainingDefense {
  return { ...spec, kind: "training" } as unknown as TrainingDefense;
}
/** `randomised` is false unless said otherwise; both facts may depend on the parameters. */
export function defineInferenceDefense<P extends TObject>(
  spec: Described<P, Static<P>> & {
    randomised?(params: Static<P>): boolean;
    backward(params: Static<P>): "exact" | "bpda";
    transform(x: Images, params: Static<P>, see: DefenseView): Images;
  },
): InferenceDefense {
  return { randomised: () => false, ...spec, kind: "inference" } as unknown as InferenceDefense;
}

export const isInference = (bound: Bound<Defense>): bound is Bound<InferenceDefense> => bound.entry.kind === "inference";
export const isTraining = (bound: Bound<Defense>): bound is Bound<TrainingDefense> => bound.entry.kind === "training";
