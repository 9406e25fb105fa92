import "../../../../src/engine/backends/cpu.ts";
import { Type } from "@sinclair/typebox";
import { describe, expect, it } from "vitest";
import { averaged } from "../../../../src/engine/classifier/averaged.ts";
import { checkDefenses } from "../../../../src/engine/classifier/checkDefenses.ts";
import { type Classifier, gradientOf, inputGradient } from "../../../../src/engine/classifier/classifier.ts";
import { defended } from "../../../../src/engine/classifier/defended.ts";
import { evading } from "../../../../src/engine/classifier/evading.ts";
import { forImages } from "../../../../src/engine/classifier/streams.ts";
import { attackSurface } from "../../../../src/engine/classifier/surface.ts";
import { defineDetector, defineInferenceDefense, type InferenceDefense } from "../../../../src/engine/define/index.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { bind } from "../../../../src/engine/registry.ts";
import { type Images, tf } from "../../../../src/engine/tf.ts";
import { linearClassifier, near } from "../fixtures.ts";
import { noisy } from "./noisy.ts";

const streams = { random: (i: number) => createRandom(i) };
const weights = [
  [1, 2, 3, 4],
  [4, 3, 2, 1],
];
/** z = W·x of 2×2 pictures. */
const linear = () => linearClassifier(weights, [2, 2, 1]);
const noisyModel = () => defended(linear(), [noisy], streams);
const pictures = (n: number): Images => tf.tensor4d(createRandom("pictures").uniforms(4 * n), [n, 2, 2, 1]);
const numbers = async (t: tf.Tensor): Promise<number[]> => [...(await t.data())];
const softmaxEntropy = bind("detector", { kind: "softmaxEntropy" });
const bitDepth = bind("defense", { kind: "bitDepth", depth: 1 }) as { id: string; params: object; entry: InferenceDefense } & {
  params: Record<string, unknown>;
};

describe("a randomised model", () => {
  const rng = createRandom(4);
  const threePasses = async (model: Classifier, x: Images): Promise<number[][]> => [
    await numbers(model.logits(x)),
    await numbers(model.logits(x)),
    await numbers(model.logits(x)),
  ];

  it("draws anew in every pass, and the same again for the same images of a run", async () => {
    const x = pictures(5);
    const model = noisyModel();
    const first = await threePasses(forImages(model, rng, 10), x);
    expect(new Set(first.map((row) => row[0])).size).toBe(3);
    expect(await threePasses(forImages(model, rng, 10), x)).toEqual(first);
    expect(await threePasses(forImages(model, rng, 11), x)).not.toEqual(first);
    expect(await threePasses(forImages(model, rng, 10, "pgd"), x)).not.toEqual(first);
  });

  it("gives an image alone what it gives in a batch", async () => {
    const x = pictures(5);
    const model = noisyModel();
    const batch = await threePasses(forImages(model, rng, 10), x);
    const alone = await threePasses(forImages(model, rng, 13), tf.slice(x, [3, 0, 0, 0], [1, 2, 2, 1]));
    batch.forEach((row, pass) => {
      expect(near(row.slice(6, 8), alone[pass] ?? [])).toBeLessThan(1e-6);
    });
  });

  it("gives two randomised defences of one list draws of their own", async () => {
    const both = forImages(defended(linear(), [noisy, noisy], streams), rng, 0);
    const zeros: Images = tf.zeros([1, 2, 2, 1]);
    const u = (part: string) => rng.stream("predict/model/0").stream(part).uniforms(4);
    const expected = [...u("front/1")].map((first, i) => 0.9 * 0.1 * first + 0.1 * (u("front/0")[i] ?? 0));
    const z = weights.map((row) => row.reduce((sum, w, i) => sum + w * (expected[i] ?? 0), 0));
    expect(near(await numbers(both.logits(zeros)), z)).toBeLessThan(1e-6);
  });

  it("is itself where it draws nothing", () => {
    const plain = linear();
    expect(forImages(plain, rng, 3)).toBe(plain);
    const rounded = defended(plain, [bitDepth], streams);
    expect(forImages(rounded, rng, 3)).toBe(rounded);
  });
});

describe("averaged", () => {
  it("gives the mean of the passes, and counts each", async () => {
    const x = pictures(2);
    const model = noisyModel();
    const single = forImages(model, createRandom(1), 0);
    const passes = [await numbers(single.logits(x)), await numbers(single.logits(x)), await numbers(single.logits(x))];
    const mean = [0, 1, 2, 3].map((j) => passes.reduce((sum, row) => sum + (row[j] ?? 0) / 3, 0));
    const before = model.evaluations.forward;
    expect(near(await numbers(forImages(averaged(model, 3), createRandom(1), 0).logits(x)), mean)).toBeLessThan(1e-6);
    expect(model.evaluations.forward - before).toBe(6);
  });

  it("averages gradients: of a linear model behind 0.9·x + noise they are 0.9·W, however many passes", async () => {
    const model = averaged(noisyModel(), 4);
    const { gradient, logits } = inputGradient(model, pictures(1), (z) => tf.sum(tf.slice(z, [0, 0], [1, 1])));
    expect(near(await numbers(gradient), [0.9, 1.8, 2.7, 3.6])).toBeLessThan(1e-6);
    expect(logits.shape).toEqual([1, 2]);
    expect(model.evaluations).toEqual({ forward: 0, gradient: 4 });
  });
});

