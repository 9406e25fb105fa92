import type { ForwardTiming } from "../../shared/results.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { probabilitiesOf } from "../classifier/probabilities.ts";
import type { RunContext } from "../context.ts";
import type { EvaluationImages } from "../define/index.ts";
import { probabilities } from "../harness/predict.ts";
import { quantile } from "../metrics/quantiles.ts";
import { planOf } from "../session/openModel.ts";
import { type Images, tf } from "../tf.ts";

/** Where nobody asked for a number: a slow model has had its share of passes after a few seconds, and its median is as good. */
export const usualTiming = { passes: 50, warmUps: 10, seconds: 3 } as const;

interface Passes {
  readonly passes: number;
  readonly warmUps: number;
  /** Passes end earlier, after a fifth of their number at least, once they took so long; warm-ups after a quarter of it. */
  readonly seconds?: number;
}

/**
 * Time of a single-image forward pass until its scores can be read, the defence's own preparation included, over the first images in turn; for
 * a volumized model also without it, and for defences in front also they alone, measured in turns so that all meet the same machine.
 */
export async function forwardTiming(
  model: Classifier,
  images: EvaluationImages,
  { passes, warmUps, seconds = Number.POSITIVE_INFINITY }: Passes,
  ctx: RunContext,
): Promise<ForwardTiming> {
  const prepared = networkAlone(model, (await images.read(0, 1)).images);
  const front = frontAlone(model);
  const [whole, network, inFront]: [number[], number[], number[]] = [[], [], []];
  const timed = async (work: () => Promise<unknown>, into: number[]): Promise<void> => {
    const start = ctx.clock();
    await work();
    into.push(ctx.clock() - start);
  };
  const repeat = async (most: number, milliseconds: number): Promise<number> => {
    const start = ctx.clock();
    for (let i = 0; i < most; i++) {
      if (i >= most / 5 && ctx.clock() - start > milliseconds) return i;
      const place = i % images.n;
      const { images: one } = await images.read(place, place + 1);
      await timed(() => probabilities(model, one), whole);
      if (front) await timed(() => front(one), inFront);
      if (prepared) await timed(prepared.run, network);
      if (i % 10 === 9) await ctx.checkpoint();
    }
    return most;
  };
  let [warmed, measured] = [0, 0];
  try {
    warmed = await repeat(warmUps, seconds * 250);
    for (const values of [whole, network, inFront]) values.length = 0;
    measured = await repeat(passes, seconds * 1000);
  } finally {
    prepared?.dispose();
  }
  const at = (values: readonly number[], q: number): number => quantile(values, q) ?? 0;
  return {
    forwardMilliseconds: at(whole, 0.5),
    p95Milliseconds: at(whole, 0.95),
    ...(prepared ? { networkMilliseconds: at(network, 0.5), networkP95Milliseconds: at(network, 0.95) } : {}),
    ...(front ? { frontMilliseconds: at(inFront, 0.5), frontP95Milliseconds: at(inFront, 0.95) } : {}),
    batchSize: 1,
    passes: measured,
    warmUps: warmed,
  };
}

/** The transformations of one image [H,W,C]; null for a model with nothing in front. */
function frontAlone({ front, inputShape }: Classifier): ((one: Float32Array) => Promise<void>) | null {
  if (!front?.length) return null;
  return async (one) => {
    const shown = tf.tidy(() => front.reduce((x: Images, { transform }) => transform(x), tf.tensor4d(one, [1, ...inputShape])));
    await shown.data();
    shown.dispose();
  };
}

/** The volume of the image, made once, and the network alone on it; null for a model that was not trained on volumes. */
function networkAlone(model: Classifier, one: Float32Array) {
  const { defenses, inputShape, classes, bare, layers } = model;
  const source = bare?.layers ?? layers;
  const start = source?.all.find(({ type }) => type === "InputLayer")?.name;
  if (!source || start === undefined || !planOf(defenses, inputShape, classes).volumizer) return null;
  const image: Images = tf.tensor4d(one, [1, ...inputShape]);
  const { logits, taken } = source.run(image, { take: [start] });
  logits.dispose();
  const value = taken.get(start) as tf.Tensor;
  return {
    async run(): Promise<void> {
      const scores = tf.tidy(() => probabilitiesOf(model, source.run(image, { from: { layer: start, value } }).logits));
      await scores.data();
      scores.dispose();
    },
    dispose: (): void => tf.dispose([image, value]),
  };
}
