import type { InputContract, KnownFrom } from "../../shared/contract.ts";
import type { Choice, Finding } from "../../shared/results.ts";
import type { DefenseMaps, ImageSize, Neighbourhood, SliceFacts } from "../define/index.ts";
import type { Streams } from "../random.ts";
import { type Images, type Logits, type Mask, tf } from "../tf.ts";
import type { ForwardOnly } from "./forwardOnly.ts";

/** One layer of a network, or one of several applications of a layer. */
export interface LayerInfo {
  /** Unique within the model: `conv2d_1`, `relu#2` for a second application, `encoder/conv2d` within a nested model. */
  readonly name: string;
  /** Class name, such as "Conv2D". */
  readonly type: string;
  /** Of its output, the batch first, channels last; null for any size. */
  readonly shape: readonly (number | null)[];
  /** Has a grid of at least two cells: an attention map can be read from it. */
  readonly spatial: boolean;
  /** What it is or ends in, such as "relu"; null for none. */
  readonly activation: string | null;
}
export interface LayerRun {
  /** Names of the layers whose output is returned. */
  readonly take?: readonly string[];
  /** Runs from a layer's value on; paths around that layer start from the images. */
  readonly from?: { readonly layer: string; readonly value: tf.Tensor };
  /** Called for every layer that is or ends in an activation, in turn, with the value before it; what it returns takes the place of the value after it. */
  readonly activation?: (unit: LayerInfo, before: tf.Tensor) => tf.Tensor | undefined;
  /** Several passes of each image from the first layers that are sampled on; what comes before them is computed once. */
  readonly sampling?: LayerSampling;
}
/** Changes to what layers give, other ones in each of many passes. */
export interface LayerSampling {
  /** Of every pass: its image's place in the batch. These are the rows of the logits, and of all values behind a sampled layer. */
  readonly rows: readonly number[];
  /** By name of a layer: what takes the place of its value, one row for each pass. It is given as many, or a single one where all passes have it in common. */
  readonly change: ReadonlyMap<string, (value: tf.Tensor) => tf.Tensor>;
}
/** The layers of a model: reading them, going on from them, changing activations. */
export interface LayerSource {
  /** In network order. */
  readonly all: readonly LayerInfo[];
  /**
   * The default of Grad-CAM: the last whose grid is the picture's and has more than a single row; where there is none, the last with any grid.
   */
  readonly defaultLayer: string | undefined;
  /**
   * One pass. Values are channels last: [b,h,w,K], or [b,Z,h,w,K] of a volumized network. Differentiable, also twice. The caller disposes.
   * Layers are named in full or as `layerNamed` has them. @throws PARAMETER_INVALID for a layer that is not there
   * @param x or a function that makes them, called at most once, where a layer is computed from them
   */
  run(x: Images | (() => Images), o?: LayerRun): LayerPass;
  /** Weights of a layer that has a kernel, as tfjs orders them: [h,w,in,out], [in,out] … */
  kernel(layer: string): { readonly shape: readonly number[]; values(): Promise<Float32Array> } | undefined;
  /** Map at a layer's resolution, [b,h,w] or [b·Z,h,w] → image resolution [b,H,W], bilinear with half-pixel centres. */
  toImage(map: tf.Tensor3D, x: Images): tf.Tensor3D;
  /**
   * The same map with the slices of each image where they lie in it, whatever order the measure gave them: cells of two images are then those
   * of the same place. A map of a network without slices as it is. Differentiable.
   */
  inPlace(map: tf.Tensor3D, x: Images): tf.Tensor3D;
}
/** What one pass gave. */
export interface LayerPass {
  readonly logits: Logits;
  readonly taken: ReadonlyMap<string, tf.Tensor>;
}

/** The slices of a network that judges each of them, before they decide together. */
export interface SliceSource extends SliceFacts {
  /**
   * How many of the slices, at most, have scores that the content of one slice changes (receptive field along the depth, for a given order of
   * the slices). 1: every slice is judged on its own, and in the same way wherever the measure puts it.
   */
  readonly reach: number;
  /** Class scores [b,Z,k] of every slice, in the order of the volume. Differentiable; counted in `evaluations`. The caller disposes. */
  logits(x: Images): tf.Tensor3D;
  /** Place in the volume → raster index of the slice there, Z for each image. */
  order(x: Images): Int32Array;
}

/** One transformation of those that stand in front of a network. */
export interface FrontDefense extends Choice {
  readonly title: string;
  /** "bpda": gradients pass as if it were the identity. */
  readonly backward: "exact" | "bpda";
  /** [b,H,W,C] → the same shape. @throws DEFENSE_INVALID for another one */
  transform(x: Images): Images;
  /** Of a pixel, that the transformation looks at. */
  readonly neighbourhood?: Neighbourhood | null;
  /** What people should know of images of that size behind it. */
  remark?(size: ImageSize): string | null;
  /** What the transformation goes by: maps [b,H,W] in [0,1] by name; none where there is nothing to see. The caller disposes. */
  maps(x: Images): DefenseMaps;
}

/** Images that are computed together: in a pass forward, and in a step that takes the gradient at the images. */
export interface BatchSizes {
  readonly forward: number;
  readonly gradient: number;
}

/**
 * What attacks see: a differentiable function of images in [0,1]. Scale, mean, volumizer and defences in front of the network
 * are inside. All methods count what they do in `evaluations` (images, not batches).
 */
