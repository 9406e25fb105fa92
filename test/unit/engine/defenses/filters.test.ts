import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import type { InferenceDefense, Params } from "../../../../src/engine/define/index.ts";
import { blockStarts } from "../../../../src/engine/filters/localGradients.ts";
import { type NpyArray, readNpz } from "../../../../src/engine/io/npz.ts";
import { bind } from "../../../../src/engine/registry.ts";
import { type Images, tf } from "../../../../src/engine/tf.ts";
import { linearClassifier, near, randomBatch } from "../fixtures.ts";

type Shape = readonly [number, number, number, number];
const bound = (id: string, params: Params) => bind("defense", { kind: id, ...params });

/** What the defence makes of images [b,H,W,C]. */
function transform(id: string, params: Params, values: ArrayLike<number>, shape: Shape): number[] {
  const view = { model: linearClassifier([[1], [2]], [1, 1, 1]), random: () => expect.unreachable("it is not randomised") };
  const { entry, params: complete } = bound(id, params);
  const x = (): Images => tf.tensor4d(Float32Array.from(values), [...shape]) as Images;
  return tf.tidy(() => [...(entry as InferenceDefense).transform(x(), complete, view).dataSync()]);
}
const refusal = (id: string, params: Params): string => {
  try {
    bound(id, params);
  } catch (error) {
    return String((error as Error).message);
  }
  return "";
};

/** Arrays `name0`, `name1`, … of a fixture. */
const fixture = (file: string) => readNpz(path.join(import.meta.dirname, "fixtures", file));
const numbered = (arrays: Readonly<Record<string, NpyArray>>, name: string): NpyArray[] =>
  Object.keys(arrays)
    .filter((key) => key.replace(/\d+$/, "") === name)
    .map((_, i) => arrays[`${name}${i}`] as NpyArray);

