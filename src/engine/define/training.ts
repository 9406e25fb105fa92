import type { Static, TObject } from "@sinclair/typebox";
import type { LayerRun, LayerSource } from "../classifier/classifier.ts";
import type { NetworkPass } from "../classifier/layers.ts";
import type { Images, Labels, Logits, tf, tfl } from "../tf.ts";
import type { Attack } from "./attack.ts";
import type { Bound, Described, Entry } from "./entry.ts";
import type { Measure } from "./measure.ts";
import type { ModelFacts } from "./model.ts";
import type { Params } from "./params.ts";

/** How images become volumes of slices: "3D convolution for proactive defense against localized adversary attacks", section 3. */
export interface VolumizerOptions {
  /** Side of a slice in pixels, or height and width. */
  readonly patch: number | readonly [height: number, width: number];
  /** Pixels from one slice to the next; 0, or left out, for slices side by side. */
  readonly stride?: number;
  readonly measure: Measure;
  readonly measureParams: Params;
  /** Lowest or highest score first, or as the slices lie in the image. */
  readonly order: "asc" | "desc" | "raster";
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

/** How the Z slices of an image decide on one class. */
export type Aggregation = "meanProb" | "vote" | "sumLog";

/** What a network over slices looks at, and how the slices' scores become one decision. */
export interface SliceFacts {
  /** Number of slices Z, `rows`·`columns`. */
  readonly count: number;
  readonly rows: number;
  readonly columns: number;
  /** Height and width of a slice in pixels. */
  readonly side: readonly [height: number, width: number];
  /** Pixels from one slice to the next, downwards and to the right; `side` where slices lie side by side. */
  readonly stride: readonly [down: number, right: number];
  readonly aggregate: Aggregation;
  /** A slice none of whose probabilities exceeds this counts for no class; 0 where every slice counts. */
  readonly abstain: number;
  /** Places of the volume have weights of their own, and the measure decides which slice comes where: content of one can move all. */
  readonly orderMatters: boolean;
}

/** How the images of a batch are fed: in which order, and how many to an optimiser step. */
export interface Syllabus {
  microBatch(batchSize: number): number;
  /** Positions 0…n−1 in the order they are fed. `images` are n images of `pixels` floats in [0,1] each. */
  order(images: Float32Array, n: number): Int32Array;
}

/**
 * How a network is built, fed, judged and trained. Training defences change a plan one after the other. Each part is a matter of its own
 * (which images: `craft` and `loss`; which targets: `loss`; how an output is judged: `criterion`; which network: `network`), so that
 * defences which change different parts may stand in any order.
 */
export interface TrainingPlan {
  /**
   * The network that is trained, made from the 2-D one that the experiment names (which it may return as it is). `note` is told where
   * it departs from that one, a sentence at a time.
   */
  network(base: tfl.LayersModel, note?: (text: string) => void): tfl.LayersModel;
  /** How the finished network is trained by the whole plan, where a reader of the run should know it: a sentence without its full stop. */
  remark?(network: tfl.LayersModel, plan: TrainingPlan): string;
  /** What the defences before and after it do not go together with. @throws EXPERIMENT_INVALID */
  check?(plan: TrainingPlan): void;
  /** Images [b,H,W,C] → input of the network. Differentiable; identity for a plain network. */
  prepare(x: Images): tf.Tensor;
  /** Network output → logits [b,k]. */
  toLogits(output: tf.Tensor): Logits;
  /** Mean over the batch of how far the network's output is from the target distributions [b,k]: the cross-entropy of a plain network. */
  criterion(output: tf.Tensor, targets: tf.Tensor2D): tf.Scalar;
  /** The loss of one optimiser step. A defence that only changes images or targets passes the changed step to the plan before it. */
  loss(step: TrainingStep): Losses;
  /**
   * The attack that the training loop runs on each batch before its step, against the network as it is, in inference mode; its images
   * arrive as `step.crafted`. Validation images are attacked after every epoch too, and the best epoch is the one that withstands best.
   */
  readonly craft?: Bound<Attack>;
  /** Further attacks: a batch is made by `craft` or one of these, drawn evenly by the seed, the epoch and the step. */
  readonly craftAlternatives?: readonly Bound<Attack>[];
  /** Epochs over which that attack grows to its strength, beginning with nothing; 0, or left out, for all of it from the start. */
  readonly craftRamp?: number;
  /**
   * The training loop multiplies the learning rate of SGD by this, to undo the scale of the loss (a sum over slices is Z times a mean).
   * The steps of the others do not depend on the scale of the loss, so their learning rate stays as it is. Weight decay is divided by it.
   * Charts and history show the loss, and its parts, times this: those of a slice.
   */
  readonly learningRateScale: number;
  /** Cost of a pass through the network, in passes through the undefended one: for progress and time left. */
  readonly relativeCost: number;
  /** Cost of an optimiser step, crafting not counted, in steps that pass each image through the network once. */
  readonly stepCost: number;
  /** Feeds each batch of `batchSize` images in an order of its own, `microBatch` images to an optimiser step; undefined for whole batches, shuffled. */
  readonly syllabus: Syllabus | undefined;
  /** How `prepare` cuts and orders images, for maps that have to go back to the image; absent where it does not. */
  readonly volumizer?: VolumizerOptions;
  /** Of a network that judges every slice, [b,Z,k]; absent where it judges the image. */
  readonly slices?: SliceFacts;
}

/** A batch during its optimiser step (or in validation). Tensors belong to the training loop. */
export interface TrainingStep {
  /** [b,H,W,C] in [0,1]. */
  readonly images: Images;
  /** Adversarial images of the same shape, made by the plan's `craft`; undefined where nothing is crafted, and in validation. */
  readonly crafted: Images | undefined;
  readonly labels: Labels;
  /** Target distributions [b,k]: one-hot unless a defence changed them. */
  readonly targets: tf.Tensor2D;
  readonly classes: number;
  /**
   * The network on images [b,H,W,C], in training mode with the dropout masks of this step: every call of a step has the same ones.
   * Differentiable, and so are its derivatives.
   */
  forward(x: Images, o?: LayerRun): NetworkPass;
  /**
   * The same network and masks for what a loss measures beside the images that are trained on: its passes leave the running averages of
   * batch normalisation as they are.
   */
  readonly layers: LayerSource;
  /** Those of the whole plan. */
  criterion(output: tf.Tensor, targets: tf.Tensor2D): tf.Scalar;
  toLogits(output: tf.Tensor): Logits;
  /** What a term beside the criterion is multiplied by to weigh as it would beside a mean: Z where the criterion adds up over Z slices. */
  readonly criterionScale: number;
}

export interface Losses {
  /** What is minimised. */
  readonly total: tf.Scalar;
  /** Network output that the training accuracy is counted on: of the clean images where the recipe passes them, else of the crafted ones. */
  readonly output: tf.Tensor;
  /** Named terms of the loss before their weights, drawn in the Training panel under their names: "clean", "adversarial", "pairing". */
  readonly parts?: Readonly<Record<string, tf.Scalar>>;
}

/** A change of training. Plans stack: each defence makes its plan of the one before it, `standard` returns it as it is. */
export interface TrainingDefense extends Entry {
  readonly kind: "training";
  /** @throws BulwarkError for parameters that do not fit images and classes, or a plan that it cannot change */
  plan(base: TrainingPlan, params: Params, facts: ModelFacts): TrainingPlan;
}
export function defineTrainingDefense<P extends TObject>(
  spec: Described<P, Static<P>> & { plan(base: TrainingPlan, params: Static<P>, facts: ModelFacts): TrainingPlan },
): TrainingDefense {
  return { ...spec, kind: "training" } as unknown as TrainingDefense;
}
