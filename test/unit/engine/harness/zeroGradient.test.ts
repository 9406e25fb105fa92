import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import type { Classifier } from "../../../../src/engine/classifier/classifier.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { attackBatch } from "../../../../src/engine/harness/runAttack.ts";
import { bind } from "../../../../src/engine/registry.ts";
import { type Logits, tf } from "../../../../src/engine/tf.ts";
import { linearClassifier } from "../fixtures.ts";

beforeAll(() => useBackend("cpu"));

const identity = [
  [1, 0],
  [0, 1],
];
const plain = () => linearClassifier(identity, [1, 2, 1]);
const behind = (f: (logits: Logits) => tf.Tensor): Classifier => {
  const model = plain();
  return { ...model, logits: (x) => tf.tidy(() => f(model.logits(x)) as Logits) };
};
/** Label 0: two images that are right, by 0.2 and by 0.6, and one that is wrong before the attack. */
const batch = { images: Float32Array.from([0.6, 0.4, 0.7, 0.1, 0.2, 0.8]), labels: Int32Array.from([0, 0, 0]), n: 3 };
async function notesOf(model: Classifier, params: object = {}, id = "pgd") {
  const bound = bind("attack", { kind: id, eps: 0.05, steps: 3, stepSize: 0.02, ...params });
  const before = tf.memory().numTensors;
  const { notes, gradientEvaluations } = await attackBatch(
    { attack: bound.entry, params: bound.params, model, batch, firstIndex: 0, seedName: "test" },
    createContext(),
  );
  expect(tf.memory().numTensors).toBe(before);
  return { ...notes, gradientEvaluations };
}

describe("images without a gradient to follow", () => {
  it("are none on a plain model, whose attack fails all the same", async () => {
    expect(await notesOf(plain())).toMatchObject({ zeroGradient: 0, zeroMargin: 0, skipped: 1 });
  });

  it("are those where the cross-entropy of large scores is 0; the margin has a slope there", async () => {
    // e^-2000 is 0 in float32, so that softmax less one-hot is exactly 0.
    const large = behind((z) => tf.mul(z, 1e4));
    expect(await notesOf(large)).toMatchObject({ zeroGradient: 2, zeroMargin: 0, gradientEvaluations: 9 });
    expect(await notesOf(large, { loss: "margin" })).toMatchObject({ zeroGradient: 0, zeroMargin: 0 });
  });

  it("are all that resist where scores are rounded, for any loss", async () => {
    const rounded = behind((z) => tf.floor(tf.mul(z, 4)));
    // floor(2.4), floor(1.6): class 0 leads until the values change place of a quarter.
    expect(await notesOf(rounded, { randomStart: false })).toMatchObject({ zeroGradient: 2, zeroMargin: 2 });
  });

  it("are not those that the attack breaks: a random start may do it", async () => {
    const large = behind((z) => tf.mul(tf.add(z, tf.tensor2d([[0, 0.19]])), 1e5));
    const { zeroGradient } = await notesOf(large, { eps: 0.3 });
    expect(zeroGradient).toBeLessThan(2);
  });
});
