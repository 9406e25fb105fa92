import { describe, expect, it } from "vitest";
import { pasted as pastedOn, patchGradient } from "../../../../src/engine/patches/paste.ts";
import type { ImageShape, Patch } from "../../../../src/engine/patches/patch.ts";
import { pasteInto, type Warp, warpOf } from "../../../../src/engine/patches/warp.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { near } from "../fixtures.ts";

const patchOf = (height: number, width: number, pixels: number[], mask?: number[]): Patch => ({
  height,
  width,
  channels: pixels.length / (height * width),
  pixels: Float32Array.from(pixels),
  mask: Float32Array.from(mask ?? new Array<number>(height * width).fill(1)),
  shape: "square",
  target: null,
});
const noise = (shape: ImageShape, seed = 1): Float32Array => createRandom(seed).uniforms(shape[0] * shape[1] * shape[2]);
const pasted = (image: Float32Array, patch: Patch, warp: Warp): Float32Array => {
  const copy = Float32Array.from(image);
  pasteInto(copy, patch.pixels, warp, patch.channels);
  return copy;
};

describe("pasting a patch", () => {
  it("copies it exactly when it is neither turned nor scaled", () => {
    const shape = [5, 6, 2] as const;
    const image = noise(shape);
    const patch = patchOf(2, 3, [...noise([2, 3, 2], 2)]);
    const expected = Float32Array.from(image);
    for (
      let i = 0;
      i < 2;
      i++ // rows 1–2, columns 3–5: the middle is (2, 4.5)
    )
      for (let j = 0; j < 3; j++)
        for (let c = 0; c < 2; c++) expected[((i + 1) * 6 + j + 3) * 2 + c] = patch.pixels[(i * 3 + j) * 2 + c] as number;
    const warp = warpOf(patch, { row: 2, column: 4.5, rotation: 0, scale: 1 }, shape);
    expect(pasted(image, patch, warp)).toEqual(expected);
    expect([...warp.pixels]).toEqual([9, 10, 11, 15, 16, 17]);
  });

  // numpy.rot90 of 1 2 3 / 4 5 6 / 7 8 9, once to three times
  it.each([
    [90, [3, 6, 9, 2, 5, 8, 1, 4, 7]],
    [180, [9, 8, 7, 6, 5, 4, 3, 2, 1]],
    [-90, [7, 4, 1, 8, 5, 2, 9, 6, 3]],
    [450, [3, 6, 9, 2, 5, 8, 1, 4, 7]],
  ])("turned by %d° is what rot90 gives, exactly", (rotation, expected) => {
    const patch = patchOf(3, 3, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]);
    const shape = [5, 5, 1] as const;
    const image = pasted(noise(shape), patch, warpOf(patch, { row: 2.5, column: 2.5, rotation, scale: 1 }, shape));
    const inside = [1, 2, 3].flatMap((y) => [1, 2, 3].map((x) => image[y * 5 + x]));
    expect(inside).toEqual(expected.map((v) => Math.fround(v / 10)));
  });

  it("is bilinear between pixels", () => {
    const shape = [4, 4, 1] as const;
    const half = pasted(
      new Float32Array(16).fill(0.2),
      patchOf(1, 1, [1]),
      warpOf(patchOf(1, 1, [1]), { row: 2, column: 1.5, rotation: 0, scale: 1 }, shape),
    );
    expect(near(half, [0.2, 0.2, 0.2, 0.2, 0.2, 0.6, 0.2, 0.2, 0.2, 0.6, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2])).toBeLessThan(1e-6);
    // One cell of twice the size: ¼ and ¾ of a pixel from its middle leave weights ¾ and ¼ on each axis.
    const twice = pasted(
      new Float32Array(16),
      patchOf(1, 1, [1]),
      warpOf(patchOf(1, 1, [1]), { row: 2, column: 2, rotation: 0, scale: 2 }, shape),
    );
    const [a, b, c] = [0.0625, 0.1875, 0.5625];
    expect([...twice]).toEqual([a, b, b, a, b, c, c, b, b, c, c, b, a, b, b, a]);
  });

  it("never shows a cell outside the mask", () => {
    const patch = patchOf(2, 2, [0.3, 1, 1, 0.3], [1, 0, 0, 1]);
    const shape = [6, 6, 1] as const;
    const warp = warpOf(patch, { row: 3.2, column: 2.9, rotation: 30, scale: 1.3 }, shape);
    const image = pasted(new Float32Array(36).fill(0.3), patch, warp);
    expect(near(image, new Float32Array(36).fill(0.3))).toBeLessThan(1e-6);
    expect(warp.alpha.reduce((sum, w) => sum + w, 0)).toBeGreaterThan(2);
  });

  it("leaves the image outside the turned and scaled square as it is, over the border too", () => {
    const shape = [7, 9, 3] as const;
    const image = noise(shape);
    const patch = patchOf(3, 3, [...noise([3, 3, 3], 3)]);
    const rng = createRandom(4);
    for (let n = 0; n < 50; n++) {
      const placement = {
        row: rng.uniform(-1, 8),
        column: rng.uniform(-1, 10),
        rotation: rng.uniform(-180, 180),
        scale: rng.uniform(0.3, 1.5),
      };
      const warp = warpOf(patch, placement, shape);
      const result = pasted(image, patch, warp);
      const touched = new Set<number>();
      // Sides of the square as one sees them, turned counter-clockwise while rows count downwards; bilinear weights reach half a cell beyond.
      const angle = (placement.rotation * Math.PI) / 180;
      const [across, down] = [[Math.cos(angle), -Math.sin(angle)] as const, [Math.sin(angle), Math.cos(angle)] as const];
      for (let i = 0; i < result.length; i++) {
        const pixel = Math.floor(i / 3);
        const [dx, dy] = [(pixel % 9) + 0.5 - placement.column, Math.floor(pixel / 9) + 0.5 - placement.row];
        const reach = Math.max(...[across, down].map(([x, y]) => Math.abs(dx * x + dy * y))) / placement.scale;
        if (reach >= 2 + 1e-6) expect(result[i]).toBe(image[i]);
        if (reach < 2 - 1e-6) touched.add(pixel);
      }
      expect(new Set(warp.pixels)).toEqual(touched);
    }
  });
});

