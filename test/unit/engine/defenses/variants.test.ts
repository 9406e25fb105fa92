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
