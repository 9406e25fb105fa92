import { createRandom } from "../random.ts";
import { tfl } from "../tf.ts";

type Initializer = ReturnType<typeof tfl.initializers.heNormal>;

/** He-normal initialisers, each with a seed of its own that follows from `seed`: equal seeds give equal networks. */
export function heInitializers(seed: number): () => Initializer {
  const next = layerSeeds(seed);
  return () => tfl.initializers.heNormal({ seed: next() });
}

export function layerSeeds(seed: number): () => number {
  const rng = createRandom(`${seed}/layers`);
  return () => rng.integer(2 ** 31);
}

/**
 * Gives every dropout layer a new seed. A dropout layer of tfjs that has a seed drops the same units at every step, and one that has
 * none cannot be repeated; a training loop calls this before each step with a number that follows from the run's seed and the step.
 */
export function reseedDropout(network: tfl.LayersModel, seed: number): void {
  const next = layerSeeds(seed);
  for (const layer of network.layers) if (layer.getClassName() === "Dropout") Reflect.set(layer, "seed", next());
}
