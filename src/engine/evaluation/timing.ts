import type { ForwardTiming } from "../../shared/results.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { probabilitiesOf } from "../classifier/probabilities.ts";
import type { RunContext } from "../context.ts";
import type { EvaluationImages } from "../define/index.ts";
import { probabilities } from "../harness/predict.ts";
import { quantile } from "../metrics/quantiles.ts";
import { planOf } from "../session/openModel.ts";
import { type Images, tf } from "../tf.ts";

export const usualTiming = { passes: 50, warmUps: 10 } as const;

/**
 * Time of a single-image forward pass until its scores can be read, the defence's own preparation included, over the first images in turn; for
 * a volumized model also without it, and for defences in front also they alone, measured in turns so that all meet the same machine.
 */
export async function forwardTiming(
  model: Classifier,
  images: EvaluationImages,
  { passes, warmUps }: { readonly passes: number; readonly warmUps: number },
  ctx: RunContext,
): Promise<ForwardTiming> {
  const prepared = networkAlone(model, (await images.read(0, 1)).images);
  const front = frontAlone(model);
  const [whole, network, inFront]: [number[], number[], number[]] = [[], [], []];
  const timed = async (work: () => Promise<unknown>, into: number[], counts: boolean): Promise<void> => {
    const start = ctx.clock();
    await work();
    if (counts) into.push(ctx.clock() - start);
  };
  try {
    for (let i = 0; i < warmUps + passes; i++) {
      const place = i % images.n;
      const { images: one } = await images.read(place, place + 1);
      await timed(() => probabilities(model, one), whole, i >= warmUps);
      if (front) await timed(() => front(one), inFront, i >= warmUps);
      if (prepared) await timed(prepared.run, network, i >= warmUps);
      if (i % 10 === 9) await ctx.checkpoint();
    }
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
    passes,
    warmUps,
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
