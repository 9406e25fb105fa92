import { beforeAll, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { localGradientSmoothing } from "../../../../src/engine/defenses/localGradientSmoothing.ts";
import { resolveParams } from "../../../../src/engine/define/index.ts";
import { type Images, tf } from "../../../../src/engine/tf.ts";

/** The hand-computed example of local gradient smoothing: grey 0.5 with two brighter pixels, blocks of 3×3 that share a line. */
const example = (): Images => {
  const pixels = new Float32Array(36).fill(0.5);
  pixels[1 * 6 + 1] = 1;
  pixels[4 * 6 + 4] = 0.7;
  return tf.tensor4d(pixels, [1, 6, 6, 1]) as Images;
};

beforeAll(() => useBackend("onnxruntime"));

it("local gradient smoothing shows the gradient and the blocks above the threshold, whatever λ takes from them", async () => {
  const params = resolveParams(localGradientSmoothing.params, { window: 3, overlap: 1, threshold: 0.1 }, "localGradientSmoothing");
  const see = {} as never; // it looks at the image alone
  const { gradient, ...others } = localGradientSmoothing.maps?.(example(), params, see) ?? {};
  expect(Object.keys(others)).toEqual(["blocks above the threshold"]);
  const g = (await gradient?.array())?.[0];
  expect([g?.[0]?.[1], g?.[1]?.[0], g?.[1]?.[1], g?.[3]?.[4], g?.[4]?.[3], g?.[4]?.[4]].map((v) => v?.toFixed(6))).toEqual([
    "0.707107",
    "0.707107",
    "1.000000",
    "0.282843",
    "0.282843",
    "0.400000",
  ]);
  // Blocks begin at 0, 2 and 3. Kept: the one at (0,0), and those at 2 and 3 in both directions.
  const kept = (await others["blocks above the threshold"]?.array())?.[0];
  expect(kept).toEqual(
    Array.from({ length: 6 }, (_, y) => Array.from({ length: 6 }, (_, x) => Number((y < 3 && x < 3) || (y >= 2 && x >= 2)))),
  );
});

it("local gradient smoothing is named by what makes it another one", () => {
  const label = (o: object): string => {
    const params = resolveParams(localGradientSmoothing.params, { ...o }, "localGradientSmoothing");
    return localGradientSmoothing.label?.(params) ?? "";
  };
  expect(label({})).toBe("Local gradient smoothing, λ 2.3");
  expect(label({ lambda: 1.5, channels: "perChannel", differentiable: true })).toBe(
    "Local gradient smoothing, λ 1.5, per channel, differentiable",
  );
});