export interface Classifier {
  readonly inputShape: readonly [height: number, width: number, channels: number];
  readonly classes: number;
  /** Of every class; "0", "1", … where nothing names them. */
  readonly classNames: readonly string[];
  /** Something names the classes: the contract, metadata, a list beside the model, the data it was trained on. */
  readonly classNamesKnown: boolean;
  /** Where their names come from; null where nothing names them or nobody asked. */
  readonly classNamesSource?: KnownFrom | null;
  /** WordNet ids of the classes, where they are known: those of ImageNet. */
  readonly synsets: readonly string[] | null;
  /** Differentiable class scores [b,k]; log-probabilities where the network gives nothing rawer. The caller disposes. */
  logits(x: Images): Logits;
  /** Each class has a sigmoid of its own: `probabilities.ts` shows that in place of a softmax. Absent where the classes exclude each other. */
  readonly isMultiLabel?: boolean;
  readonly evaluations: { forward: number; gradient: number };
  /** Two passes over the same image may differ (then attacks average over passes). */
  readonly randomised: boolean;
  /** The same model, drawing from these streams: `forImages` says when. Absent where it draws nothing. */
  readonly withStreams?: (streams: Streams) => Classifier;
  /**
   * The same model for an attacker who changes nothing but what `mask` [b,H,W,1] marks with 1: defences in front may look at it. It is for
   * batches of b images, and reads the mask, which stays the caller's. Absent where nothing stands in front.
   */
  readonly withMask?: (mask: Mask) => Classifier;
  /**
   * The same model for the images in these places of the batch, in that order: an attack that computes on a part of its batch asks for it,
   * before a mask or streams. Absent where every image is treated alike.
   */
  readonly ofRows?: (rows: readonly number[]) => Classifier;
  /** Passes that `logits` averages, all of which a gradient holds; 1 when left out. */
  readonly passes?: number;
  /** Images to a batch, where a run has settled it; as many as the memory allows when left out. */
  readonly batchSizes?: BatchSizes;
  /** Summed over the batch: what an adaptive attacker has to keep small as well. `inputGradient` subtracts it from what is ascended. */
  readonly penalty?: (x: Images) => tf.Scalar;
  /** Passes that the penalty holds for a gradient; 1 when left out. */
  readonly penaltyPasses?: number;
  /** Called with every gradient [b,H,W,C] that `gradientOf` takes, which stays its caller's. Absent where nobody watches. */
  readonly onGradient?: (gradient: Images) => void;
  /** Why there are no gradients; absent where there are. */
  readonly forwardOnly?: ForwardOnly;
  /** Undefined where the model does not show its layers. */
  readonly layers: LayerSource | undefined;
  /** Absent where the network judges the image as a whole, and behind a defence in front, which may carry content from slice to slice. */
  readonly slices?: SliceSource;
  readonly contract: InputContract;
  /** Where the contract's input range comes from; "assumed" where nothing says it. */
  readonly contractSource: KnownFrom;
  /** The defences that the model carries: those it was trained with, then those in front of it, in the order in which an image meets them. */
  readonly defenses: readonly Choice[];
  /** What stands in front of the network, in the order in which an image meets it; absent where nothing does. */
  readonly front?: readonly FrontDefense[];
  /** The same network with nothing in front, which shares its weights; undefined where nothing stands in front. */
  readonly bare?: Classifier;
  /** How gradients get past what stands in front, in words: "BPDA through bit depth"; undefined where nothing stands in front. */
  readonly passage?: string;
  /** What rules about a model say of this one, such as RB102. */
  readonly findings: readonly Finding[];
  dispose(): void;
}

/** The layer of that name, or the only one of that name within a nested model: `conv` for `encoder/conv`. */
export function layerNamed(layers: readonly LayerInfo[], name: string): LayerInfo | undefined {
  const exact = layers.find((layer) => layer.name === name);
  const within = layers.filter((layer) => layer.name.endsWith(`/${name}`));
  return exact ?? (within.length === 1 ? within[0] : undefined);
}

/** Names of the layers that an attention map can be read from, in network order. */
export const spatialLayers = ({ layers }: Classifier): string[] =>
  (layers?.all ?? []).filter(({ spatial }) => spatial).map(({ name }) => name);

/**
 * Gradient of any function of images [b,H,W,C], a sum over the batch where each image's gradient is to be its own. Passes through the
 * model count as gradient evaluations, not as forward ones. The caller disposes.
 */
export function gradientOf(model: Classifier, x: Images, f: (x: Images) => tf.Scalar): Images {
  const { evaluations } = model;
  const before = evaluations.forward;
  const gradient = tf.tidy(() => tf.grad((input: tf.Tensor) => f(input as Images))(x) as Images);
  evaluations.gradient += evaluations.forward - before;
  evaluations.forward = before;
  model.onGradient?.(gradient);
  return gradient;
}

/**
 * Gradient of what an attacker ascends: `objective(logits(x))`, less the model's penalty where it has one; and the logits it was taken at.
 * Use an objective summed over the batch, so that each image's gradient does not depend on the batch size.
 * @returns gradient [b,H,W,C] and logits [b,k]; the caller disposes both.
 */
export function inputGradient(
  model: Classifier,
  x: Images,
  objective: (logits: Logits) => tf.Scalar,
): { gradient: Images; logits: Logits } {
  let logits: Logits | undefined;
  const gradient = gradientOf(model, x, (input) => {
    const z = model.logits(input);
    logits = tf.keep(z.clone());
    return model.penalty ? tf.sub(objective(z), model.penalty(input)) : objective(z);
  });
  return { gradient, logits: logits as unknown as Logits };
}
