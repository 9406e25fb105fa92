import { describe, expect, it } from "vitest";
import { createRandom, type Random } from "../../../../src/engine/random.ts";
import { connected } from "../../../../src/engine/superpixels/connected.ts";
import { type HostImage, labOf } from "../../../../src/engine/superpixels/lab.ts";
import { densitiesOf, parentsOf, quickshift } from "../../../../src/engine/superpixels/quickshift.ts";
import { slic } from "../../../../src/engine/superpixels/slic.ts";
import { superpixelsOf } from "../../../../src/engine/superpixels/superpixels.ts";
import { near } from "../fixtures.ts";
import scikitImage from "./scikitImage.json" with { type: "json" };

const imageOf = (height: number, width: number, channels: number, value: (y: number, x: number, c: number) => number): HostImage => ({
  pixels: Float64Array.from({ length: height * width * channels }, (_, i) =>
    value(Math.floor(i / (width * channels)), Math.floor(i / channels) % width, i % channels),
  ),
  height,
  width,
  channels,
});
const smooth = (y: number, x: number, c: number): number => {
  const v = 0.5 + 0.5 * Math.sin(0.35 * x * (1 + 0.3 * c) + 0.002 * y * y) * Math.cos(0.21 * y - 0.4 * c);
  return Math.min(1, Math.max(0, 1.2 * v - 0.1));
};
const texture = (y: number, x: number, c: number): number => ((7 * y * y + 13 * x + 29 * c * x + y * x) % 256) / 255;
const flat = (height: number, width = height): HostImage => imageOf(height, width, 3, () => 0.5);
const countOf = (segments: Int32Array): number => new Set(segments).size;
const noNoise: Random = { ...createRandom(1), normal: () => 0 };

/** A row of characters for each row of pixels, "(" for superpixel 0. */
const labels = (rows: readonly string[]): number[] => rows.flatMap((row) => [...row].map((c) => c.charCodeAt(0) - 40));

// scikit-image 0.19.3: quickshift(kernel_size=4, max_dist=200, ratio=.2) and slic(compactness=10, sigma=1), of the same formulas. The counts of SLIC
// are those for which its grid, of rounded steps, is that of ours.
describe("superpixels are those of scikit-image", () => {
  it.each([
    ["quickshift 40x48", imageOf(40, 48, 3, smooth)],
    ["quickshift 64x80", imageOf(64, 80, 3, smooth)],
    ["quickshift grey 28x28", imageOf(28, 28, 1, smooth)],
  ] as const)("%s", (name, image) => {
    expect(Array.from(quickshift(image, createRandom(3)))).toEqual(labels(scikitImage[name]));
  });

  it.each([
    ["slic 40x48 80", imageOf(40, 48, 3, smooth), 80],
    ["slic grey 28x28 49", imageOf(28, 28, 1, smooth), 49],
    ["slic 32x32 50", imageOf(32, 32, 3, smooth), 50],
  ] as const)("%s", (name, image, count) => {
    expect(Array.from(slic(image, count))).toEqual(labels(scikitImage[name]));
  });
});

describe("Lab", () => {
  it("is scikit-image's", () => {
    const pixels = [0.2, 0.5, 0.9, 1, 1, 1, 0, 0, 0, 0.01, 0.02, 0.03];
    const lab = labOf({ pixels, height: 2, width: 2, channels: 3 });
    const expected = [
      53.7009072, 12.1592686, -58.3486654, 100, -0.00245493786, 0.00465342115, 0, 0, 0, 1.30005392, -0.312350277, -1.199765,
    ];
    expect(near(lab, expected)).toBeLessThan(1e-6);
  });

  it("of a grey image is lightness alone", () => {
    const lab = labOf({ pixels: [0, 0.5, 1], height: 1, width: 3, channels: 1 });
    expect(near(lab, [0, 0, 0, 53.389, 0, 0, 100, 0, 0])).toBeLessThan(0.006);
  });
});

