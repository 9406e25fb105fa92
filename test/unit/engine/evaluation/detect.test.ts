import "../../../../src/engine/backends/cpu.ts";
import { Type } from "@sinclair/typebox";
import { describe, expect, it } from "vitest";
import { defended } from "../../../../src/engine/classifier/defended.ts";
import { forImages } from "../../../../src/engine/classifier/streams.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { type Detector, defineDetector } from "../../../../src/engine/define/index.ts";
import { inMemory } from "../../../../src/engine/evaluation/batches.ts";
import { detectImages, separation } from "../../../../src/engine/evaluation/detect.ts";
import { thresholdStops } from "../../../../src/engine/metrics/thresholds.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { bind } from "../../../../src/engine/registry.ts";
import { type Images, tf } from "../../../../src/engine/tf.ts";
import { thresholdAt } from "../../../../src/shared/detectorThreshold.ts";
import { noisy } from "../classifier/noisy.ts";
import { linearClassifier, randomBatch } from "../fixtures.ts";

/** z = (x₁, x₂, x₃) of a 1×1 picture of three channels, stretched by 4 about ½: z = 4x − 2. */
const identity = () =>
  linearClassifier(
    [
      [4, 0, 0],
      [0, 4, 0],
      [0, 0, 4],
    ],
    [1, 1, 3],
    [-2, -2, -2],
  );
const images = (rows: number[][]) =>
  inMemory({ images: Float32Array.from(rows.flat()), labels: new Int32Array(rows.length), n: rows.length }, [1, 1, 3]);
const entropyDetector = bind("detector", { kind: "softmaxEntropy" });

describe("softmaxEntropy", () => {
  it("is the entropy of the softmax in nats", async () => {
    // z = (2,1,−1): p = .705385 .259496 .035119, H = .246188 + .350063 + .117614; three equal: ln 3.
    const found = await detectImages(
      {
        detector: entropyDetector,
        model: identity(),
        images: images([
          [1, 0.75, 0.25],
          [0.5, 0.5, 0.5],
        ]),
      },
      createContext(),
    );
    expect(found.scores[0]).toBeCloseTo(0.713866, 5);
    expect(found.scores[1]).toBeCloseTo(Math.log(3), 6);
    expect([...found.predictions]).toEqual([0, 0]);
    expect([...found.votes]).toEqual([1, 0, 0, 1, 0, 0]);
    expect(found.passes).toBe(1);
  });

  it("is 0 for a certain prediction, however large its logits", async () => {
    const certain = linearClassifier([[1000], [0]], [1, 1, 1]);
    const one = inMemory({ images: Float32Array.of(1), labels: Int32Array.of(0), n: 1 }, [1, 1, 1]);
    expect((await detectImages({ detector: entropyDetector, model: certain, images: one }, createContext())).scores[0]).toBe(0);
  });

  it("has a surrogate of the same values, whose gradient is ∂H/∂z = −p·(ln p + H)", async () => {
    const surrogate = entropyDetector.entry.surrogate;
    if (!surrogate) throw new Error("no surrogate");
    const model = identity();
    const x = tf.tensor4d([1, 0.75, 0.25], [1, 1, 1, 3]) as Images;
    const see = { random: () => createRandom(1) };
    expect((await surrogate(model, x, {}, see).data())[0]).toBeCloseTo(0.713866, 5);
    const gradient = await tf
      .grad((input: tf.Tensor) => tf.sum(surrogate(model, input as Images, {}, see)))(x)
      .data();
    const p = [0.705385, 0.259496, 0.035119];
    p.forEach((share, k) => {
      expect(gradient[k]).toBeCloseTo(4 * -share * (Math.log(share) + 0.713866), 4);
    });
  });
});

describe("detectors over a set", () => {
  const drawing: Detector = defineDetector({
    id: "drawing",
    title: "Drawing",
    paper: "",
    params: Type.Object({}),
    randomised: true,
    score: async (model, x, _params, ctx) => {
      const logits = await model.logits(x).data();
      return {
        scores: Float64Array.from({ length: x.shape[0] }, (_, i) => ctx.random(i).next() + (logits[i * model.classes] ?? 0)),
        passes: 1,
      };
    },
  });

  it("give an image its score by its index, whatever the batch, for a randomised model too", async () => {
    const batch = randomBatch(105, [1, 1, 3], 3); // two batches
    const model = defended(identity(), [noisy], { random: (i) => createRandom(i) });
    const bound = { id: "drawing", params: {}, entry: drawing };
    const all = await detectImages({ detector: bound, model, images: inMemory(batch, [1, 1, 3]) }, createContext({ seed: 9 }));
    const alone = forImages(model, createContext({ seed: 9 }).rng, 103, "drawing");
    const x = tf.tensor4d(batch.images.slice(103 * 3, 104 * 3), [1, 1, 1, 3]) as Images;
    const stream = createContext({ seed: 9 }).rng.stream("drawing/103");
    expect(all.scores[103]).toBe(stream.next() + ((await alone.logits(x).data())[0] ?? 0));
  });
});

