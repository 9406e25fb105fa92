import type { InputContract } from "../../shared/contract.ts";
import type { Choice } from "../../shared/results.ts";
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
  readonly featureSource: FeatureSource | undefined;
  /** The network itself, for inspection and saving. */
  readonly network: tfl.LayersModel;
  readonly contract: InputContract;
  /** The defences that the model carries: those it was trained with, then those in front of it, in the order in which an image meets them. */
  readonly defenses: readonly Choice[];
  /** The same network with nothing in front, which shares its weights; undefined where nothing stands in front. */
  readonly bare?: Classifier;
  /** How gradients get past what stands in front, in words: "BPDA through bit depth"; undefined where nothing stands in front. */
  readonly passage?: string;
  /** Warnings found while loading, such as RB102. */
  readonly warnings: readonly string[];
  dispose(): void;
}

/**
 * Gradient of `loss(logits(x))` with respect to x, and the logits it was taken at. Use a loss summed over the batch, so that each
 * image's gradient does not depend on the batch size.
 * @returns gradient [b,H,W,C] and logits [b,k]; the caller disposes both.
 */
export function inputGradient(model: Classifier, x: Images, loss: (logits: Logits) => tf.Scalar): { gradient: Images; logits: Logits } {
  model.evaluations.gradient += x.shape[0];
  model.evaluations.forward -= x.shape[0]; // logits() below counts a forward pass; a gradient is counted once, as a gradient
  let logits: Logits | undefined;
  const gradient = tf.tidy(
    () =>
      tf.grad((input: tf.Tensor) => {
        const z = model.logits(input as Images);
        logits = tf.keep(z.clone());
        return loss(z);
      })(x) as Images,
  );
  return { gradient, logits: logits as unknown as Logits };
}
