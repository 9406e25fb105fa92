import { BulwarkError } from "../../shared/errors.ts";
import { type Bound, type Detector, detectorPasses } from "../define/index.ts";
import type { Streams } from "../random.ts";
import { tf } from "../tf.ts";
import type { Classifier } from "./classifier.ts";
import { continued } from "./streams.ts";

/**
 * The model as it is attacked by one who must not be detected either: `penalty` is `weight` times the sum of the detector's surrogate over
 * the batch, on top of a penalty that the model has already.
 * @param streams random numbers of the detector and of the model, until `withStreams` names others
 * @throws PARAMETER_INVALID where the detector offers no surrogate
 */
export function evading(model: Classifier, detector: Bound<Detector>, weight: number, streams: Streams): Classifier {
  const { surrogate } = detector.entry;
  const { withMask } = model;
  if (!surrogate)
    throw new BulwarkError(
      "PARAMETER_INVALID",
      `The detector ${detector.id} has nothing that an attack can follow: no surrogate.`,
      "Attack without the detector, and score the images afterwards.",
    );
  const drawn = continued(streams, "detector");
  return {
    ...model,
    evaluations: model.evaluations,
    penaltyPasses: detectorPasses(detector).surrogate + (model.penalty ? (model.penaltyPasses ?? 1) : 0),
    penalty: (x) =>
      tf.tidy(() => {
        const scores = tf.sum(surrogate(model, x, detector.params, drawn)) as tf.Scalar;
        const own = tf.mul(scores, weight) as tf.Scalar;
        return model.penalty ? tf.add(own, model.penalty(x)) : own;
      }),
    withStreams: (others) => evading(model.withStreams?.(others) ?? model, detector, weight, others),
    ...(withMask ? { withMask: (mask) => evading(withMask(mask), detector, weight, streams) } : {}),
  };
}
