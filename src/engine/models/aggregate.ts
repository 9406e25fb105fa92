import type { Aggregation } from "../define/index.ts";
import { type Logits, tf } from "../tf.ts";

export const aggregations = ["meanProb", "vote", "sumLog"] as const satisfies readonly Aggregation[];

/** The rules under which one slice has bounded influence, and under which slices may abstain. */
export const isBounded = (rule: Aggregation): boolean => rule !== "sumLog";

/**
 * Slice logits [b,Z,k] → scores [b,k] whose argmax is the decision of the rule. The paper names none.
 * - `meanProb`: log of the mean of the slices' probabilities.
 * - `vote`: log of the share of the Z votes that the class has, each slice voting for its most probable class; 1/(10·Z) for a class without a
 *   vote. Ties go to the lower class. Votes have no gradient; that of `meanProb` stands in for it, so that an attack by gradients is not
 *   stopped by a mere step function.
 * - `sumLog`: Σ log p over the slices, the rule that fits the patch aggregate loss. One slice can outvote all.
 *
 * With `abstain` = τ > 0 a slice whose largest probability does not exceed τ abstains (De-Randomized Smoothing, Levine & Feizi 2020): its
 * probabilities count as 1/k each under `meanProb`, and it casts no vote. The gradient is the one that it would have if none abstained, for
 * the same reason as above.
 *
 * Bound. Let slice s contribute c_s = p_s, 1/k each where it abstains, or under `vote` the one-hot vector of its class, 0 where it abstains;
 * the class of the largest Σ_s c_s,j is decided for. All c_s,j lie in [0,1], and so c_s,y − c_s,j lies in [−1,1] for any two classes. Where a
 * slice's scores depend on its own content alone, other content of slice s takes at most 1 + c_s,y − c_s,j from the lead
 * Σ_s (c_s,y − c_s,j) of y over j: its own share c_s,y − c_s,j is lost, and −1 is the least that can take its place. The other terms stay, as
 * the sum is over all Z slices whoever abstains (a mean over those that do not abstain has the same argmax, as it divides all classes by
 * one number). Hence no content of any K slices changes the decision for y where, for every j ≠ y, the lead exceeds the sum of the K largest
 * 1 + c_s,y − c_s,j. That slices may abstain costs nothing: to abstain takes c_s,y − c_s,j from the lead, to be certain of j one more.
 */
export function aggregate(logits: tf.Tensor3D, rule: Aggregation, abstain = 0): Logits {
  return tf.tidy(() => {
    switch (rule) {
      case "meanProb":
        return abstain > 0 ? withGradientOfMean(logits, (z) => logMean(heard(z, abstain))) : logMeanExp(tf.logSoftmax(logits));
      case "vote":
        return withGradientOfMean(logits, (z) => logShares(z, abstain));
      case "sumLog":
        return tf.logSoftmax(logits).sum<tf.Tensor2D>(1);
    }
  });
}

const logMean = (logProbabilities: tf.Tensor3D): Logits =>
  tf.logSumExp(logProbabilities, 1).sub<tf.Tensor2D>(Math.log(logProbabilities.shape[1]));

/**
 * log((1/Z)·Σ exp x) over axis 1, by log-sum-exp: no probability underflows. Its gradient is the share that each slice has in the sum, which
 * is computed anew from x: a gradient of that gradient has to see all of it.
 */
function logMeanExp(x: tf.Tensor3D): Logits {
  const op = tf.customGrad((input, save) => {
    const source = input as tf.Tensor3D;
    (save as tf.GradSaveFunc)([source]);
    return {
      value: logMean(source),
      gradFunc: (dy, saved) => {
        const [from] = saved as [tf.Tensor3D];
        return (dy as tf.Tensor2D).expandDims(1).mul(from.sub(tf.logSumExp(from, 1, true)).exp());
      },
    };
  });
  return op(x) as Logits;
}

/** 1 for a slice that is sure enough to count, else 0: [b,Z,1]. */
const confident = (p: tf.Tensor3D, abstain: number): tf.Tensor3D => tf.max(p, -1, true).greater(abstain).toFloat() as tf.Tensor3D;

/** Log-probabilities, those of slices that abstain the same for every class. */
function heard(logits: tf.Tensor3D, abstain: number): tf.Tensor3D {
  const counts = confident(tf.softmax(logits), abstain);
  const ignorance = -Math.log(logits.shape[2]);
  return tf.where(tf.tile(counts, [1, 1, logits.shape[2]]).cast("bool"), tf.logSoftmax(logits), tf.fill(logits.shape, ignorance));
}

function logShares(logits: tf.Tensor3D, abstain: number): Logits {
  const [, Z, k] = logits.shape;
  const votes = tf.oneHot(logits.argMax(-1).toInt(), k).toFloat();
  const cast = abstain > 0 ? votes.mul(confident(tf.softmax(logits), abstain)) : votes;
  return tf.log(tf.maximum(cast.sum<tf.Tensor2D>(1).div(Z), 1 / (10 * Z))) as Logits;
}

/** Forward f, backward the gradient of `meanProb` without abstention. */
function withGradientOfMean(logits: tf.Tensor3D, f: (logits: tf.Tensor3D) => Logits): Logits {
  const op = tf.customGrad((input, save) => {
    const source = input as tf.Tensor3D;
    (save as tf.GradSaveFunc)([source]);
    return {
      value: f(source),
      gradFunc: (dy, saved) => {
        const logP = tf.logSoftmax(saved[0] as tf.Tensor3D);
        const shares = logP.sub(tf.logSumExp(logP, 1, true)).exp(); // of each slice in the sum of a class's probabilities
        const pull = (dy as tf.Tensor2D).expandDims(1).mul(shares);
        return pull.sub(pull.sum(-1, true).mul(logP.exp()));
      },
    };
  });
  return op(logits) as Logits;
}
