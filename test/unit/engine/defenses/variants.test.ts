import path from "node:path";
import sharp, { type JpegOptions } from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import type { DefenseView } from "../../../../src/engine/define/index.ts";
import { withoutDropped } from "../../../../src/engine/filters/pixelDropout.ts";
import type { NpyArray } from "../../../../src/engine/io/npz.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { bind } from "../../../../src/engine/registry.ts";
import { near, randomBatch } from "../fixtures.ts";
import { fixture, numbered, refusal, transform } from "./support.ts";

describe("totalVariation, variant guo", () => {
  beforeAll(() => useBackend("cpu"));
  const drawing = (first = 0): DefenseView => ({
    get model(): never {
      return expect.unreachable("it needs no model");
    },
    random: (i) => createRandom(`image ${first + i}`),
  });
  const guo = { variant: "guo" };

  it("reaches the minimum that SciPy's L-BFGS-B finds for the same dropped pixels", async () => {
    const arrays = await fixture("variants.npz"); // SciPy 1.10, the norms smoothed by 1e-6 at last
    const cases = numbered(arrays, "guo");
    expect(cases.length).toBe(4);
    for (const [i, { shape, data }] of cases.entries()) {
      const [lambda = 0] = (arrays[`guoSetting${i}`] as NpyArray).data as Float64Array;
      const kept = (arrays[`guoKept${i}`] as NpyArray).data as Uint8Array;
      const [h = 0, w = 0] = shape;
      const exact = withoutDropped({ lambda, kept, tolerance: 1e-8 })(data as Float32Array, [h, w, 1], 0);
      expect(near(exact, (arrays[`guoed${i}`] as NpyArray).data as Float64Array), `case ${i}`).toBeLessThan(1e-4);
    }
  });

  it("fills dropped values from their surroundings: one colour stays one colour", () => {
    const flat = new Float32Array(300).fill(0.3);
    expect(near(transform("totalVariation", { ...guo, dropout: 0.6 }, flat, [1, 10, 10, 3], drawing()), flat)).toBeLessThan(1e-6);
  });

  it("keeps the image at λ 0, and makes one colour of noise at a large λ", () => {
    const { images } = randomBatch(1, [12, 12, 1], 4);
    expect(transform("totalVariation", { ...guo, lambda: 0 }, images, [1, 12, 12, 1], drawing())).toEqual([...images]);
    const smooth = transform("totalVariation", { ...guo, lambda: 0.5 }, images, [1, 12, 12, 1], drawing());
    expect(Math.max(...smooth) - Math.min(...smooth)).toBeLessThan(0.001);
  });

  it("drops for each image by itself, other pixels in another pass, and says that it is random", () => {
    const { images } = randomBatch(2, [9, 8, 3], 2);
    const both = transform("totalVariation", guo, images, [2, 9, 8, 3], drawing());
    expect(transform("totalVariation", guo, images.slice(216), [1, 9, 8, 3], drawing(1))).toEqual(both.slice(216));
    expect(transform("totalVariation", guo, images.slice(216), [1, 9, 8, 3], drawing(7))).not.toEqual(both.slice(216));
    const randomised = (params: object): unknown => {
      const { entry, params: complete } = bind("defense", { kind: "totalVariation", ...params });
      return "randomised" in entry ? entry.randomised(complete) : undefined;
    };
    expect([randomised(guo), randomised({ ...guo, dropout: 0 }), randomised({})]).toEqual([true, false, false]);
  });

  it.each([{ lambda: -1 }, { dropout: 1 }, { weight: 0 }])("refuses %o", (params) =>
    expect(refusal(() => bind("defense", { kind: "totalVariation", ...params }))).toMatch(Object.keys(params)[0] as string),
  );
});

