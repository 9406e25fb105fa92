import { describe, expect, it } from "vitest";
import { quantile } from "../../../../src/engine/metrics/quantiles.ts";
import {
  accuracies,
  countedForBeta,
  defenseSuccess,
  defenseSuccessOfFooled,
  type Outcome,
  robustness,
} from "../../../../src/engine/metrics/robustness.ts";
import { microAverageRoc, roc, thin } from "../../../../src/engine/metrics/roc.ts";

/** Class 0 is right, 1 is wrong. */
const outcomes = (clean: readonly number[], attacked: readonly number[]): Outcome[] =>
  clean.map((right, index) => ({ index, label: 0, cleanPrediction: 1 - right, prediction: 1 - (attacked[index] as number) }));

describe("accuracy, δ and β", () => {
  // Algorithms 0I: clean [1×8, 0×2], attacked [1×5, 0×3, 1, 0].
  const example = outcomes([1, 1, 1, 1, 1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 0, 0, 0, 1, 0]);

  it("are those of the worked example", () => {
    expect(accuracies(example)).toEqual({ clean: 0.8, attacked: 0.6 });
    expect(robustness(example)).toBeCloseTo(0.2, 12);
    expect(defenseSuccess(example, null)).toBe(5 / 8);
  });

  it("δ is negative where the attack happens to help", () => {
    expect(robustness(outcomes([0, 1], [1, 1]))).toBe(-0.5);
  });

  it("β of the attacks that fooled the undefended model counts those images alone", () => {
    const undefended = outcomes([1, 1, 1, 0, 1], [0, 0, 0, 0, 1]); // images 0, 1, 2 were fooled
    const defended = outcomes([1, 1, 0, 1, 1], [1, 0, 1, 0, 0]); // of those, 0 and 2 are right under attack
    expect(defenseSuccessOfFooled(defended, undefended, null)).toBe(2 / 3);
    expect(defenseSuccess(defended, null)).toBe(1 / 4);
  });

  it("β leaves the images of the target class out by both denominators", () => {
    // Class 1 is aimed at. Images 0 to 3 are of class 0, 4 and 5 of class 1, 6 of class 2.
    const labels = [0, 0, 0, 0, 1, 1, 2];
    const under = (clean: readonly number[], attacked: readonly number[]): Outcome[] =>
      labels.map((label, index) => ({ index, label, cleanPrediction: clean[index] as number, prediction: attacked[index] as number }));
    const undefended = under([0, 0, 0, 1, 1, 1, 2], [1, 1, 0, 1, 0, 1, 1]); // fools 0, 1, 4 and 6
    const defended = under([0, 0, 0, 0, 1, 1, 1], [0, 1, 0, 1, 1, 1, 2]);
    const indices = (records: readonly Outcome[]) => records.map(({ index }) => index);
    expect(indices(countedForBeta(defended, 1))).toEqual([0, 1, 2, 3]);
    expect(indices(countedForBeta(defended, 1, "fooledUndefended", undefended))).toEqual([0, 1, 6]);
    expect(defenseSuccess(defended, 1)).toBe(2 / 4); // with all classes it would be 4 of 6
    expect(defenseSuccessOfFooled(defended, undefended, 1)).toBe(2 / 3); // with all classes 3 of 4
  });

  it("are not known where there is nothing to count", () => {
    expect(accuracies([])).toEqual({ clean: null, attacked: null });
    expect(robustness([])).toBeNull();
    expect(defenseSuccess(outcomes([0], [0]), null)).toBeNull();
    expect(defenseSuccessOfFooled(example, outcomes([1], [1]), null)).toBeNull();
  });
});

describe("ROC", () => {
  it("is that of the worked example", () => {
    const curve = roc([0.5, 0, 0.2], [0, 0, 0.1]);
    const points = curve?.points.map((p) => [p.falsePositiveRate, p.truePositiveRate]);
    expect(points).toEqual([
      [0, 0],
      [0, 1 / 3],
      [0, 2 / 3],
      [1 / 3, 2 / 3],
      [1, 1],
    ]);
    expect(curve?.auc).toBeCloseTo(0.777778, 6);
  });

  it("micro-averaged is that of the worked example", () => {
    const curve = microAverageRoc([0.7, 0.2, 0.1, 0.3, 0.4, 0.3, 0.5, 0.3, 0.2], [0, 1, 2], 3);
    expect(curve?.auc).toBeCloseTo(0.694444, 6);
  });

  it("of hard labels has the area (1 + a − (1 − a)/9)/2", () => {
    // 10 classes, 7 of 10 images right.
    const labels = Array.from({ length: 10 }, (_, i) => i);
    const scores = labels.flatMap((label) => labels.map((k) => Number(k === (label < 7 ? label : (label + 1) % 10))));
    expect(microAverageRoc(scores, labels, 10)?.auc).toBeCloseTo((1 + 0.7 - 0.3 / 9) / 2, 12);
  });

  it("has the properties of one: order alone counts, turned round it is 1 − AUC, all ties give a half", () => {
    const [p, n] = [
      [3, 1, 2, 2],
      [0, 2, 1, 1, 5],
    ];
    const auc = (a: number[], b: number[]) => roc(a, b)?.auc ?? Number.NaN;
    const pairs = p.flatMap((a) => n.map((b): number => (a > b ? 1 : a === b ? 0.5 : 0)));
    expect(auc(p, n)).toBeCloseTo(pairs.reduce((a, b) => a + b, 0) / pairs.length, 12);
    expect(auc(p.map(Math.exp), n.map(Math.exp))).toBeCloseTo(auc(p, n), 12);
    expect(
      auc(
        p.map((v) => -v),
        n.map((v) => -v),
      ),
    ).toBeCloseTo(1 - auc(p, n), 12);
    expect(auc([1, 1], [1, 1, 1])).toBe(0.5);
    expect(roc([], [1])).toBeNull();
  });

  it("thinned keeps its ends and never strays further than the resolution", () => {
    const positives = Array.from({ length: 500 }, (_, i) => Math.sin(i * 12.9898) + 0.5);
    const negatives = Array.from({ length: 700 }, (_, i) => Math.sin(i * 78.233));
    const curve = roc(positives, negatives);
    if (!curve) throw new Error("no curve");
    const few = thin(curve, 50);
    expect(few.length).toBeLessThan(130);
    expect([few[0], few.at(-1)]).toEqual([curve.points[0], curve.points.at(-1)]);
    for (const point of curve.points) {
      const nearest = Math.min(
        ...few.map((f) =>
          Math.max(Math.abs(f.falsePositiveRate - point.falsePositiveRate), Math.abs(f.truePositiveRate - point.truePositiveRate)),
        ),
      );
      expect(nearest).toBeLessThanOrEqual(1 / 50);
    }
  });
});

describe("quantiles", () => {
  it("are NumPy's", () => {
    // numpy.quantile([4, 1, 3, 2], [.5, .95]) = [2.5, 3.85]
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(quantile([4, 1, 3, 2], 0.95)).toBeCloseTo(3.85, 12);
    expect(quantile([7], 0.95)).toBe(7);
    expect(quantile([], 0.5)).toBeNull();
  });
});
