import { createRandom } from "../random.ts";
import { tfl } from "../tf.ts";

type Initializer = ReturnType<typeof tfl.initializers.heNormal>;

/** He-normal initialisers, each with a seed of its own that follows from `seed`: equal seeds give equal networks. */
export function heInitializers(seed: number): () => Initializer {
  const next = layerSeeds(seed);
  return () => tfl.initializers.heNormal({ seed: next() });
}

/** Seeds, one after another, that follow from `seed`. */
export function layerSeeds(seed: number): () => number {
  const rng = createRandom(`${seed}/layers`);
  return () => rng.integer(2 ** 31);
}
