import { expect, it } from "vitest";
import { differenceOf, fiveNumbers, meanOf } from "../../../../src/engine/metrics/means.ts";

it("means have 1.96 standard errors to either side", () => {
  expect(meanOf([1, 2, 3, 4])).toEqual({ n: 4, mean: 2.5, half: expect.closeTo(1.26515131188166, 12) }); // 1.96·numpy.std(ddof=1)/2
  expect(meanOf([0.5])).toEqual({ n: 1, mean: 0.5, half: null });
  expect(meanOf([])).toBeNull();
});

it("differences have the spread of both groups", () => {
  const [a, b] = [meanOf([0.3, 0.5, 0.4, 0.6]), meanOf([0.7, 0.9, 0.8])];
  // numpy: mean(a) − mean(b), 1.96·√(var(a)/4 + var(b)/3)
  expect(differenceOf(a, b)).toEqual({ n: 7, mean: expect.closeTo(-0.35, 12), half: expect.closeTo(0.16973786011142578, 12) });
  expect(differenceOf(a, meanOf([1]))?.half).toBeNull();
  expect(differenceOf(a, null)).toBeNull();
});

it("boxes end at the last values within 1.5 quartile distances", () => {
  expect(fiveNumbers([3, 100, 0, 1, 2])).toEqual({ low: 0, q1: 1, median: 2, q3: 3, high: 3, outliers: [100] });
  expect(fiveNumbers([4])).toEqual({ low: 4, q1: 4, median: 4, q3: 4, high: 4, outliers: [] });
  expect(fiveNumbers([])).toBeNull();
  const many = [...Array.from({ length: 1000 }, () => 0), ...Array.from({ length: 100 }, (_, i) => i + 1)];
  expect(fiveNumbers(many, 4)?.outliers).toEqual([1, 26, 51, 76]);
});