describe.each(["cpu", "onnxruntime"] as const)("localGradientSmoothing by channel, on %s", (backend) => {
  beforeAll(() => useBackend(backend));
  const perChannel = { channels: "perChannel" };

  it("agrees with the formula in NumPy", async () => {
    const arrays = await fixture("variants.npz");
    const cases = numbered(arrays, "perChannel");
    expect(cases.length).toBe(3);
    for (const [i, { shape, data }] of cases.entries()) {
      const [lambda = 0] = (arrays[`perChannelSetting${i}`] as NpyArray).data as Float64Array;
      const [h = 0, w = 0, c = 0] = shape;
      const ours = transform("localGradientSmoothing", { ...perChannel, lambda }, data as Float32Array, [1, h, w, c]);
      expect(near(ours, (arrays[`perChanneled${i}`] as NpyArray).data as Float64Array)).toBeLessThan(1e-5);
    }
  });

  it("is that of the brightness for grey images, and each image's own in a batch", () => {
    const grey = randomBatch(1, [20, 18, 1], 3).images;
    const [one, other] = [{}, perChannel].map((params) => transform("localGradientSmoothing", params, grey, [1, 20, 18, 1]));
    expect(near(one as number[], other as number[])).toBeLessThan(1e-6);
    const { images } = randomBatch(2, [20, 18, 3], 3);
    const both = transform("localGradientSmoothing", perChannel, images, [2, 20, 18, 3]);
    const alone = transform("localGradientSmoothing", perChannel, images.slice(1080), [1, 20, 18, 3]);
    expect(near(both.slice(1080), alone)).toBeLessThan(1e-7);
  });

  it("refuses λ < 0", () => expect(refusal(() => bind("defense", { kind: "localGradientSmoothing", lambda: -0.1 }))).toMatch(/lambda/));
});

describe("jpeg beside sharp's encoder", () => {
  beforeAll(() => useBackend("cpu"));
  const [height, width] = [101, 90];
  const kitten = path.resolve(import.meta.dirname, "../../../../media/samples/photos/pictures/cat/kitten.jpg");
  const read = (channels: 1 | 3): Promise<Buffer> =>
    sharp(kitten)
      .resize(width, height)
      .toColourspace(channels === 1 ? "b-w" : "srgb")
      .raw()
      .toBuffer();
  const throughSharp = async (data: Buffer, channels: 1 | 3, o: JpegOptions): Promise<Buffer> => {
    const space = channels === 1 ? "b-w" : "srgb";
    const file = await sharp(data, { raw: { width, height, channels } }).toColourspace(space).jpeg(o).toBuffer();
    return sharp(file).toColourspace(space).raw().toBuffer();
  };
  /** Grey levels between our pixels and sharp's: the largest and the mean difference. */
  const apart = async (channels: 1 | 3, quality: number, o: JpegOptions): Promise<readonly [largest: number, mean: number]> => {
    const data = await read(channels);
    const theirs = await throughSharp(data, channels, { quality, ...o });
    const pixels = Float32Array.from(data, (byte) => byte / 255);
    const ours = transform("jpeg", { quality, subsampling: o.chromaSubsampling ?? "4:2:0" }, pixels, [1, height, width, channels]);
    const differences = ours.map((value, i) => Math.abs(Math.round(255 * value) - (theirs[i] ?? Number.NaN)));
    return [Math.max(...differences), differences.reduce((sum, one) => sum + one, 0) / differences.length];
  };

  it.each([80, 60, 40, 30, 20, 10])(
    "gives the same bytes at quality %i, colours at half and at full resolution, and grey",
    async (quality) => {
      expect(await apart(3, quality, { chromaSubsampling: "4:2:0" })).toEqual([0, 0]);
      expect(await apart(3, quality, { chromaSubsampling: "4:4:4" })).toEqual([0, 0]);
      expect(await apart(1, quality, {})).toEqual([0, 0]);
    },
  );

  it("differs with MozJPEG's table, trellis or deringing, not with its order of scans", async () => {
    expect(await apart(3, 30, { progressive: true, optimiseScans: true })).toEqual([0, 0]);
    for (const [option, least, most] of [
      [{ quantisationTable: 3 }, 1, 10],
      [{ trellisQuantisation: true }, 1, 10],
      [{ mozjpeg: true }, 1, 12],
    ] as const) {
      const [, mean] = await apart(3, 30, option);
      expect(mean).toBeGreaterThan(least);
      expect(mean).toBeLessThan(most);
    }
  });
});
