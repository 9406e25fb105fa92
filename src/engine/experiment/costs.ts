import { type Evaluations, evaluationsOf, type Params, type Preparation } from "../define/index.ts";
import { planOf } from "../session/openModel.ts";
import { trainingCost } from "../training/plan.ts";
import { defensesOf, type ResolvedArm } from "./arms.ts";
import type { PlanFacts } from "./piece.ts";
import type { ResolvedAttack, ResolvedExplanation } from "./resolve.ts";

// Costs are forward passes of one image through the undefended network: they decide the time left and the size of shards.
const gradientPasses = 3;
/** What the harness does itself: it classifies an image before, after, and rounded. */
const judgingPasses = 3;

const plan = (arm: ResolvedArm, { inputShape, classes }: PlanFacts) => planOf(defensesOf({ ...arm, front: [] }), inputShape, classes);

/** A pass through the arm's network. */
export function passCost(arm: ResolvedArm, facts: PlanFacts): number {
  return planned(() => plan(arm, facts).relativeCost);
}

/** Training an arm's network. */
export const trainCost = (arm: ResolvedArm, facts: PlanFacts): number =>
  planned(() => trainingCost(plan(arm, facts))) * facts.trainSize * arm.train.epochs;

/** A plan that cannot be made is refused when the pieces are checked. */
function planned(cost: () => number): number {
  try {
    return cost();
  } catch {
    return 1;
  }
}

const passesOf = ({ forward, gradient }: Evaluations): number => forward + gradientPasses * gradient;

/** One image under an attack. */
export const attackCost = (arm: ResolvedArm, { entry, params }: ResolvedAttack, facts: PlanFacts): number =>
  passCost(arm, facts) * (judgingPasses + passesOf(evaluationsOf(entry, params, facts)));

/** Passes through the arm's network for one image. */
export const imageCost = (arm: ResolvedArm, evaluations: Evaluations, facts: PlanFacts): number =>
  passCost(arm, facts) * passesOf(evaluations);

/** One image explained. */
export const explanationCost = (arm: ResolvedArm, { entry, params }: ResolvedExplanation, facts: PlanFacts): number =>
  imageCost(arm, entry.evaluations(params), facts);

/** What an attack prepares once for all images. */
export const preparationCost = (arm: ResolvedArm, preparation: Preparation, params: Params, facts: PlanFacts): number =>
  passCost(arm, facts) * passesOf(preparation.evaluations(params));

/** Timed single-image passes: through the whole arm, and through the defences in front alone where there are any. */
export const timingCost = (arm: ResolvedArm, passes: number, facts: PlanFacts): number =>
  passCost(arm, facts) * passes * (arm.front.length > 0 ? 2 : 1);

/** One image of another model's attack. */
export const transferCost = (arm: ResolvedArm, facts: PlanFacts): number => 2 * passCost(arm, facts);

const runtimeBytes = 250e6;
/** Values that a network holds for each value of the image, gradients included: a small network. */
const activations = 64;

/** Bytes at its peak, for a piece that computes with batches of so many images. */
export const memoryOf = ([height, width, channels]: PlanFacts["inputShape"], batch: number): number =>
  Math.round(runtimeBytes + 4 * activations * batch * height * width * channels);
