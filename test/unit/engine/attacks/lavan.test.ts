import "../../../../src/engine/backends/cpu.ts";
import { Type } from "@sinclair/typebox";
import { describe, expect, it } from "vitest";
import { lavan } from "../../../../src/engine/attacks/lavan/lavan.ts";
import type { Classifier } from "../../../../src/engine/classifier/classifier.ts";
import { defended } from "../../../../src/engine/classifier/defended.ts";
import { classifierOf } from "../../../../src/engine/classifier/network.ts";
import { attackSurface } from "../../../../src/engine/classifier/surface.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { bitDepth } from "../../../../src/engine/defenses/bitDepth.ts";
import { defineInferenceDefense, type InferenceDefense, type Params } from "../../../../src/engine/define/index.ts";
import { predict } from "../../../../src/engine/harness/predict.ts";
import { attackBatch } from "../../../../src/engine/harness/runAttack.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { bind } from "../../../../src/engine/registry.ts";
import { type Images, type Logits, type Mask, tf } from "../../../../src/engine/tf.ts";
import { attackContext, convNetwork, labelledByModel, linearClassifier, near, randomBatch } from "../fixtures.ts";

const paramsOf = (given: Params): Params => bind("attack", { kind: "lavan", ...given }).params;
const streams = { random: (i: number) => createRandom(`image ${i}`) };
const front = (model: Classifier, entry: InferenceDefense, params: Params = {}): Classifier =>
  defended(model, [{ id: entry.id, params, entry }], streams);

/** Algorithms 1A: W = [[1,0,2,0],[0,1,0,−1],[1,1,0,3]]. A pixel has two values, so that the last two of an image are its second pixel. */
const example = () =>
  linearClassifier(
    [
      [1, 0, 2, 0],
      [0, 1, 0, -1],
      [1, 1, 0, 3],
    ],
    [1, 2, 2],
  );
const second = { size: 1, place: "at", left: 1, start: "fromImage" };

interface Course {
  readonly end: number[];
  /** Every iterate, with its scores. */
  readonly iterates: { readonly image: number[]; readonly logits: number[] }[];
}
/** One image through the attack alone, without a harness. */
async function follow(model: Classifier, image: number[], label: number, target: number | null, given: Params): Promise<Course> {
  const iterates: { image: number[]; logits: number[] }[] = [];
  const iterate = async (x: Images, z: Logits) => void iterates.push({ image: [...x.dataSync()], logits: [...z.dataSync()] });
  const images: Images = tf.tensor4d(image, [1, ...model.inputShape]);
  const targets = target === null ? {} : { targets: tf.tensor1d([target], "int32") };
  const batch = { images, labels: tf.tensor1d([label], "int32"), ...targets };
  const end = await lavan.run(model, batch, paramsOf(given), { ...attackContext({ seed: 1 }), iterate });
  return { end: [...end.dataSync()], iterates };
}

describe("LaVAN on a linear model", () => {
  it("takes the step of the worked example: gradient W₂ − W₀ = [0,1,−2,3], raw .1 → δ = [.3,.8]", async () => {
    const { end, iterates } = await follow(example(), [0.2, 0.4, 0.5, 0.5], 0, 2, { ...second, steps: 1, optimizer: "raw" });
    expect(near(iterates[0]?.logits ?? [], [1.2, -0.1, 2.1])).toBeLessThan(1e-6);
    expect(near(end, [0.2, 0.4, 0.3, 0.8])).toBeLessThan(1e-6);
  });

  it("follows the sign of the gradient, or Adam, whose first step is its learning rate, with a learning rate of its own if one is given", async () => {
    const stepped = async (given: Params) => (await follow(example(), [0.2, 0.4, 0.5, 0.5], 0, 2, { ...second, steps: 1, ...given })).end;
    expect(near(await stepped({ optimizer: "sign" }), [0.2, 0.4, 0.48, 0.52])).toBeLessThan(1e-6);
    expect(near(await stepped({}), [0.2, 0.4, 0.45, 0.55])).toBeLessThan(1e-6);
    expect(near(await stepped({ optimizer: "raw", learningRate: 0.05 }), [0.2, 0.4, 0.4, 0.65])).toBeLessThan(1e-6);
  });

  it("without a target ascends the best other logit less that of the label", async () => {
    // Label 2: the best other is class 0, W₀ − W₂ = [0,−1,2,−3].
    const { end } = await follow(example(), [0.2, 0.4, 0.5, 0.5], 2, null, { ...second, steps: 1, optimizer: "raw", target: -1 });
    expect(near(end, [0.2, 0.4, 0.7, 0.2])).toBeLessThan(1e-6);
  });

  it("never loses margin, stays in [0,1] and ends at the corner that the gradient points to", async () => {
    for (const optimizer of ["adam", "sign", "raw"]) {
      const { end, iterates } = await follow(example(), [0.2, 0.4, 0.5, 0.5], 0, 2, { ...second, steps: 60, confidence: 1, optimizer });
      const margins = iterates.map(({ logits }) => (logits[2] as number) - (logits[0] as number));
      margins.slice(1).forEach((margin, t) => {
        expect(margin).toBeGreaterThanOrEqual((margins[t] as number) - 1e-6);
      });
      expect(near(end, [0.2, 0.4, 0, 1])).toBeLessThan(1e-6);
    }
  });

  it("draws uniform noise to begin with, another for every image and the same for every run", async () => {
    const start = async () => (await follow(example(), [0.2, 0.4, 0.5, 0.5], 0, 2, { ...second, start: "uniform", steps: 1 })).iterates[0];
    const [first, again] = [await start(), await start()];
    expect(first?.image).toEqual(again?.image);
    expect(first?.image.slice(0, 2).map((v) => v.toFixed(6))).toEqual(["0.200000", "0.400000"]);
    expect(first?.image.slice(2)).not.toContain(0.5);
  });
});

