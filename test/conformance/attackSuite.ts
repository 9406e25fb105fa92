import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../src/engine/backends/index.ts";
import type { Classifier } from "../../src/engine/classifier/classifier.ts";
import { createContext, type RunContext } from "../../src/engine/context.ts";
import { type Attack, evaluationsOf, type ImageBatch, type Params, resolveParams } from "../../src/engine/define/index.ts";
import { attackBatch } from "../../src/engine/harness/runAttack.ts";
import type { BatchOutcome } from "../../src/engine/harness/types.ts";
import { tf } from "../../src/engine/tf.ts";
import { labelledByModel, near, randomBatch } from "../unit/engine/fixtures.ts";
import { cheapParams, outOfBounds, type Subject, subjectRows, variants } from "./subjects.ts";

const images = 3;

/** One attack against one model. */
class Trial {
  readonly model: Classifier;
  readonly batch: ImageBatch;
  readonly #attack: Attack;
  #first: Promise<BatchOutcome> | undefined;

  constructor(attack: Attack, { make }: Subject) {
    this.#attack = attack;
    this.model = make();
    this.batch = labelledByModel(this.model, randomBatch(images, this.model.inputShape, this.model.classes));
  }

  /** With its quick parameters, computed once. */
  get first(): Promise<BatchOutcome> {
    this.#first ??= this.run();
    return this.#first;
  }

  /** What the attack prepares, from all images of the batch. */
  async prepared(params: Params): Promise<unknown> {
    const read = async (places: ArrayLike<number>): Promise<ImageBatch> => {
      const parts = Array.from(places, (place) => this.alone(place));
      return {
        images: Float32Array.from(parts.flatMap((part) => Array.from(part.images))),
        labels: Int32Array.from(parts, (part) => part.labels[0] ?? -1),
        n: parts.length,
      };
    };
    return this.#attack.preparation?.make(this.model, { size: images, read }, params, createContext({ seed: 5 }));
  }

  /** One image of the batch. */
  alone(place: number): ImageBatch {
    const size = this.batch.images.length / images;
    return {
      images: this.batch.images.slice(place * size, (place + 1) * size),
      labels: this.batch.labels.slice(place, place + 1),
      n: 1,
    };
  }

