import type { LayerOverride } from "../classifier/graph.ts";
import type { Random } from "../random.ts";
import { tf } from "../tf.ts";

/**
 * Dropout whose masks come from `rng`: tfjs's own draws either the same mask at every step (with a seed) or one that nothing can
 * repeat (without). Kept values are scaled by 1 / (1 − rate).
 */
export function seededDropout(rng: Random): LayerOverride {
  return (layer, input) => {
    if (layer.getClassName() !== "Dropout") return undefined;
    const config = layer.getConfig();
    const rate = Number(config["rate"]);
    if (!(rate > 0)) return undefined;
    const noiseShape: unknown = config["noiseShape"];
    const shape = input.shape.map((size, i) => (Array.isArray(noiseShape) && typeof noiseShape[i] === "number" ? noiseShape[i] : size));
    const mask = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => (rng.next() < rate ? 0 : 1 / (1 - rate)));
    return tf.mul(input, tf.tensor(mask, shape));
  };
}
