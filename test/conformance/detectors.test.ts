import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../src/engine/backends/index.ts";
import type { Classifier } from "../../src/engine/classifier/classifier.ts";
import { createContext, streamContext } from "../../src/engine/context.ts";
import { type Params, resolveParams } from "../../src/engine/define/index.ts";
import { createRandom } from "../../src/engine/random.ts";
import { detectors } from "../../src/engine/registry.ts";
import { tf } from "../../src/engine/tf.ts";
import { near, randomBatch } from "../unit/engine/fixtures.ts";
import { cheapParams, outOfBounds, subjectRows } from "./subjects.ts";

const count = 3;

describe.each(subjectRows)("on %s of %s", (backend, _, { make }) => {
  let model: Classifier;
  let pixels: Float32Array;
  beforeAll(async () => {
    await useBackend(backend);
    model = make();
    pixels = randomBatch(count, model.inputShape, model.classes).images;
  });
  afterAll(() => model.dispose());
  const imagesFrom = (first: number, n: number) => {
    const size = pixels.length / count;
    return tf.tensor4d(pixels.slice(first * size, (first + n) * size), [n, ...model.inputShape]);
  };

  describe.each(detectors.map((detector) => [detector.id, detector] as const))("%s", (id, detector) => {
    const scored = async (o: { first?: number; n?: number; seed?: number; params?: Params; signal?: AbortSignal } = {}) => {
      const { first = 0, n = count, seed = 2, params = cheapParams(detector) } = o;
      const ctx = createContext({ seed, ...(o.signal ? { signal: o.signal } : {}) });
      // A randomised model draws for image i from a stream of its own, which goes on from pass to pass.
      const seen = model.withStreams?.({ random: (i) => createRandom(seed).stream(`model/${first + i}`) }) ?? model;
      const x = imagesFrom(first, n);
      try {
        return await detector.score(
          seen,
          x,
          params,
          streamContext(ctx, (i) => ctx.rng.stream(String(first + i))),
        );
      } finally {
        x.dispose();
      }
    };

    it("gives each image a score, and as many votes as it counts", async () => {
      const { scores, votes, passes } = await scored();
      expect(scores).toHaveLength(count);
      expect(scores.every(Number.isFinite)).toBe(true);
      expect(passes).toBeGreaterThanOrEqual(1);
      if (votes) expect(votes).toHaveLength(count * model.classes);
    });

    it("gives the same score again, and alone as in a batch", async () => {
      const { scores } = await scored();
      expect(Array.from((await scored()).scores)).toEqual(Array.from(scores));
      const alone = await scored({ first: 1, n: 1 });
      expect(Math.abs((alone.scores[0] ?? Number.NaN) - (scores[1] ?? 0))).toBeLessThan(1e-5);
    });

    it("says whether another seed may give another score", async () => {
      if (model.randomised) return;
      expect(near((await scored()).scores, (await scored({ seed: 3 })).scores) > 0).toBe(detector.randomised);
    });

    it("leaks no tensor and can be cancelled", async () => {
      await scored();
      const before = tf.memory().numTensors;
      await scored();
      await expect(scored({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "CANCELLED" });
      expect(tf.memory().numTensors).toBe(before);
    });

    it("honours the bounds of its parameters", async () => {
      const cheap = cheapParams(detector);
      for (const [key, { minimum, outside }] of Object.entries(outOfBounds(detector.params))) {
        for (const value of outside) expect(() => resolveParams(detector.params, { [key]: value }, id), `${key} = ${value}`).toThrow(key);
        if (minimum !== undefined) expect((await scored({ params: { ...cheap, [key]: minimum } })).scores).toHaveLength(count);
      }
    });

    if (detector.surrogate)
      it("has a surrogate that an attack can follow", async () => {
        const x = imagesFrom(0, count);
        const streams = { random: (i: number) => createRandom(i) };
        const surrogate = (input: tf.Tensor) =>
          detector.surrogate?.(model, input as typeof x, cheapParams(detector), streams) as tf.Tensor1D;
        const [value, gradient] = tf.tidy(() => [surrogate(x), tf.grad((input: tf.Tensor) => tf.sum(surrogate(input)) as tf.Scalar)(x)]);
        expect(value?.shape).toEqual([count]);
        expect(gradient?.shape).toEqual(x.shape);
        expect((await (gradient as tf.Tensor).data()).every(Number.isFinite)).toBe(true);
        tf.dispose([x, value as tf.Tensor, gradient as tf.Tensor]);
      });
  });
});
