import { type Classifier, gradientOf } from "../classifier/classifier.ts";
import { guidedly } from "../gradients/index.ts";
import { apart, dependentRead, type Images, tf } from "../tf.ts";

/**
 * How strongly each pixel of one image drives the class it is given: the largest magnitude over the channels of guided backpropagation's
 * ∂z_top/∂x (Springenberg et al. 2015), [H·W], not normalised. Activations other than ReLUs pass on their plain gradient. It may be
 * called while another gradient is taken. Passes are not counted in `evaluations`.
 * @param x [1,H,W,C]
 */
export function guidedSaliency(model: Classifier, x: Images): Float32Array {
  const counted = { ...model.evaluations };
  const topLogit = (input: Images): tf.Scalar => tf.sum(tf.max(model.logits(input), 1));
  try {
    return apart(() =>
      guidedly(() => {
        const gradient = gradientOf(model, x, topLogit);
        const largest = tf.tidy(() => tf.max(tf.abs(gradient), 3));
        gradient.dispose();
        const values = Float32Array.from(dependentRead(largest));
        largest.dispose();
        return values;
      }),
    );
  } finally {
    Object.assign(model.evaluations, counted);
  }
}
