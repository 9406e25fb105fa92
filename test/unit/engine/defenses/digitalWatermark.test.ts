import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { guidedSaliency } from "../../../../src/engine/attention/guidedBackprop.ts";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { type Classifier, gradientOf, inputGradient } from "../../../../src/engine/classifier/classifier.ts";
import { defended } from "../../../../src/engine/classifier/defended.ts";
import { classifierOf } from "../../../../src/engine/classifier/network.ts";
import type { Bound, InferenceDefense, Params } from "../../../../src/engine/define/index.ts";
import { givenRegion } from "../../../../src/engine/filters/givenRegion.ts";
import { harmonic } from "../../../../src/engine/filters/harmonic.ts";
import { salientRegion } from "../../../../src/engine/filters/salientRegion.ts";
import { telea } from "../../../../src/engine/filters/telea.ts";
import { guidedly } from "../../../../src/engine/gradients/index.ts";
import { encodePng } from "../../../../src/engine/io/decode.ts";
import type { NpyArray } from "../../../../src/engine/io/npz.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { bind } from "../../../../src/engine/registry.ts";
import { type Images, tf, tfl } from "../../../../src/engine/tf.ts";
import { noisy } from "../classifier/noisy.ts";
import { convNetwork, linearClassifier, near, randomBatch } from "../fixtures.ts";
import { fixture, numbered, refusal, transform } from "./support.ts";

type Pass = ReturnType<typeof inputGradient>;
const methods = { telea, harmonic } as const;
const names = ["telea", "harmonic"] as const;
const regionOf = (height: number, width: number, isInside: (row: number, column: number) => boolean) => ({
  height,
  width,
  pixels: Uint8Array.from({ length: height * width }, (_, i) => Number(isInside(Math.floor(i / width), i % width))),
});

describe("inpainting", () => {
  it.each(names)("%s fills a hole in one colour with that colour", (name) => {
    const region = regionOf(20, 24, (r, c) => r >= 5 && r < 14 && c >= 6 && c < 17);
    const filled = methods[name](new Float64Array(20 * 24 * 3).fill(0.3), 3, region);
    expect(near(filled, new Float64Array(20 * 24 * 3).fill(0.3))).toBeLessThan(1e-9);
  });

  it.each(names)("%s continues a linear ramp through a hole of 3×3", (name) => {
    const ramp = Float64Array.from({ length: 144 }, (_, i) => 0.05 * (i % 12) + 0.02 * Math.floor(i / 12));
    const filled = methods[name](
      ramp,
      1,
      regionOf(12, 12, (r, c) => r >= 4 && r < 7 && c >= 5 && c < 8),
    );
    expect(near(filled, ramp)).toBeLessThan(1e-12);
  });

  it.each(names)("%s agrees with NumPy and SciPy: one and two holes, at the border, around an island; other pixels stay", async (name) => {
    const arrays = await fixture("watermark.npz"); // SciPy 1.10: spsolve, and the marching written out in Python
    const images = numbered(arrays, "image");
    expect(images.length).toBe(4);
    for (const [i, { shape, data }] of images.entries()) {
      const [height = 0, width = 0, channels = 0] = shape;
      const pixels = (arrays[`missing${i}`] as NpyArray).data as Uint8Array;
      const image = Float64Array.from(data as Float32Array);
      const filled = methods[name](image, channels, { height, width, pixels });
      expect(near(filled, (arrays[`${name}${i}`] as NpyArray).data as Float64Array)).toBeLessThan(1e-9);
      expect(filled.every((value, j) => pixels[Math.floor(j / channels)] === 1 || value === image[j])).toBe(true);
    }
  });
});

