import type { tf } from "../tf.ts";
import type { Core } from "./config.ts";

let isGuided = false;

/**
 * Gradients that `f` takes are guided: a ReLU, a bounded one too, passes on only what is positive, and only where it is active itself
 * (guided backpropagation, Springenberg et al. 2015). Every other kernel keeps its gradient, so that a network without ReLUs has a plain one.
 */
export function guidedly<T>(f: () => T): T {
  const before = isGuided;
  isGuided = true;
  try {
    return f();
  } finally {
    isGuided = before;
  }
}

/** The gradient of a rectifier, and its guided form. */
export const guided = (core: Core, { gradFunc, ...config }: tf.GradConfig): tf.GradConfig => ({
  ...config,
  gradFunc: (dy, saved, attributes) => gradFunc(isGuided ? core.relu(dy as tf.Tensor) : dy, saved, attributes),
});

/** tfjs' own gradients of its rectifiers, with a guided form. */
export const guidedRectifiers = (core: Core): tf.GradConfig[] =>
  ["Relu", "Relu6"].flatMap((kernelName) => {
    const config = core.getGradient(kernelName);
    return config ? [guided(core, config)] : [];
  });
