import type { AttackEstimate, EstimateAttackParams } from "../../shared/protocol.ts";
import { type Classifier, inputGradient } from "../classifier/classifier.ts";
import { requireAccess, requirePreparation } from "../classifier/forwardOnly.ts";
import { attackSurface } from "../classifier/surface.ts";
import type { RunContext } from "../context.ts";
import { evaluationsOf, labelOf } from "../define/index.ts";
import { bind } from "../registry.ts";
import type { Engine } from "../session/engine.ts";
import { type Images, tf } from "../tf.ts";
import { forImage, inspectedModel } from "./inspected.ts";

/** Time of one pass over one image, in milliseconds. */
interface PassTimes {
  readonly forward: number;
  readonly gradient: number;
}
/** By the network and what stands in front of it. */
const measured = new WeakMap<Classifier, Map<string, PassTimes>>();
/** Nothing is measured for so few: they are over before anybody would have read an estimate. */
const few = 5;
/** Attacks that ask for scores alone ask for many images at a time. */
const together = 16;

/**
 * How long an attack on one picture takes at most: the evaluations that its entry declares and its preparation, times what a pass through
 * this model takes here, with everything that the attack goes through in front of it.
 * @throws MODEL_FORWARD_ONLY, PARAMETER_INVALID, UNKNOWN_ID, DEFENSE_INVALID, and what opening a model throws
 */
export async function estimateAttack(p: EstimateAttackParams, engine: Engine, ctx: RunContext): Promise<AttackEstimate> {
  const { entry, params, id } = bind("attack", { ...p.attack.params, kind: p.attack.id });
  const model = await inspectedModel(p, engine, ctx);
  requireAccess(entry, params, model);
  requirePreparation(entry, params, model);
  entry.check?.(params, model);
  const { forward, gradient } = evaluationsOf(entry, params, model);
  const making = entry.preparation?.evaluations(params) ?? { forward: 0, gradient: 0 };
  const passes = { forward: forward + making.forward, gradient: gradient + making.gradient };
  const evaluations = passes.forward + passes.gradient;
  const label = labelOf({ entry, params, id });
  if (evaluations <= few) return { label, evaluations, seconds: 0 };
  const times = await timesOf(await engine.model(p.model), model, JSON.stringify(p.defenses), ctx);
  return { label, evaluations, seconds: (passes.forward * times.forward + passes.gradient * times.gradient) / 1000 };
}

/** Measured once for an open model. */
async function timesOf(network: Classifier, model: Classifier, front: string, ctx: RunContext): Promise<PassTimes> {
  const known = measured.get(network) ?? new Map<string, PassTimes>();
  measured.set(network, known);
  const times = known.get(front) ?? (await measure(forImage(attackSurface(model, "adaptive").model, ctx), ctx));
  known.set(front, times);
  return times;
}

/** Passes of each kind over a plain grey image. */
async function measure(model: Classifier, ctx: RunContext): Promise<PassTimes> {
  const before = { ...model.evaluations };
  const one = tf.fill([1, ...model.inputShape], 0.5) as Images;
  const many = tf.fill([together, ...model.inputShape], 0.5) as Images;
  try {
    const gradient = model.forwardOnly
      ? 0
      : await fastest(async () => {
          const found = inputGradient(model, one, (logits) => tf.sum(logits) as tf.Scalar);
          await found.gradient.data();
          tf.dispose([found.gradient, found.logits]);
        }, ctx);
    const forward = await fastest(async () => {
      const logits = model.logits(many);
      await logits.data();
      logits.dispose();
    }, ctx);
    return { forward: forward / together, gradient };
  } finally {
    tf.dispose([one, many]);
    Object.assign(model.evaluations, before);
  }
}

/** The fastest of three, after a first pass that compiles: other work on the machine must not make a short attack look long. */
async function fastest(pass: () => Promise<void>, ctx: RunContext): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 4; i++) {
    const start = ctx.clock();
    await pass();
    if (i > 0) best = Math.min(best, ctx.clock() - start);
    await ctx.checkpoint();
  }
  return best;
}