describe("quickshift", () => {
  it("sums densities over the window and follows the nearest denser pixel", () => {
    // Three pixels in a row, features 0, 0 and 4: d² = 1 (first two), 1 + 16 and 4 + 16.
    const features = Float64Array.from([0, 0, 0, 0, 0, 0, 4, 0, 0]);
    const size = { height: 1, width: 3 };
    const [a, b, c] = [Math.exp(-1 / 32), Math.exp(-17 / 32), Math.exp(-20 / 32)];
    const densities = densitiesOf(features, size);
    expect(near(densities, [1 + a + c, 1 + a + b, 1 + b + c])).toBeLessThan(1e-12);
    expect(Array.from(parentsOf(features, densities, size))).toEqual([1, 1, 1]);
  });

  it("looks no further than 12 pixels, and cuts links of 200", () => {
    const one = (width: number, value: number) => {
      const features = new Float64Array(3 * width);
      features[3 * (width - 1)] = value;
      const densities = Float64Array.from({ length: width }, (_, i) => (i === 0 ? 2 : i === width - 1 ? 1 : 3));
      return { features, densities };
    };
    const far = {
      features: new Float64Array(42),
      densities: Float64Array.from({ length: 14 }, (_, i) => (i === 0 ? 2 : i === 13 ? 1 : 0)),
    };
    expect(parentsOf(far.features, far.densities, { height: 1, width: 14 })[13]).toBe(13);
    const near12 = {
      features: new Float64Array(39),
      densities: Float64Array.from({ length: 13 }, (_, i) => (i === 0 ? 2 : i === 12 ? 1 : 0)),
    };
    expect(parentsOf(near12.features, near12.densities, { height: 1, width: 13 })[12]).toBe(0);
    const { features, densities } = one(2, 250);
    expect(Array.from(parentsOf(features, densities, { height: 1, width: 2 }))).toEqual([0, 1]);
  });

  it("makes one superpixel of a small constant image, and some of a large one, whose windows do not meet", () => {
    expect(countOf(quickshift(flat(20), createRandom(1)))).toBe(1);
    const large = quickshift(flat(64), createRandom(1));
    expect(countOf(large)).toBeGreaterThan(1);
    expect(countOf(large)).toBeLessThan(20);
  });

  it("without ties does not depend on its random numbers, and with them on nothing else", () => {
    const image = imageOf(20, 24, 3, texture);
    expect(quickshift(image, createRandom(1))).toEqual(quickshift(image, noNoise));
    expect(quickshift(flat(64), createRandom(2))).toEqual(quickshift(flat(64), createRandom(2)));
    expect(quickshift(flat(64), createRandom(2))).not.toEqual(quickshift(flat(64), createRandom(3)));
  });
});

describe("SLIC", () => {
  it("of a constant image is its grid", () => {
    const segments = slic(flat(20), 16); // S = 5
    expect(Array.from(segments)).toEqual(Array.from({ length: 400 }, (_, p) => 4 * Math.floor(p / 100) + Math.floor((p % 20) / 5)));
  });

  it("is defined for single pixels and lines, and for more superpixels than pixels", () => {
    expect(Array.from(slic(flat(1), 50))).toEqual([0]);
    expect(countOf(slic(flat(1, 28), 5))).toBeGreaterThan(3);
    expect(countOf(slic(flat(3), 50))).toBe(9);
    expect(countOf(slic(flat(9), 1))).toBe(1);
  });
});

describe("connected pieces", () => {
  it("join a neighbour where they are small, and are cut where they are large", () => {
    // Superpixel 1 lies in two places: its single pixel joins the piece to the left and above.
    const segments = Int32Array.from([0, 0, 1, 1, 0, 0, 1, 1, 0, 1, 0, 0]);
    expect(Array.from(connected(segments, { height: 3, width: 4 }, 4))).toEqual([0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 2, 2]);
    const line = connected(new Int32Array(10), { height: 1, width: 10 }, 2);
    expect(Array.from(line)).toEqual([0, 0, 0, 0, 0, 0, 1, 1, 1, 1]);
  });
});

describe("superpixelsOf", () => {
  it("takes SLIC for small images and quickshift for others, where it is left to it", () => {
    const [small, large] = [imageOf(28, 28, 1, smooth), imageOf(72, 60, 3, smooth)];
    const auto = { segmentation: "auto", segments: "auto" } as const;
    expect(superpixelsOf(small, auto, createRandom(1))).toEqual(slic(small, 50));
    expect(superpixelsOf(large, auto, createRandom(1))).toEqual(quickshift(large, createRandom(1)));
    expect(superpixelsOf(large, { ...auto, segmentation: "slic" }, createRandom(1))).toEqual(slic(large, 100));
    expect(superpixelsOf(large, { segmentation: "slic", segments: 12 }, createRandom(1))).toEqual(slic(large, 12));
  });
});
