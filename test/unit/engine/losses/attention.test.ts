import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { preservationLoss, rectificationLoss } from "../../../../src/engine/losses/attention.ts";
import { multiLabelSoftMargin } from "../../../../src/engine/losses/multiLabelSoftMargin.ts";
import { tf } from "../../../../src/engine/tf.ts";

await useBackend("cpu");
beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());
const value = (scalar: tf.Tensor): number => scalar.dataSync()[0] ?? Number.NaN;

// By hand: algorithms, 2F.
describe("the losses of attention", () => {
  it("rectification is the distance of the probabilities, negated, a mean over the images", () => {
    const [f, masked] = [tf.tensor2d([[0.7, 0.2, 0.1]]), tf.tensor2d([[0.4, 0.4, 0.2]])];
    expect(value(rectificationLoss(f, masked))).toBeCloseTo(-0.374166, 5);
    const two = tf.concat([f, f]) as tf.Tensor2D;
    expect(value(rectificationLoss(two, tf.concat([masked, f]) as tf.Tensor2D))).toBeCloseTo(-0.374166 / 2, 5);
  });

  it("rectification of images that have no attention area is 0, and so is its gradient", () => {
    const f = tf.tensor2d([[0.7, 0.2, 0.1]]);
    const { value: loss, grad } = tf.valueAndGrad((x: tf.Tensor) => rectificationLoss(x as tf.Tensor2D, f))(f);
    expect(value(loss)).toBeCloseTo(0, 5);
    expect([...grad.dataSync()].map(Math.abs)).toEqual([0, 0, 0]);
  });

  it("preservation adds up over the cells, a mean over the images, however many slices each has", () => {
    const g = tf.tensor3d([0, 0.142857, 0.571429, 1], [1, 2, 2]);
    const adversarial = tf.tensor3d([0.2, 0.1, 1, 0.5], [1, 2, 2]);
    expect(value(preservationLoss(g, adversarial, 1))).toBeCloseTo(1.171428, 5);
    const slices = [tf.concat([g, g, g, g]), tf.concat([adversarial, adversarial, g, adversarial])] as [tf.Tensor3D, tf.Tensor3D];
    expect(value(preservationLoss(...slices, 2))).toBeCloseTo((3 * 1.171428) / 2, 5);
  });

  it("preservation has no gradient where both maps have their maximum, which rounding tells apart", () => {
    const adversarial = tf.tensor3d([0.2, 1], [1, 1, 2]);
    const gradient = tf.grad((g: tf.Tensor) => preservationLoss(g as tf.Tensor3D, adversarial, 1))(tf.tensor3d([0.4, 1 - 1e-6], [1, 1, 2]));
    expect([...gradient.dataSync()].map(Math.abs)).toEqual([1, 0]);
  });

  it("the multi-label soft margin is that of a sigmoid for each class, also of scores that overflow one", () => {
    const margin = (z: number[], t: number[]) => value(multiLabelSoftMargin(tf.tensor2d([z]), tf.tensor2d([t])));
    expect(margin([2, -1], [1, 0])).toBeCloseTo(0.220095, 5);
    expect(margin([200, -200], [1, 0])).toBe(0);
    expect(margin([-200, 200], [1, 0])).toBeCloseTo(200, 3);
  });
});
