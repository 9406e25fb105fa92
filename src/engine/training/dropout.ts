import type { LayerOverride } from "../classifier/graph.ts";
import type { Random } from "../random.ts";
import { tf, type tfl } from "../tf.ts";

/**
 * The dropout masks of one optimiser step. They come from `rng` (tfjs's own dropout draws either the same mask at every step, with a
 * seed, or one that nothing can repeat, without), and every pass through the network in the step gets the same ones, so that the
 * difference between two outputs is never that of their masks. Kept values are scaled by 1 / (1 − rate).
 */
export class StepDropout {
  readonly #rng: Random;
  readonly #masks = new Map<tfl.layers.Layer, Map<string, tf.Tensor>>();

  constructor(rng: Random) {
    this.#rng = rng;
  }

  /** For one pass through the network. */
  pass(): LayerOverride {
    const calls = new Map<tfl.layers.Layer, number>();
    return (layer, input) => {
      if (layer.getClassName() !== "Dropout") return undefined;
      const config = layer.getConfig();
      const rate = Number(config["rate"]);
      if (!(rate > 0)) return undefined;
      const call = calls.get(layer) ?? 0; // a layer may stand at several places of a network
      calls.set(layer, call + 1);
      const noiseShape: unknown = config["noiseShape"];
      const shape = input.shape.map((size, i) => (Array.isArray(noiseShape) && typeof noiseShape[i] === "number" ? noiseShape[i] : size));
      return tf.mul(input, this.#mask(layer, `${call}: ${shape}`, shape, rate));
    };
  }

  #mask(layer: tfl.layers.Layer, key: string, shape: number[], rate: number): tf.Tensor {
    const masks = this.#masks.get(layer) ?? new Map<string, tf.Tensor>();
    this.#masks.set(layer, masks);
    const drawn = masks.get(key);
    if (drawn) return drawn;
    const size = shape.reduce((a, b) => a * b, 1);
    const values = new Float32Array(size);
    const kept = 1 / (1 - rate);
    for (let i = 0; i < size; i++) if (this.#rng.next() >= rate) values[i] = kept;
    const mask = tf.keep(tf.tensor(values, shape)); // outlives the tidy of the pass that drew it
    masks.set(key, mask);
    return mask;
  }

  dispose(): void {
    for (const masks of this.#masks.values()) tf.dispose([...masks.values()]);
    this.#masks.clear();
  }
}
