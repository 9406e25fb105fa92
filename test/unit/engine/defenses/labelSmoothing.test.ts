import { describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import type { TrainingStep } from "../../../../src/engine/define/index.ts";
import { planOf } from "../../../../src/engine/session/openModel.ts";
import { tf } from "../../../../src/engine/tf.ts";
import type { Choice } from "../../../../src/shared/results.ts";
import { near } from "../fixtures.ts";

await useBackend("cpu");

/** Total loss of a batch for which the network gives `output`, and the targets that it was compared with. */
function lossOf(stack: readonly Choice[], output: tf.Tensor, labels: number[], classes: number): { total: number; targets: number[] } {
  const plan = planOf(stack, [8, 8, 1], classes);
  let targets: tf.Tensor = tf.scalar(0);
  const step = {
    targets: tf.oneHot(labels, classes).toFloat(),
    crafted: undefined,
    forward: () => ({ output, taken: new Map() }),
    criterion: (scores: tf.Tensor, wanted: tf.Tensor2D) => {
      targets = wanted;
      return plan.criterion(scores, wanted);
    },
  } as unknown as TrainingStep;
  const total = plan.loss(step).total.dataSync()[0] ?? Number.NaN;
  return { total, targets: [...targets.dataSync()] };
}
const smoothing: Choice = { id: "labelSmoothing", params: {} };

describe("labelSmoothing", () => {
  // Numbers of the paper that compares it (Ranjan et al. 2018): targets 0.9 and 0.1/(K − 1).
  it("by hand: 0.9 and 1/90 for ten classes, loss .996614 for z = [2, 0, …]", () => {
    const { total, targets } = lossOf([smoothing], tf.tensor2d([[2, 0, 0, 0, 0, 0, 0, 0, 0, 0]]), [0], 10);
    expect(near(targets, [0.9, ...new Array<number>(9).fill(1 / 90)])).toBeLessThan(1e-7);
    expect(total).toBeCloseTo(0.996614, 5);
  });

  it("is smallest, .544805, where the label's logit leads by ln 81, and grows again beyond", () => {
    const at = (lead: number) => lossOf([smoothing], tf.tensor2d([[lead, 0, 0, 0, 0, 0, 0, 0, 0, 0]]), [0], 10).total;
    expect(at(Math.log(81))).toBeCloseTo(0.544805, 5);
    for (const lead of [Math.log(81) - 0.1, Math.log(81) + 0.1, 20]) expect(at(lead)).toBeGreaterThan(0.5449);
  });

  it("with 0 it is plain training, with 1 the label's class is the one that is never meant", () => {
    const z = tf.tensor2d([[2, 1, -1]]);
    expect(lossOf([{ id: "labelSmoothing", params: { smoothing: 0 } }], z, [0], 3).total).toBeCloseTo(0.349012, 5);
    expect(lossOf([{ id: "labelSmoothing", params: { smoothing: 1 } }], z, [0], 3).targets).toEqual([0, 0.5, 0.5]);
  });

  it("over a volumized network smooths the targets of every slice, in either order", () => {
    const volumized: Choice = { id: "volumizedCurriculum", params: { patch: 4 } };
    const slices = [
      [2, 0, 0],
      [0, 1, 0],
      [0, 0, 0],
      [1, 1, 0],
    ];
    const targets = [0.05, 0.9, 0.05];
    const crossEntropy = (z: number[]) => {
      const sum = Math.log(z.reduce((total, value) => total + Math.exp(value), 0));
      return z.reduce((total, value, k) => total + (targets[k] ?? 0) * (sum - value), 0);
    };
    const expected = slices.reduce((total, z) => total + crossEntropy(z), 0);
    for (const stack of [
      [volumized, smoothing],
      [smoothing, volumized],
    ])
      expect(lossOf(stack, tf.tensor3d([slices]), [1], 3).total).toBeCloseTo(expected, 5);
  });
});
