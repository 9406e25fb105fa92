import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import type { InferenceDefense, Params } from "../../../../src/engine/define/index.ts";
import { labelOf } from "../../../../src/engine/define/index.ts";
import { readNpz } from "../../../../src/engine/io/npz.ts";
import { bind } from "../../../../src/engine/registry.ts";
import { type Images, tf } from "../../../../src/engine/tf.ts";
import { linearClassifier, near, randomBatch } from "../fixtures.ts";

/** What the defence makes of images [b,H,W,C]. */
function transform(
  id: string,
  params: Params,
  values: readonly number[] | Float32Array,
  shape: [number, number, number, number],
): number[] {
  const view = { model: linearClassifier([[1], [2]], [1, 1, 1]), random: () => expect.unreachable("it is not randomised") };
  const { entry, params: complete } = bind("defense", { kind: id, ...params });
  return tf.tidy(() => [
    ...(entry as InferenceDefense).transform(tf.tensor4d(values as Float32Array, shape) as Images, complete, view).dataSync(),
  ]);
}

describe.each(["cpu", "onnxruntime"] as const)("on %s", (backend) => {
  beforeAll(() => useBackend(backend));

  describe("bitDepth", () => {
    const x = [0, 0.1, 0.25, 0.4999, 0.5, 0.51, 0.8, 1];
    const row = (depth: number, values: readonly number[] = x): number[] =>
      transform("bitDepth", { depth }, values, [1, 1, values.length, 1]);

    it.each([
      [1, [0, 0, 0, 0, 1, 1, 1, 1]],
      [2, [0, 0, 1 / 3, 1 / 3, 2 / 3, 2 / 3, 2 / 3, 1]],
      [3, [0, 1 / 7, 2 / 7, 3 / 7, 4 / 7, 4 / 7, 6 / 7, 1]],
    ])("rounds to %i bits, halves up", (depth, expected) => {
      expect(near(row(depth), expected)).toBeLessThan(1e-6);
    });

    it("changes nothing a second time", () => {
      for (const depth of [1, 2, 3, 5]) expect(row(depth, row(depth))).toEqual(row(depth));
    });

    it("keeps byte images at 8 bits, to the bit", () => {
      const bytes = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);
      expect(row(8, [...bytes])).toEqual([...bytes]);
    });
  });

  describe("medianFilter", () => {
    it("takes the median of 3×3 with the edge repeated", () => {
      const x = [1, 2, 3, 4, 100, 6, 7, 8, 9];
      expect(transform("medianFilter", { window: 3 }, x, [1, 3, 3, 1])).toEqual([2, 3, 3, 4, 6, 6, 7, 8, 9]);
    });

    it("agrees with scipy.ndimage.median_filter(image, size=(k, k, 1), mode='reflect'), odd and even windows, larger than the image too", async () => {
      // Written by numpy.savez of SciPy 1.17 from numpy.random.default_rng(5).random(shape), float32.
      const arrays = await readNpz(path.join(import.meta.dirname, "fixtures/scipy-median.npz"));
      for (let i = 0; i < 6; i++) {
        const [image, filtered, window] = [arrays[`image${i}`], arrays[`filtered${i}`], arrays[`window${i}`]?.data[0]];
        const [h = 0, w = 0, c = 0] = image?.shape ?? [];
        const ours = transform("medianFilter", { window }, image?.data as Float32Array, [1, h, w, c]);
        expect(ours, `window ${window}`).toEqual([...(filtered?.data ?? [])]);
      }
    });

    it("keeps a constant image, and every image at window 1", () => {
      expect(transform("medianFilter", { window: 5 }, new Float32Array(48).fill(0.3), [1, 4, 4, 3])).toEqual([
        ...new Float32Array(48).fill(0.3),
      ]);
      const { images } = randomBatch(1, [4, 4, 3], 2);
      expect(transform("medianFilter", { window: 1 }, images, [1, 4, 4, 3])).toEqual([...images]);
    });

    it("filters each image of a batch by itself", () => {
      const { images } = randomBatch(3, [5, 6, 3], 2);
      const together = transform("medianFilter", { window: 3 }, images, [3, 5, 6, 3]);
      const alone = transform("medianFilter", { window: 3 }, images.slice(90, 180), [1, 5, 6, 3]);
      expect(together.slice(90, 180)).toEqual(alone);
    });
  });
});

describe("labels", () => {
  it("name what sets them apart", () => {
    expect(labelOf(bind("defense", { kind: "bitDepth", depth: 1 }))).toBe("Bit depth 1");
    expect(labelOf(bind("defense", { kind: "medianFilter", window: 5 }))).toBe("Median filter 5×5");
  });
});
