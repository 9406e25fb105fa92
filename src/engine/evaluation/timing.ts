import type { ForwardTiming } from "../../shared/results.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { runNetwork } from "../classifier/graph.ts";
import { networkInput } from "../classifier/input.ts";
import type { RunContext } from "../context.ts";
import type { TrainingPlan } from "../define/index.ts";
import { quantile } from "../metrics/quantiles.ts";
import { planOf } from "../session/openModel.ts";
import { type Images, tf } from "../tf.ts";
import type { EvaluationImages } from "./batches.ts";
import { probabilities } from "./clean.ts";

export const usualTiming = { passes: 50, warmUps: 10 } as const;

/**
 * Time of a single-image forward pass until its scores can be read, the defence's own preparation included; for a volumized model also
 * without it, measured in turns so that both meet the same machine (algorithms 0I).
 */
export async function forwardTiming(
  model: Classifier,
  images: EvaluationImages,
  { passes, warmUps }: { readonly passes: number; readonly warmUps: number },
  ctx: RunContext,
): Promise<ForwardTiming> {
  const { images: one } = await images.read(0, 1);
  const plan = volumizedPlan(model);
  const prepared = plan ? prepare(model, plan, one) : null;
  const [whole, network]: [number[], number[]] = [[], []];
  const timed = async (work: () => Promise<unknown>, into: number[], counts: boolean): Promise<void> => {
    const start = ctx.clock();
    await work();
    if (counts) into.push(ctx.clock() - start);
  };
  try {
    for (let i = 0; i < warmUps + passes; i++) {
      await timed(() => probabilities(model, one), whole, i >= warmUps);
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
    batchSize: 1,
    passes,
    warmUps,
  };
}

/** The plan of a model that was trained on volumes; null for any other. */
function volumizedPlan({ defenses, inputShape, classes }: Classifier): TrainingPlan | null {
  const plan = planOf(defenses, inputShape, classes);
  return plan.volumizer ? plan : null;
}

/** The image as a volume that lies ready, and the network alone on it. */
function prepare(model: Classifier, plan: TrainingPlan, one: Float32Array) {
  const [height, width, channels] = model.inputShape;
  const input = tf.tidy(() => networkInput(tf.tensor4d(one, [1, height, width, channels]) as Images, model.contract, plan));
  return {
    async run(): Promise<void> {
      const scores = tf.tidy(() => tf.softmax(plan.toLogits(runNetwork(model.network, input))));
      await scores.data();
      scores.dispose();
    },
    dispose: (): void => input.dispose(),
  };
}
