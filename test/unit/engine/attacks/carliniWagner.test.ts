import { beforeAll, describe, expect, it } from "vitest";
import { carliniWagner } from "../../../../src/engine/attacks/minimalNorm/carliniWagner.ts";
import { Constant } from "../../../../src/engine/attacks/minimalNorm/constant.ts";
import { deepFool } from "../../../../src/engine/attacks/minimalNorm/deepFool.ts";
import { fromTanh, toTanh } from "../../../../src/engine/attacks/minimalNorm/tanhDescent.ts";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import type { Classifier } from "../../../../src/engine/classifier/classifier.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { type Attack, type ImageBatch, type Params, resolveParams } from "../../../../src/engine/define/index.ts";
import { attackBatch } from "../../../../src/engine/harness/runAttack.ts";
import { linearClassifier, near, twoPixels } from "../fixtures.ts";

const attack = (model: Classifier, batch: ImageBatch, o: Params = {}, entry: Attack = carliniWagner) => {
  const params = resolveParams(entry.params, o, entry.id);
  return attackBatch({ attack: entry, params, model, batch, firstIndex: 0, seedName: "t" }, createContext());
};
const images = (...values: (readonly number[])[]): ImageBatch => ({
  images: Float32Array.from(values.flat()),
  labels: new Int32Array(values.length),
  n: values.length,
});

it("moves images into tanh and back", () => {
  expect(near([0, 0.25, 0.5, 1].map(toTanh), [-7.254329, -0.5493055, 0, 7.254329])).toBeLessThan(1e-6);
  expect(near([0, 0.25, 0.5, 1].map(toTanh).map(fromTanh), [0, 0.25, 0.5, 1])).toBeLessThan(1e-6);
});

it("searches the constant as Carlini & Wagner do", () => {
  const constant = new Constant(1e-3);
  const values = [false, false, false, true, false, true].map((succeeded) => {
    const { value } = constant;
    constant.next(succeeded);
    return value;
  });
  expect(near(values, [0.001, 0.01, 0.1, 1, 0.55, 0.775])).toBeLessThan(1e-12);
  expect(constant.value).toBeCloseTo(0.6625, 12);
});

describe("on linear models, by hand", () => {
  beforeAll(() => useBackend("cpu"));
  // The boundary is 5.3/5 = 1.06 from [.9, .9].
  const search = { learningRate: 0.05, steps: 300, initialConst: 1 };

  it("finds the nearest image that DeepFool finds, within 1 %", async () => {
    const found = await attack(twoPixels(), images([0.9, 0.9]), search);
    expect(found.records[0]).toMatchObject({ success: true, prediction: 1, target: 1 });
    expect(found.records[0]?.l2).toBeGreaterThanOrEqual(1.06 - 1e-6);
    expect(found.records[0]?.l2).toBeLessThan(1.06 * 1.01);
    const stepped = await attack(twoPixels(), images([0.9, 0.9]), {}, deepFool);
    expect(Math.abs((found.records[0]?.l2 ?? 0) / ((stepped.records[0]?.l2 ?? 0) / 1.02) - 1)).toBeLessThan(0.01);
  });

  it("goes on until the target leads by the confidence, or returns what is adversarial at all", async () => {
    // z₁ − z₀ is 1 at most, at black: a lead of .5 is (5.3 + .5)/5 away along w, and beyond black in the second pixel
    const led = await attack(twoPixels(), images([0.9, 0.9]), { ...search, confidence: 0.5 });
    const [a = 1, b = 1] = led.adversarial;
    expect(1 - 3 * a - 4 * b).toBeGreaterThanOrEqual(0.5 - 1e-5);
    expect(led.records[0]?.l2).toBeLessThan(1.16 * 1.01);
    const never = await attack(twoPixels(), images([0.9, 0.9]), { ...search, confidence: 2 });
    expect(never.records[0]).toMatchObject({ success: true, prediction: 1 });
    expect(never.notes.silentSuccess).toBe(0);
  });

  it("aims at the runner-up, at a class, or at any", async () => {
    // at [.5, .5] z = [1, .9, .2]; class 2 leads where the second pixel is large
    const model = linearClassifier(
      [
        [0, 0],
        [1, 0],
        [0, 4],
      ],
      [1, 2, 1],
      [1, 0.4, -1.8],
    );
    const at = async (target: unknown) => (await attack(model, images([0.5, 0.5]), { ...search, target })).records[0];
    expect(await at("runnerUp")).toMatchObject({ target: 1, prediction: 1, success: true });
    expect(await at(2)).toMatchObject({ target: 2, prediction: 2, success: true });
    const any = await at(-1);
    expect(any).toMatchObject({ success: true });
    expect(any).not.toHaveProperty("target");
    expect(any?.l2).toBeLessThan(0.11); // .1 to class 1, .2 to class 2
    await expect(at(3)).rejects.toMatchObject({ code: "PARAMETER_INVALID" });
  });

  it("spares the steps of an attempt that gets no further, and those of images that are adversarial already", async () => {
    const flat = linearClassifier(
      [
        [1, 1],
        [1, 1],
      ],
      [1, 2, 1],
      [1, 0],
    );
    const stuck = await attack(flat, images([0.5, 0.5]), { steps: 100, binarySearchSteps: 4 });
    expect(stuck.records[0]).toMatchObject({ success: false });
    expect(stuck.gradientEvaluations).toBe(4 * 11); // looked at in steps 0 and 10
    const wrong = await attack(flat, { ...images([0.5, 0.5]), labels: Int32Array.of(1) }, { steps: 100, target: -1 });
    expect(wrong.gradientEvaluations).toBe(1);
    expect(wrong.records[0]).toMatchObject({ success: false, l2: 0 });
  });
});
