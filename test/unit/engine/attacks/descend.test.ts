import "../../../../src/engine/backends/cpu.ts";
import { describe, expect, it } from "vitest";
import { ballAround } from "../../../../src/engine/attacks/ball.ts";
import { type Descent, descend, margin } from "../../../../src/engine/attacks/gradientDescent.ts";
import { bestOf } from "../../../../src/engine/attacks/restarts.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { type Images, tf } from "../../../../src/engine/tf.ts";
import { attackContext, linearClassifier, near } from "../fixtures.ts";

/** Class 0 loses where the first value falls or the second rises. */
const model = () =>
  linearClassifier(
    [
      [3, -4],
      [0, 0],
    ],
    [1, 2, 1],
  );
const image = (...values: number[]): Images => tf.tensor4d(values, [values.length / 2, 1, 2, 1]);
const labelled = (images: Images) => ({ images, labels: tf.zeros([images.shape[0]], "int32") as tf.Tensor1D });
/** Runs with everything disposed before and after, and tells how many tensors are left over. */
async function leftOver(work: () => Promise<unknown>): Promise<number> {
  const before = tf.memory().numTensors;
  await work().catch(() => undefined);
  return tf.memory().numTensors - before;
}

describe("descend", () => {
  const classifier = model();
  const x = image(0.5, 0.5);
  const batch = labelled(x);
  const along = (o: Partial<Descent> = {}): Descent => ({
    model: classifier,
    batch,
    start: x.clone(),
    steps: 4,
    loss: margin,
    next: (now, gradient) => tf.add(now, tf.mul(gradient, 0.01)), // the gradient is (−3, 4) everywhere
    ...o,
  });

  it("follows the gradient for as many steps, and shows each iterate once", async () => {
    const seen: number[][] = [];
    const context = attackContext();
    const ctx = { ...context, iterate: async (images: Images) => void seen.push(Array.from(images.dataSync())) };
    const end = await descend(along(), ctx);
    expect(near(end.dataSync(), [0.5 - 4 * 0.03, 0.5 + 4 * 0.04])).toBeLessThan(1e-6);
    expect(seen).toHaveLength(4);
    expect(near(seen[3] ?? [], [0.5 - 3 * 0.03, 0.5 + 3 * 0.04])).toBeLessThan(1e-6);
    end.dispose();
  });

  it("ends at the iterate where it is told to stop", async () => {
    const end = await descend(along({ stop: (logits, step) => step === 2 && logits.shape[1] === 2 }), attackContext());
    expect(near(end.dataSync(), [0.44, 0.58])).toBeLessThan(1e-6);
    end.dispose();
  });

  it("leaves the result alone behind, and nothing where it fails", async () => {
    const run = (o: Partial<Descent>) => leftOver(async () => (await descend(along(o), attackContext())).dispose());
    expect(await run({})).toBe(0);
    expect(await run({ stop: () => true })).toBe(0);
    expect(await run({ stop: () => Promise.reject(new Error("no")) })).toBe(0);
    const stopped = attackContext({ signal: AbortSignal.abort() });
    expect(await leftOver(() => descend(along(), stopped))).toBe(0);
  });
});

