import type { Static, TObject } from "@sinclair/typebox";
import type { Norm } from "../../shared/results.ts";
import type { Classifier } from "../classifier/classifier.ts";
import type { StreamContext } from "../context.ts";
import type { Images, Labels, Logits } from "../tf.ts";
import type { Criterion } from "./criterion.ts";
import type { Described, Entry } from "./entry.ts";
import type { ModelFacts } from "./model.ts";
import type { Params } from "./params.ts";
import type { Preparation } from "./preparation.ts";

export type { Norm } from "../../shared/results.ts";
/** The set of images an attack may return; the harness projects onto it. `radius` in units of [0,1] pixels (l0: number of pixels). */
export interface Ball {
  readonly norm: Norm;
  readonly radius: number;
  /** All changed pixels lie in a square of this side, wherever it is: what a patch promises. */
  readonly window?: number;
}
/** The L2 ball around any image of [0,1] that holds all of them: its radius is the diagonal of the box. */
export const everyImage = (_: unknown, { inputShape: [height, width, channels] }: BallFacts): Ball => ({
  norm: "l2",
  radius: Math.sqrt(height * width * channels),
});
/** What a ball may depend on beside the parameters. */
export interface BallFacts<P = unknown> {
  readonly inputShape: readonly [height: number, width: number, channels: number];
  /** What the attack's preparation made. */
  readonly prepared?: P;
}
/** Targets that differ from image to image. None is ever the image's label. */
export const drawnTargets = ["random", "runnerUp", "leastLikely"] as const;
/** A class, or how the harness finds one for each image (`harness/targets.ts`). */
export type Target = number | (typeof drawnTargets)[number];
export interface AttackBatch {
  readonly images: Images;
  readonly labels: Labels;
  /** Classes aimed at, [b]; absent when any other class will do. */
  readonly targets?: Labels;
}
export interface AttackContext<P = unknown> extends StreamContext {
  /**
   * Call once per iteration with the images that `logits` belong to: the harness keeps the best iterate of each image, records the
   * trace that panels show, and checkpoints. Reads nothing back unless somebody watches. Does not take ownership of its arguments.
   * @param isEnd the images are where an attempt has ended and the next one begins elsewhere: looked at, but no iteration follows from them
   */
  iterate(images: Images, logits: Logits, isEnd?: boolean): Promise<void>;
  /** What the attack's preparation made. */
  readonly prepared?: P;
}
export interface Attack extends Entry {
  readonly access: "gradients" | "scores" | "labels";
  /** Takes more than one step: rules compare single-step with iterative attacks. */
  readonly iterative: boolean;
  ball(params: Params, facts: BallFacts): Ball;
  /**
   * The attack looks for the smallest change in this norm and knows no radius: its distances are results, and its ball holds every image
   * (`everyImage`). It does not know how to evade a detector. Absent for attacks within a radius.
   */
  readonly minimizes?: Norm;
  /** Iterations it takes at most after its start, for progress; absent for a single step. */
  iterations?(params: Params): number;
  /**
   * Images through the model that the attack on one image takes at most; what an entry leaves out follows from its iterations.
   * @param facts left out where it is only asked which kinds there are at all: a count that depends on them is infinite then
   */
  evaluations?(params: Params, facts?: BallFacts): Evaluations;
  /** Target that the parameters name; null for an untargeted attack. Absent where the attack has no targeted form. */
  target?(params: Params): Target | null;
  /** Why accuracy under it says little about robustness with these parameters, and which attack says more; null where it is no loose bound. */
  upperBound?(params: Params): string | null;
  /** What counts as a success where that is not the target class, or any misclassification without a target: then it is undefined. */
  criterion?(params: Params): Criterion | undefined;
  /**
   * Refuses what parameters, image size and classes decide together. Pure, so that an experiment asks before it trains anything; `run`
   * and the preparation refuse the same. @throws BulwarkError
   */
  check?(params: Params, facts: ModelFacts): void;
  /** The same attack with a ball that holds every image, for the check whether it can win at all (RB206). Absent where there is none. */
  unbounded?(params: Params, facts: ModelFacts): Params;
  /**
   * For an attack that makes something once for many images; `run` finds it in its context. Whoever attacks many images prepares once;
   * where nobody did, the harness prepares with the images of the batch.
   */
  readonly preparation?: Preparation;
  /** A pure function of its arguments: proposes images [b,H,W,C]. The harness projects, scores and decides success. */
  run(model: Classifier, batch: AttackBatch, params: Params, ctx: AttackContext): Promise<Images>;
}

