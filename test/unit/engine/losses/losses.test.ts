import { describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { crossEntropy, softLabelCrossEntropy } from "../../../../src/engine/losses/crossEntropy.ts";
import { marginLoss } from "../../../../src/engine/losses/marginLoss.ts";
import { patchAggregateLoss } from "../../../../src/engine/losses/patchAggregateLoss.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { type Labels, type Logits, tf } from "../../../../src/engine/tf.ts";

const labels = (...y: number[]): Labels => tf.tensor1d(y, "int32");
const oneHot = (classes: number, ...y: number[]): tf.Tensor2D => tf.oneHot(labels(...y), classes).toFloat() as tf.Tensor2D;
const value = (t: tf.Tensor): number => t.dataSync()[0] as number;
const close = (actual: tf.Tensor, expected: number[], digits = 5): void => {
  const values = actual.dataSync();
  expect(values.length).toBe(expected.length);
  expected.forEach((e, i) => {
    expect(values[i]).toBeCloseTo(e, digits);
  });
};

await useBackend("cpu");

describe("cross-entropy", () => {
  const z = tf.tensor2d([
    [2, 1, -1],
    [2, 1, -1],
  ]);
  it("by hand, summed and averaged", () => {
    expect(value(crossEntropy(z, labels(0, 0), "mean"))).toBeCloseTo(0.349012, 5);
    expect(value(crossEntropy(z, labels(0, 0), "sum"))).toBeCloseTo(0.698024, 5);
  });

  it("its gradient is softmax − one-hot", () => {
    const gradient = tf.grad((x: tf.Tensor) => crossEntropy(x as Logits, labels(0), "sum"))(tf.tensor2d([[2, 1, -1]]));
    close(gradient, [0.705385 - 1, 0.259496, 0.035119]);
  });

  it("stays finite for huge logits, with the gradient of the loser", () => {
    const far = tf.tensor2d([[1000, -1000]]);
    expect(value(crossEntropy(far, labels(1), "sum"))).toBe(2000);
    close(tf.grad((x: tf.Tensor) => crossEntropy(x as Logits, labels(1), "sum"))(far), [1, -1]);
  });

  it("with soft labels: 0.9 and nine times 1/90", () => {
    const targets = tf.tensor2d([[0.9, ...new Array<number>(9).fill(1 / 90)]]);
    const logits = tf.tensor2d([[2, 0, 0, 0, 0, 0, 0, 0, 0, 0]]);
    expect(value(softLabelCrossEntropy(logits, targets, "mean"))).toBeCloseTo(0.996614, 5);
    expect(value(crossEntropy(logits, labels(0), "mean"))).toBeCloseTo(0.796614, 5);
  });
});

describe("patch aggregate loss", () => {
  const volume = tf.tensor3d([
    [
      [2, 0],
      [0, 2],
    ],
  ]);
  it("by hand, summed and averaged over the slices", () => {
    expect(value(patchAggregateLoss(volume, oneHot(2, 0), "sum"))).toBeCloseTo(2.253856, 5);
    expect(value(patchAggregateLoss(volume, oneHot(2, 0), "mean"))).toBeCloseTo(1.126928, 5);
  });

  it("takes soft targets: every slice's cross-entropy against the same distribution", () => {
    // Slice [2, 0]: −0.9·ln σ(2) − 0.1·ln σ(−2); slice [0, 2]: the other way round. By hand, ln σ(2) = −0.126928, ln σ(−2) = −2.126928.
    const soft = 0.9 * 0.126928 + 0.1 * 2.126928 + 0.9 * 2.126928 + 0.1 * 0.126928;
    expect(value(patchAggregateLoss(volume, tf.tensor2d([[0.9, 0.1]]), "sum"))).toBeCloseTo(soft, 5);
  });

  it("averages over images", () => {
    expect(value(patchAggregateLoss(tf.concat([volume, volume], 0), oneHot(2, 0, 0), "sum"))).toBeCloseTo(2.253856, 5);
  });

  it("has the gradient softmax − one-hot in every slice, without 1/Z", () => {
    const gradient = tf.grad((x: tf.Tensor) => patchAggregateLoss(x as tf.Tensor3D, oneHot(2, 0), "sum"))(volume);
    const p = 1 / (1 + Math.exp(-2));
    close(gradient, [p - 1, 1 - p, 1 - p - 1, p]);
  });

  it("is plain cross-entropy for one slice, and does not see the order of the slices", () => {
    const rng = createRandom(2);
    const z = tf.tensor3d(rng.uniforms(4 * 5 * 3, -2, 2), [4, 5, 3]);
    const [y, targets] = [labels(0, 1, 2, 1), oneHot(3, 0, 1, 2, 1)];
    const single = z.slice([0, 0, 0], [4, 1, 3]);
    expect(value(patchAggregateLoss(single, targets, "sum"))).toBeCloseTo(value(crossEntropy(single.reshape([4, 3]), y, "mean")), 6);
    const shuffled = z.gather([3, 0, 4, 1, 2], 1);
    expect(value(patchAggregateLoss(shuffled, targets, "sum"))).toBeCloseTo(value(patchAggregateLoss(z, targets, "sum")), 5);
  });
});

describe("margin loss", () => {
  const z = tf.tensor2d([[0.2, 0.25, -0.2]]);
  it("by hand", () => {
    expect(value(marginLoss(z, { labels: labels(0) }, 50, "sum"))).toBeCloseTo(-49.95, 5);
    expect(value(marginLoss(z, { labels: labels(0) }, 0, "sum"))).toBeCloseTo(0, 9);
    expect(value(marginLoss(tf.tensor2d([[-1, -3, -4]]), { labels: labels(0) }, 0, "sum"))).toBeCloseTo(-2, 6); // all others negative
  });

  it("pulls the label down and the best other class up", () => {
    close(tf.grad((x: tf.Tensor) => marginLoss(x as Logits, { labels: labels(0) }, 50, "sum"))(z), [-1, 1, 0]);
    close(tf.grad((x: tf.Tensor) => marginLoss(x as Logits, { labels: labels(0) }, 0, "sum"))(z), [0, 0, 0]);
  });
});
