import type { Static, TObject } from "@sinclair/typebox";
import type { Classifier } from "../classifier/classifier.ts";
import type { StreamContext } from "../context.ts";
import type { Images, Labels, tf } from "../tf.ts";
import type { Evaluations } from "./attack.ts";
import type { Described, Entry } from "./entry.ts";
import type { Params } from "./params.ts";

export interface Explained {
  /** Attention [b,H,W] in [0,1]; the caller disposes. */
  readonly map: tf.Tensor3D;
  /** Attention area [b,H,W], 0 or 1, float32; the caller disposes. */
  readonly area: tf.Tensor3D;
  /** The layer that the map was read from; null where the method looks at none. */
  readonly layer: string | null;
  /** Images whose map is zero everywhere. */
  readonly degenerate: readonly boolean[];
  /** The same attention at the layer's own resolution; null where the method looks at no layer. */
  readonly grid: LayerGrid | null;
  /** Of each image, where the method explains superpixels. */
  readonly superpixels?: readonly Superpixels[];
}
/** What a method that hides superpixels found out about one image of H×W pixels, from n samples of its S superpixels. */
export interface Superpixels {
  /** Superpixel of each pixel [H·W], 0 … S−1. */
  readonly segments: Int32Array;
  /** Weight of each superpixel [S] in the explanation; 0 where it was not chosen. */
  readonly coefficients: Float64Array;
  readonly intercept: number;
  /** Which superpixels a sample showed [n·S], 0 or 1. The first sample is the image itself. */
  readonly masks: Uint8Array;
  /** Of the class, for each sample [n]; and how much the sample counted [n]. */
  readonly probability: Float64Array;
  readonly weight: Float64Array;
}
/** Attention of b images in [0,1], read back: `shape` of one image is [h,w], or [Z,h,w] of a volumized network. */
export interface LayerGrid {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}
/** What a method looks at: class scores alone, gradients of the image, or layers that have a grid. */
export type ExplanationNeeds = "scores" | "gradients" | "layers";

/** Attention maps of n images, read back from the backend. */
export interface Explanations {
  readonly layer: string | null;
  readonly predictions: readonly number[];
  /** [n·k] class probabilities. */
  readonly scores: Float32Array;
  readonly degenerate: readonly boolean[];
  /** Attention of one image [H·W] in [0,1]. */
  map(index: number): Float32Array;
  /** Attention of one image at the layer's own resolution; null where the method looks at no layer. */
  grid(index: number): LayerGrid | null;
  /** Superpixels of one image; null where the method has none. */
  superpixels(index: number): Superpixels | null;
  /** Attention area of one image [H·W], 0 or 1. */
  area(index: number): Float32Array;
  /** Share of the image that is inside the area. */
  share(index: number): number;
  /** IoU of this area with the same image's area in `other`; null when both are empty. */
  overlap(index: number, other: Explanations): number | null;
}
export interface Explanation extends Entry {
  readonly needs: ExplanationNeeds;
  /** Passes through the network for one image: what plans and estimates go by. */
  evaluations(params: Params): Evaluations;
  /**
   * An image alone gets the map that it gets in a batch.
   * @param classIndex [b], the class whose evidence is shown
   * @param given superpixels [H·W] of each image, which a method that has superpixels takes in place of its own
   */
  explain(
    model: Classifier,
    x: Images,
    classIndex: Labels,
    params: Params,
    ctx: StreamContext,
    given?: readonly Int32Array[],
  ): Promise<Explained>;
}
export function defineExplanation<P extends TObject>(
  spec: Described<P, Static<P>> & {
    readonly needs: ExplanationNeeds;
    evaluations(params: Static<P>): Evaluations;
    explain(
      model: Classifier,
      x: Images,
      classIndex: Labels,
      params: Static<P>,
      ctx: StreamContext,
      given?: readonly Int32Array[],
    ): Promise<Explained>;
  },
): Explanation {
  return spec as unknown as Explanation;
}
