import type { TrainSettings } from "../../shared/experiment.ts";
import { tf, type tfl } from "../tf.ts";

/** A weight that is trained; `decays` where weight decay applies: kernels, and neither biases nor the scales of normalisations. */
export interface TrainedWeight {
  readonly layerVariable: tfl.LayerVariable;
  readonly variable: tf.Variable;
  readonly decays: boolean;
}

export function trainedWeights(network: tfl.LayersModel): TrainedWeight[] {
  return network.trainableWeights.map((layerVariable) => {
    const variable = layerVariable.read();
    if (!(variable instanceof tf.Variable)) throw new Error(`Weight ${layerVariable.name} is no variable.`);
    return { layerVariable, variable, decays: variable.rank >= 2 && /kernel/i.test(layerVariable.originalName) };
  });
}

/**
 * Updates weights in place. State is kept in float32 variables and a step count, and everything else is computed from these, so that a
 * saved and restored optimiser goes on exactly as one that was never stopped.
 */
export interface Optimizer {
  /** One step down the gradients (by variable name); frees nothing that it was given. */
  update(gradients: tf.NamedTensorMap, learningRate: number): void;
  /** Steps taken. */
  steps: number;
  readonly state: readonly tf.Variable[];
  dispose(): void;
}

type Direction = (gradient: tf.Tensor, slot: readonly tf.Variable[], learningRate: number, step: number) => tf.Tensor;

/** `slots` state variables a weight; `direction` gives the change that is subtracted and updates its slots. */
function optimizer(weights: readonly TrainedWeight[], slots: number, weightDecay: number, direction: Direction): Optimizer {
  const state = weights.map(({ variable }) =>
    Array.from({ length: slots }, () => tf.tidy(() => tf.variable(tf.zeros(variable.shape), false))),
  );
  return {
    steps: 0,
    state: state.flat(),
    update(gradients, learningRate) {
      this.steps++;
      tf.tidy(() => {
        weights.forEach(({ variable, decays, layerVariable }, i) => {
          const gradient = gradients[variable.name];
          if (!gradient) return;
          const whole = decays && weightDecay > 0 ? tf.add(gradient, tf.mul(variable, weightDecay)) : gradient;
          const next = tf.sub(variable, direction(whole, state[i] ?? [], learningRate, this.steps));
          variable.assign(layerVariable.constraint ? layerVariable.constraint.apply(next) : next);
        });
      });
    },
    dispose() {
      tf.dispose(state.flat());
    },
  };
}

const slotOf = (slots: readonly tf.Variable[], i: number): tf.Variable => slots[i] as tf.Variable;

/** v ← μ·v + g, w ← w − lr·v (Polyak 1964, as torch and tfjs have it); plain gradient descent for μ = 0. */
export const sgd = (weights: readonly TrainedWeight[], momentum: number, weightDecay: number): Optimizer =>
  optimizer(weights, momentum > 0 ? 1 : 0, weightDecay, (gradient, slots, learningRate) => {
    if (momentum <= 0) return tf.mul(gradient, learningRate);
    const velocity = slotOf(slots, 0);
    velocity.assign(tf.add(tf.mul(velocity, momentum), gradient));
    return tf.mul(velocity, learningRate);
  });

/**
 * Adam (Kingma & Ba 2015): w ← w − lr·m̂/(√v̂ + ε), β₁ 0.9, β₂ 0.999, ε 1e-7. The moments are kept as plain discounted sums m/(1 − β₁)
 * and v/(1 − β₂), and those factors and both bias corrections go into the step length and ε: the same step in fewer passes over the
 * weights, which is what it costs.
 */
export const adam = (weights: readonly TrainedWeight[], weightDecay: number): Optimizer =>
  optimizer(weights, 2, weightDecay, (gradient, slots, learningRate, step) => {
    const [first, second] = [slotOf(slots, 0), slotOf(slots, 1)];
    first.assign(tf.add(tf.mul(first, beta1), gradient));
    second.assign(tf.add(tf.mul(second, beta2), tf.square(gradient)));
    const scale = Math.sqrt((1 - beta2 ** step) / (1 - beta2)); // √v̂ = √second / scale
    const length = (learningRate * scale * (1 - beta1)) / (1 - beta1 ** step);
    return tf.mul(tf.div(first, tf.add(tf.sqrt(second), 1e-7 * scale)), length);
  });
const beta1 = 0.9;
const beta2 = 0.999;

export const createOptimizer = (weights: readonly TrainedWeight[], settings: TrainSettings): Optimizer =>
  settings.optimizer === "adam" ? adam(weights, settings.weightDecay) : sgd(weights, settings.momentum, settings.weightDecay);
