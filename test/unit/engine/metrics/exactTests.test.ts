import { describe, expect, it } from "vitest";
import { bestAssignment } from "../../../../src/engine/metrics/assignment.ts";
import { fisherP } from "../../../../src/engine/metrics/statistics.ts";

describe("Fisher's exact test", () => {
  it("agrees with SciPy: fisher_exact([[a, n − a], [b, m − b]], 'less')", () => {
    const cases = [
      [10, 32, 48, 64, 4.5300369528948575e-5],
      [0, 20, 20, 20, 7.254444551924844e-12],
      [500, 1000, 52, 64, 4.988722124548678e-7],
    ] as const;
    for (const [a, n, b, m, p] of cases) expect(fisherP(a, n, b, m) / p).toBeCloseTo(1, 8);
    expect(fisherP(40, 64, 41, 64)).toBeCloseTo(0.5, 10);
    expect(fisherP(20, 20, 0, 20)).toBe(1);
    expect(fisherP(0, 10, 0, 10)).toBe(1);
  });
});

describe("the best assignment", () => {
  it("agrees with SciPy: linear_sum_assignment(values, maximize=True)", () => {
    const five = [7, 5, 9, 8, 11, 9, 12, 7, 11, 10, 8, 6, 12, 9, 8, 7, 3, 9, 6, 9, 4, 7, 5, 8, 5];
    const sum = (values: readonly number[], n: number): number =>
      bestAssignment(values, n).reduce((total, column, row) => total + (values[row * n + column] as number), 0);
    expect(sum(five, 5)).toBe(50);
    const eight = [
      [24, 3, 56, 72, 0, 21, 19, 74],
      [41, 10, 21, 38, 96, 20, 44, 93],
      [39, 14, 26, 81, 90, 22, 66, 2],
      [63, 60, 1, 51, 90, 69, 97, 29],
      [24, 62, 7, 43, 33, 79, 48, 37],
      [20, 94, 49, 21, 78, 28, 54, 0],
      [64, 18, 63, 37, 56, 56, 71, 37],
      [46, 33, 1, 85, 74, 99, 91, 16],
    ];
    expect(bestAssignment(eight.flat(), 8)).toEqual(Int32Array.of(2, 7, 4, 6, 5, 1, 0, 3));
    expect(sum(eight.flat(), 8)).toBe(658);
    expect(bestAssignment([5], 1)).toEqual(Int32Array.of(0));
    expect(bestAssignment([0, 1, 1, 0], 2)).toEqual(Int32Array.of(1, 0));
  });
});
