import type { Static, TObject } from "@sinclair/typebox";
import type { Classifier } from "../classifier/classifier.ts";
import type { RunContext, StreamContext } from "../context.ts";
import type { Patch } from "../patches/patch.ts";
import type { PatchProgress, PatchWatcher, TrainedPatch } from "../patches/train.ts";
import type { Images, Labels, Logits } from "../tf.ts";
import type { ImageSource } from "../training/feed.ts";
import type { Described, Entry } from "./entry.ts";
import type { ModelFacts } from "./model.ts";
import type { Params } from "./params.ts";

export type Norm = "linf" | "l2" | "l0";
/** The set of images an attack may return; the harness projects onto it. `radius` in units of [0,1] pixels (l0: number of pixels). */
export interface Ball {
  readonly norm: Norm;
  readonly radius: number;
  /** All changed pixels lie in a square of this side, wherever it is: what a patch promises. */
  readonly window?: number;
}
/** What a ball may depend on beside the parameters. */
export interface BallFacts {
  readonly inputShape: readonly [height: number, width: number, channels: number];
  /** What `prepare` made. */
  readonly patch?: Patch;
}
export interface AttackBatch {
  readonly images: Images;
  readonly labels: Labels;
  /** Classes aimed at, [b]; absent when any other class will do. */
  readonly targets?: Labels;
}
export interface AttackContext extends StreamContext {
  /**
   * Call once per iteration with the images that `logits` belong to: the harness keeps the best iterate of each image, records the
   * trace that panels show, and checkpoints. Reads nothing back unless somebody watches. Does not take ownership of its arguments.
   */
  iterate(images: Images, logits: Logits): Promise<void>;
  /** What `prepare` made. */
  readonly patch?: Patch;
}
export interface PrepareContext extends RunContext {
  /** Goes on from here. */
  readonly resume?: PatchProgress;
  readonly onStep?: PatchWatcher;
}
export interface Attack extends Entry {
  readonly access: "gradients" | "scores" | "labels";
  /** Takes more than one step: rules compare single-step with iterative attacks. */
  readonly iterative: boolean;
  ball(params: Params, facts: BallFacts): Ball;
  /** Iterations it takes at most, for progress; absent for a single step. */
  iterations?(params: Params): number;
  /** Class that the parameters aim at; null for any other than the label. Absent for untargeted attacks. */
  target?(params: Params): number | null;
  /**
   * Refuses what parameters, image size and classes decide together. Pure, so that an experiment asks before it trains anything; `run`
   * and `prepare` refuse the same. @throws BulwarkError
   */
  check?(params: Params, facts: ModelFacts): void;
  /**
   * Makes what is put to all images alike, a patch trained on `images`; `run` finds it in its context. Whoever attacks many images calls
   * it once; the harness calls it with the images of a batch for those who do not.
   */
  prepare?(model: Classifier, images: ImageSource, params: Params, ctx: PrepareContext): Promise<TrainedPatch>;
  /** A pure function of its arguments: proposes images [b,H,W,C]. The harness projects, scores and decides success. */
  run(model: Classifier, batch: AttackBatch, params: Params, ctx: AttackContext): Promise<Images>;
}
export function defineAttack<P extends TObject>(
  spec: Described<P, Static<P>> & {
    readonly access: Attack["access"];
    readonly iterative: boolean;
    ball(params: Static<P>, facts: BallFacts): Ball;
    iterations?(params: Static<P>): number;
    target?(params: Static<P>): number | null;
    check?(params: Static<P>, facts: ModelFacts): void;
    prepare?(model: Classifier, images: ImageSource, params: Static<P>, ctx: PrepareContext): Promise<TrainedPatch>;
    run(model: Classifier, batch: AttackBatch, params: Static<P>, ctx: AttackContext): Promise<Images>;
  },
): Attack {
  return spec as unknown as Attack; // parameters are checked against `spec.params` (resolveParams) before they get here
}