describe.each(["cpu", "onnxruntime"] as const)("on %s", (backend) => {
  beforeAll(() => useBackend(backend));

  /** Cases of filters.npz, written by NumPy 1.24, SciPy 1.10 and scikit-image 0.19 in double precision. */
  async function agrees(id: string, name: string, settings: (values: readonly number[]) => Params, bound: number): Promise<void> {
    const arrays = await fixture("filters.npz");
    const cases = numbered(arrays, name);
    expect(cases.length).toBeGreaterThan(2);
    for (const [i, image] of cases.entries()) {
      const expected = arrays[`${name}ed${i}`] as NpyArray;
      const params = settings([...((arrays[`${name}Setting${i}`] as NpyArray).data as Float64Array)]);
      const [h = 0, w = 0, c = 0] = image.shape;
      const ours = transform(id, params, image.data as Float32Array, [1, h, w, c]);
      expect(near(ours, [...(expected.data as Float64Array)]), JSON.stringify(params)).toBeLessThan(bound);
    }
  }

  describe("gaussianFilter", () => {
    it("spreads an impulse by the kernel: .369546² in the middle", () => {
      const x = new Float32Array(81);
      x[40] = 1;
      const y = transform("gaussianFilter", {}, x, [1, 9, 9, 1]);
      expect(y[40]).toBeCloseTo(0.369546 ** 2, 6);
      expect(y[41]).toBeCloseTo(0.369546 * 0.24446, 6);
      expect(y[42]).toBeCloseTo(0.369546 * 0.070766, 6);
    });

    it("agrees with scipy.ndimage.convolve1d, mode reflect, windows larger than the image too", () =>
      agrees("gaussianFilter", "gauss", ([window, sigma]) => ({ window, sigma }), 1e-6));

    it("keeps an image of one colour, and every image at window 1", () => {
      expect(near(transform("gaussianFilter", {}, new Float32Array(75).fill(0.3), [1, 5, 5, 3]), new Array(75).fill(0.3))).toBeLessThan(
        1e-6,
      );
      const { images } = randomBatch(1, [4, 4, 3], 2);
      expect(transform("gaussianFilter", { window: 1, sigma: 1 }, images, [1, 4, 4, 3])).toEqual([...images]);
    });

    it("refuses an even window", () => expect(refusal("gaussianFilter", { window: 4 })).toMatch(/window is 4 but must be odd/));
  });

  describe("bilateralFilter", () => {
    const spike = Float32Array.from({ length: 81 }, (_, i) => (i === 40 ? 1 : 0.5));
    it.each([
      [0, [1, 0.5, 0.5]],
      [0.5, [0.620916, 0.531017, 0.51852, 0.506711, 0.307377]],
    ] as const)("has the numbers of a spike at σ of colour %f", (sigmaColor, expected) => {
      const y = transform("bilateralFilter", { sigmaColor }, spike, [1, 9, 9, 1]);
      const places = [40, 41, 50, 42, 0];
      for (const [i, value] of expected.entries()) expect(y[places[i] ?? 0]).toBeCloseTo(value, 5);
    });

    it("agrees with the formula in NumPy, both borders, grey and colour", () =>
      agrees(
        "bilateralFilter",
        "bilateral",
        ([window, sigmaColor, sigmaSpace, zero]) => ({ window, sigmaColor, sigmaSpace, border: zero ? "zero" : "reflect" }),
        2e-6,
      ));

    it("keeps an image of one colour where the border is mirrored", () => {
      const y = transform("bilateralFilter", { border: "reflect" }, new Float32Array(75).fill(0.3), [1, 5, 5, 3]);
      expect(near(y, new Array(75).fill(0.3))).toBeLessThan(1e-6);
    });
  });

  describe("jpeg", () => {
    it("gives the pixels of Pillow, to the bit: six qualities, odd sizes, grey and colour, colours at half and at full resolution", async () => {
      const arrays = await fixture("pillow-jpeg.npz"); // Pillow 9.4, libjpeg-turbo 2.1
      const cases = numbered(arrays, "setting");
      expect(cases.length).toBe(52);
      for (const [i, { data }] of cases.entries()) {
        const [picture = 0, quality = 0, subsampling = 0] = data as Int32Array;
        const image = arrays[`image${picture}`] as NpyArray;
        const [h = 0, w = 0, c = 0] = image.shape;
        const params = { quality, subsampling: subsampling === 0 ? "4:4:4" : "4:2:0" };
        const ours = transform(
          "jpeg",
          params,
          Float32Array.from(image.data as Uint8Array, (v) => v / 255),
          [1, h, w, c],
        );
        const bytes = ours.map((v) => Math.round(v * 255));
        expect(bytes, `${h}×${w}×${c}, ${JSON.stringify(params)}`).toEqual([...((arrays[`decoded${i}`] as NpyArray).data as Uint8Array)]);
      }
    });

    const grey = (values: readonly number[], quality: number, side = 8): number[] => {
      const pixels = Float32Array.from({ length: side * side }, (_, i) => (values[i % values.length] ?? 0) / 255);
      return transform("jpeg", { quality }, pixels, [1, side, side, 1]).map((v) => Math.round(255 * v));
    };
    it("rounds a constant and a step as by hand", () => {
      expect(new Set(grey([130], 10))).toEqual(new Set([128]));
      expect(new Set(grey([130], 80))).toEqual(new Set([130]));
      expect(new Set(grey([140], 30))).toEqual(new Set([142]));
      expect(grey([0, 0, 0, 0, 255, 255, 255, 255], 30).slice(0, 8)).toEqual([4, 0, 5, 0, 255, 251, 255, 252]);
    });

    it("changes less the second time", () => {
      const { images } = randomBatch(1, [24, 24, 3], 5);
      const [once, distance] = [
        transform("jpeg", { quality: 40 }, images, [1, 24, 24, 3]),
        (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).reduce((sum, v, i) => sum + Math.abs(v - (b[i] ?? 0)), 0),
      ] as const; // prettier-ignore
      const twice = transform("jpeg", { quality: 40 }, once, [1, 24, 24, 3]);
      expect(distance(twice, once)).toBeLessThan(distance(once, images) / 4);
    });

    it("refuses a quality outside 1 to 100", () => {
      for (const quality of [0, 101, 7.5]) expect(refusal("jpeg", { quality })).toMatch(/quality/);
    });
  });

  describe("totalVariation", () => {
    const step = Float32Array.from({ length: 16 }, (_, i) => (i % 4 < 2 ? 0 : 1));
    it.each([
      [10, [0.014295, 0.055532, 0.96545, 0.991653]],
      [20, [0.007196, 0.037375, 0.980231, 0.995536]],
      [30, [0.004677, 0.030945, 0.98548, 0.996899]],
    ])("smooths a step at weight %i as by hand", (weight, expected) => {
      expect(near(transform("totalVariation", { weight }, step, [1, 4, 4, 1]).slice(4, 8), expected)).toBeLessThan(1e-6);
    });

    it("agrees with scikit-image's denoise_tv_bregman", () => agrees("totalVariation", "tv", ([weight]) => ({ weight }), 1e-6));

    it("varies the less the smaller the weight", () => {
      const { images } = randomBatch(1, [16, 16, 1], 4);
      const variation = (x: ArrayLike<number>): number =>
        Array.from(x).reduce(
          (sum, v, i) => sum + (i % 16 < 15 ? Math.abs((x[i + 1] ?? 0) - v) : 0) + (i < 240 ? Math.abs((x[i + 16] ?? 0) - v) : 0),
          0,
        ); // prettier-ignore
      const all = [10, 20, 30].map((weight) => variation(transform("totalVariation", { weight }, images, [1, 16, 16, 1])));
      expect(all).toEqual([...all].sort((a, b) => a - b));
      expect(all[2]).toBeLessThan(variation(images));
    });

    it("keeps one colour and takes an image of one pixel", () => {
      expect(near(transform("totalVariation", {}, new Float32Array(75).fill(0.3), [1, 5, 5, 3]), new Array(75).fill(0.3))).toBeLessThan(
        1e-7,
      );
      expect(near(transform("totalVariation", {}, [0.2, 0.4, 0.6], [1, 1, 1, 3]), [0.2, 0.4, 0.6])).toBeLessThan(1e-7);
    });
  });

  describe("localGradientSmoothing", () => {
    const x = new Float32Array(36).fill(0.5);
    x[7] = 1;
    x[28] = 0.7;
    const small = { window: 3, overlap: 1 };
    it.each([
      [2.3, 0.1, { 1: 0, 6: 0, 7: 0, 22: 0.174731, 27: 0.174731, 28: 0.056 }],
      [1.5, 0.1, { 1: 0, 6: 0, 7: 0, 22: 0.287868, 27: 0.287868, 28: 0.28 }],
      [2.3, 0.11, { 1: 0, 6: 0, 7: 0 }],
    ] as const)("has the numbers of the 6×6 image at λ %f, threshold %f", (lambda, threshold, changed) => {
      const expected = Array.from(x, (value, i) => (changed as Record<number, number>)[i] ?? value);
      expect(near(transform("localGradientSmoothing", { ...small, lambda, threshold }, x, [1, 6, 6, 1]), expected)).toBeLessThan(2e-6);
    });

    it("agrees with the formula in NumPy, colour and grey, Sobel's operator too", () =>
      agrees("localGradientSmoothing", "lgs", ([lambda, sobel]) => ({ lambda, operator: sobel ? "sobel" : "forward" }), 1e-5));

    it("divides an axis into blocks whose last one ends with it", () => {
      expect(blockStarts(299, 15, 5)).toEqual([...Array.from({ length: 29 }, (_, i) => 10 * i), 284]);
      expect(blockStarts(224, 15, 5)).toHaveLength(22);
      expect(blockStarts(32, 15, 5)).toEqual([0, 10, 17]);
      expect(blockStarts(28, 15, 5)).toEqual([0, 10, 13]);
      expect(blockStarts(15, 15, 5)).toEqual([0]);
      expect(blockStarts(4, 15, 5)).toEqual([0]);
    });

    it("keeps one colour as it is, only darkens, and the more the larger λ", () => {
      const flat = new Float32Array(75).fill(0.3);
      expect(transform("localGradientSmoothing", {}, flat, [1, 5, 5, 3])).toEqual([...flat]);
      const { images } = randomBatch(2, [20, 18, 3], 6);
      const all = [1.5, 1.9, 2.3].map((lambda) => transform("localGradientSmoothing", { lambda }, images, [2, 20, 18, 3]));
      for (const [i, value] of images.entries()) {
        const values = [value, ...all.map((result) => result[i] ?? Number.NaN)];
        expect(values).toEqual([...values].sort((a, b) => b - a));
        expect(values.at(-1)).toBeGreaterThanOrEqual(0);
      }
    });

    it("quiets a noisy square in a smooth image", () => {
      const side = 299;
      const { images: noise } = randomBatch(1, [42, 42, 3], 0);
      const ramp = Float32Array.from({ length: side * side * 3 }, (_, i) => (Math.floor(i / 3) % side) / side);
      const inside = (row: number, column: number): boolean => row >= 100 && row < 142 && column >= 100 && column < 142;
      for (let row = 100; row < 142; row++) ramp.set(noise.subarray((row - 100) * 126, (row - 99) * 126), (row * side + 100) * 3);
      const y = transform("localGradientSmoothing", {}, ramp, [1, side, side, 3]);
      let [black, far] = [0, 0];
      for (let i = 0; i < side * side; i++) {
        const isInside = inside(Math.floor(i / side), i % side);
        if (isInside && (y[3 * i] ?? 1) + (y[3 * i + 1] ?? 1) + (y[3 * i + 2] ?? 1) === 0) black++;
        if (!isInside)
          far = Math.max(far, Math.abs((y[3 * i] ?? 0) - (ramp[3 * i] ?? 0)) * Number(!inside(Math.floor(i / side) + 15, i % side)));
      }
      expect(black / 42 ** 2).toBeGreaterThan(0.2);
      expect(black / 42 ** 2).toBeLessThan(0.6);
    });

    it("has a finite gradient of its own where it is asked for, also of flat images", () => {
      const { entry, params } = bound("localGradientSmoothing", { differentiable: true });
      expect((entry as InferenceDefense).backward(params)).toBe("exact");
      expect((entry as InferenceDefense).backward(bound("localGradientSmoothing", {}).params)).toBe("bpda");
      const view = { model: linearClassifier([[1], [2]], [1, 1, 1]), random: () => expect.unreachable("it is not randomised") };
      const { images } = randomBatch(1, [17, 19, 3], 9);
      for (const pixels of [images, new Float32Array(images.length).fill(0.4)]) {
        const f = (x: tf.Tensor): tf.Tensor => tf.sum((entry as InferenceDefense).transform(x as Images, params, view));
        const gradient = tf.tidy(() =>
          tf
            .grad(f)(tf.tensor4d(pixels, [1, 17, 19, 3]))
            .dataSync(),
        );
        expect(gradient.every((value) => Number.isFinite(value))).toBe(true);
      }
    });

    it("refuses blocks that share more than they have", () =>
      expect(refusal("localGradientSmoothing", { window: 5, overlap: 5 })).toMatch(/overlap is 5 but must be below window, which is 5/));
  });

  it.each(["gaussianFilter", "bilateralFilter", "jpeg", "totalVariation", "localGradientSmoothing"])(
    "%s filters each image of a batch by itself",
    (id) => {
      const { images } = randomBatch(3, [17, 16, 3], 2);
      const size = 17 * 16 * 3;
      const together = transform(id, {}, images, [3, 17, 16, 3]);
      const alone = transform(id, {}, images.slice(size, 2 * size), [1, 17, 16, 3]);
      expect(near(together.slice(size, 2 * size), alone)).toBeLessThan(1e-7);
    },
  );
});