  async run(o: { params?: Params; batch?: ImageBatch; firstIndex?: number; signal?: AbortSignal; step?: () => void } = {}) {
    const { batch = this.batch, firstIndex = 0, params = cheapParams(this.#attack) } = o;
    const ctx = createContext({ seed: 5, ...(o.signal ? { signal: o.signal } : {}) });
    const counted: RunContext = {
      ...ctx,
      checkpoint: async () => {
        o.step?.();
        await ctx.checkpoint();
      },
    };
    const task = { attack: this.#attack, params, model: this.model, batch, firstIndex, seedName: "conformance" };
    const prepared = await this.prepared(params);
    try {
      return await attackBatch({ ...task, prepared }, counted);
    } finally {
      if (prepared !== undefined) this.#attack.preparation?.dispose?.(prepared);
    }
  }

  /** The outcome is in the ball that the entry declares and in [0,1], and the attack brought it there itself. */
  async expectInside(params: Params, { adversarial, records, notes }: BatchOutcome): Promise<void> {
    expect(notes).toMatchObject({ outOfBall: 0, notFinite: 0 });
    expect(adversarial.every((value) => value >= 0 && value <= 1)).toBe(true);
    const prepared = await this.prepared(params);
    const { norm, radius, window } = this.#attack.ball(params, { inputShape: this.model.inputShape, prepared });
    if (prepared !== undefined) this.#attack.preparation?.dispose?.(prepared);
    for (const record of records) expect(record[norm]).toBeLessThanOrEqual(radius + 1e-6);
    if (window !== undefined) expect(window).toBeLessThan(this.model.inputShape[0]);
  }
}

/** What every attack keeps, whatever it does. */
export function attackConformance(entries: readonly Attack[]): void {
  describe.each(subjectRows)("on %s against %s", (backend, _, subject) => {
    beforeAll(() => useBackend(backend));
    describe.each(entries.map((attack) => [attack.id, attack] as const))("%s", (_id, attack) => keepsPromises(attack, subject));
  });
}

function keepsPromises(attack: Attack, subject: Subject): void {
  let trial: Trial;
  beforeAll(() => {
    trial = new Trial(attack, subject);
  });
  afterAll(() => trial.model.dispose());

  it.each(variants(attack))("stays in its ball and in [0,1] by itself (%s)", async (_, params) => {
    await trial.expectInside(params, params === variants(attack)[0]?.[1] ? await trial.first : await trial.run({ params }));
  });

  it.each(variants(attack))("takes no more evaluations than it says (%s)", async (_, params) => {
    const { forwardEvaluations, gradientEvaluations } =
      params === variants(attack)[0]?.[1] ? await trial.first : await trial.run({ params });
    const { forward, gradient } = evaluationsOf(attack, params);
    expect(forwardEvaluations).toBeLessThanOrEqual(images * forward);
    expect(gradientEvaluations).toBeLessThanOrEqual(images * gradient);
  });

  it("gives the same images for the same seed", async () => {
    expect(Array.from((await trial.run()).adversarial)).toEqual(Array.from((await trial.first).adversarial));
  });

  it("gives an image the same result alone as in a batch", async () => {
    const size = trial.batch.images.length / images;
    const many = await trial.first;
    const one = await trial.run({ batch: trial.alone(1), firstIndex: 1 });
    expect(near(one.adversarial, many.adversarial.slice(size, 2 * size))).toBeLessThan(1e-5);
    expect(one.predictions[0]).toBe(many.predictions[1]);
  });

  it("leaks no tensor, finished or cancelled, and is cancelled within a step", async () => {
    await trial.first;
    const before = tf.memory().numTensors;
    const steps = { count: 0 };
    await trial.run({ step: () => void steps.count++ });
    expect(tf.memory().numTensors).toBe(before);
    expect(steps.count).toBeGreaterThanOrEqual(2);
    const stop = new AbortController();
    const stopped = { count: 0 };
    const step = () => {
      if (++stopped.count === 2) stop.abort();
    };
    await expect(trial.run({ signal: stop.signal, step })).rejects.toMatchObject({ code: "CANCELLED" });
    expect(stopped.count).toBe(2);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("returns misclassified images as they are, where it aims at no class", async () => {
    const { batch, model } = trial;
    const cheap = cheapParams(attack);
    const params = "target" in cheap ? { ...cheap, target: -1 } : cheap;
    const wrong = { ...batch, labels: batch.labels.map((label) => (label + 1) % model.classes) };
    const { adversarial, records } = await trial.run({ batch: wrong, params });
    expect(adversarial).toEqual(batch.images);
    expect(records.map((r) => [r.success, r.iterations, r.l2])).toEqual(Array.from({ length: images }, () => [false, 0, 0]));
  });

  it("honours the bounds of its parameters", async () => {
    const cheap = cheapParams(attack);
    for (const [key, { minimum, outside }] of Object.entries(outOfBounds(attack.params))) {
      for (const value of outside)
        expect(() => resolveParams(attack.params, { [key]: value }, attack.id), `${key} = ${value}`).toThrow(key);
      if (minimum === undefined || minimum === cheap[key]) continue;
      const outcome = await trial.run({ params: { ...cheap, [key]: minimum } });
      expect(outcome.notes, `${key} = ${minimum}`).toMatchObject({ outOfBall: 0, notFinite: 0 });
    }
  });

  if (attack.target && "target" in attack.params.properties)
    it("aims at a class, and refuses one that is none", async () => {
      const { records } = await trial.run({ params: { ...cheapParams(attack), target: 1 } });
      for (const { success, prediction, cleanPrediction, target } of records) {
        expect(target).toBe(1);
        expect(success).toBe(prediction === 1 && cleanPrediction !== 1);
      }
      const none = { ...cheapParams(attack), target: trial.model.classes };
      await expect(trial.run({ params: none })).rejects.toMatchObject({ code: "PARAMETER_INVALID" });
    });
}