describe("gradientOf", () => {
  it("is that of any function of the image: d/dx (Σx² + z₁) = 2x + W₁", async () => {
    const x = pictures(1);
    const model = linear();
    const gradient = gradientOf(model, x, (input) =>
      tf.add(tf.sum(tf.square(input)), tf.sum(tf.slice(model.logits(input), [0, 1], [1, 1]))),
    );
    const expected = [...x.dataSync()].map((value, i) => 2 * value + (weights[1]?.[i] ?? 0));
    expect(near(await numbers(gradient), expected)).toBeLessThan(1e-5);
    expect(model.evaluations).toEqual({ forward: 0, gradient: 1 });
  });
});

describe("evading", () => {
  // A detector that flags bright images: its surrogate is their mean.
  const bright = defineDetector({
    id: "bright",
    title: "Brightness",
    paper: "",
    params: Type.Object({}),
    randomised: false,
    score: async (_model, x) => ({ scores: Float32Array.from(await tf.mean(x, [1, 2, 3]).data()), passes: 0 }),
    surrogate: (_model, x) => tf.mean(x, [1, 2, 3]) as tf.Tensor1D,
  });

  it("takes weight times the surrogate from what is ascended", async () => {
    const model = evading(linear(), { id: "bright", params: {}, entry: bright }, 8, streams);
    const { gradient } = inputGradient(model, pictures(1), (z) => tf.sum(tf.slice(z, [0, 0], [1, 1])));
    expect(near(await numbers(gradient), [1 - 2, 2 - 2, 3 - 2, 4 - 2])).toBeLessThan(1e-6); // d(8·mean)/dx = 2
  });

  it("adds to a penalty that is there", async () => {
    const once = evading(linear(), { id: "bright", params: {}, entry: bright }, 8, streams);
    const twice = evading(once, { id: "bright", params: {}, entry: bright }, 4, streams);
    const x: Images = tf.ones([2, 2, 2, 1]);
    expect((await numbers(twice.penalty?.(x) as tf.Tensor))[0]).toBeCloseTo(24, 5);
  });

  it("refuses a detector that an attack cannot follow", () => {
    const { surrogate: _, ...blind } = bright;
    expect(() => evading(linear(), { id: "bright", params: {}, entry: blind }, 1, streams)).toThrow("no surrogate");
  });
});

describe("attackSurface", () => {
  const rounded = () => defended(linear(), [bitDepth, noisy], streams);

  it("says how an adaptive attacker reaches the network", () => {
    const model = rounded();
    expect(attackSurface(model, "adaptive", { passes: 5 }).how).toBe(
      "BPDA through bit-depth reduction, gradients through noise, 5 passes averaged",
    );
    const detector = { detector: softmaxEntropy, weight: 1, streams };
    const { model: evaded, how } = attackSurface(linear(), "adaptive", { detector });
    expect(how).toBe("evading Softmax entropy");
    expect(evaded.penalty).toBeDefined();
  });

  it("passes nothing backward for an attack that takes no gradient, and says so", () => {
    const model = rounded();
    const how = (asked: "scores" | "labels", passes: number): string => attackSurface(model, "adaptive", { asked, passes }).how;
    expect(how("scores", 5)).toBe("scores of the defended model, 5 passes averaged");
    expect(how("labels", 1)).toBe("predictions of the defended model");
    expect(attackSurface(linear(), "adaptive", { asked: "scores" }).how).toBe("the model itself");
  });

  it("leaves out what a static attacker does not know", () => {
    const model = rounded();
    expect(attackSurface(model, "static")).toEqual({ model: model.bare, how: "the same network with nothing in front" });
  });

  it("is the model where there is nothing to know", () => {
    const model = linear();
    for (const knowledge of ["static", "adaptive"] as const)
      expect(attackSurface(model, knowledge)).toEqual({ model, how: "the model itself" });
  });
});

describe("checkDefenses", () => {
  const front = (transform: (x: Images) => Images) => {
    const entry = defineInferenceDefense({
      id: "mine",
      title: "Mine",
      paper: "",
      params: Type.Object({}),
      backward: () => "bpda",
      transform,
    });
    const model = defended(linear(), [bitDepth, { id: "mine", params: {}, entry }], streams);
    return checkDefenses(model.front ?? [], model.inputShape);
  };

  it("lets a defence pass that keeps to the shape and to [0,1]", async () => {
    await front((x) => tf.sub(1, x) as Images);
  });

  it.each([
    [
      "another shape",
      (x: Images) => tf.slice(x, [0, 0, 0, 0], [-1, 1, 2, 1]) as Images,
      "The defence mine turned images of 2×2×1 into 1×2×1.",
    ],
    [
      "another number of images",
      (x: Images) => tf.slice(x, [0, 0, 0, 0], [1, 2, 2, 1]) as Images,
      "The defence mine turned 3 images into 1.",
    ],
    ["NaN", (x: Images) => tf.div(tf.sub(x, x), tf.sub(x, x)) as Images, "The defence mine returned NaN for a trial image."],
    [
      "values outside",
      (x: Images) => tf.sub(tf.mul(x, 3), 1) as Images,
      "The defence mine returned values from -1 to 2 for a trial image, outside [0,1].",
    ],
    ["an exception", (x: Images) => tf.reshape(x, [7]) as unknown as Images, "The defence mine failed on a trial image"],
  ])("refuses %s in one sentence", async (_, transform, message) => {
    await expect(front(transform)).rejects.toMatchObject({ code: "DEFENSE_INVALID", message: expect.stringContaining(message) });
  });

  it("leaves no tensor behind", async () => {
    const model = defended(linear(), [bitDepth], streams);
    const before = tf.memory().numTensors;
    await checkDefenses(model.front ?? [], model.inputShape);
    expect(tf.memory().numTensors).toBe(before);
  });
});
