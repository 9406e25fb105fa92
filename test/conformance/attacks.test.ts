import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../src/engine/backends/index.ts";
import type { Classifier } from "../../src/engine/classifier/classifier.ts";
import { createContext } from "../../src/engine/context.ts";
import { type Attack, type ImageBatch, type Params, resolveParams } from "../../src/engine/define/index.ts";
import { attackBatch } from "../../src/engine/harness/runAttack.ts";
import { attacks } from "../../src/engine/registry.ts";
import { tf } from "../../src/engine/tf.ts";
import { labelledByModel, near, randomBatch } from "../unit/engine/fixtures.ts";
import { backends, cheapParams, outOfBounds, subjects } from "./subjects.ts";

/** Images at `places` of a batch. */
async function picked(batch: ImageBatch, places: ArrayLike<number>): Promise<ImageBatch> {
  const size = batch.images.length / batch.n;
  const of = Array.from(places);
  return {
    images: Float32Array.from(of.flatMap((place) => Array.from(batch.images.subarray(place * size, (place + 1) * size)))),
    labels: Int32Array.from(of, (place) => batch.labels[place] ?? -1),
    n: of.length,
  };
}

describe.each(backends)("on %s", (backend) => {
  beforeAll(() => useBackend(backend));

  describe.each(Object.entries(subjects))("against a %s model", (_, make) => {
    let model: Classifier;
    let batch: ImageBatch;
    beforeAll(() => {
      model = make();
      batch = labelledByModel(model, randomBatch(3, model.inputShape, model.classes));
    });
    afterAll(() => model.dispose());
    const run = async (
      attack: Attack,
      o: { params?: Params; seed?: number; batch?: ImageBatch; firstIndex?: number; signal?: AbortSignal; calls?: () => void } = {},
    ) => {
      const ctx = createContext({ seed: o.seed ?? 5, ...(o.signal ? { signal: o.signal } : {}) });
      const counted = {
        ...ctx,
        checkpoint: async () => {
          o.calls?.();
          await ctx.checkpoint();
        },
      };
      const params = o.params ?? cheapParams(attack);
      const prepared = await preparedFor(attack, params);
      return attackBatch(
        {
          attack,
          params,
          model,
          batch: o.batch ?? batch,
          firstIndex: o.firstIndex ?? 0,
          seedName: "conformance",
          prepared,
        },
        counted,
      );
    };
    /** Made once, of all images. */
    const preparedFor = async (attack: Attack, params: Params): Promise<unknown> => {
      const source = { size: batch.n, read: (places: ArrayLike<number>) => picked(batch, places) };
      return attack.preparation?.make(model, source, params, createContext({ seed: 5 }));
    };

    describe.each(attacks.map((attack) => [attack.id, attack] as const))("%s", (id, attack) => {
      it("stays in its ball and in [0,1] by itself", async () => {
        const { adversarial, records, notes } = await run(attack);
        expect(notes).toMatchObject({ outOfBall: 0, notFinite: 0 });
        expect(Math.min(...adversarial)).toBeGreaterThanOrEqual(0);
        expect(Math.max(...adversarial)).toBeLessThanOrEqual(1);
        const prepared = await preparedFor(attack, cheapParams(attack));
        const { norm, radius, window } = attack.ball(cheapParams(attack), { inputShape: model.inputShape, prepared });
        for (const record of records) expect(record[norm]).toBeLessThanOrEqual(radius + 1e-6);
        if (window !== undefined) expect(window).toBeLessThan(model.inputShape[0]);
      });

      it("gives the same images for the same seed", async () => {
        const first = await run(attack);
        expect(Array.from((await run(attack)).adversarial)).toEqual(Array.from(first.adversarial));
      });

      it("gives an image the same result alone as in a batch", async () => {
        const size = batch.images.length / batch.n;
        const alone = { images: batch.images.slice(size, 2 * size), labels: batch.labels.slice(1, 2), n: 1 };
        const many = await run(attack);
        const one = await run(attack, { batch: alone, firstIndex: 1 });
        expect(near(one.adversarial, many.adversarial.slice(size, 2 * size))).toBeLessThan(1e-5);
        expect(one.predictions[0]).toBe(many.predictions[1]);
      });

      it("leaks no tensor, finished or cancelled, and is cancelled within a step", async () => {
        const steps = { count: 0 };
        await run(attack, { calls: () => void steps.count++ });
        const before = tf.memory().numTensors;
        await run(attack);
        expect(tf.memory().numTensors).toBe(before);
        const stop = new AbortController();
        const stopped = { count: 0 };
        const calls = () => {
          if (++stopped.count === 2) stop.abort();
        };
        await expect(run(attack, { signal: stop.signal, calls })).rejects.toMatchObject({ code: "CANCELLED" });
        expect(stopped.count).toBe(2);
        expect(steps.count).toBeGreaterThanOrEqual(2);
        expect(tf.memory().numTensors).toBe(before);
      });

      it("returns misclassified images as they are", async () => {
        const wrong = { ...batch, labels: batch.labels.map((label) => (label + 1) % model.classes) };
        const { adversarial, records } = await run(attack, { batch: wrong });
        expect(Array.from(adversarial)).toEqual(Array.from(batch.images));
        expect(records.map((r) => [r.success, r.iterations, r.l2])).toEqual([
          [false, 0, 0],
          [false, 0, 0],
          [false, 0, 0],
        ]);
      });

      it("honours the bounds of its parameters", async () => {
        for (const [key, values] of Object.entries(outOfBounds(attack.params))) {
          for (const value of values.outside) {
            expect(() => resolveParams(attack.params, { [key]: value }, id), `${key} = ${value}`).toThrow(key);
          }
          if (values.minimum === undefined) continue;
          const outcome = await run(attack, { params: { ...cheapParams(attack), [key]: values.minimum } });
          expect(outcome.notes, `${key} = ${values.minimum}`).toMatchObject({ outOfBall: 0, notFinite: 0 });
        }
      });
    });
  });
});
