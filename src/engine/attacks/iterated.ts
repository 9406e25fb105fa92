import type { Classifier } from "../classifier/classifier.ts";
import type { AttackBatch, AttackContext } from "../define/index.ts";
import type { Images } from "../tf.ts";
import { ballAround } from "./ball.ts";
import { type AttackLoss, descend } from "./gradientDescent.ts";
import { momentum } from "./momentum.ts";
import { bestOf } from "./restarts.ts";

/** An attack that takes steps of one length along the gradient of a loss, each followed by the projection onto the ball and [0,1]. */
export interface Iterated {
  readonly norm: "linf" | "l2";
  readonly eps: number;
  readonly steps: number;
  /** Length of a step. */
  readonly size: number;
  readonly loss: AttackLoss;
  /** The first attempt starts at a random place in the ball, not at the clean images. Those after it always do. */
  readonly randomStart?: boolean;
  /** Attempts for each image, the best of which counts; 1 when left out. */
  readonly restarts?: number;
  /** Decay of the memory of gradients (Dong et al. 2018); 0, none, when left out. */
  readonly momentum?: number;
}

/** x ← P(x + a·sign ∇L), or for L2 x ← P(x + a·∇L/‖∇L‖₂): FGSM, BIM, PGD and their kin. @returns images [b,H,W,C]; the caller disposes */
export async function iterated(model: Classifier, batch: AttackBatch, o: Iterated, ctx: AttackContext): Promise<Images> {
  const ball = ballAround(batch.images, o.norm, o.eps);
  const once: Parameters<typeof bestOf>[3] = async (random, attempt) => {
    const followed = momentum(o.momentum ?? 0);
    const next = (x: Images, gradient: Images): Images => ball.step(x, followed.along(gradient), o.size);
    const start = attempt > 0 || o.randomStart ? ball.randomStart(random) : batch.images.clone();
    try {
      return await descend({ model, batch, start, steps: o.steps, loss: o.loss, next }, ctx);
    } finally {
      followed.dispose();
    }
  };
  try {
    return await bestOf(o.restarts ?? 1, model, batch, once, ctx);
  } finally {
    ball.dispose();
  }
}
