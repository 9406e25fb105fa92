import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { classifierOf } from "../../../../src/engine/classifier/network.ts";
import type { DefenseView, InferenceDefense, Params } from "../../../../src/engine/define/index.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { bind, defenses } from "../../../../src/engine/registry.ts";
import { type Images, tf, tfl } from "../../../../src/engine/tf.ts";
import { BulwarkError } from "../../../../src/shared/errors.ts";
import { near, randomBatch } from "../fixtures.ts";
import { transform } from "./support.ts";

type Shape = readonly [number, number, number];

/** Every defence in front, in each of its forms. `flat`: how far an image of one colour may move, `Infinity` where the form changes it. */
const forms: readonly { readonly kind: string; readonly params?: Params; readonly flat: number }[] = [
  { kind: "bilateralFilter", params: { border: "reflect" }, flat: 1e-6 },
  { kind: "bilateralFilter", flat: Number.POSITIVE_INFINITY }, // black beyond the border
  { kind: "bitDepth", flat: 1 / 14 + 1e-6 }, // half a step of 3 bits
  { kind: "digitalWatermark", flat: 1e-6 },
  { kind: "digitalWatermark", params: { inpaint: "harmonic", keepAll: true, maxArea: 1, percentile: 50 }, flat: 1e-6 },
  { kind: "digitalWatermark", params: { mode: "nonBlind", mask: "0,0,1,1" }, flat: 1e-6 },
  { kind: "gaussianFilter", flat: 1e-6 },
  { kind: "gaussianFilter", params: { window: 31 }, flat: 1e-6 },
  { kind: "jpeg", params: { quality: 100 }, flat: 2 / 255 }, // colours are rounded to whole levels twice
  { kind: "jpeg", params: { quality: 1, subsampling: "4:4:4" }, flat: Number.POSITIVE_INFINITY },
  ...["forward", "sobel"].flatMap((operator) =>
    ["luminance", "perChannel"].map((channels) => ({ kind: "localGradientSmoothing", params: { operator, channels }, flat: 0 })),
  ),
  { kind: "localGradientSmoothing", params: { differentiable: true }, flat: 0 },
  { kind: "medianFilter", flat: 0 },
  { kind: "medianFilter", params: { window: 4 }, flat: 0 },
  { kind: "medianFilter", params: { window: 9 }, flat: 0 },
  { kind: "totalVariation", flat: 1e-6 },
  { kind: "totalVariation", params: { variant: "guo", dropout: 0 }, flat: 1e-6 },
  { kind: "totalVariation", params: { variant: "guo" }, flat: 1e-3 },
];
const nameOf = ({ kind, params }: { readonly kind: string; readonly params?: Params }): string =>
  [kind, ...Object.entries(params ?? {}).map(([key, value]) => `${key} ${value}`)].join(", ");

it("has a form of every defence in front", () => {
  const inFront = defenses.filter(({ kind }) => kind === "inference").map(({ id }) => id);
  expect([...new Set(forms.map(({ kind }) => kind))].sort()).toEqual([...inFront].sort());
});

/** A linear layer behind a ReLU: it takes images of any size. */
function networkOf([height, width, channels]: Shape): tfl.LayersModel {
  const normal = (seed: number) => tfl.initializers.glorotUniform({ seed });
  const { conv2d, flatten, dense, reLU } = tfl.layers;
  return tfl.sequential({
    layers: [
      conv2d({ inputShape: [height, width, channels], filters: 4, kernelSize: 3, padding: "same", kernelInitializer: normal(1) }),
      reLU({}),
      flatten(),
      dense({ units: 3, kernelInitializer: normal(2) }),
    ],
  });
}

/** What `body` makes of a view of such a network, which draws for image i as for the image `first + i`. */
function viewing<T>(shape: Shape, body: (see: (first: number) => DefenseView) => T): T {
  const model = classifierOf(networkOf(shape), { contract: { input: {} }, outputs: "logits" });
  try {
    return body((first) => ({ model, random: (i) => createRandom(`${first + i}`) }));
  } finally {
    model.dispose();
  }
}

