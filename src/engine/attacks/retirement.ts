import type { Classifier } from "../classifier/classifier.ts";
import type { AttackBatch, AttackContext } from "../define/index.ts";
import { margin } from "../losses/margin.ts";
import { type Images, type Labels, type Logits, tf } from "../tf.ts";
import { type AttackLoss, descend } from "./gradientDescent.ts";

/** How the images of a batch move. */
export interface Mover {
  /** Called in a tidy. */
  next(x: Images, gradient: Images): Images;
  /** For some images of the batch, which remember what they have learned. */
  only(rows: tf.Tensor1D, batch: AttackBatch): Mover;
  dispose(): void;
}
export interface Retiring {
  readonly model: Classifier;
  readonly batch: AttackBatch;
  /** The first iterate; it is disposed here. */
  readonly start: Images;
  readonly steps: number;
  readonly loss: AttackLoss;
  /** Stays the caller's. */
  readonly mover: Mover;
}

/**
 * `descend`, but an image stays where it has first crossed its margin, and leaves the batch with others when half of them have: fewer
 * gradients, and few sizes of batches, which are compiled once each. The harness goes on seeing all of them.
 * @returns the last iterates [b,H,W,C]; the caller disposes
 */
export async function descendRetiring(o: Retiring, ctx: AttackContext): Promise<Images> {
  const all = new Everywhere(o.start.shape[0]);
  let group: Group = { rows: Array.from({ length: o.start.shape[0] }, (_, i) => i), batch: o.batch, mover: o.mover, dispose: () => {} };
  let x: Images | undefined = o.start;
  try {
    for (let step = 0; step < o.steps; step++) {
      const now = x;
      x = undefined; // `descend` disposes it
      const { moved, open } = await oneStep(o, group, now, all, ctx);
      x = moved;
      if (open.length === 0) break;
      if (2 * open.length > group.rows.length) continue;
      all.put(group.rows, moved);
      const [smaller, rest] = shrunk(group, open, moved);
      tf.dispose(moved);
      group.dispose();
      [group, x] = [smaller, rest];
    }
    all.put(group.rows, x as Images);
    return all.images.clone();
  } finally {
    x?.dispose();
    group.dispose();
    all.dispose();
  }
}

/** Images that go through the model together. */
interface Group {
  /** Their places in the batch. */
  readonly rows: readonly number[];
  readonly batch: AttackBatch;
  readonly mover: Mover;
  dispose(): void;
}

/** One step of those that have not crossed their margin. @returns where they are then, and the places within the group of those that had not */
async function oneStep(
  { model, loss }: Retiring,
  group: Group,
  start: Images,
  all: Everywhere,
  ctx: AttackContext,
): Promise<{ moved: Images; open: number[] }> {
  const hasCrossed = (logits: Logits): tf.Tensor => tf.less(margin(logits, group.batch), 0);
  let open: number[] = [];
  const iterate = async (images: Images, logits: Logits): Promise<void> => {
    const crossed = tf.tidy(() => hasCrossed(logits));
    const values = await crossed.data();
    crossed.dispose();
    open = group.rows.flatMap((_, i) => (values[i] ? [] : [i]));
    all.put(group.rows, images, logits);
    await ctx.iterate(all.images, all.logits);
  };
  const next = (x: Images, gradient: Images, _: number, logits: Logits): Images =>
    tf.where(tf.reshape(hasCrossed(logits), [-1, 1, 1, 1]), x, group.mover.next(x, gradient));
  const moved = await descend({ model, batch: group.batch, start, steps: 1, loss, next }, { ...ctx, iterate });
  return { moved, open };
}

function shrunk(group: Group, open: readonly number[], x: Images): readonly [Group, Images] {
  const rows = tf.tensor1d([...open], "int32");
  const { images, labels, targets } = group.batch;
  const batch = {
    images: tf.gather(images, rows),
    labels: tf.gather(labels, rows) as Labels,
    ...(targets ? { targets: tf.gather(targets, rows) as Labels } : {}),
  };
  const mover = group.mover.only(rows, batch);
  const rest = tf.gather(x, rows);
  rows.dispose();
  const dispose = (): void => {
    mover.dispose();
    tf.dispose(batch);
  };
  return [{ rows: open.map((i) => group.rows[i] as number), batch, mover, dispose }, rest];
}

/** Where all images of a batch are, and the logits that were last seen of each. */
class Everywhere {
  readonly #count: number;
  #images: Images | undefined;
  #logits: Logits | undefined;

  /** @param count images of the batch, all of which are put first */
  constructor(count: number) {
    this.#count = count;
  }

  get images(): Images {
    return this.#images as Images;
  }
  get logits(): Logits {
    return this.#logits as Logits;
  }

  put(rows: readonly number[], images: Images, logits?: Logits): void {
    const before = [this.#images, logits && this.#logits];
    this.#images = this.#with(rows, images, this.#images);
    if (logits) this.#logits = this.#with(rows, logits, this.#logits);
    for (const tensor of before) tensor?.dispose();
  }

  #with<T extends tf.Tensor>(rows: readonly number[], values: T, known: T | undefined): T {
    if (!known || rows.length === this.#count) return values.clone();
    const sources = Int32Array.from({ length: this.#count }, (_, i) => i);
    rows.forEach((row, i) => {
      sources[row] = this.#count + i;
    });
    return tf.tidy(() => tf.gather(tf.concat([known, values], 0), tf.tensor1d(sources, "int32")) as T);
  }

  dispose(): void {
    this.#images?.dispose();
    this.#logits?.dispose();
  }
}
