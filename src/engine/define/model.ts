import type { Static, TObject } from "@sinclair/typebox";
import type { tfl } from "../tf.ts";
import type { Described, Entry } from "./entry.ts";
import type { Params } from "./params.ts";

export interface ModelFacts {
  readonly inputShape: readonly [number, number, number];
  readonly classes: number;
}
export interface NewNetwork extends ModelFacts {
  /** What the weights follow from. */
  readonly seed: number;
  /** All weights zero instead: for a network whose weights are counted or replaced. */
  readonly zeroWeights?: boolean;
}
export interface ModelSpec extends Entry {
  /** Default input of the paper; the experiment's data set decides in the end. */
  readonly inputShape: readonly [number, number, number];
  /** A new 2-D network ending in logits. @throws BulwarkError IMAGE_SIZE for images it is too deep for. */
  build(params: Params, facts: NewNetwork): tfl.LayersModel;
}
export function defineModel<P extends TObject>(
  spec: Described<P, Static<P>> & {
    readonly inputShape: readonly [number, number, number];
    build(params: Static<P>, facts: NewNetwork): tfl.LayersModel;
  },
): ModelSpec {
  return spec as unknown as ModelSpec;
}