describe("the salient region", () => {
  it("agrees with SciPy and scikit-image: blur, percentile, closing, opening, holes, largest part, dilation, cap", async () => {
    const arrays = await fixture("watermark.npz");
    const cases = numbered(arrays, "saliency");
    expect(cases.length).toBe(15);
    for (const [i, { shape, data }] of cases.entries()) {
      const [height = 0, width = 0] = shape;
      const [percentile = 0, keepAll = 0, maxArea = 0] = (arrays[`regionSetting${i}`] as NpyArray).data as Float64Array;
      const { region } = salientRegion(data as Float32Array, height, width, { percentile, keepAll: keepAll === 1, maxArea });
      const expected = [...((arrays[`region${i}`] as NpyArray).data as Uint8Array)];
      expect([...(region?.pixels ?? [])], `case ${i}`).toEqual(expected);
    }
  });
});

describe.each(["cpu", "onnxruntime"] as const)("on %s", (backend) => {
  beforeAll(() => useBackend(backend));
  const folder = mkdtempSync(path.join(os.tmpdir(), "bulwark-mask-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  describe("guided backpropagation", () => {
    it("passes only what is positive through units that are active: [1, −1, 1] at [1, 1, −1] → [1, 0, 0]", () => {
      const f = (x: tf.Tensor): tf.Scalar => tf.sum(tf.mul(tf.relu(x), tf.tensor1d([1, -1, 1])));
      const at = tf.tensor1d([1, 1, -1]);
      expect([...tf.tidy(() => guidedly(() => tf.grad(f)(at)).dataSync())]).toEqual([1, 0, 0]);
      expect([...tf.tidy(() => tf.grad(f)(at).dataSync())].map((v) => v + 0)).toEqual([1, -1, 0]);
      at.dispose();
    });

    it.each(["relu", "relu6"] as const)("agrees with PyTorch on a network of two convolutions that ends in %s", async (last) => {
      const arrays = await fixture("watermark.npz");
      const weight = (name: string): tf.Tensor => {
        const { data, shape } = arrays[`guided_${name}`] as NpyArray;
        return tf.tensor(data as Float32Array, [...shape]);
      };
      const kernel = { kernelSize: 3, padding: "same", useBias: false } as const;
      const network = tfl.sequential({
        layers: [
          tfl.layers.conv2d({ ...kernel, filters: 4, activation: "relu", inputShape: [12, 10, 3] }),
          tfl.layers.conv2d({ ...kernel, filters: 5 }),
          tfl.layers.reLU(last === "relu6" ? { maxValue: 6 } : {}),
          tfl.layers.flatten(),
          tfl.layers.dense({ units: 3, useBias: false }),
        ],
      });
      network.setWeights([weight("k1"), weight("k2"), weight("d")]);
      const model = classifierOf(network, { contract: { input: {} }, outputs: "logits" });
      const saliency = guidedSaliency(model, weight("x") as Images);
      expect(near(saliency, (arrays[`guided_${last}`] as NpyArray).data as Float64Array)).toBeLessThan(1e-4);
      expect(model.evaluations).toEqual({ forward: 0, gradient: 0 });
      model.dispose();
    });

    it("is the plain gradient where no unit is a ReLU", () => {
      const network = tfl.sequential({
        layers: [
          tfl.layers.conv2d({ filters: 3, kernelSize: 3, activation: "swish" as "relu", inputShape: [8, 8, 1] }),
          tfl.layers.elu(),
          tfl.layers.flatten(),
          tfl.layers.dense({ units: 3 }),
        ],
      });
      const model = classifierOf(network, { contract: { input: {} }, outputs: "logits" });
      const x: Images = tf.tensor4d(randomBatch(1, [8, 8, 1], 3).images, [1, 8, 8, 1]);
      const plain = gradientOf(model, x, (input) => tf.sum(tf.max(model.logits(input), 1)));
      expect(near(guidedSaliency(model, x), tf.abs(plain).dataSync())).toBeLessThan(1e-6);
      tf.dispose([x, plain]);
      model.dispose();
    });
  });

  const bound = (params: Params): Bound<InferenceDefense> =>
    bind("defense", { kind: "digitalWatermark", ...params }) as Bound<InferenceDefense>;
  const opened = (shape: [number, number, number]): Classifier =>
    classifierOf(convNetwork({ shape }), { contract: { input: {} }, outputs: "logits" });
  const see = (model: Classifier) => ({ model, random: () => expect.unreachable("it is not randomised") });

  describe("blind", () => {
    it("leaves an image alone where no unit is active", () => {
      const network = tfl.sequential({
        layers: [
          tfl.layers.flatten({ inputShape: [6, 6, 1] }),
          tfl.layers.dense({ units: 2, activation: "relu", kernelInitializer: tfl.initializers.constant({ value: -1 }) }),
        ],
      });
      const model = classifierOf(network, { contract: { input: {} }, outputs: "logits" });
      const { images } = randomBatch(1, [6, 6, 1], 2);
      expect(transform("digitalWatermark", {}, images, [1, 6, 6, 1], see(model))).toEqual([...images]);
      model.dispose();
    });

    it("inpaints where the class comes from, and nothing else", () => {
      // z_0 is the sum over a square of 5×5, through a ReLU that it activates.
      const inside = regionOf(24, 24, (r, c) => r >= 12 && r < 17 && c >= 3 && c < 8).pixels;
      const model = linearClassifier([[...inside], new Array<number>(576).fill(0)], [24, 24, 1]);
      const x = Float32Array.from(inside, (one) => (one ? 1 : 0.25));
      const y = transform("digitalWatermark", { percentile: 95 }, x, [1, 24, 24, 1], see(model));
      expect(near(y, new Array(576).fill(0.25))).toBeLessThan(1e-6);
      expect(transform("digitalWatermark", { percentile: 95, maxArea: 0.01 }, x, [1, 24, 24, 1], see(model))).toEqual([...x]);
      const { maps } = bound({}).entry;
      const shown = tf.tidy(() => maps?.(tf.tensor4d(x, [1, 24, 24, 1]), bound({ percentile: 95 }).params, see(model)) ?? {});
      expect(Object.keys(shown)).toEqual(["saliency", "inpainted region"]);
      // The square; three pixels beside the middle of each side, which the blur reaches with 3 of 9; and two more around all of them.
      const isNear = (r: number, c: number): boolean => r >= 10 && r < 19 && c >= 1 && c < 10;
      const isBeside = (r: number, c: number): boolean =>
        ((r === 9 || r === 19) && c >= 2 && c < 9) || ((c === 0 || c === 10) && r >= 11 && r < 18);
      expect([...(shown["inpainted region"]?.dataSync() ?? [])]).toEqual([
        ...regionOf(24, 24, (r, c) => isNear(r, c) || isBeside(r, c)).pixels,
      ]);
      tf.dispose(shown);
      model.dispose();
    });

    it("draws for each image by itself what the model behind draws", () => {
      const plain = opened([12, 12, 1]);
      const model = defended(plain, [noisy], { random: (i) => createRandom(i) });
      const { images } = randomBatch(3, [12, 12, 1], 3);
      const drawing = (first: number) => ({ model, random: (i: number) => createRandom(`${first + i}`) });
      const all = transform("digitalWatermark", { percentile: 85 }, images, [3, 12, 12, 1], drawing(0));
      const alone = transform("digitalWatermark", { percentile: 85 }, images.slice(144, 288), [1, 12, 12, 1], drawing(1));
      expect(near(all.slice(144, 288), alone)).toBeLessThan(1e-6);
      plain.dispose();
    });

    it("is met by an attacker who knows the place: inpainted there, the gradient as of the identity", async () => {
      const plain = opened([16, 16, 3]);
      const front = defended(plain, [bound({})], { random: () => expect.unreachable("it is not randomised") });
      const given = defended(plain, [bound({ mode: "nonBlind", mask: "2,3,5,6" })], { random: () => expect.unreachable() });
      const place = regionOf(16, 16, (r, c) => r >= 2 && r < 7 && c >= 3 && c < 9).pixels;
      const mask = tf.tensor4d(Float32Array.from(place), [1, 16, 16, 1]);
      const x: Images = tf.tensor4d(randomBatch(1, [16, 16, 3], 3).images, [1, 16, 16, 3]);
      const known = front.withMask?.(mask) ?? front;
      const [ours, theirs] = [known, given].map((model) => inputGradient(model, x, (z) => tf.sum(tf.square(z)))) as [Pass, Pass];
      expect(near(await ours.logits.data(), await theirs.logits.data())).toBe(0);
      const gradient = await ours.gradient.data();
      expect(near(gradient, await theirs.gradient.data())).toBe(0);
      expect(gradient.some((value, i) => value !== 0 && place[Math.floor(i / 3)] === 1)).toBe(true);
      plain.dispose();
    });
  });

  describe("with the region given", () => {
    const flat = (patch: readonly [number, number, number, number], side = 32): Float32Array => {
      const [top, left, rows, columns] = patch;
      const noise = createRandom(4);
      return Float32Array.from({ length: side * side * 3 }, (_, i) => {
        const [r, c] = [Math.floor(i / 3 / side), Math.floor(i / 3) % side];
        return r >= top && r < top + rows && c >= left && c < left + columns ? noise.next() : 0.4;
      });
    };
    const nonBlind = (mask: string, more: Params = {}): Params => ({ mode: "nonBlind", mask, ...more });

    it.each(names)("removes every pixel of a patch, %s", (inpaint) => {
      const x = flat([0, 20, 9, 12]);
      const y = transform("digitalWatermark", nonBlind("0, 20, 9, 12", { inpaint }), x, [1, 32, 32, 3]);
      expect(near(y, new Array(x.length).fill(0.4))).toBeLessThan(1e-6);
    });

    it("takes a picture that is bright in the region", async () => {
      const bytes = Uint8Array.from(regionOf(32, 32, (r, c) => r < 9 && c >= 20).pixels, (one) => 255 * one);
      const file = path.join(folder, "mask.png");
      writeFileSync(file, await encodePng(bytes, 32, 32, 1));
      const x = flat([0, 20, 9, 12]);
      expect(near(transform("digitalWatermark", nonBlind(file), x, [1, 32, 32, 3]), new Array(x.length).fill(0.4))).toBeLessThan(1e-6);
      expect(bind("defense", { kind: "digitalWatermark", ...nonBlind("mask.png") }, { directory: folder }).params["mask"]).toBe(file);
      expect(refusal(() => givenRegion(file, 28, 28))).toMatch(/mask\.png is 32×32 but the images are 28×28/);
      writeFileSync(file, await encodePng(new Uint8Array(1024), 32, 32, 1));
      expect(refusal(() => givenRegion(file, 32, 32))).toMatch(/is empty/);
      writeFileSync(file, "no picture");
      expect(refusal(() => givenRegion(file, 32, 32))).toMatch(/is no plain PNG/);
      expect(refusal(() => givenRegion(path.join(folder, "none.png"), 32, 32))).toMatch(/There is no file/);
    });

    it("keeps a rectangle as it is written, whatever the folder, and an image that is masked altogether", () => {
      expect(bound(nonBlind("1,2,3,4")).params["mask"]).toBe("1,2,3,4");
      const { images } = randomBatch(1, [5, 6, 3], 2);
      expect(transform("digitalWatermark", nonBlind("0,0,5,6"), images, [1, 5, 6, 3])).toEqual([...images]);
    });

    it.each([
      ["", /there is no mask/],
      ["0,0,0,5", /The mask 0,0,0,5 is empty/],
    ])("refuses the mask “%s”", (mask, message) => expect(refusal(() => bound(nonBlind(mask)))).toMatch(message));
    it("refuses a rectangle that reaches beyond the image", () =>
      expect(refusal(() => transform("digitalWatermark", nonBlind("4,4,5,5"), new Float32Array(64), [1, 8, 8, 1]))).toMatch(
        /reaches beyond the image of 8×8/,
      ));
  });
});
