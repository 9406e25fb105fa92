import type { Static, TObject } from "@sinclair/typebox";
import type { Classifier } from "../classifier/classifier.ts";
import type { RunContext } from "../context.ts";
import type { Images, Labels, tf } from "../tf.ts";
import type { Described, Entry } from "./entry.ts";
import type { Params } from "./params.ts";

export interface Explained {
  /** Attention [b,H,W] in [0,1]; the caller disposes. */
  readonly map: tf.Tensor3D;
  /** Attention area [b,H,W], 0 or 1, float32; the caller disposes. */
  readonly area: tf.Tensor3D;
  readonly layer: string;
  /** Images whose map is zero everywhere. */
  readonly degenerate: readonly boolean[];
}
export interface Explanation extends Entry {
  /** `classIndex` [b]: the class whose evidence is shown. */
  explain(model: Classifier, x: Images, classIndex: Labels, params: Params, ctx: RunContext): Promise<Explained>;
}
export function defineExplanation<P extends TObject>(
  spec: Described<P, Static<P>> & {
    explain(model: Classifier, x: Images, classIndex: Labels, params: Static<P>, ctx: RunContext): Promise<Explained>;
  },
): Explanation {
  return spec as unknown as Explanation;
}