describe("the L2 ball", () => {
  const step = (clean: number[], gradient: number[], size: number, eps: number, from = clean) => {
    const images = image(...clean);
    return Array.from(
      ballAround(images, "l2", eps)
        .step(image(...from), image(...gradient), size)
        .dataSync(),
    );
  };

  it("is stepped in along the direction of the gradient, however small that is", () => {
    expect(near(step([0.5, 0.5], [3, 4], 0.1, 1), [0.56, 0.58])).toBeLessThan(1e-6);
    expect(near(step([0.5, 0.5], [3e-28, 4e-28], 0.1, 1), [0.56, 0.58])).toBeLessThan(1e-6);
    expect(step([0.5, 0.5], [0, 0], 0.1, 1)).toEqual([0.5, 0.5]);
  });

  it("is left by no step: the nearest point of ball and [0,1]", () => {
    expect(near(step([0.5, 0.5], [3, 4], 0.3, 0.1), [0.56, 0.58])).toBeLessThan(1e-6);
    // δ = (.6, .8)·.2 = (.12, .16), room (.5, .05): the second value stops at 1, the first may use √(.1² − .05²)
    expect(near(step([0.5, 0.95], [3, 4], 0.2, 0.1), [0.5 + Math.sqrt(0.0075), 1])).toBeLessThan(1e-6);
    // δ = (.03, .04) of length .05 < ε: the box alone cuts it off
    expect(near(step([0.5, 0.98], [3, 4], 0.05, 0.1), [0.53, 1])).toBeLessThan(1e-6);
    expect(step([1, 0], [1, -1], 0.2, 0.1)).toEqual([1, 0]); // no room at all
    expect(step([0.5, 0.5], [3, 4], 0.3, 0)).toEqual([0.5, 0.5]);
  });

  it("treats each image by itself", () => {
    expect(near(step([0.5, 0.5, 0.5, 0.95], [3, 4, 3, 4], 0.2, 0.1), [0.56, 0.58, 0.5 + Math.sqrt(0.0075), 1])).toBeLessThan(1e-6);
  });

  it("is filled by random starts: the share within radius r is (r/ε)^d", () => {
    const images = tf.fill([2000, 1, 2, 1], 0.5) as Images;
    const rng = createRandom(4);
    const values = ballAround(images, "l2", 0.2)
      .randomStart((i) => rng.stream(String(i)))
      .dataSync();
    const lengths = Array.from({ length: 2000 }, (_, i) => Math.hypot((values[2 * i] ?? 0) - 0.5, (values[2 * i + 1] ?? 0) - 0.5));
    expect(Math.max(...lengths)).toBeLessThanOrEqual(0.2 + 1e-6);
    // 1/4 of 2000 within half the radius; the standard deviation is √(2000·¼·¾) = 19
    expect(Math.abs(lengths.filter((length) => length < 0.1).length - 500)).toBeLessThan(80);
  });
});

describe("restarts", () => {
  const classifier = model();
  const x = image(0.5, 0.2, 0.5, 0.2);
  const batch = labelled(x);
  // margins 3a − 4b of the attempts: image 0: 1, −1, .5; image 1: −.5, .2, −2
  const attempts = [
    [1, 0.5, 0, 0.125],
    [0, 0.25, 0.2, 0.1],
    [0.5, 0.25, 0, 0.5],
  ];
  const scripted = async (_: unknown, attempt: number): Promise<Images> => image(...(attempts[attempt] ?? []));

  it("keep for each image what came closest, so that a broken one stays broken", async () => {
    const best = await bestOf(3, classifier, batch, scripted, attackContext());
    expect(near(best.dataSync(), [0, 0.25, 0, 0.5])).toBeLessThan(1e-6);
    best.dispose();
  });

  it("draw from streams of their own, the first from the image's", async () => {
    const ctx = attackContext();
    const drawn: number[] = [];
    const draw: typeof scripted = async (random, attempt) => {
      drawn.push((random as typeof ctx.random)(0).next());
      return scripted(random, attempt);
    };
    (await bestOf(3, classifier, batch, draw, ctx)).dispose();
    expect(drawn[0]).toBe(ctx.random(0).next());
    expect(new Set(drawn).size).toBe(3);
  });

  it("leave nothing behind but the result", async () => {
    expect(await leftOver(async () => (await bestOf(3, classifier, batch, scripted, attackContext())).dispose())).toBe(0);
    const failing: typeof scripted = (_, attempt) => (attempt === 2 ? Promise.reject(new Error("no")) : scripted(_, attempt));
    expect(await leftOver(() => bestOf(3, classifier, batch, failing, attackContext()))).toBe(0);
  });
});