describe("LaVAN stops", () => {
  // z₁ = 20·v − 8 − 100·w of two pixels v and w; the raw step .01·20 moves v by .2: p₁ = .018, .5, .982, .99966 at v = .2, .4, .6, .8.
  const model = () =>
    linearClassifier(
      [
        [0, 0],
        [20, -100],
      ],
      [1, 2, 1],
      [0, -8],
    );
  const given = { size: 1, place: "at", left: 0, start: "fromImage", target: 1, optimizer: "raw", learningRate: 0.01, steps: 10 };
  const attack = (images: number[], labels: number[], more: Params = {}) =>
    attackBatch(
      {
        attack: lavan,
        params: paramsOf({ ...given, ...more }),
        model: model(),
        batch: { images: Float32Array.from(images), labels: Int32Array.from(labels), n: labels.length },
        firstIndex: 0,
        seedName: "lavan",
      },
      createContext({ seed: 1 }),
    );

  it("when the target has the confidence that was asked for", async () => {
    const sure = await attack([0.2, 0], [0]);
    expect(near(sure.adversarial, [0.8, 0])).toBeLessThan(1e-6);
    expect(sure.gradientEvaluations).toBe(4);
    expect(sure.records[0]).toMatchObject({ success: true, target: 1, iterations: 2, l0: 1 }); // .98 is a success, and not yet sure
    expect(near((await attack([0.2, 0], [0], { confidence: 0.98 })).adversarial, [0.6, 0])).toBeLessThan(1e-6);
  });

  it("without a target when any wrong class has it", async () => {
    const { adversarial, records } = await attack([0.2, 0], [0], { target: -1 });
    expect(near(adversarial, [0.8, 0])).toBeLessThan(1e-6);
    expect(records[0]).not.toHaveProperty("target");
  });

  it("for each image by itself: one that is done costs nothing while the others go on", async () => {
    const both = await attack([0.2, 0, 0.2, 1], [0, 0]); // the second cannot succeed: 20 − 8 − 100 < 0
    expect(near(both.adversarial.slice(0, 2), [0.8, 0])).toBeLessThan(1e-6);
    expect(near(both.adversarial.slice(2), [1, 1])).toBeLessThan(1e-6);
    expect(both.records.map(({ success }) => success)).toEqual([true, false]);
    expect([both.gradientEvaluations, both.forwardEvaluations]).toEqual([4 + 10, 1]);
  });

  it("where the gradient inside the noise is zero, after new values were drawn once", async () => {
    const flat = linearClassifier(
      [
        [0, 1],
        [0, 2],
      ],
      [1, 2, 1],
    );
    const { iterates, end } = await follow(flat, [0.5, 0.5], 0, 1, { ...given, target: 1, steps: 50 });
    expect(iterates).toHaveLength(2);
    expect(iterates[0]?.image).toEqual([0.5, 0.5]);
    expect(iterates[1]?.image[0]).not.toBe(0.5);
    expect(iterates[1]?.image[1]).toBe(0.5);
    expect(end).toEqual(iterates[1]?.image); // the later of equals
    expect(flat.evaluations.gradient).toBe(2);
  });
});

it("LaVAN ends where the model's scores are no numbers", async () => {
  const broken = linearClassifier(
    [
      [0, 0],
      [Number.NaN, 0],
    ],
    [1, 2, 1],
  );
  await expect(follow(broken, [0.5, 0.5], 0, 1, { size: 1, place: "at" })).rejects.toMatchObject({ code: "MODEL_NAN" });
});

