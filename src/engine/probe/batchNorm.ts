import { tf, type tfl } from "../tf.ts";

/** The batch normalisation that a network meets first, with no more than one convolution before it. */
export interface FirstNorm {
  readonly name: string;
  /** Name of the layer whose values it normalises. */
  readonly of: string;
  /** Moving mean and variance of each channel: those of the images it was trained on. */
  readonly mean: Float32Array;
  readonly variance: Float32Array;
}

/** Null where there is none, or where it was folded into the convolution. */
export async function firstNorm(network: tfl.LayersModel): Promise<FirstNorm | null> {
  const place = network.layers.findIndex((layer) => layer.getClassName() === "BatchNormalization");
  const layer = network.layers[place];
  const before = network.layers.slice(0, Math.max(0, place));
  const of = layer?.inboundNodes[0]?.inboundLayers[0];
  if (!layer || !of || before.filter(({ weights }) => weights.length > 0).length > 1) return null;
  const stored = async (name: string): Promise<Float32Array | null> => {
    const weight = layer.weights.find(({ originalName }) => originalName.split("/").at(-1) === name);
    return weight ? Float32Array.from(await weight.read().data()) : null;
  };
  const [mean, variance] = [await stored("moving_mean"), await stored("moving_variance")];
  return mean && variance ? { name: layer.name, of: of.name, mean, variance } : null;
}

/** Sums over what a layer gives, for mean and variance of each channel. */
export interface ChannelSums {
  count: number;
  readonly sum: Float64Array;
  readonly squares: Float64Array;
}
export const channelSums = (channels: number): ChannelSums => ({
  count: 0,
  sum: new Float64Array(channels),
  squares: new Float64Array(channels),
});

/** Adds values of a layer, channels last. */
export async function addValues(sums: ChannelSums, values: tf.Tensor): Promise<void> {
  const channels = sums.sum.length;
  const { mean, variance } = tf.tidy(() => tf.moments(tf.reshape(values, [-1, channels]), 0));
  try {
    const [means, variances] = [await mean.data(), await variance.data()];
    const count = values.size / channels;
    sums.count += count;
    for (let c = 0; c < channels; c++) {
      const m = means[c] as number;
      sums.sum[c] = (sums.sum[c] as number) + count * m;
      sums.squares[c] = (sums.squares[c] as number) + count * ((variances[c] as number) + m * m);
    }
  } finally {
    tf.dispose([mean, variance]);
  }
}

/** Variances are taken to be at least this share of the stored ones: one that is 0 is far, not infinitely far. */
const smallest = 1e-6;

/**
 * How far the statistics of these images are from the stored ones: KL divergence of two normal distributions, mean over the channels,
 * [(m−μ)²/v + s²/v − 1 − ln(s²/v)]/2. 0 where they are the same. Channels that never vary count for nothing. Infinite where values are no numbers.
 */
export function distance({ mean, variance }: FirstNorm, { count, sum, squares }: ChannelSums): number {
  const largest = variance.reduce((a, b) => Math.max(a, b), 0);
  let [total, channels] = [0, 0];
  for (let c = 0; c < sum.length; c++) {
    const v = variance[c] as number;
    if (v <= 1e-8 * largest) continue;
    const m = (sum[c] as number) / count;
    const ratio = Math.max(smallest, ((squares[c] as number) / count - m * m) / v);
    total += ((m - (mean[c] as number)) ** 2 / v + ratio - 1 - Math.log(ratio)) / 2;
    channels++;
  }
  const found = channels === 0 ? Number.NaN : total / channels;
  return Number.isFinite(found) ? found : Number.POSITIVE_INFINITY;
}

/** Measured on real networks: at most 0.02 under the right range, 0.3 and more under one that is not near it. */
const [fits, contradicts] = [0.15, 0.25];
/** So many times as far as the nearest. */
const farther = 10;

/** Candidates that the stored statistics contradict, where they fit another; none where they fit none of them. */
export function contradicted(distances: ReadonlyMap<string, number>): Set<string> {
  const nearest = Math.min(...distances.values());
  if (!(nearest <= fits)) return new Set();
  const limit = Math.max(contradicts, farther * nearest);
  return new Set([...distances].filter(([, far]) => far > limit).map(([id]) => id));
}