/**
 * Iterations of an untargeted attack that moves each image along its own gradients. The record of an image tells at which of them it was
 * fooled, so that one run also gives the result of every shorter one with the same steps. Null for other attacks: those of one step, those
 * that see scores only, those that make something once for many images, those that look for the smallest change, and those that aim at a class,
 * as an image can be misclassified long before it is given that class.
 */
export function followedIterations(attack: Attack, params: Params): number | null {
  const isAimed = attack.criterion?.(params)?.isTargeted ?? (attack.target?.(params) ?? null) !== null;
  const isFollowed = attack.access === "gradients" && attack.iterative && !attack.preparation && !attack.minimizes && !isAimed;
  return isFollowed ? (attack.iterations?.(params) ?? null) : null;
}

/** Images through a forward and a backward pass. */
export interface Evaluations {
  readonly forward: number;
  readonly gradient: number;
}
/** What an attack on one image takes at most, its preparation not counted; a target by the clean scores takes a pass for them. */
export function evaluationsOf(attack: Attack, params: Params, facts?: BallFacts): Evaluations {
  const { forward, gradient } = ownEvaluations(attack, params, facts);
  const target = attack.target?.(params);
  return { forward: target === "runnerUp" || target === "leastLikely" ? forward + 1 : forward, gradient };
}
/** Asks for gradients of the model that it attacks. What it prepares on a model is not counted, as that may be another one. */
export const needsGradients = (attack: Attack, params: Params): boolean => evaluationsOf(attack, params).gradient > 0;
/** What it asks of the model that it attacks, its preparation on that model counted in. A patch whose file is given takes no gradient. */
export function asks(attack: Attack, params: Params): Attack["access"] {
  const ofPreparation = attack.preparation?.evaluations(params).gradient ?? 0;
  if (needsGradients(attack, params) || ofPreparation > 0) return "gradients";
  return attack.access === "labels" ? "labels" : "scores";
}
function ownEvaluations(attack: Attack, params: Params, facts?: BallFacts): Evaluations {
  if (attack.evaluations) return attack.evaluations(params, facts);
  const passes = attack.iterations?.(params) ?? 1;
  return attack.access === "gradients" ? { forward: 0, gradient: passes } : { forward: passes, gradient: 0 };
}

export function defineAttack<P extends TObject, Prepared = unknown>(
  spec: Described<P, Static<P>> & {
    readonly access: Attack["access"];
    readonly iterative: boolean;
    readonly minimizes?: Norm;
    ball(params: Static<P>, facts: BallFacts<Prepared>): Ball;
    iterations?(params: Static<P>): number;
    evaluations?(params: Static<P>, facts?: BallFacts<Prepared>): Evaluations;
    target?(params: Static<P>): Target | null;
    upperBound?(params: Static<P>): string | null;
    criterion?(params: Static<P>): Criterion | undefined;
    check?(params: Static<P>, facts: ModelFacts): void;
    unbounded?(params: Static<P>, facts: ModelFacts): Static<P>;
    readonly preparation?: Preparation<Prepared>;
    run(model: Classifier, batch: AttackBatch, params: Static<P>, ctx: AttackContext<Prepared>): Promise<Images>;
  },
): Attack {
  return spec as unknown as Attack; // parameters are checked against `spec.params` (resolveParams) before they get here
}
