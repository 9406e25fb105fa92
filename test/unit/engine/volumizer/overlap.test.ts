import { describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { type Images, tf } from "../../../../src/engine/tf.ts";
import { rankSlices, unvolumize, volumize } from "../../../../src/engine/volumizer/volumize.ts";
import { images, options } from "./fixtures.ts";

await useBackend("cpu");

describe("slices that overlap", () => {
  const o = options("mse", { patch: 4, stride: 2 });

  it.each([
    [28, 14, 7, 9], // 3×3
    [32, 8, 4, 49],
    [32, 8, 8, 16],
    [32, 8, 0, 16],
    [32, 16, 1, 289],
  ])("side %i, patch %i, stride %i: %i slices", (side, patch, stride, Z) => {
    expect(rankSlices(new Uint8Array(side * side), side, side, 1, options("mse", { patch, stride })).Z).toBe(Z);
  });

  it("lie at their places in the order of the measure, by hand", async () => {
    // 3×3 image, patch 2, stride 1: [0,1,3,4] [1,2,4,5] [3,4,6,7] [4,5,7,8]; squares to slice 3: 16, 9, 1, 0
    const x = tf.tensor4d(
      Float32Array.from({ length: 9 }, (_, i) => i / 255),
      [1, 3, 3, 1],
    );
    const { volume, perms } = volumize(x, options("mse", { patch: 2, stride: 1, reference: { index: 3 } }));
    expect([...perms]).toEqual([3, 2, 1, 0]);
    expect(Array.from(await volume.data(), (v) => Math.round(255 * v))).toEqual([4, 5, 7, 8, 3, 4, 6, 7, 1, 2, 4, 5, 0, 1, 3, 4]);
  });

  it.each([
    [4, 2, 3, 8, 12],
    [4, 1, 1, 7, 9],
    [3, 2, 2, 9, 5],
    [5, 3, 3, 8, 11],
  ])("patch %i, stride %i, %i channels: the inverse gives the very same bits", async (patch, stride, channels, h, w) => {
    const x = images(3, h, w, channels);
    const { volume, perms } = volumize(x, options("mutualInformation", { patch, stride }));
    expect(await unvolumize(volume, perms, h, w, stride).data()).toEqual(await x.data());
  });

  it("give back the mean where the copies of a pixel differ", async () => {
    const { volume, perms } = volumize(tf.zeros([1, 1, 3, 1]), options("mse", { patch: [1, 2], stride: 1 }));
    const slices = tf.tensor5d([1, 2, 4, 8], volume.shape); // a constant image: both slices in raster order
    expect([...(await unvolumize(slices, perms, 1, 3, 1).data())]).toEqual([1, 3, 8]);
  });

  it("add the copies of a pixel in the gradient, and agree with finite differences", async () => {
    const x = images(2, 6, 6, 2);
    const w = tf.tensor(createRandom(8).uniforms(2 * 4 * 32, -1, 1), [2, 4, 4, 4, 2]);
    const f = (input: tf.Tensor) =>
      volumize(input as Images, o)
        .volume.square()
        .mul(w)
        .sum();
    const gradient = await tf.grad(f)(x).data();
    const values = await x.data();
    const at = (i: number, step: number): number => {
      const moved = Float32Array.from(values);
      moved[i] = (moved[i] as number) + step;
      return f(tf.tensor4d(moved, x.shape)).dataSync()[0] as number;
    };
    const h = 1 / 1024; // a quarter of a grey level: no slice changes its byte, so none its place
    for (let i = 0; i < values.length; i += 5) expect(gradient[i]).toBeCloseTo((at(i, h) - at(i, -h)) / (2 * h), 1);
    const counts = await tf
      .grad((input: tf.Tensor) => volumize(input as Images, o).volume.sum())(images(1, 6, 6, 1))
      .data();
    expect([...counts.slice(0, 18)]).toEqual([1, 1, 2, 2, 1, 1, 1, 1, 2, 2, 1, 1, 2, 2, 4, 4, 2, 2]);
  });

  it("have V and its transpose as gradients of each other, and the inverse its own", async () => {
    const x = images(1, 6, 6, 1);
    const { volume, perms } = volumize(x, o);
    const u = images(1, 6, 6, 1, 3);
    const weighted = (v: tf.Tensor) =>
      tf
        .grad((input: tf.Tensor) =>
          volumize(input as Images, o)
            .volume.mul(v)
            .sum(),
        )(x)
        .mul(u)
        .sum();
    const twice = tf.grad(weighted)(volume) as tf.Tensor5D; // d/dv Σ u·Vᵀ(v) = V(u)
    expect(await unvolumize(twice, perms, 6, 6, 2).data()).toEqual(await u.data());
    const shared = tf.grad((v: tf.Tensor) => unvolumize(v as tf.Tensor5D, perms, 6, 6, 2).sum())(volume);
    expect((await shared.sum().data())[0]).toBeCloseTo(36, 4); // every pixel is shared out among its copies
    expect(new Set(await shared.data())).toEqual(new Set([1, 0.5, 0.25]));
  });

  it("handle a remainder as they are told", async () => {
    const cut = { patch: 4, stride: 3 };
    expect(() => volumize(images(1, 9, 9, 1), options("mse", cut))).toThrow(
      expect.objectContaining({ code: "PARAMETER_INVALID", fix: expect.stringContaining("stride that does (1)") }),
    );
    expect(() => volumize(images(1, 8, 8, 1), options("mse", cut))).toThrow(/3 pixels apart, do not end where an image of 8×8/);
    const x = images(2, 9, 9, 1);
    const mirrored = volumize(x, options("mse", { ...cut, onRemainder: "reflectPad" }));
    expect(mirrored.volume.shape).toEqual([2, 9, 4, 4, 1]);
    expect(await unvolumize(mirrored.volume, mirrored.perms, 9, 9, 3).data()).toEqual(await x.data());
    const dropped = volumize(x, options("mse", { ...cut, onRemainder: "drop" }));
    expect(dropped.volume.shape).toEqual([2, 4, 4, 4, 1]); // 7 of 9 rows and columns
    const kept = await x
      .slice([0, 0, 0, 0], [-1, 7, 7, -1])
      .pad([
        [0, 0],
        [0, 2],
        [0, 2],
        [0, 0],
      ])
      .data();
    expect(await unvolumize(dropped.volume, dropped.perms, 9, 9, 3).data()).toEqual(kept);
  });

  it("leave no pixel between them", () => {
    for (const [patch, stride, said] of [
      [4, 5, /leaves pixels between patches of 4×4/],
      [[4, 2], 3, /leaves pixels between/],
      [4, -1, /no stride/],
      [4, 1.5, /no stride/],
    ] as const)
      expect(() => volumize(images(1, 9, 9, 1), options("mse", { patch, stride, onRemainder: "drop" }))).toThrow(said);
  });

  it("leave no tensor behind but the volume", () => {
    const x = images(2, 6, 6, 1);
    const before = tf.memory().numTensors;
    const { volume, perms } = volumize(x, o);
    unvolumize(volume, perms, 6, 6, 2).dispose();
    volume.dispose();
    tf.grad((input: tf.Tensor) => volumize(input as Images, o).volume.sum())(x).dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
