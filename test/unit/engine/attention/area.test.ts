import { beforeAll, describe, expect, it } from "vitest";
import { attentionArea, iou } from "../../../../src/engine/attention/area.ts";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { tf } from "../../../../src/engine/tf.ts";

beforeAll(() => useBackend("cpu"));

const area = (values: number[][], mode: Parameters<typeof attentionArea>[1]) =>
  Array.from(attentionArea(tf.tensor3d([values]), mode).dataSync());

describe("attention area", () => {
  it("takes values of at least the mean, whatever the scale", () => {
    expect(
      area(
        [
          [0, 0.25],
          [1, 1.75],
        ],
        { kind: "mean" },
      ),
    ).toEqual([0, 0, 1, 1]); // mean .75
    expect(
      area(
        [
          [0, 0.142857],
          [0.571429, 1],
        ],
        { kind: "mean" },
      ),
    ).toEqual([0, 0, 1, 1]); // mean .428571
  });

  it("is empty for a zero map and everything for a constant one, in every mode", () => {
    for (const mode of [{ kind: "mean" }, { kind: "fixed", threshold: 0 }, { kind: "equalSize", count: 2 }] as const) {
      expect(
        area(
          [
            [0, 0],
            [0, 0],
          ],
          mode,
        ),
      ).toEqual([0, 0, 0, 0]);
    }
    expect(
      area(
        [
          [0.1, 0.1, 0.1],
          [0.1, 0.1, 0.1],
          [0.1, 0.1, 0.1],
        ],
        { kind: "mean" },
      ),
    ).toEqual(Array(9).fill(1));
  });

  it("takes values of at least a threshold, or the largest with ties to the lower index", () => {
    expect(
      area(
        [
          [0.5, 0.4],
          [0.6, 0.1],
        ],
        { kind: "fixed", threshold: 0.5 },
      ),
    ).toEqual([1, 0, 1, 0]);
    expect(
      area(
        [
          [0.5, 0.7],
          [0.5, 0.5],
        ],
        { kind: "equalSize", count: 2 },
      ),
    ).toEqual([1, 1, 0, 0]);
  });

  it("treats every image on its own", () => {
    const areas = attentionArea(tf.tensor3d([[[0, 1]], [[0, 0]], [[8, 9]]]), { kind: "mean" });
    expect(Array.from(areas.dataSync())).toEqual([0, 1, 0, 0, 0, 1]);
  });
});

describe("intersection over union", () => {
  it.each([
    [5, 0.6667],
    [10, 0.8182],
    [20, 0.9048],
    [30, 0.9355],
  ])("of the top %i cells of a map and the map one column on is %f", (count, expected) => {
    const map = tf.tensor3d([Array.from({ length: 8 }, (_, r) => Array.from({ length: 8 }, (_, c) => 64 - (8 * r + c)))]);
    const shifted = tf.tensor3d([
      Array.from({ length: 8 }, (_, r) => Array.from({ length: 8 }, (_, c) => (r === 0 && c === 0 ? 0 : 65 - (8 * r + c)))),
    ]);
    const [a, b] = [map, shifted].map((m) => attentionArea(m, { kind: "equalSize", count }).dataSync());
    expect(iou(a ?? [], b ?? [])).toBeCloseTo(expected, 3);
  });

  it("with a ground truth of the same size is .2", () => {
    const ramp = tf.tensor3d([Array.from({ length: 4 }, (_, r) => Array.from({ length: 4 }, (_, c) => 4 * r + c))]);
    const truth = Array.from({ length: 16 }, (_, i) => Number([1, 2].includes(Math.floor(i / 4)) && i % 4 >= 1));
    expect(iou(attentionArea(ramp, { kind: "equalSize", count: 6 }).dataSync(), truth)).toBeCloseTo(0.2, 6);
  });

  it("is 1 with itself, symmetric, and null for two empty areas", () => {
    expect(iou([1, 0, 1], [1, 0, 1])).toBe(1);
    expect(iou([1, 1, 0], [0, 1, 1])).toBe(iou([0, 1, 1], [1, 1, 0]));
    expect(iou([0, 0], [0, 0])).toBeNull();
  });
});
