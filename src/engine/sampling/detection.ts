import { batchSizeFor } from "../classifier/batchSizes.ts";
import type { Classifier, LayerInfo, LayerSampling } from "../classifier/classifier.ts";
import type { StreamContext } from "../context.ts";
import type { Detection } from "../define/index.ts";
import type { Random, Streams } from "../random.ts";
import { apart, dependentRead, type Images, tf, valuesOf } from "../tf.ts";
import { meanEntropy, voteEntropy } from "./entropy.ts";
import { type SamplingScheme, type UnitDraws, unitFacts } from "./scheme.ts";
import { layersOf, type UnitChoice, unitsOf } from "./units.ts";

/** A detector that samples activations. */
export interface SamplingDetector {
  readonly title: string;
  readonly units: UnitChoice;
  readonly scheme: SamplingScheme;
}

/** Units and their draws, in network order. */
type Drawn = readonly { readonly unit: LayerInfo; readonly draws: UnitDraws }[];

/**
 * Score and votes of a batch (paper 3, Algorithm 3): one plain pass tells what is drawn with which probability, then `runs` passes, each with
 * draws of its own, vote for their class; the score is the entropy of the votes. Passes go on from the first unit and fill whole batches,
 * those of several images together.
 */
export async function scoreBySampling(
  model: Classifier,
  x: Images,
  { title, units: choice, scheme, runs }: SamplingDetector & { readonly runs: number },
  ctx: StreamContext,
): Promise<Detection> {
  const [b, k] = [x.shape[0], model.classes];
  const units = unitsOf(model, choice, title);
  const { logits, taken } = layersOf(model, title).run(x, { take: units.map(({ name }) => name) });
  logits.dispose();
  try {
    await ctx.checkpoint();
    const streams = Array.from({ length: b }, (_, i) => ctx.random(i));
    const drawn: Drawn = await Promise.all(
      units.map(async (unit, u) => {
        const value = taken.get(unit.name) as tf.Tensor;
        const read = scheme.reads
          ? await valuesOf(tf.tidy(() => (scheme.reads as (value: tf.Tensor) => tf.Tensor)(value)))
          : new Float32Array();
        return {
          unit,
          draws: scheme.draws(
            unitFacts(value),
            read,
            streams.map((stream) => stream.stream(`unit ${u}`)),
          ),
        };
      }),
    );
    const first = (units[0] as LayerInfo).name;
    const from = { layer: first, value: taken.get(first) as tf.Tensor };
    const votes = await countVotes(model, x, { drawn, runs, from, phase: title }, ctx);
    const scores = Float64Array.from({ length: b }, (_, i) => voteEntropy(votes.subarray(i * k, (i + 1) * k)));
    return { scores, votes, passes: runs + 1, units: drawn.map(({ unit, draws }) => ({ ...described(unit, taken), ...told(draws) })) };
  } finally {
    tf.dispose([...taken.values()]);
  }
}

const described = ({ name }: LayerInfo, taken: ReadonlyMap<string, tf.Tensor>) => {
  const { rows, channels } = unitFacts(taken.get(name) as tf.Tensor);
  return { layer: name, rows, channels };
};
const told = ({ c, counts: { all, active, kept }, probabilities }: UnitDraws) => ({
  c,
  kept: kept / all,
  active: active / all,
  ...(probabilities ? { probabilities } : {}),
});

/** Hard labels of `runs` passes of each image, counted by class [b·k]. */
async function countVotes(
  model: Classifier,
  x: Images,
  { drawn, runs, from, phase }: { drawn: Drawn; runs: number; from: { layer: string; value: tf.Tensor }; phase: string },
  ctx: StreamContext,
): Promise<Int32Array> {
  const [b, k] = [x.shape[0], model.classes];
  const votes = new Int32Array(b * k);
  const { most } = batchSizeFor(model, "forward");
  for (let start = 0; start < b * runs; start += most) {
    const rows = Array.from({ length: Math.min(most, b * runs - start) }, (_, i) => Math.floor((start + i) / runs));
    const labels = tf.tidy(() => {
      const { logits } = layersOf(model, "").run(x, { from, sampling: samplingOf(drawn, rows) });
      return tf.argMax(logits, 1);
    });
    const found = await valuesOf(labels);
    rows.forEach((image, i) => {
      const vote = image * k + (found[i] as number);
      votes[vote] = (votes[vote] as number) + 1;
    });
    await ctx.checkpoint({ phase, done: start + rows.length, total: b * runs });
  }
  return votes;
}

const samplingOf = (drawn: Drawn, rows: readonly number[]): LayerSampling => ({
  rows,
  change: new Map(drawn.map(({ unit, draws }) => [unit.name, (value) => tf.mul(value, draws.multiplier(rows, value))])),
});

/**
 * What an attack keeps small that knows the detector, [b]: the entropy of the mean softmax over `passes` passes with draws of their own
 * (expectation over transformation). Probabilities follow the image, and are constants to the gradient.
 */
export function samplingSurrogate(
  model: Classifier,
  x: Images,
  { title, units: choice, scheme, passes }: SamplingDetector & { readonly passes: number },
  see: Streams,
): tf.Tensor1D {
  const b = x.shape[0];
  const units = unitsOf(model, choice, title);
  const layers = layersOf(model, title);
  return tf.tidy(() => {
    const random: Random[] = Array.from({ length: b }, (_, i) => see.random(i));
    const { taken } = apart(() => layers.run(x, { take: units.map(({ name }) => name) }));
    const drawn: Drawn = units.map((unit) => {
      const value = taken.get(unit.name) as tf.Tensor;
      const read = scheme.reads ? dependentRead(apart(() => (scheme.reads as (value: tf.Tensor) => tf.Tensor)(value))) : new Float32Array();
      return { unit, draws: scheme.draws(unitFacts(value), read, random) };
    });
    const rows = Array.from({ length: b * passes }, (_, i) => Math.floor(i / passes));
    return meanEntropy(layers.run(x, { sampling: samplingOf(drawn, rows) }).logits, passes);
  });
}
