import "../../../../src/engine/backends/cpu.ts";
import { describe, expect, it } from "vitest";
import { scoreTransferred } from "../../../../src/engine/harness/transferred.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { linearClassifier } from "../fixtures.ts";

describe("transferred images", () => {
  it("are scored as they are: no success on an image that was wrong already, rounding to 8 bits looked at", async () => {
    // Class 1 where the first pixel exceeds 0.4995: 0.5 is 128/255 = 0.502 after rounding, 0.4999 is 127/255 = 0.498.
    const model = linearClassifier(
      [
        [0, 0],
        [1, 0],
      ],
      [1, 2, 1],
      [0.4995, 0],
    );
    const clean = new Float32Array(8);
    const adversarial = Float32Array.from([0.5, 0, 0.4999, 0, 1, 1, 0, 0.25]);
    const before = [0, 1, 2, 3].map((index) => ({ index, label: 0, cleanPrediction: index === 2 ? 1 : 0 }));
    const scored = await scoreTransferred(model, { clean, adversarial, before }, createRandom(1));
    const aimed = before.map((image) => ({ ...image, target: image.index === 3 ? 0 : 1 }));
    const judged = await scoreTransferred(model, { clean, adversarial, before: aimed }, createRandom(1));
    model.dispose();
    // Image 2 had its target class already; image 3 keeps class 0, which it had and which was aimed at.
    expect(judged.map(({ target, success }) => [target, success])).toEqual([
      [1, true],
      [1, true],
      [1, false],
      [0, false],
    ]);
    expect(scored).toMatchObject([
      { index: 0, prediction: 1, success: true, successAfter8Bit: true, linf: 0.5, l0: 1, iterations: 0 },
      { index: 1, prediction: 1, success: true, successAfter8Bit: false },
      { index: 2, prediction: 1, success: false, successAfter8Bit: false, l0: 2 },
      { index: 3, prediction: 0, success: false, l2: 0.25 },
    ]);
    // 1 / (1 + exp(−d)) of logits that are d = 0.0005, 0.5005 and 0.4995 apart
    expect(scored[0]?.confidence).toBeCloseTo(0.500125, 6);
    expect(scored[2]?.confidence).toBeCloseTo(0.622577, 6);
    expect(scored[3]?.confidence).toBeCloseTo(0.622342, 6);
  });
});
