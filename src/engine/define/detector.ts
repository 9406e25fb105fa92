import type { Static, TObject } from "@sinclair/typebox";
import type { DetectorUnit } from "../../shared/sampledUnits.ts";
import type { Classifier } from "../classifier/classifier.ts";
import type { StreamContext } from "../context.ts";
import type { Streams } from "../random.ts";
import type { Images, tf } from "../tf.ts";
import type { Bound, Described, Entry } from "./entry.ts";
import type { Params } from "./params.ts";

/** What a detector says of b images. */
export interface Detection {
  /** [b], larger = more likely adversarial. */
  readonly scores: Float32Array | Float64Array;
  /** Hard labels of a randomised detector, counted by class [b·k]. */
  readonly votes?: Int32Array;
  /** Forward passes an image. */
  readonly passes: number;
  /** Layers that the detector samples, in network order; absent where it samples none. */
  readonly units?: readonly DetectionUnit[];
}
/** A layer whose activations are sampled. */
export interface DetectionUnit extends DetectorUnit {
  /** Of its rows, [b·rows], where an image has the same in all passes. */
  readonly probabilities?: Float64Array;
}
export interface DetectorPasses {
  readonly score: number;
  /** Each with draws of its own, averaged. */
  readonly surrogate: number;
}
const once: DetectorPasses = { score: 1, surrogate: 1 };

/** Tells adversarial images from clean ones by what the model makes of them. */
export interface Detector extends Entry {
  readonly randomised: boolean;
  /** Passes of an image for a score, and for the surrogate, where they are more than one: they decide costs and memory. */
  passes?(params: Params): DetectorPasses;
  /** An image alone gets the score that it gets in a batch; randomness comes from `ctx.random(i)` only. */
  score(model: Classifier, x: Images, params: Params, ctx: StreamContext): Promise<Detection>;
  /** [b], differentiable, larger = more likely flagged: what an attack that knows the detector keeps small. */
  surrogate?(model: Classifier, x: Images, params: Params, see: Streams): tf.Tensor1D;
}
/** Passes of a detector with its parameters. */
export const detectorPasses = ({ entry, params }: Bound<Detector>): DetectorPasses => entry.passes?.(params) ?? once;

export function defineDetector<P extends TObject>(
  spec: Described<P, Static<P>> & {
    readonly randomised: boolean;
    passes?(params: Static<P>): DetectorPasses;
    score(model: Classifier, x: Images, params: Static<P>, ctx: StreamContext): Promise<Detection>;
    surrogate?(model: Classifier, x: Images, params: Static<P>, see: Streams): tf.Tensor1D;
  },
): Detector {
  return spec as unknown as Detector;
}
