import type { Static, TObject } from "@sinclair/typebox";
import type { Classifier } from "../classifier/classifier.ts";
import type { Streams } from "../random.ts";
import type { Images, Mask, tf } from "../tf.ts";
import type { Bound, Described, Entry } from "./entry.ts";
import type { Params } from "./params.ts";
import type { TrainingDefense } from "./training.ts";

/** What a transformation may look at. */
export interface DefenseView extends Streams {
  /** The model behind this defence and those that follow it in the list. */
  readonly model: Classifier;
  /**
   * Where an attacker knows that its changes lie: 1 there, 0 elsewhere, [b,H,W,1]. Only in an attack's own passes; the harness judges
   * without.
   */
  readonly mask?: Mask | undefined;
}
/** The neighbourhood of a pixel that a transformation looks at. An image may be smaller: then `beyond` says what is computed. */
export interface Neighbourhood {
  /** In pixels. */
  readonly side: number;
  /** A clause for people: "beyond its edge the image is mirrored". */
  readonly beyond: string;
}
/** Height and width in pixels. */
export type ImageSize = readonly [height: number, width: number];

/** A transformation in front of the network. It states facts about itself; gradients past it and averages over it are not its business. */
export interface InferenceDefense extends Entry {
  readonly kind: "inference";
  /** Two passes over the same image may differ. */
  randomised(params: Params): boolean;
  /** "exact": `transform` is differentiable as it stands; "bpda": its gradient is taken as the identity (Athalye et al. 2018). */
  backward(params: Params): "exact" | "bpda";
  /** `transform` looks at `see.model`; the others can do without one. */
  usesModel(params: Params): boolean;
  /** [b,H,W,C] in [0,1] → the same shape and range; an image alone gives what it gives in a batch. Called in a tidy. */
  transform(x: Images, params: Params, see: DefenseView): Images;
  /** Absent where it looks at single pixels, or at the image as a whole. */
  neighbourhood?(params: Params): Neighbourhood | null;
  /** A clause for people on images of that size, where the parameters do something unexpected there. It does not throw. */
  remark?(params: Params, size: ImageSize): string | null;
  /** What `transform` goes by, as panels and reports show it. Absent where there is nothing to see. Called in a tidy. */
  maps?(x: Images, params: Params, see: DefenseView): DefenseMaps;
}
/** Maps [b,H,W] in [0,1] by name, the names as a person reads them: "gradient", "blocks above the threshold". */
export type DefenseMaps = Readonly<Record<string, tf.Tensor3D>>;
export type Defense = TrainingDefense | InferenceDefense;
/** `randomised` and `usesModel` are false unless said otherwise; all facts may depend on the parameters. */
export function defineInferenceDefense<P extends TObject>(
  spec: Described<P, Static<P>> & {
    randomised?(params: Static<P>): boolean;
    usesModel?(params: Static<P>): boolean;
    backward(params: Static<P>): "exact" | "bpda";
    transform(x: Images, params: Static<P>, see: DefenseView): Images;
    neighbourhood?(params: Static<P>): Neighbourhood | null;
    remark?(params: Static<P>, size: ImageSize): string | null;
    maps?(x: Images, params: Static<P>, see: DefenseView): DefenseMaps;
  },
): InferenceDefense {
  return { randomised: () => false, usesModel: () => false, ...spec, kind: "inference" } as unknown as InferenceDefense;
}

export const isInference = (bound: Bound<Defense>): bound is Bound<InferenceDefense> => bound.entry.kind === "inference";
export const isTraining = (bound: Bound<Defense>): bound is Bound<TrainingDefense> => bound.entry.kind === "training";
