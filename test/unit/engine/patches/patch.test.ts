import { describe, expect, it } from "vitest";
import { coverageOf, greyPatch, radiusOf, rounded, sideOf } from "../../../../src/engine/patches/patch.ts";
import { fitsInside, halfExtent, randomPlacement, reach, refuseTransforms, turn } from "../../../../src/engine/patches/placement.ts";
import { warpOf } from "../../../../src/engine/patches/warp.ts";
import { createRandom } from "../../../../src/engine/random.ts";

describe("the size of a patch", () => {
  it.each([
    [32, [7, 10, 12, 14, 16]],
    [299, [67, 95, 116, 134, 150]],
  ])("covers 5, 10, 15, 20 and 25 % of %d×%d", (side, expected) => {
    expect([0.05, 0.1, 0.15, 0.2, 0.25].map((f) => sideOf(f, [side, side, 3]))).toEqual(expected);
  });

  it("of a disc has the radius √(fHW/π)", () => {
    expect(radiusOf(0.2, [10, 10, 1])).toBeCloseTo(2.5231, 4);
    // Within 2.5231 of the middle of a cell lie 21 cells, of a corner of cells 16: the former is nearer to 20.
    const disc = greyPatch("disc", 0.2, [10, 10, 1], null);
    expect([disc.height, disc.width]).toEqual([5, 5]);
    expect([...disc.mask]).toEqual([0, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 0]);
    expect(coverageOf(disc, [10, 10, 1])).toBeCloseTo(0.21, 6);
  });

  it.each([0.05, 0.1, 0.25])("of a disc on photos is the area asked for, %d", (area) => {
    expect(Math.abs(coverageOf(greyPatch("disc", area, [224, 224, 3], null), [224, 224, 3]) - area)).toBeLessThan(0.001);
  });

  it("of area 0 is nothing", () => {
    expect(greyPatch("disc", 0, [8, 8, 1], 2)).toMatchObject({ height: 0, width: 0, target: 2 });
  });

  it("is refused when it is larger than the image", () => {
    expect(() => greyPatch("square", 0.5, [16, 64, 3], null)).toThrow(
      /50.0 % of the image is 23×23 pixels, larger than the image of 16×64/,
    );
    const patch = greyPatch("square", 0.25, [16, 16, 3], null);
    expect(() => refuseTransforms(patch, [16, 16, 3], { rotation: 0, scaleMin: 1, scaleMax: 2.5 })).toThrow(/scale 2.5 is 20×20 pixels/);
  });

  it("is refused when it is less than a pixel", () => {
    for (const shape of ["square", "disc"] as const) {
      expect(() => greyPatch(shape, 0.0003, [28, 28, 1], null)).toThrow(
        expect.objectContaining({ code: "PARAMETER_INVALID", fix: expect.stringContaining("0 for no patch") }),
      );
      expect([...greyPatch(shape, 1 / 784, [28, 28, 1], null).mask]).toEqual([1]);
    }
    expect(greyPatch("square", 0, [28, 28, 1], null).pixels).toHaveLength(0);
  });

  it("has colours that a PNG can hold", () => {
    const patch = { ...greyPatch("square", 0.04, [10, 10, 1], null), pixels: Float32Array.from([0, 0.5, 0.1, 1]) };
    expect([...rounded(patch).pixels]).toEqual([0, 128, 26, 255].map((byte) => Math.fround(byte / 255)));
  });
});

describe("placements", () => {
  it("turn exactly by quarters", () => {
    expect([0, 90, 180, 270, 360, -90].map(turn)).toEqual([
      [1, 0],
      [0, 1],
      [-1, 0],
      [0, -1],
      [1, 0],
      [0, -1],
    ]);
    expect(turn(30)[1]).toBeCloseTo(0.5, 12);
  });

  it("know how far a turned square reaches", () => {
    const square = greyPatch("square", 0.25, [8, 8, 1], null); // 4×4
    expect(halfExtent(square, { rotation: 45, scale: 1 })[0]).toBeCloseTo(2 * Math.SQRT2, 9);
    expect(halfExtent({ ...square, shape: "disc" }, { rotation: 45, scale: 2 })).toEqual([4, 4]);
    expect(fitsInside(square, { row: 2, column: 6, rotation: 0, scale: 1 }, [8, 8, 1])).toBe(true);
    expect(fitsInside(square, { row: 2, column: 6, rotation: 5, scale: 1 }, [8, 8, 1])).toBe(false);
  });

  it("lie on whole pixels when neither turned nor scaled, anywhere inside", () => {
    const patch = greyPatch("square", 0.1, [10, 12, 1], null); // side 3
    const rng = createRandom(1);
    const seen = Array.from({ length: 3000 }, () => randomPlacement(patch, [10, 12, 1], { rotation: 0, scaleMin: 1, scaleMax: 1 }, rng));
    const rows = new Set(seen.map(({ row }) => row));
    const columns = new Set(seen.map(({ column }) => column));
    expect([...rows].sort((a, b) => a - b)).toEqual([1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5]);
    expect(columns.size).toBe(10);
  });

  it.each(["square", "disc"] as const)("keep a %s inside the image and within its promised reach", (shape) => {
    const image = [20, 26, 1] as const;
    const patch = greyPatch(shape, 0.12, image, null);
    const transforms = { rotation: 180, scaleMin: 0.4, scaleMax: 1.3 };
    const { pixels, side } = reach(patch, transforms);
    const rng = createRandom(2);
    for (let n = 0; n < 500; n++) {
      const placement = randomPlacement(patch, image, transforms, rng);
      expect(fitsInside(patch, placement, image)).toBe(true);
      const warp = warpOf(patch, placement, image);
      expect(warp.pixels.length).toBeLessThanOrEqual(pixels);
      const rows = [...warp.pixels].map((p) => Math.floor(p / 26));
      const columns = [...warp.pixels].map((p) => p % 26);
      expect(Math.max(...rows) - Math.min(...rows) + 1).toBeLessThanOrEqual(side);
      expect(Math.max(...columns) - Math.min(...columns) + 1).toBeLessThanOrEqual(side);
    }
    expect(side).toBeLessThan(20);
    expect(pixels).toBeLessThan(0.5 * 20 * 26);
  });
});
