import type { LayerSource } from "../classifier/classifier.ts";
import { type Images, type Labels, tf } from "../tf.ts";

/**
 * Grad-CAM of one class an image: L = ReLU(Σ_k α_k A^k), where α_k is the mean of ∂z_c/∂A^k over the grid, z_c a logit (Selvaraju et al.
 * 2017, eq. 1 and 2). In a volumized network the mean runs over the grids of all Z slices of the image.
 * @param classIndex [b], the class whose evidence is shown.
 * @returns [n,h,w] as the layer's features (n = b, or b·Z slices), not normalised; the caller disposes.
 */
export function gradCamMap(source: Pick<LayerSource, "run">, x: Images, classIndex: Labels, layer: string): tf.Tensor3D {
  return tf.tidy(() => {
    const value = source.run(x, { take: [layer] }).taken.get(layer) as tf.Tensor;
    const features = value.rank === 4 ? (value as tf.Tensor4D) : slicesInLine(value as tf.Tensor5D);
    const score = (values: tf.Tensor): tf.Scalar => {
      const logits = source.run(x, { from: { layer, value: tf.reshape(values, value.shape) } }).logits;
      // One sum over the batch: an image's features reach its own logits only.
      return tf.sum(tf.mul(logits, tf.cast(tf.oneHot(classIndex, logits.shape[1]), "float32")));
    };
    const gradient = tf.grad(score)(features);
    const [n, h, w, channels] = features.shape;
    const b = x.shape[0];
    const perImage = [b, (n / b) * h * w, channels];
    const alpha = tf.mean(tf.reshape(gradient, perImage), 1, true); // [b,1,K]
    const raw = tf.sum(tf.mul(tf.reshape(features, perImage), alpha), 2);
    return tf.reshape(tf.relu(raw), [n, h, w]);
  });
}

/** [b,Z,h,w,K] → [b·Z,h,w,K]. */
const slicesInLine = (value: tf.Tensor5D): tf.Tensor4D => {
  const [b, depth, h, w, channels] = value.shape;
  return tf.reshape(value, [b * depth, h, w, channels]);
};

export type Normalisation = "max" | "minmax" | "none";

/**
 * g = L / (max L + 1e-7), per image; `minmax` subtracts the smallest value first. Both count over all slices of an image. Its gradient is
 * that of the quotient: were the maximum a constant, a loss over g could be lowered by shrinking L, which changes no g.
 * @param map [n,h,w] with n a multiple of `images`.
 */
export function normaliseMap(map: tf.Tensor3D, images: number, how: Normalisation): tf.Tensor3D {
  if (how === "none") return map.clone();
  return tf.tidy(() => {
    const flat = tf.reshape(map, [images, -1]);
    const shifted = how === "minmax" ? tf.sub(flat, tf.min(flat, 1, true)) : flat;
    return tf.reshape(tf.div(shifted, tf.add(tf.max(shifted, 1, true), 1e-7)), map.shape);
  });
}