describe("LaVAN past a defence", () => {
  const identity = defineInferenceDefense({
    id: "identity",
    title: "Nothing",
    paper: "",
    params: Type.Object({}),
    backward: () => "bpda",
    transform: (x) => x.clone(),
  });

  it("passes the gradient as the identity where the defence says so: of one-bit rounding W₂ − W₀ at the rounded image", async () => {
    const { end, iterates } = await follow(front(example(), bitDepth, { depth: 1 }), [0.2, 0.4, 0.5, 0.5], 0, 2, {
      ...second,
      steps: 1,
      optimizer: "raw",
    });
    expect(near(iterates[0]?.logits ?? [], [2, -1, 3])).toBeLessThan(1e-6); // of [0, 0, 1, 1]
    expect(near(end, [0.2, 0.4, 0.3, 0.8])).toBeLessThan(1e-6);
  });

  it("is stuck where it takes the true gradient of one-bit rounding, which is zero", async () => {
    const exact: InferenceDefense = { ...bitDepth, backward: () => "exact" };
    const { iterates } = await follow(front(example(), exact, { depth: 1 }), [0.2, 0.4, 0.5, 0.5], 0, 2, { ...second, steps: 50 });
    expect(iterates).toHaveLength(2);
  });

  it("goes step by step as without a defence where the defence does nothing", async () => {
    const network = () => classifierOf(convNetwork(), { contract: { input: {} }, outputs: "logits" });
    const image = Array.from({ length: 64 }, (_, i) => (i % 10) / 10);
    const given = { size: 0.5, steps: 5, place: "anywhere" };
    const plain = await follow(network(), image, 0, 1, given);
    expect(await follow(front(network(), identity), image, 0, 1, given)).toEqual(plain);
    expect(plain.iterates).toHaveLength(6);
  });

  it("tells the defence where its noise lies, in its own passes alone", async () => {
    const masks: number[][] = [];
    const erasing = defineInferenceDefense({
      id: "erasing",
      title: "Erasing",
      paper: "",
      params: Type.Object({}),
      backward: () => "exact",
      transform: (x, _, { mask }) => {
        masks.push(mask ? [...(mask as Mask).dataSync()] : []);
        return mask ? tf.mul(x, tf.sub(1, mask)) : x.clone();
      },
    });
    const { iterates } = await follow(front(example(), erasing), [0.2, 0.4, 0.5, 0.5], 0, 2, { ...second, steps: 5 });
    expect(masks.length).toBeGreaterThan(0);
    expect(masks.every((mask) => mask.join() === "0,1")).toBe(true);
    expect(near(iterates[0]?.logits ?? [], [0.2, 0.4, 0.6])).toBeLessThan(1e-6); // of [.2, .4, 0, 0]
    // With the identity passed backward the scores stay and the noise moves all the same: five raw steps of .1·[−2, 3] to the corner.
    const blind: InferenceDefense = { ...erasing, backward: () => "bpda" };
    const moved = await follow(front(example(), blind), [0.2, 0.4, 0.5, 0.5], 0, 2, { ...second, steps: 5, optimizer: "raw" });
    expect(near(moved.end, [0.2, 0.4, 0, 1])).toBeLessThan(1e-6);
    masks.length = 0;
    const behind = front(example(), erasing);
    const batch = { images: Float32Array.of(0.2, 0.4, 0.5, 0.1), labels: Int32Array.of(0), n: 1 };
    const task = { attack: lavan, params: paramsOf({ ...second, steps: 1, target: 2 }), model: behind, batch, firstIndex: 0, seedName: "" };
    await attackBatch(task, createContext());
    expect(masks.filter((mask) => mask.length === 0).length).toBeGreaterThanOrEqual(2); // clean and adversarial, as the harness judges them
  });

  it("leaves less right when it knows the defence than when it does not", async () => {
    const model = classifierOf(convNetwork(), { contract: { input: {} }, outputs: "logits" });
    const rounded = front(model, bitDepth, { depth: 1 });
    const batch = labelledByModel(rounded, randomBatch(24, model.inputShape, model.classes));
    const leftRight = async (knowledge: "static" | "adaptive"): Promise<number> => {
      const surface = attackSurface(rounded, knowledge).model;
      const params = paramsOf({ size: 3 / 8, steps: 30, target: -1, place: "anywhere" });
      const task = { attack: lavan, params, model: surface, batch, firstIndex: 0, seedName: "lavan" };
      const { adversarial } = await attackBatch(task, createContext({ seed: 2 }));
      return (await predict(rounded, adversarial)).filter((prediction, i) => prediction === batch.labels[i]).length;
    };
    expect(await leftRight("adaptive")).toBeLessThan(await leftRight("static"));
  });
});
