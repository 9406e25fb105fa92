import { createRandom } from "../random.ts";
import { tfl } from "../tf.ts";

type Initializer = ReturnType<typeof tfl.initializers.heNormal>;

/** What the weights of a new network start from. */
export interface InitialWeights {
  readonly seed: number;
  /** All zero: for a network whose weights are counted or replaced; large ones then cost next to nothing. */
  readonly zeroWeights?: boolean;
}

/** Initialisers of a network's layers, each with a seed of its own. */
export interface LayerInitializers {
  he(): Initializer;
  /** For a kernel a channel, whose inputs are its own pixels alone. */
  depthwise(): Initializer;
}

/** He-normal initialisers, each with a seed of its own that follows from `seed`: equal seeds give equal networks. */
export function layerInitializers({ seed, zeroWeights = false }: InitialWeights): LayerInitializers {
  const next = layerSeeds(seed);
  const { heNormal, varianceScaling, zeros } = tfl.initializers;
  return {
    he: () => (zeroWeights ? zeros() : heNormal({ seed: next() })),
    depthwise: () => (zeroWeights ? zeros() : varianceScaling({ scale: 2, mode: "fanOut", distribution: "truncatedNormal", seed: next() })),
  };
}

/** The initialisers of a network without depthwise convolutions. */
export const heInitializers = (initial: InitialWeights): (() => Initializer) => layerInitializers(initial).he;

/** Seeds, one after another, that follow from `seed`. */
export function layerSeeds(seed: number): () => number {
  const rng = createRandom(`${seed}/layers`);
  return () => rng.integer(2 ** 31);
}
