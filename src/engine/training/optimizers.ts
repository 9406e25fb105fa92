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

/** A state variable of each weight for each of `slots`, filled with it; `direction` gives the change that is subtracted and updates them. */
function optimizer(weights: readonly TrainedWeight[], slots: readonly number[], weightDecay: number, direction: Direction): Optimizer {
  const state = weights.map(({ variable }) => slots.map((value) => tf.tidy(() => tf.variable(tf.fill(variable.shape, value), false))));
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
  optimizer(weights, momentum > 0 ? [0] : [], weightDecay, (gradient, slots, learningRate) => {
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
  optimizer(weights, [0, 0], weightDecay, (gradient, slots, learningRate, step) => {
    const [first, second] = [slotOf(slots, 0), slotOf(slots, 1)];
    first.assign(tf.add(tf.mul(first, beta1), gradient));
    second.assign(tf.add(tf.mul(second, beta2), tf.square(gradient)));
    const scale = Math.sqrt((1 - beta2 ** step) / (1 - beta2)); // √v̂ = √second / scale
    const length = (learningRate * scale * (1 - beta1)) / (1 - beta1 ** step);
    return tf.mul(tf.div(first, tf.add(tf.sqrt(second), 1e-7 * scale)), length);
  });
const beta1 = 0.9;
const beta2 = 0.999;

/** What RMSProp and Adadelta divide by: decay of the mean of squared gradients, and what is added to it inside the root. */
interface MeanSquare {
  readonly decay: number;
  readonly epsilon: number;
  /** Of the loss that the gradients are of: steps are those of the loss divided by it. 1 when left out. */
  readonly lossScale?: number;
}

/**
 * RMSProp (Tieleman & Hinton 2012) as TensorFlow 1 has it: s ← ρ·s + (1 − ρ)·g² from s = 1, v ← μ·v + lr·g/√(s + ε), w ← w − v. The
 * defaults ρ 0.9 and ε 1e-10 are TensorFlow's.
 */
export function rmsprop(weights: readonly TrainedWeight[], o: MeanSquare & { readonly momentum: number }, weightDecay: number): Optimizer {
  const one = (o.lossScale ?? 1) ** 2; // of a squared gradient
  return optimizer(weights, o.momentum > 0 ? [one, 0] : [one], weightDecay, (gradient, slots, learningRate) => {
    const root = tf.sqrt(tf.add(discounted(slotOf(slots, 0), tf.square(gradient), o.decay), o.epsilon * one));
    const change = tf.div(tf.mul(gradient, learningRate), root);
    if (o.momentum <= 0) return change;
    const velocity = slotOf(slots, 1);
    velocity.assign(tf.add(tf.mul(velocity, o.momentum), change));
    return velocity;
  });
}

/**
 * Adadelta (Zeiler 2012): s ← ρ·s + (1 − ρ)·g², u = g·√(d + ε)/√(s + ε), d ← ρ·d + (1 − ρ)·u², w ← w − lr·u. The defaults ρ 0.95 and
 * ε 1e-8 are those of Keras 1, whose learning rate is 1.
 */
export const adadelta = (weights: readonly TrainedWeight[], o: MeanSquare, weightDecay: number): Optimizer =>
  optimizer(weights, [0, 0], weightDecay, (gradient, slots, learningRate) => {
    const changes = slotOf(slots, 1);
    const root = tf.sqrt(tf.add(discounted(slotOf(slots, 0), tf.square(gradient), o.decay), o.epsilon * (o.lossScale ?? 1) ** 2));
    const change = tf.div(tf.mul(gradient, tf.sqrt(tf.add(changes, o.epsilon))), root);
    discounted(changes, tf.square(change), o.decay);
    return tf.mul(change, learningRate);
  });

/** mean ← decay·mean + (1 − decay)·value */
function discounted(mean: tf.Variable, value: tf.Tensor, decay: number): tf.Variable {
  mean.assign(tf.add(tf.mul(mean, decay), tf.mul(value, 1 - decay)));
  return mean;
}

/**
 * The optimiser of an experiment. @param rateScale 1 over the scale of the loss. Weight decay, and what a root starts from, are scaled with
 * the loss, so that a sum over slices and their mean take the same steps.
 */
export function createOptimizer(weights: readonly TrainedWeight[], settings: TrainSettings, rateScale = 1): Optimizer {
  const { momentum, decay, epsilon } = settings;
  const lossScale = 1 / rateScale;
  const weightDecay = settings.weightDecay * lossScale;
  switch (settings.optimizer) {
    case "sgd":
      return sgd(weights, momentum, weightDecay);
    case "adam":
      return adam(weights, weightDecay);
    case "rmsprop":
      return rmsprop(weights, { decay: decay ?? 0.9, epsilon: epsilon ?? 1e-10, lossScale, momentum }, weightDecay);
    case "adadelta":
      return adadelta(weights, { decay: decay ?? 0.95, epsilon: epsilon ?? 1e-8, lossScale }, weightDecay);
  }
}
