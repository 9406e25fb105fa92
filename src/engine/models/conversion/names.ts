import type { tfl } from "../../tf.ts";

/** The layers of a 3-D network by the 2-D layer and the part of its work that they do, all of different names. */
export interface Names {
  find(layer: tfl.layers.Layer, part: string): tfl.layers.Layer | undefined;
  keep(layer: tfl.layers.Layer, part: string, made: tfl.layers.Layer): void;
  /** Disposes the weights of all of them: what they were made for has failed. */
  dispose(): void;
  /** `name`, or where a layer of a model inside the model already has it, `name_2` and so on. */
  unused(name: string): string;
}

export function createNames(taken: readonly string[]): Names {
  const used = new Set(taken);
  const made = new Map<tfl.layers.Layer, Map<string, tfl.layers.Layer>>();
  return {
    find: (layer, part) => made.get(layer)?.get(part),
    keep(layer, part, result) {
      made.set(layer, (made.get(layer) ?? new Map()).set(part, result));
    },
    dispose() {
      for (const parts of made.values()) for (const layer of parts.values()) for (const weight of layer.weights) weight.dispose();
    },
    unused(name) {
      let free = name;
      for (let i = 2; used.has(free); i++) free = `${name}_${i}`;
      used.add(free);
      return free;
    },
  };
}
