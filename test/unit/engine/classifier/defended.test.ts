import "../../../../src/engine/backends/cpu.ts";
import { Type } from "@sinclair/typebox";
import { describe, expect, it } from "vitest";
import { averaged } from "../../../../src/engine/classifier/averaged.ts";
import { inputGradient } from "../../../../src/engine/classifier/classifier.ts";
import { defended } from "../../../../src/engine/classifier/defended.ts";
import { classifierOf } from "../../../../src/engine/classifier/network.ts";
import { attackSurface } from "../../../../src/engine/classifier/surface.ts";
import { defineInferenceDefense, type InferenceDefense } from "../../../../src/engine/define/index.ts";
import { crossEntropy } from "../../../../src/engine/losses/crossEntropy.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { type Images, tf } from "../../../../src/engine/tf.ts";
import { convNetwork } from "../fixtures.ts";

const streams = { random: (i: number) => createRandom(`image ${i}`) };
const entry = (id: string, backward: "exact" | "bpda", transform: (x: Images) => Images): InferenceDefense =>
  defineInferenceDefense({ id, title: `Test ${id}`, paper: "", params: Type.Object({}), backward: () => backward, transform });
const bound = (e: InferenceDefense) => ({ id: e.id, params: {}, entry: e });

const oneBit = entry("oneBit", "bpda", (x) => tf.tidy(() => tf.round(x)));
const halved = entry("halved", "exact", (x) => tf.tidy(() => tf.mul(x, 0.5)));
const model = () => classifierOf(convNetwork(), { contract: { input: {} }, outputs: "logits" });
const x: Images = tf.tensor4d(
  Float32Array.from({ length: 64 }, (_, i) => (i % 10) / 10),
  [1, 8, 8, 1],
);
const loss = (logits: tf.Tensor2D): tf.Scalar => crossEntropy(logits, tf.tensor1d([0], "int32"), "sum");
const numbers = async (t: tf.Tensor): Promise<number[]> => [...(await t.data())];

describe("a model behind transformations", () => {
  it("sees the transformed image, the first of the list met first by the image", async () => {
    const plain = model();
    const both = defended(plain, [bound(halved), bound(oneBit)], streams);
    const expected = plain.logits(tf.round(tf.mul(x, 0.5)) as Images);
    expect(await numbers(both.logits(x))).toEqual(await numbers(expected));
    expect(both.defenses.map(({ id }) => id)).toEqual(["halved", "oneBit"]);
    expect(both.bare).toBe(plain);
  });

  it("passes gradients as the identity where the defence declares bpda: that of the rounded image, taken for that of the image", async () => {
    const plain = model();
    const rounded = defended(plain, [bound(oneBit)], streams);
    const through = inputGradient(rounded, x, loss).gradient;
    const atRounded = inputGradient(plain, tf.round(x) as Images, loss).gradient;
    expect(await numbers(through)).toEqual(await numbers(atRounded));
    expect((await numbers(through)).some((value) => value !== 0)).toBe(true);
  });

  it("passes them through the transformation where it is exact: d/dx f(x/2) = f'(x/2)/2", async () => {
    const plain = model();
    const through = inputGradient(defended(plain, [bound(halved)], streams), x, loss).gradient;
    const half = inputGradient(plain, tf.mul(x, 0.5) as Images, loss).gradient;
    const expected = (await numbers(half)).map((value) => value / 2);
    (await numbers(through)).forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i] as number, 6);
    });
  });

  it("shows explanations the function that is attacked", async () => {
    const plain = model();
    const source = defended(plain, [bound(oneBit)], streams).layers;
    const layer = source?.defaultLayer ?? "";
    const { taken, logits } = source?.run(x, { take: [layer] }) ?? {};
    const expected = plain.layers?.run(tf.round(x) as Images, { take: [layer] });
    expect(await numbers(taken?.get(layer) as tf.Tensor)).toEqual(await numbers(expected?.taken.get(layer) as tf.Tensor));
    expect(await numbers(logits as tf.Tensor)).toEqual(await numbers(plain.logits(tf.round(x) as Images)));
  });

  it("is attacked as a whole by an adaptive attacker and without its front by a static one, and says how", () => {
    const plain = model();
    const both = defended(plain, [bound(halved), bound(oneBit)], streams);
    expect(attackSurface(both, "adaptive").model).toBe(both);
    expect(attackSurface(both, "adaptive").how).toBe("gradients through test halved, BPDA through test oneBit");
    expect(attackSurface(both, "static").model).toBe(plain);
  });

  it("shows defences where the attacker's changes lie in the attacker's own passes, at any place of the chain and through averaging", async () => {
    const erased = defineInferenceDefense({
      id: "erased",
      title: "Test erased",
      paper: "",
      params: Type.Object({}),
      backward: () => "exact",
      transform: (y, _, { mask }) => (mask ? tf.mul(y, tf.sub(1, mask)) : y),
    });
    const plain = model();
    const mask: Images = tf.tensor4d(
      Float32Array.from({ length: 64 }, (_, i) => (i % 3 === 0 ? 1 : 0)),
      [1, 8, 8, 1],
    );
    const without = await numbers(plain.logits(tf.mul(x, 0.5) as Images));
    const expected = await numbers(plain.logits(tf.mul(tf.mul(x, 0.5), tf.sub(1, mask)) as Images));
    expect(expected).not.toEqual(without);
    for (const chain of [
      [bound(erased), bound(halved)],
      [bound(halved), bound(erased)],
    ]) {
      const behind = defended(plain, chain, streams);
      const known = behind.withMask?.(mask);
      expect(await numbers(known?.logits(x) as tf.Tensor)).toEqual(expected);
      expect(await numbers(behind.logits(x))).toEqual(without);
      const mean = averaged(behind, 2).withMask?.(mask);
      expect((await numbers(mean?.logits(x) as tf.Tensor)).map((v) => v.toFixed(5))).toEqual(expected.map((v) => v.toFixed(5)));
      expect(mean?.passes).toBe(2);
    }
    expect(plain.withMask).toBeUndefined();
  });

  it("keeps what it knows of the mask where it draws from other streams", async () => {
    const noisy = defineInferenceDefense({
      id: "noisy",
      title: "Test noisy",
      paper: "",
      params: Type.Object({}),
      randomised: () => true,
      backward: () => "exact",
      transform: (y, _, { mask, random }) => tf.add(y, tf.mul(mask ?? 0, random(0).next())),
    });
    const mask: Images = tf.ones([1, 8, 8, 1]);
    const others = { random: () => createRandom("another") };
    const behind = defended(model(), [bound(noisy)], streams);
    const first = await numbers(behind.withMask?.(mask).withStreams?.(others).logits(x) as tf.Tensor);
    const second = await numbers(behind.withStreams?.(others).withMask?.(mask).logits(x) as tf.Tensor);
    expect(first).toEqual(second);
    expect(first).not.toEqual(await numbers(behind.withMask?.(mask).logits(x) as tf.Tensor));
    expect(first).not.toEqual(await numbers(behind.withStreams?.(others).logits(x) as tf.Tensor));
  });

  it("refuses a transformation that changes the shape", () => {
    const cropped = entry("cropped", "exact", (y) => tf.slice(y, [0, 0, 0, 0], [1, 4, 8, 1]) as Images);
    expect(() => defended(model(), [bound(cropped)], streams).logits(x)).toThrow("turned images of 8×8×1 into 4×8×1");
  });
});