describe("threshold", () => {
  const clean = [0.1, 0.5, 0.2, 0.4, 0.3, 0.5];
  it("is the smallest score that flags no more than the share", () => {
    expect(thresholdAt(clean, 0)).toBe(0.5); // nothing is above it
    expect(thresholdAt(clean, 0.2)).toBe(0.5); // 1 of 6 would do, but the two of 0.5 are flagged together or not at all
    expect(thresholdAt(clean, 2 / 6)).toBe(0.4);
    expect(thresholdAt(clean, 0.5)).toBe(0.3);
    expect(thresholdAt([], 0.05)).toBeNull();
  });

  it("takes shares as they are meant: 0.29 of 100 are 29", () => {
    const hundred = Array.from({ length: 100 }, (_, i) => i);
    const threshold = thresholdAt(hundred, 0.29) ?? Number.NaN;
    expect(hundred.filter((score) => score > threshold)).toHaveLength(29);
  });
});

describe("separation", () => {
  const separated = (adversarial: number[], clean: number[], threshold: number | null) =>
    separation(adversarial, clean, { threshold, stops: thresholdStops([clean, adversarial], threshold, 1000) });

  it("has the area of the specification, its interval by DeLong, and the share detected", () => {
    // V of the positives: 1, 1/3, 1; of the negatives: 5/6, 5/6, 2/3; variance 4/27/3 + 1/108/3.
    const { auc, interval, detected, points } = separated([0.5, 0, 0.2], [0, 0, 0.1], 0.1);
    expect(auc).toBeCloseTo(7 / 9, 12);
    const half = 1.959963984540054 * Math.sqrt(4 / 81 + 1 / 324);
    expect(interval?.[0]).toBeCloseTo(7 / 9 - half, 12);
    expect(interval?.[1]).toBe(1);
    expect(detected).toBeCloseTo(2 / 3, 12);
    expect(points.map((p) => [p.falsePositiveRate, p.truePositiveRate])).toEqual([
      [0, 0],
      [0, 1 / 3],
      [0, 2 / 3],
      [1 / 3, 2 / 3],
      [1, 1],
    ]);
  });

  it("agrees with the covariance of all pairs in NumPy", () => {
    const { auc, interval } = separated([3, 1, 4, 1, 5, 9, 2, 6], [2, 7, 1, 8, 2, 0], null);
    expect(auc).toBeCloseTo(7 / 12, 12);
    expect(interval?.[0]).toBeCloseTo(0.23802802379106358, 9);
    expect(interval?.[1]).toBeCloseTo(0.9286386428756032, 9);
  });

  /** Entropy of 20 votes, k of which are for a second class. */
  const entropy = (k: number): number => -[k / 20, 1 - k / 20].reduce((sum, p) => sum + (p > 0 ? p * Math.log(p) : 0), 0);
  const positives = Array.from({ length: 45 }, (_, i) => entropy((7 * i) % 10));
  const negatives = Array.from({ length: 60 }, (_, i) => entropy(i % 3 === 0 ? (i * i) % 11 : 0));

  it("has the interval of mid-ranks (Sun and Xu 2014) in NumPy where most scores are tied", () => {
    // Both the mid-ranks and the whole matrix of pairs; 4,000 bootstrap samples: 0.732 to 0.893.
    const { auc, interval } = separated(positives, negatives, null);
    expect(auc).toBeCloseTo(0.817037037037037, 12);
    expect(interval?.[0]).toBeCloseTo(0.7353285377872819, 9);
    expect(interval?.[1]).toBeCloseTo(0.8987455362867921, 9);
  });

  it("tells what is detected at fixed rates of false alarms, as NumPy counts it over all thresholds", () => {
    const { atRates } = separated(positives, negatives, null);
    expect(atRates.map(({ falsePositiveRate, detected }) => [falsePositiveRate, detected])).toEqual([
      [0.01, 0], // the three largest scores of clean images are tied: 5 % or none
      [0.05, 0.4],
      [0.1, 0.4],
    ]);
    expect(atRates[0]?.interval[0]).toBeCloseTo(0, 12);
    expect(atRates[0]?.interval[1]).toBeCloseTo(0.07865159873288838, 9);
    expect(atRates[1]?.interval[0]).toBeCloseTo(0.27024886565009165, 9);
    expect(atRates[1]?.interval[1]).toBeCloseTo(0.5454814540964862, 9);
  });

  it("says nothing where there is nothing to say", () => {
    expect(separated([], [1], 1)).toEqual({ n: 0, auc: null, interval: null, detected: null, atRates: [], points: [] });
    expect(separated([1], [], 1)).toMatchObject({ auc: null, interval: null, detected: 0, atRates: [], points: [] });
    expect(separated([2, 3], [0, 1], null)).toMatchObject({ auc: 1, interval: null, detected: null });
    expect(separated([1, 1], [1, 1], 0.5)).toMatchObject({ auc: 0.5, detected: 1 });
  });
});