describe.each(["cpu", "onnxruntime"] as const)("on %s", (backend) => {
  beforeAll(() => useBackend(backend));

  describe.each(forms.map((form) => [nameOf(form), form] as const))("%s", (_, { kind, params = {}, flat }) => {
    const sizes = [1, 3].flatMap(
      (channels) =>
        [
          [1, 1, channels],
          [2, 3, channels],
          [1, 9, channels],
          [11, 10, channels],
        ] as const,
    );

    it.each(sizes.map((shape) => [shape.join("×"), shape] as const))(
      "takes images of %s: finite, in [0, 1], alone as in a batch",
      (__, shape) => {
        const size = shape[0] * shape[1] * shape[2];
        const { images } = randomBatch(3, shape, 2);
        images.set([0, 1].slice(0, size)); // the ends of the range
        if (size > 1) images.fill(1, 2 * size, 3 * size - 1);
        viewing(shape, (see) => {
          const together = transform(kind, params, images, [3, ...shape], see(0));
          expect(together.length).toBe(images.length);
          expect(together.every((value) => value >= 0 && value <= 1)).toBe(true); // false for NaN
          for (let i = 0; i < 3; i++) {
            const alone = transform(kind, params, images.slice(i * size, (i + 1) * size), [1, ...shape], see(i));
            expect(near(together.slice(i * size, (i + 1) * size), alone)).toBeLessThan(1e-6);
          }
        });
      },
    );

    it.each([0, 0.3, 1])("does to an image of the one value %f what it says", (value) => {
      const shape = [11, 10, 3] as const;
      const pixels = new Float32Array(330).fill(value);
      const moved = viewing(shape, (see) => near(transform(kind, params, pixels, [1, ...shape], see(0)), pixels));
      if (flat < Number.POSITIVE_INFINITY) expect(moved).toBeLessThanOrEqual(flat);
      else expect(moved).toBeLessThanOrEqual(1);
    });
  });

  /** ⟨w, A·x⟩ = ⟨Aᵀ·w, x⟩ for a linear A, whatever w and x. */
  it.each([
    [[9, 7, 3], 5],
    [[2, 3, 1], 7],
    [[1, 1, 3], 5],
  ] as const)("the gradient of gaussianFilter is its adjoint: %j, window %i", (shape, window) => {
    const { entry, params } = bind("defense", { kind: "gaussianFilter", window });
    const [x, noise] = [3, 4].map((seed) => tf.tensor4d(randomBatch(2, shape, 2, seed).images, [2, ...shape])) as [Images, Images];
    const w: Images = tf.sub(tf.mul(noise, 6), 2); // no image
    const f = (input: Images): Images => (entry as InferenceDefense).transform(input, params, {} as DefenseView) as Images;
    const [forward, backward] = tf.tidy(() => [
      tf.sum(tf.mul(w, f(x))).dataSync()[0],
      tf.sum(tf.mul(x, tf.grad((input: tf.Tensor) => tf.sum(tf.mul(w, f(input as Images))))(x))).dataSync()[0],
    ]);
    expect(backward).toBeCloseTo(forward as number, 4);
    tf.dispose([x, noise, w]);
  });
});

describe("parameters out of range", () => {
  it.each([
    ["bilateralFilter", { window: 0 }, /between 1 and 15/],
    ["bilateralFilter", { window: 4 }, /3 or 5/],
    ["bilateralFilter", { window: 17 }, /between 1 and 15/],
    ["bilateralFilter", { sigmaColor: -1 }, /between 0 and 10/],
    ["bilateralFilter", { sigmaSpace: 0 }, /between 0\.01 and 100/],
    ["bilateralFilter", { border: "wrap" }, /zero.*reflect/],
    ["bitDepth", { depth: 0 }, /between 1 and 8/],
    ["bitDepth", { depth: 9 }, /between 1 and 8/],
    ["bitDepth", { depth: 2.5 }, /whole/],
    ["gaussianFilter", { window: 0 }, /between 1 and 31/],
    ["gaussianFilter", { window: 2 }, /1 or 3/],
    ["gaussianFilter", { sigma: -1 }, /between 0 and 100/],
    ["jpeg", { quality: 0 }, /between 1 and 100/],
    ["jpeg", { quality: 101 }, /between 1 and 100/],
    ["jpeg", { subsampling: "4:1:1" }, /4:2:0.*4:4:4/],
    ["localGradientSmoothing", { lambda: -1 }, /between 0 and 100/],
    ["localGradientSmoothing", { window: 0 }, /between 1 and 1024/],
    ["localGradientSmoothing", { overlap: -1 }, /between 0 and 1023/],
    ["localGradientSmoothing", { window: 5, overlap: 5 }, /overlap below 5/],
    ["localGradientSmoothing", { threshold: 1.1 }, /between 0 and 1/],
    ["medianFilter", { window: 0 }, /between 1 and 9/],
    ["medianFilter", { window: 10 }, /between 1 and 9/],
    ["totalVariation", { weight: 0 }, /between 0\.01 and 10000/],
    ["totalVariation", { weight: -1 }, /between 0\.01 and 10000/],
    ["totalVariation", { lambda: -1 }, /between 0 and 1000/],
    ["totalVariation", { dropout: 1 }, /between 0 and 0\.99/],
    ["totalVariation", { iterations: 0 }, /between 1 and 10000/],
    ["digitalWatermark", { percentile: 101 }, /between 0 and 100/],
    ["digitalWatermark", { maxArea: -0.1 }, /between 0 and 1/],
    ["digitalWatermark", { mode: "nonBlind" }, /top,left,height,width/],
    ["digitalWatermark", { mode: "nonBlind", mask: "0,0,0,5" }, /at least 1/],
  ] as const)("%s %j is refused, with what is allowed", (kind, params, allowed) => {
    const thrown = refusalOf(() => bind("defense", { kind, ...params }));
    expect(thrown?.code).toBe("PARAMETER_INVALID");
    expect(`${thrown?.message} ${thrown?.fix}`).toMatch(allowed);
  });

  it.each(["0,0,1,9", "7,0,2,1", "8,8,1,1"])("the mask %s outside an image of 8×8 is refused, with the places there are", (mask) => {
    const thrown = refusalOf(() => transform("digitalWatermark", { mode: "nonBlind", mask }, new Float32Array(64), [1, 8, 8, 1]));
    expect(thrown).toMatchObject({ code: "PARAMETER_INVALID", fix: expect.stringMatching(/top \+ height.*8/) });
  });
});

function refusalOf(call: () => unknown): BulwarkError | null {
  try {
    call();
    return null;
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(BulwarkError);
    return thrown as BulwarkError;
  }
}
