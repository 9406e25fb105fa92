import { BulwarkError } from "../../shared/errors.ts";
import { type Bound, type Defense, isTraining, type ModelFacts, type TrainingPlan } from "../define/index.ts";
import { softLabelCrossEntropy } from "../losses/crossEntropy.ts";
import type { Logits, tfl } from "../tf.ts";

/** Plain training, which training defences change: the network as it is, images as they are, mean cross-entropy. */
export const plainPlan: TrainingPlan = {
  network: (base) => base,
  prepare: (x) => x,
  toLogits: (output) => output as Logits,
  criterion: (output, targets) => softLabelCrossEntropy(output as Logits, targets, "mean"),
  loss(step) {
    const { output } = step.forward(step.images);
    return { total: step.criterion(output, step.targets), output };
  },
  learningRateScale: 1,
  relativeCost: 1,
  stepCost: 1,
  syllabus: undefined,
};

/**
 * The network of `base`, changed once more, or looked at: `TrainingPlan.network` of a defence that has to do with the network. A network
 * that is only on the way is freed; the one that is passed in stays the caller's.
 */
export const afterNetwork =
  (base: TrainingPlan, change: (network: tfl.LayersModel, note: (text: string) => void) => tfl.LayersModel): TrainingPlan["network"] =>
  (flat, note = () => undefined) => {
    const before = base.network(flat, note);
    let after: tfl.LayersModel | undefined;
    try {
      after = change(before, note);
      return after;
    } finally {
      if (before !== flat && before !== after) before.dispose();
    }
  };

/**
 * The plan of training defences, each changing that of those before it.
 * @throws EXPERIMENT_INVALID for a defence that stands in front of a network, or one that is listed twice; what the plans throw
 */
export function stackedPlan(defenses: readonly Bound<Defense>[], facts: ModelFacts): TrainingPlan {
  const seen = new Set<string>();
  const plan = defenses.reduce((base, defense) => {
    if (!isTraining(defense))
      throw new BulwarkError(
        "EXPERIMENT_INVALID",
        `${defense.id} stands in front of a trained network; it cannot change a training.`,
        "List it where defences in front of a model are named.",
      );
    if (seen.has(defense.id))
      throw new BulwarkError("EXPERIMENT_INVALID", `The training defence ${defense.id} is listed twice.`, "Remove one of them.");
    seen.add(defense.id);
    return defense.entry.plan(base, defense.params, facts);
  }, plainPlan);
  plan.check?.(plan);
  return plan;
}

/** Forward pass and gradient with respect to the image, in forward passes. */
const gradientPasses = 3;
/**
 * A training step, in such gradients: those of the filters and the optimiser come on top. Beside one PGD step on the same image, four
 * networks took 1.4 (Papernot on MNIST), 1.5 (on CIFAR-10), 2.2 (ResNet9) and 2.3 times as long (LeNet), on two threads.
 */
const stepPasses = 2;

/** Cost of one training image, in passes through the undefended network: the step itself and each step of the attack that crafts for it. */
export function trainingCost({ relativeCost, stepCost, craft, craftAlternatives = [] }: TrainingPlan): number {
  const attacks = craft ? [craft, ...craftAlternatives] : [];
  const all = attacks.reduce((sum, { entry, params }) => sum + (entry.iterations?.(params) ?? 1), 0);
  const iterations = all / Math.max(1, attacks.length);
  return relativeCost * gradientPasses * (stepPasses * stepCost + iterations);
}
