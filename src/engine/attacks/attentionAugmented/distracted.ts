import { BulwarkError } from "../../../shared/errors.ts";
import type { Classifier } from "../../classifier/classifier.ts";
import { type Labels, tf } from "../../tf.ts";
import { type Attention, attentionMap, attentionShift, layersOf } from "./attention.ts";
import type { Settings } from "./base.ts";

type Weight = Pick<Settings, "sigma" | "reduction">;

/**
 * The model for an attacker who also draws its attention away from where it was: what is ascended grows by σ·D. That is the sign of both
 * forms of A³, as an attack towards a class ascends −CE: J = CE(z(x), y_LL) − σ·D descended, and J' = CE(z(x), y) + σ·D ascended.
 * @param attention of the clean images; stays the caller's
 * @param rows places of the model's images among those of `attention`; all of them in order when left out
 */
export function distracted(model: Classifier, attention: Attention, weight: Weight, rows?: readonly number[]): Classifier {
  const { withStreams, withMask } = model;
  const again = (other: Classifier): Classifier => distracted(other, attention, weight, rows);
  return {
    ...model,
    evaluations: model.evaluations,
    penalty: (x) =>
      tf.tidy(() => {
        const [area, classes] = chosen(attention, x.shape[0], rows);
        const map = attentionMap(layersOf(model), x, classes, attention.layer);
        const shift = tf.mul(tf.sum(attentionShift(area, map, weight.reduction)), -weight.sigma) as tf.Scalar;
        return model.penalty ? tf.add(shift, model.penalty(x)) : shift;
      }),
    ofRows: (part) =>
      distracted(
        model.ofRows?.(part) ?? model,
        attention,
        weight,
        part.map((row) => rows?.[row] ?? row),
      ),
    ...(withStreams ? { withStreams: (streams) => again(withStreams(streams)) } : {}),
    ...(withMask ? { withMask: (mask) => again(withMask(mask)) } : {}),
  };
}

/** @throws PARAMETER_INVALID where an attack computes on a part of its batch and does not say which */
function chosen({ area, classes }: Attention, count: number, rows?: readonly number[]): readonly [tf.Tensor2D, Labels] {
  if (count !== (rows?.length ?? area.shape[0]))
    throw new BulwarkError(
      "PARAMETER_INVALID",
      "attentionAugmented: the base attack computes on parts of its batch and does not say which images they are.",
      "Choose another base, such as pgd.",
    );
  if (!rows) return [area, classes];
  const places = tf.tensor1d([...rows], "int32");
  return [tf.gather(area, places), tf.gather(classes, places) as Labels];
}
