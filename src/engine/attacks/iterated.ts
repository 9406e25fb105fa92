import type { Classifier } from "../classifier/classifier.ts";
import type { AttackBatch, AttackContext } from "../define/index.ts";
import { type Images, tf } from "../tf.ts";
import { type BallAround, ballAround } from "./ball.ts";
import { type AttackLoss, descend } from "./gradientDescent.ts";
import { type Momentum, momentum } from "./momentum.ts";
import { bestOf, type Reached } from "./restarts.ts";
import { descendRetiring, type Mover } from "./retirement.ts";

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
  /** Images whose margin is crossed take no further part; false when left out. */
  readonly retire?: boolean;
}

/** x ← P(x + a·sign ∇L), or for L2 x ← P(x + a·∇L/‖∇L‖₂): FGSM, BIM, PGD and their kin. @returns images [b,H,W,C]; the caller disposes */
export async function iterated(model: Classifier, batch: AttackBatch, o: Iterated, ctx: AttackContext): Promise<Images> {
  // One pass of a randomised model settles nothing, and an image that is misclassified may yet have to pass a detector.
  const retires = o.retire === true && !model.randomised && !model.penalty;
  const ball = ballAround(batch.images, o.norm, o.eps);
  const once: Parameters<typeof bestOf>[3] = async (random, attempt, reached) => {
    if (retires && reached && (await isAllReached(reached))) return reached.images.clone();
    const mover = moverOf(ball, momentum(o.momentum ?? 0), o);
    const drawn = attempt > 0 || o.randomStart ? ball.randomStart(random) : batch.images.clone();
    const start = retires && reached ? resting(reached, drawn) : drawn;
    try {
      const descent = { model, batch, start, steps: o.steps, loss: o.loss };
      return await (retires ? descendRetiring({ ...descent, mover }, ctx) : descend({ ...descent, next: mover.next }, ctx));
    } finally {
      mover.dispose();
    }
  };
  try {
    return await bestOf(o.restarts ?? 1, model, batch, once, ctx);
  } finally {
    ball.dispose();
  }
}

/** @param followed is the mover's from then on; the ball stays the caller's */
function moverOf(ball: BallAround, followed: Momentum, o: Iterated): Mover {
  return {
    next: (x, gradient) => ball.step(x, followed.along(gradient), o.size),
    only(rows, batch) {
      const inner = ballAround(batch.images, o.norm, o.eps);
      const mover = moverOf(inner, followed.only(rows), o);
      const dispose = (): void => {
        mover.dispose();
        inner.dispose();
      };
      return { ...mover, dispose };
    },
    dispose: followed.dispose,
  };
}

const isAllReached = async ({ margins }: Reached): Promise<boolean> => (await margins.data()).every((value) => value < 0);

/** Images start where an attempt before has broken them; the others where they were drawn, which is disposed. */
function resting({ images, margins }: Reached, drawn: Images): Images {
  const start = tf.tidy(() => tf.where(tf.reshape(tf.less(margins, 0), [-1, 1, 1, 1]), images, drawn));
  drawn.dispose();
  return start;
}
