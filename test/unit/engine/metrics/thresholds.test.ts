import { describe, expect, it } from "vitest";
import { roc } from "../../../../src/engine/metrics/roc.ts";
import { sharesAbove, thresholdStops } from "../../../../src/engine/metrics/thresholds.ts";
import { createRandom } from "../../../../src/engine/random.ts";

describe("places of a threshold", () => {
  it("are all scores of few images, from above the largest to below the smallest, and a threshold that was chosen", () => {
    expect(
      thresholdStops(
        [
          [0, 0, 1],
          [2, 1],
        ],
        null,
        100,
      ),
    ).toEqual([2, 1, 0, null]);
    expect(
      thresholdStops(
        [
          [0, 0, 1],
          [2, 1],
        ],
        0.5,
        100,
      ),
    ).toEqual([2, 1, 0.5, 0, null]);
    expect(
      thresholdStops(
        [
          [0, 0, 1],
          [2, 1],
        ],
        5,
        100,
      ),
    ).toEqual([5, 2, 1, 0, null]);
    expect(thresholdStops([[], []], 1, 100)).toEqual([]);
    expect(thresholdStops([[], [1]], null, 100)).toEqual([1, null]);
  });

  it("have the shares above them, ties together", () => {
    expect(sharesAbove([0, 0, 1, 2], [2, 1, 0.5, 0, null])).toEqual([0, 0.25, 0.5, 0.5, 1]);
    expect(sharesAbove([0, 0], [0, null])).toEqual([0, 1]);
  });

  it("draw the curves of many scores to within the resolution, and small rates of the first group to a quarter of themselves", () => {
    const random = createRandom(5);
    const clean = Array.from({ length: 5000 }, () => random.next() ** 3);
    const attacked = Array.from({ length: 3000 }, () => Math.max(0, random.next() - 0.3)); // many ties at 0
    const stops = thresholdStops([clean, attacked], 0.123, 50);
    expect(stops.length).toBeLessThan(200);
    expect(stops).toContain(0.123);
    const [x, y] = [sharesAbove(clean, stops), sharesAbove(attacked, stops)];
    const every = roc(attacked, clean)?.points ?? [];
    const farthest = every.map((point) => {
      const nearest = x.map((rate, i) =>
        Math.max(Math.abs(rate - point.falsePositiveRate), Math.abs((y[i] ?? 0) - point.truePositiveRate)),
      );
      return Math.min(...nearest);
    });
    expect(Math.max(...farthest)).toBeLessThanOrEqual(1 / 50);
    const small = x.filter((rate) => rate > 0 && rate < 0.05);
    small.slice(1).forEach((rate, i) => {
      expect(rate / (small[i] ?? 1) <= 1.26 || rate - (small[i] ?? 0) < 1.5 / 5000).toBe(true);
    });
  });
});
