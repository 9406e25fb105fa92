import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { frontNotes } from "../../../../src/engine/classifier/defended.ts";
import type { Params } from "../../../../src/engine/define/index.ts";
import { frontDefenses } from "../../../../src/engine/session/frontDefenses.ts";
import { transform } from "./support.ts";

beforeAll(() => useBackend("cpu"));

const chain = (id: string, params: Params) => frontDefenses([{ id, params }]);
const notes = (id: string, params: Params, shape: readonly [number, number, number] = [5, 3, 1]) => frontNotes([chain(id, params)], shape);

/** What a defence makes of a grey image of 5×3 pixels. */
const behind = (kind: string, params: Params, pixels: readonly number[]): number[] => transform(kind, params, pixels, [1, 5, 3, 1]);

const grey = Array.from({ length: 15 }, (_, i) => i / 15);

describe("a window that is larger than the image", () => {
  it("is said, with what it sees beyond the edge, once for all arms", () => {
    const mirrored = "beyond its edge the image is mirrored, as often as it takes";
    expect(notes("medianFilter", { window: 9 })).toEqual([
      `Median filter: its window of 9×9 pixels is larger than the image of 5×3; ${mirrored}.`,
    ]);
    expect(notes("gaussianFilter", { window: 31 })).toEqual([expect.stringContaining(mirrored)]);
    expect(notes("bilateralFilter", { window: 5 })).toEqual([expect.stringContaining("beyond its edge there is black")]);
    expect(notes("bilateralFilter", { window: 5, border: "reflect" })).toEqual([expect.stringContaining(mirrored)]);
    expect(notes("localGradientSmoothing", { window: 500 })).toEqual([
      expect.stringContaining("500×500 pixels is larger than the image of 5×3; a block"),
    ]);
    expect(notes("digitalWatermark", {})).toHaveLength(1);
    const same = chain("medianFilter", { window: 9 });
    expect(frontNotes([same, same, []], [5, 3, 1])).toHaveLength(1);
  });

  it("is not said of one that fits, nor of what looks at single pixels or at the whole image", () => {
    expect(notes("medianFilter", { window: 3 })).toEqual([]);
    expect(notes("medianFilter", { window: 5 }, [5, 5, 3])).toEqual([]);
    expect(notes("digitalWatermark", { mode: "nonBlind", mask: "1,1,2,2" })).toEqual([]);
    for (const id of ["bitDepth", "jpeg", "totalVariation"]) expect(notes(id, {})).toEqual([]);
  });

  it("has a counterpart: a mask of the whole image leaves it as it is, and that is said", () => {
    expect(notes("digitalWatermark", { mode: "nonBlind", mask: "0,0,5,3" })).toEqual([
      "Digital watermarking: the mask covers the whole image of 5×3, so there is nothing to fill it from; images stay as they are.",
    ]);
    expect(notes("digitalWatermark", { mode: "blind", mask: "0,0,5,3", percentile: 97 }, [28, 28, 1])).toEqual([]);
    expect(behind("digitalWatermark", { mode: "nonBlind", mask: "0,0,5,3" }, grey)).toEqual(grey.map((v) => expect.closeTo(v, 6)));
  });

  it("of local gradient smoothing is the whole image: its mean is over the pixels that there are", () => {
    // The last column is bright: the gradient is 1 in the middle column, 0 elsewhere; its mean is 5/15.
    const pixels = Array.from({ length: 15 }, (_, i) => (i % 3 === 2 ? 0.9 : 0.4));
    const expected = (isKept: boolean) => pixels.map((value, i) => (isKept && i % 3 === 1 ? 0 : value));
    for (const [threshold, isKept] of [
      [0.3, true],
      [0.4, false],
    ] as const) {
      const found = behind("localGradientSmoothing", { window: 500, lambda: 2.3, threshold }, pixels);
      for (const [i, value] of expected(isKept).entries()) expect(found[i]).toBeCloseTo(value, 6);
    }
  });

  it("of the bilateral filter has black in it, as its formula says", () => {
    const pixels = Array.from({ length: 15 }, (_, i) => ((7 * i) % 15) / 20);
    const [window, sigmaColor, sigmaSpace] = [9, 0.4, 2];
    const found = behind("bilateralFilter", { window, sigmaColor, sigmaSpace }, pixels);
    const at = (row: number, column: number): number =>
      row < 0 || row > 4 || column < 0 || column > 2 ? 0 : (pixels[3 * row + column] as number);
    for (let i = 0; i < 15; i++) {
      const [row, column] = [Math.floor(i / 3), i % 3];
      let [sum, weights] = [0, 0];
      for (let r = -4; r <= 4; r++)
        for (let c = -4; c <= 4; c++) {
          const near = at(row + r, column + c);
          const weight = Math.exp(-((near - at(row, column)) ** 2) / (2 * sigmaColor ** 2) - (r * r + c * c) / (2 * sigmaSpace ** 2));
          sum += weight * near;
          weights += weight;
        }
      expect(found[i]).toBeCloseTo(sum / weights, 5);
    }
  });
});
