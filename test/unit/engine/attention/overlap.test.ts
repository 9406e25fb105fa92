import { describe, expect, it } from "vitest";
import { iou, largestOf } from "../../../../src/engine/attention/area.ts";
import { boxArea, meanOnGrid, randomOverlap, scaledCells } from "../../../../src/engine/attention/overlap.ts";

const box = (xmin: number, ymin: number, xmax: number, ymax: number) => ({ label: "", xmin, ymin, xmax, ymax });

describe("areas of equal size", () => {
  it("a map and the same one shifted cyclically by a column", () => {
    const map = Array.from({ length: 64 }, (_, i) => 63 - i);
    const shifted = map.map((_, i) => map[8 * Math.floor(i / 8) + ((i + 7) % 8)] as number);
    const of = (k: number) => iou(largestOf(map, k), largestOf(shifted, k)) ?? Number.NaN;
    expect([5, 10, 20, 30].map((k) => Number(of(k).toFixed(4)))).toEqual([0.6667, 0.8182, 0.9048, 0.9355]);
    expect(iou(largestOf(shifted, 10), largestOf(map, 10))).toBe(of(10));
    expect(iou(largestOf(map, 10), largestOf(map, 10))).toBe(1);
  });

  it("a ramp and a box of six pixels: the last six of sixteen", () => {
    const truth = boxArea([box(1, 1, 4, 3)], [4, 4]);
    expect([...truth]).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 0]);
    const ramp = Array.from({ length: 16 }, (_, i) => i);
    expect([...largestOf(ramp, 6)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1]);
    expect(iou(largestOf(ramp, 6), truth)).toBeCloseTo(0.2, 12);
  });

  it("ties go to the lower index, so that the size is exact", () => {
    expect([...largestOf([0, 1, 1, 0, 1], 2)]).toEqual([0, 1, 1, 0, 0]);
    expect([...largestOf([0, 0, 2], 2)]).toEqual([1, 0, 1]);
  });
});

describe("number of cells", () => {
  it("is the same share of any grid, rounded half up, and at least one", () => {
    expect([5, 10, 20, 30].map((k) => scaledCells(k, 64))).toEqual([5, 10, 20, 30]);
    expect([5, 10, 20, 30].map((k) => scaledCells(k, 49))).toEqual([4, 8, 15, 23]); // 3.83, 7.66, 15.31, 22.97
    expect(scaledCells(2, 16)).toBe(1); // ½
    expect(scaledCells(6, 16)).toBe(2); // 1½
    expect(scaledCells(1, 4)).toBe(1);
  });

  it("random cells share what the hypergeometric distribution says", () => {
    // scipy.stats.hypergeom(n, k, k), the expectation of j/(2k−j)
    for (const [k, n, expected] of [
      [5, 64, 0.044809530313192715],
      [10, 64, 0.08848622690587427],
      [20, 64, 0.18834593334074273],
      [30, 64, 0.30863240920482626],
      [23, 49, 0.30996308070463846],
      [61, 196, 0.18530429671374649],
      [3000, 10_000, 0.17649053895021083],
    ] as const)
      expect(randomOverlap(k, n)).toBeCloseTo(expected, 9);
    expect(randomOverlap(2, 4)).toBeCloseTo((1 + 4 / 3) / 6, 12); // of six pairs of two cells: the same, four with one in common, none
    expect(randomOverlap(2, 3)).toBeCloseTo((1 + 2 / 3) / 3, 12);
    expect(randomOverlap(4, 4)).toBe(1);
  });
});

describe("boxes", () => {
  it("are cut off at the border, and empty where nothing of them is inside", () => {
    expect([...boxArea([box(-3, -1, 1, 1), box(1, 1, 9, 9)], [2, 2])]).toEqual([1, 0, 0, 1]);
    for (const outside of [box(2, 0, 5, 2), box(-4, 0, 0, 2), box(0, 2, 2, 3), box(0, -3, 2, 0)])
      expect([...boxArea([outside], [2, 2])]).toEqual([0, 0, 0, 0]);
    expect([...boxArea([], [1, 2])]).toEqual([0, 0]);
  });

  it("hold the pixels whose middle lies inside", () => {
    expect([...boxArea([box(0.5, 0, 2.5, 1)], [1, 4])]).toEqual([1, 1, 0, 0]);
    expect([...boxArea([box(0.6, 0, 2.6, 1)], [1, 4])]).toEqual([0, 1, 1, 0]);
    expect([...boxArea([box(0.6, 0, 1.4, 1)], [1, 4])]).toEqual([0, 0, 0, 0]);
  });
});

it("the mean over a grid counts a pixel between two cells for both", () => {
  expect([...meanOnGrid([1, 2, 3, 4, 5, 6, 7, 8], [2, 4], [1, 2])]).toEqual([3.5, 5.5]);
  expect([...meanOnGrid([1, 2, 3], [1, 3], [1, 2])].map((v) => Number(v.toFixed(5)))).toEqual([1.33333, 2.66667]); // (1 + 2·½)/1.5
  expect([...meanOnGrid([1, 2, 3, 4], [2, 2], [2, 2])]).toEqual([1, 2, 3, 4]);
});
