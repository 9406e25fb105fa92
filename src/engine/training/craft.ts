import type { Classifier } from "../classifier/classifier.ts";
import { type RunContext, streamContext } from "../context.ts";
import type { Attack, AttackContext, Bound } from "../define/index.ts";
import { projectOntoBall } from "../harness/project.ts";
import { targetsOf } from "../harness/targets.ts";
import { tf } from "../tf.ts";
import type { FedBatch } from "./feed.ts";

const strengthRoles: readonly unknown[] = ["radius", "step"];

/** The attack with a part of its strength: of its radius and the length of its steps. @param share from 0 to 1 */
export function weakened(craft: Bound<Attack>, share: number): Bound<Attack> {
  if (share >= 1) return craft;
  const { properties } = craft.entry.params;
  const params = Object.entries(craft.params).map(([name, value]) => [
    name,
    typeof value === "number" && strengthRoles.includes(properties[name]?.["role"]) ? value * share : value,
  ]);
  return { ...craft, params: Object.fromEntries(params) };
}

/**
 * Adversarial images of a batch for a training step: the last iterate of the attack, brought into its ball and [0,1]. Unlike in an
 * evaluation every image is attacked, misclassified ones too (Madry et al. 2018: the inner maximisation is over all of them).
 * @param model the network as it is, in inference mode
 * @param seedName random numbers of an image follow from it and from the image's place in its source alone, not from the batch
 * @returns [b,H,W,C]
 * @throws CANCELLED within an iteration of the attack
 */
export async function craftImages(
  { entry, params }: Bound<Attack>,
  model: Classifier,
  batch: FedBatch,
  seedName: string,
  ctx: RunContext,
): Promise<Float32Array> {
  const streams = streamContext(ctx, (i) => ctx.rng.stream(`${seedName}/${batch.indices[i]}`));
  const context: AttackContext = { ...streams, iterate: () => ctx.checkpoint() };
  const images = tf.tensor4d(batch.images, [batch.n, ...model.inputShape]);
  const labels = tf.tensor1d(batch.labels, "int32");
  let targets: tf.Tensor1D | undefined;
  try {
    const aimed = await targetsOf(entry.target?.(params) ?? null, { model, images, labels: batch.labels, random: streams.random });
    if (aimed) targets = tf.tensor1d(aimed, "int32");
    const proposed = await entry.run(model, { images, labels, ...(targets ? { targets } : {}) }, params, context);
    const values = Float32Array.from(await proposed.data());
    if (proposed !== images) proposed.dispose();
    return projectOntoBall(values, batch.images, entry.ball(params, { inputShape: model.inputShape }), model.inputShape).images;
  } finally {
    tf.dispose([images, labels]);
    targets?.dispose();
  }
}
