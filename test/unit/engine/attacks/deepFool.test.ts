import { beforeAll, describe, expect, it } from "vitest";
import { deepFool } from "../../../../src/engine/attacks/minimalNorm/deepFool.ts";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import type { Classifier } from "../../../../src/engine/classifier/classifier.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { type ImageBatch, type Params, resolveParams } from "../../../../src/engine/define/index.ts";
import { attackBatch } from "../../../../src/engine/harness/runAttack.ts";
import { linearClassifier, near, twoPixels } from "../fixtures.ts";

const attack = (model: Classifier, batch: ImageBatch, o: Params = {}) => {
  const params = resolveParams(deepFool.params, o, "deepFool");
  return attackBatch({ attack: deepFool, params, model, batch, firstIndex: 0, seedName: "t" }, createContext());
};
const image = (values: readonly number[], label = 0): ImageBatch => ({
  images: Float32Array.from(values),
  labels: Int32Array.of(label),
  n: 1,
});
/** The length that the 10⁻⁴ of each step adds, with the overshoot. */
const added = 1.1e-4;

describe("on linear models, by hand", () => {
  beforeAll(() => useBackend("cpu"));
  const three = () =>
    linearClassifier(
      [
        [2, 0],
        [0, 1],
        [-1, -1],
      ],
      [1, 2, 1],
    );

  it("goes 6/5 along w = [3, 4] from [1, 1], and 2 % further", async () => {
    const { adversarial, records } = await attack(twoPixels(), image([1, 1]));
    expect(near(adversarial, [1 - 1.02 * 0.72, 1 - 1.02 * 0.96])).toBeLessThan(added);
    expect(records[0]).toMatchObject({ success: true, prediction: 1, iterations: 1 });
    expect(Math.abs((records[0]?.l2 ?? 0) - 1.2 * 1.02)).toBeLessThan(added);
  });

  it("chooses the nearest of three classes: .67082 to class 1, 1.106797 to class 2", async () => {
    const { adversarial, records } = await attack(three(), image([1, 0.5]));
    expect(near(adversarial, [0.388, 0.806])).toBeLessThan(added);
    expect(records[0]).toMatchObject({ success: true, prediction: 1 });
    // Foolbox's steps have no 10⁻⁴, and 5 % on each
    const foolbox = await attack(three(), image([1, 0.5]), { variant: "foolbox08" });
    expect(near(foolbox.adversarial, [1 - 1.05 * 0.6, 0.5 + 1.05 * 0.3])).toBeLessThan(1e-6);
  });

  it("looks at no class beyond the most likely ones that it was told to", async () => {
    // z = [2, .5, .4] at [1, .5]: the boundary to class 2 is 1.6/3.5 = .457 away, that to class 1, the runner-up, .671
    const model = linearClassifier(
      [
        [2, 0],
        [0, 1],
        [-1.5, 0],
      ],
      [1, 2, 1],
      [0, 0, 1.9],
    );
    expect(near((await attack(model, image([1, 0.5]))).adversarial, [1 - 1.02 * 0.457143, 0.5])).toBeLessThan(added);
    const two = await attack(model, image([1, 0.5]), { classes: 2, steps: 1 });
    expect(near(two.adversarial, [0.388, 0.806])).toBeLessThan(added);
    expect(two.gradientEvaluations).toBe(2);
  });

  it("gives an image up before its change is as long as the limit allows", async () => {
    const far = await attack(three(), image([1, 0.5]), { maxResidueRatio: 0.6 }); // the change is .612 of the image
    expect(far.records[0]).toMatchObject({ success: false, prediction: 0, l2: 0 });
    const near = await attack(three(), image([1, 0.5]), { maxResidueRatio: 0.62 });
    expect(near.records[0]).toMatchObject({ success: true });
  });

  it("ends as failed where nothing has a slope, and moves a black image", async () => {
    const flat = linearClassifier(
      [
        [1, 1],
        [1, 1],
      ],
      [1, 2, 1],
      [1, 0],
    );
    const outcome = await attack(flat, image([0.5, 0.5]));
    expect(outcome.records[0]).toMatchObject({ success: false, l2: 0 });
    expect(outcome.gradientEvaluations).toBe(2);
    const dark = linearClassifier(
      [
        [0, 0],
        [1, 0],
      ],
      [1, 2, 1],
      [0.5, 0],
    );
    expect((await attack(dark, image([0, 0]))).records[0]).toMatchObject({ success: true, prediction: 1 });
    expect((await attack(dark, image([0, 0]), { maxResidueRatio: 0.5 })).records[0]).toMatchObject({ success: false });
  });

  it("says so where a score is no number", async () => {
    const broken = linearClassifier(
      [
        [Number.NaN, 0],
        [0, 0],
      ],
      [1, 2, 1],
    );
    await expect(attack(broken, image([1, 1]))).rejects.toMatchObject({ code: "MODEL_NAN" });
  });
});
