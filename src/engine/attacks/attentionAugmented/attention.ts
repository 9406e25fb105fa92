import { attentionArea } from "../../attention/area.ts";
import { gradCamMap, normaliseMap } from "../../attention/gradCamMap.ts";
import { attentionLayer } from "../../attention/layer.ts";
import type { Classifier, LayerSource } from "../../classifier/classifier.ts";
import { type Images, type Labels, tf } from "../../tf.ts";

/** Where a model looks at the clean images of a batch. */
export interface Attention {
  readonly layer: string;
  /** Classes that the model says the clean images are of, [b]. */
  readonly classes: Labels;
  /** Att₀, [b,cells]: 1 in the attention area of the clean image, else 0; all 0 where its map is zero everywhere. */
  readonly area: tf.Tensor2D;
  dispose(): void;
}

/**
 * Grad-CAM of given classes on the layer's grid, over all slices of a volumized network where they lie in the image, divided by its maximum:
 * g in [0,1], [b,cells]. All of it is differentiable, the weights α and the maximum too, so that the gradient is exact behind any head.
 */
export function attentionMap(source: LayerSource, x: Images, classes: Labels, layer: string): tf.Tensor2D {
  return tf.tidy(() => {
    const map = normaliseMap(gradCamMap(source, x, classes, layer), x.shape[0], "max");
    return tf.reshape(source.inPlace(map, x), [x.shape[0], -1]) as tf.Tensor2D;
  });
}

/** @param name of the layer; "" for the model's default. The caller disposes. @throws PARAMETER_INVALID for a model without such a layer */
export function attentionOf(model: Classifier, images: Images, name: string): Attention {
  const layer = attentionLayer(model.layers, name, "A³");
  const classes = tf.tidy(() => tf.argMax(model.logits(images), 1) as Labels);
  const area = tf.tidy(() => {
    const map = attentionMap(layersOf(model), images, classes, layer);
    const [b, cells] = map.shape;
    return tf.reshape(attentionArea(tf.reshape(map, [b, 1, cells]), { kind: "mean" }), [b, cells]) as tf.Tensor2D;
  });
  return { layer, classes, area, dispose: () => tf.dispose([classes, area]) };
}

/** The layers of a model that has some. */
export function layersOf({ layers }: Classifier): LayerSource {
  if (!layers) throw new Error("a model without layers has no attention");
  return layers;
}

/**
 * D = ‖Att₀ − g‖₁ of each image, [b], or its mean over the cells. As Att₀ is 0 or 1 and g in [0,1], it is linear in g: ∂D/∂g is −1 inside the
 * area and 1 outside, on its edges too. Zero where the area is empty: a map of nothing cannot be left.
 */
export function attentionShift(area: tf.Tensor2D, map: tf.Tensor2D, reduction: "sum" | "mean"): tf.Tensor1D {
  return tf.tidy(() => {
    const cells = tf.add(area, tf.mul(map, tf.sub(1, tf.mul(area, 2))));
    const shift = reduction === "sum" ? tf.sum(cells, 1) : tf.mean(cells, 1);
    return tf.mul(shift, tf.max(area, 1)) as tf.Tensor1D;
  });
}
