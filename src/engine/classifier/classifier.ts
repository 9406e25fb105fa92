import type { InputContract } from "../../shared/contract.ts";
import type { Choice } from "../../shared/results.ts";
import type { Streams } from "../random.ts";
import { type Images, type Logits, tf, type tfl } from "../tf.ts";

/** Where an attention map can be read from, and how the class scores follow from it. */
export interface FeatureSource {
  /** Names of the layers that have spatial extent, in network order; the last one is the default of Grad-CAM. */
  readonly layers: readonly string[];
  readonly defaultLayer: string;
  /** Output of `layer` for images [b,H,W,C]: [b,h,w,K], or [b·Z,h,w,K] for a volumized model. */
  features(x: Images, layer: string): tf.Tensor4D;
  /** Logits [b,k] as a differentiable function of that output, for the same images. */
  head(features: tf.Tensor4D, x: Images, layer: string): Logits;
  /** Map at feature resolution [n,h,w] (n as `features`) → image resolution [b,H,W], bilinear with half-pixel centres. */
  toImage(map: tf.Tensor3D, x: Images): tf.Tensor3D;
}

/** One transformation of those that stand in front of a network. */
export interface FrontDefense extends Choice {
  readonly title: string;
  /** [b,H,W,C] → the same shape. @throws DEFENSE_INVALID for another one */
  transform(x: Images): Images;
}

/**
 * What attacks see: a differentiable function of images in [0,1]. Scale, mean, volumizer and defences in front of the network
 * are inside. All methods count what they do in `evaluations` (images, not batches).
 */
export interface Classifier {
  readonly inputShape: readonly [height: number, width: number, channels: number];
  readonly classes: number;
  readonly classNames: readonly string[];
  /** Differentiable class scores [b,k]; log-probabilities where the network gives nothing rawer. The caller disposes. */
  logits(x: Images): Logits;
  readonly evaluations: { forward: number; gradient: number };
  /** Two passes over the same image may differ (then attacks average over passes). */
  readonly randomised: boolean;
  /** The same model, drawing from these streams: `forImages` says when. Absent where it draws nothing. */
  readonly withStreams?: (streams: Streams) => Classifier;
  /** Summed over the batch: what an adaptive attacker has to keep small as well. `inputGradient` subtracts it from what is ascended. */
  readonly penalty?: (x: Images) => tf.Scalar;
  readonly featureSource: FeatureSource | undefined;
  /** The network itself, for inspection and saving. */
  readonly network: tfl.LayersModel;
  readonly contract: InputContract;
  /** The defences that the model carries: those it was trained with, then those in front of it, in the order in which an image meets them. */
  readonly defenses: readonly Choice[];
  /** What stands in front of the network, in the order in which an image meets it; absent where nothing does. */
  readonly front?: readonly FrontDefense[];
  /** The same network with nothing in front, which shares its weights; undefined where nothing stands in front. */
  readonly bare?: Classifier;
  /** How gradients get past what stands in front, in words: "BPDA through bit depth"; undefined where nothing stands in front. */
  readonly passage?: string;
  /** Warnings found while loading, such as RB102. */
  readonly warnings: readonly string[];
  dispose(): void;
}

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
