import { expect, test } from "vitest";
import { scaleOf, ticks, tickTexts } from "../../../../src/shared/figures/ticks.ts";

test("ticks are 1, 2 or 5 times a power of ten", () => {
  expect(ticks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
  expect(ticks(3, 48, 4)).toEqual([20, 40]);
  expect(ticks(-1, 1, 2)).toEqual([-1, 0, 1]);
});

const number = { label: "y", format: "number" } as const;
const texts = (scale: ReturnType<typeof scaleOf>): string[] => scale.ticks.map(({ text }) => text);

test("an axis with round ends reaches 0 where the values are shares or come near it, and no further", () => {
  const ends = (axis: Parameters<typeof scaleOf>[0], values: number[]) => {
    const { low, high } = scaleOf(axis, values, { wanted: 5, ends: "round" });
    return [low, high].map((value) => Number(value.toPrecision(9)));
  };
  expect(ends(number, [3.1, 3.4])).toEqual([3.1, 3.4]);
  expect(ends(number, [0.25, 1.5])).toEqual([0, 1.5]);
  expect(ends(number, [-3.4, -3.1])).toEqual([-3.4, -3.1]);
  expect(ends({ label: "δ", format: "points" }, [0.4, 0.5])).toEqual([0, 0.5]);
  expect(ends(number, [0.3])).toEqual([0, 0.3]);
  expect(ends(number, [])).toEqual([0, 1]);
});

test("an axis with a margin ends a little beyond the values, and shares of a whole end with the whole", () => {
  const ends = (axis: Parameters<typeof scaleOf>[0], values: number[]) => {
    const { low, high } = scaleOf(axis, values, { wanted: 5, ends: "margin" });
    return [low, high].map((value) => Number(value.toPrecision(6)));
  };
  const percent = { label: "accuracy", format: "percent" } as const;
  expect(ends(number, [10, 20])).toEqual([9.4, 20.6]);
  expect(ends(percent, [0.4, 0.9])).toEqual([0.37, 0.93]);
  expect(ends(percent, [0.01, 1])).toEqual([0, 1]);
  expect(ends(percent, [0.5])).toEqual([0.45, 0.55]);
  expect(ends({ ...number, scale: "log" }, [1, 100])).toEqual([0.758578, 131.826]); // 10^−0.12 and 10^2.12
  expect(texts(scaleOf({ ...number, scale: "log" }, [3, 4], { wanted: 5, ends: "margin" }))).toEqual(["3", "3.5", "4"]);
});

test("a value stands at its share of the way; one that is none has no place", () => {
  const linear = scaleOf(number, [2, 6], { wanted: 5 });
  expect([2, 3, 6, Number.NaN].map((v) => linear.at(v))).toEqual([0, 0.25, 1, null]);
  const log = scaleOf({ ...number, scale: "log" }, [1, 1000], { wanted: 5 });
  expect([1, 10, 1000].map((v) => Number(log.at(v)?.toFixed(9)))).toEqual([0, 0.333333333, 1]);
  expect([0, -1].map((v) => log.at(v))).toEqual([null, null]);
  expect(texts(log)).toEqual(["1", "10", "100", "1000"]);
  expect(texts(scaleOf({ ...number, scale: "log" }, [2, 8], { wanted: 5 }))).toEqual(["1", "2", "5", "10"]);
});

test("a single value has room on both sides", () => {
  const scale = scaleOf({ label: "Z", format: "count" }, [16], { wanted: 4 });
  expect(scale.at(16)).toBe(0.5);
});

test("counts have whole ticks, percentages only the decimals that they need", () => {
  expect(texts(scaleOf({ label: "n", format: "count" }, [1, 3], { wanted: 8 }))).toEqual(["1", "2", "3"]);
  expect(tickTexts([0, 0.2, 1], "percent")).toEqual(["0 %", "20 %", "100 %"]);
  expect(tickTexts([0, 0.005], "percent")).toEqual(["0.0 %", "0.5 %"]);
  expect(tickTexts([-0.1, 0.1], "difference")).toEqual(["−10", "+10"]);
});