describe("gradients of pasting", () => {
  const shape = [6, 6, 2] as const;
  const patch = patchOf(3, 3, [...noise([3, 3, 2], 5)], [0, 1, 0, 1, 1, 1, 0, 1, 0]);
  const warps = [
    warpOf(patch, { row: 2.3, column: 3.1, rotation: 20, scale: 1.2 }, shape),
    warpOf(patch, { row: 4, column: 3.5, rotation: -75, scale: 0.8 }, shape),
  ];
  const images = noise([2, 6, 12], 6);

  it("sum over a batch to the warped mask", () => {
    const values = patchGradient(new Float32Array(images.length).fill(1), patch, warps);
    const mask = warps.flatMap((warp) => [...warp.alpha]).reduce((sum, w) => sum + w, 0);
    for (const channel of [0, 1]) {
      const sum = Array.from(values)
        .filter((_, i) => i % 2 === channel)
        .reduce((a, b) => a + b, 0);
      expect(sum).toBeCloseTo(mask, 4);
    }
    // Cells outside the mask have none.
    expect([0, 2, 6, 8].map((cell) => values[2 * cell])).toEqual([0, 0, 0, 0]);
  });

  it("are what differences say", () => {
    const weights = noise([2, 6, 12], 8);
    const value = (pixels: Float32Array): number =>
      pastedOn(images, { ...patch, pixels }, warps).reduce((sum, v, i) => sum + v * v * (weights[i] as number), 0);
    const gradient = patchGradient(
      pastedOn(images, patch, warps).map((v, i) => 2 * v * (weights[i] as number)),
      patch,
      warps,
    );
    const slope = (i: number): number => {
      const at = (d: number): number => {
        const moved = Float32Array.from(patch.pixels);
        moved[i] = (moved[i] as number) + d;
        return value(moved);
      };
      return (at(0.01) - at(-0.01)) / 0.02; // a quadratic: central differences are exact
    };
    for (const i of [2, 3, 8, 9, 15]) expect(gradient[i]).toBeCloseTo(slope(i), 2);
  });

  it("need a place for each image", () => expect(() => pastedOn(new Float32Array(7), patch, warps)).toThrow("2 places for 7 values"));
});
