import { createRandom } from "../random.ts";
import { tfl } from "../tf.ts";

type Initializer = ReturnType<typeof tfl.initializers.heNormal>;

/** What the weights of a new network start from. */
export interface InitialWeights {
  readonly seed: number;
  /** All zero: for a network whose weights are counted or replaced; large ones then cost next to nothing. */
  readonly zeroWeights?: boolean;
}

/** He-normal initialisers, each with a seed of its own that follows from `seed`: equal seeds give equal networks. */
export function heInitializers({ seed, zeroWeights = false }: InitialWeights): () => Initializer {
  const next = layerSeeds(seed);
  return () => (zeroWeights ? tfl.initializers.zeros() : tfl.initializers.heNormal({ seed: next() }));
}

/** Seeds, one after another, that follow from `seed`. */
export function layerSeeds(seed: number): () => number {
  const rng = createRandom(`${seed}/layers`);
  return () => rng.integer(2 ** 31);
}
