import { describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import type { VolumizerOptions } from "../../../../src/engine/define/index.ts";
import { measures } from "../../../../src/engine/measures/all.ts";
import { toBytes } from "../../../../src/engine/pixels.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { type Images, tf } from "../../../../src/engine/tf.ts";
import { presets } from "../../../../src/engine/volumizer/presets.ts";
import { hasManyTies, orderOf } from "../../../../src/engine/volumizer/rank.ts";
import { rankSlices, scoreJson, unvolumize, volumize } from "../../../../src/engine/volumizer/volumize.ts";
import { images, options } from "./fixtures.ts";

const image = [
  [0, 0, 10, 20],
  [0, 0, 30, 40],
  [5, 5, 7, 7],
  [5, 9, 7, 7],
];
const bytes = Uint8Array.from(image.flat());
const rank = (o: VolumizerOptions) => rankSlices(bytes, 4, 4, 1, o);
const permOf = (o: VolumizerOptions): number[] => [...rank(o).perm];

await useBackend("cpu");

describe("ranking of the 4×4 image, by hand", () => {
  it("entropy orders the slices up and down", () => {
    const up = rank(options("entropy"));
    expect(up).toMatchObject({ Z: 4, rows: 2, columns: 2, reference: null });
    up.scores.forEach((score, i) => {
      expect(score).toBeCloseTo([0, 2, 0.811278, 0][i] as number, 6);
    });
    expect([...up.perm]).toEqual([0, 3, 2, 1]);
    expect(permOf(options("entropy", { order: "desc" }))).toEqual([1, 2, 0, 3]);
  });

  it.each([
    ["mutualInformation", "asc", [0, 3, 2, 1]],
    ["mutualInformation", "desc", [1, 2, 0, 3]],
    ["psnr", "asc", [0, 2, 3, 1]],
    ["mse", "asc", [1, 3, 2, 0]],
    ["maxNorm", "asc", [0, 1, 2, 3]],
    ["klDivergence", "asc", [1, 2, 0, 3]],
    ["jointEntropy", "asc", [0, 1, 2, 3]],
    ["ssim", "asc", [0, 3, 2, 1]],
    ["ssim", "desc", [1, 2, 3, 0]],
  ] as const)("%s %s against the most salient slice", (measure, order, perm) => {
    expect(rank(options(measure, { order })).reference).toBe(1);
    expect(permOf(options(measure, { order }))).toEqual(perm);
  });

  it("chooses the reference by name or by place", () => {
    expect(rank(options("mse", { reference: "minEntropy" })).reference).toBe(0);
    expect(permOf(options("mse", { reference: { index: 3 } }))).toEqual([3, 2, 0, 1]); // mean squares 49, 338, 4, 0
    expect(() => rank(options("mse", { reference: { index: 4 } }))).toThrow(expect.objectContaining({ code: "PARAMETER_INVALID" }));
  });

  it("compares with a slice that is given", () => {
    const like = (...slice: number[]) => rank(options("mse", { reference: { slice: Uint8Array.from(slice) } }));
    const { scores, perm, reference } = like(5, 5, 5, 10); // squares 175/4, (25+225+625+900)/4, 1/4, (4+4+4+9)/4
    expect([...scores]).toEqual([43.75, 443.75, 0.25, 5.25]);
    expect([[...perm], reference]).toEqual([[2, 3, 0, 1], null]);
    const zero = rank(options("mutualInformation", { reference: { slice: Uint8Array.of(1, 2, 3, 4) }, refScore: "zero" }));
    expect(zero.scores[1]).toBe(2); // none of the image's own slices is the reference, so none is forced to 0
    expect(() => like(5, 5, 5)).toThrow(expect.objectContaining({ code: "PARAMETER_INVALID", fix: expect.stringContaining("height") }));
  });

  it("takes the first of several most or least salient slices", () => {
    for (const reference of ["mostSalient", "minEntropy"] as const)
      expect(rankSlices(new Uint8Array(64), 8, 8, 1, options("mse", { reference })).reference).toBe(0);
  });

  it("has presets for the paper and for what its authors run", () => {
    const of = (name: keyof typeof presets): unknown[] => {
      const { measure, order, reference, refScore, onRemainder } = presets[name];
      return [measure.id, order, reference, refScore, onRemainder];
    };
    expect(of("paper")).toEqual(["mutualInformation", "asc", "mostSalient", "true", "error"]);
    expect(of("paperMi")).toEqual(["mutualInformation", "desc", "minEntropy", "true", "error"]);
    expect(of("authorsCode")).toEqual(["mutualInformation", "desc", "minEntropy", "zero", "drop"]);
  });

  it("may force the reference's score to 0, as the authors do", () => {
    const { scores, perm } = rank(options("psnr", { refScore: "zero" }));
    expect(scores[1]).toBe(0);
    expect([...perm]).toEqual([1, 0, 2, 3]);
    expect(permOf({ ...presets.authorsCode, patch: 2 })).toEqual([0, 1, 2, 3]); // MI with a constant slice is 0 throughout
  });

  it("knows when the order says little", () => {
    expect(rank(options("maxNorm")).manyTies).toBe(true);
    expect(rank(options("mse")).manyTies).toBe(false);
    expect(hasManyTies(Float64Array.of(0, 0, 1, 2))).toBe(false);
  });
});

describe("order of scores", () => {
  it("puts −∞ first, +∞ after every number, NaN last in both directions", () => {
    const scores = Float64Array.of(Number.NaN, 1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1);
    expect([...orderOf(scores, "asc")]).toEqual([3, 1, 4, 2, 0]);
    expect([...orderOf(scores, "desc")]).toEqual([2, 1, 4, 3, 0]);
  });

  it("crosses JSON", () => {
    expect([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 1.5].map(scoreJson)).toEqual([
      "Infinity",
      "-Infinity",
      "NaN",
      1.5,
    ]);
  });
});

describe("volumes", () => {
  it("hold the slices of the 4×4 image in their order", async () => {
    const x = tf.tensor4d(
      Float32Array.from(bytes, (v) => v / 255),
      [1, 4, 4, 1],
    );
    const { volume, perms } = volumize(x, options("entropy"));
    expect(volume.shape).toEqual([1, 4, 2, 2, 1]);
    expect([...perms]).toEqual([0, 3, 2, 1]);
    const second = await volume.slice([0, 0, 0, 1, 0], [1, 4, 1, 1, 1]).data<"float32">();
    expect([...second].map((v) => Math.round(255 * v))).toEqual([0, 7, 5, 20]);
  });

  it.each([
    [32, 32, 16, 4],
    [32, 32, 8, 16],
    [32, 32, 4, 64],
    [224, 224, 16, 196],
    [28, 28, 28, 1],
  ])("%i×%i in patches of %i: depth %i", (h, w, patch, depth) => {
    expect(rankSlices(new Uint8Array(h * w), h, w, 1, options("mutualInformation", { patch })).Z).toBe(depth);
  });

  it("leave a constant image in raster order", () => {
    for (const { id: measure } of measures) {
      const { perm } = rankSlices(new Uint8Array(64).fill(9), 8, 8, 1, options(measure, { order: "desc" }));
      expect([...perm]).toEqual([...perm.keys()]);
    }
  });

  it.each([
    ["mutualInformation", "asc", 3, [4, 4]],
    ["ssim", "desc", 1, [2, 6]],
    ["entropy", "desc", 3, [8, 3]],
  ] as const)("%s %s: the inverse gives the very same bits", async (measure, order, channels, patch) => {
    const x = images(3, 8, 12, channels);
    const { volume, perms } = volumize(x, options(measure, { order, patch }));
    expect(await unvolumize(volume, perms, 8, 12).data()).toEqual(await x.data());
    expect((await volume.data()).toSorted()).toEqual((await x.data()).toSorted());
  });

  it.each(measures.flatMap(({ id }) => [[id, "asc"] as const, [id, "desc"] as const]))(
    "%s %s: no pixel is lost",
    async (measure, order) => {
      const x = images(2, 6, 9, 2, 3);
      const { volume, perms } = volumize(x, options(measure, { order, patch: 3 }));
      expect(await unvolumize(volume, perms, 6, 9).data()).toEqual(await x.data());
      // Slice z of the volume is slice perm[z] of the image.
      const second = await volume.slice([1, 2, 0, 0, 0], [1, 1, 3, 3, 2]).data();
      const place = perms[6 + 2] as number;
      const cut = x.slice([1, 3 * Math.floor(place / 3), 3 * (place % 3), 0], [1, 3, 3, 2]);
      expect(second).toEqual(await cut.data());
    },
  );

  it("rank as rankSlices does, pixels rounded to bytes", () => {
    const x = images(3, 12, 8, 3, 6);
    const bytes = Uint8Array.from(x.dataSync(), (v) => Math.round(255 * v));
    const o = options("klDivergence", { patch: [4, 4], reference: "minEntropy" });
    const each = [0, 1, 2].flatMap((n) => [...rankSlices(bytes.subarray(n * 288, (n + 1) * 288), 12, 8, 3, o).perm]);
    expect([...volumize(x, o).perms]).toEqual(each);
    expect([...toBytes(Float32Array.of(-1, 0, 0.5 / 255, 0.49 / 255, 1, 7, Number.NaN))]).toEqual([0, 0, 1, 0, 255, 255, 0]);
  });

  it("of one slice are the image itself", () => {
    const { perms, volume } = volumize(images(2, 4, 4, 3), options("mutualInformation", { patch: 4 }));
    expect([[...perms], volume.shape]).toEqual([
      [0, 0],
      [2, 1, 4, 4, 3],
    ]);
  });

  it("leave no tensor behind but the volume", () => {
    const x = images(2, 5, 5, 1);
    const before = tf.memory().numTensors;
    volumize(x, options("mse", { onRemainder: "reflectPad" })).volume.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("give every image of a batch what it gets alone", async () => {
    const x = images(3, 8, 8, 1);
    const o = options("mutualInformation");
    const all = await volumize(x, o).volume.data();
    const single = await volumize(x.slice([1, 0, 0, 0], [1, -1, -1, -1]), o).volume.data();
    expect(all.slice(64, 128)).toEqual(single);
  });

  it("have the same scores, sorted, when the image's slices change places", () => {
    const rng = createRandom(4);
    const pixels = Uint8Array.from({ length: 64 }, () => rng.integer(256));
    const swapped = new Uint8Array(64); // left and right half of an 8×8 image exchanged
    pixels.forEach((v, i) => {
      swapped[i ^ 4] = v;
    });
    const o = options("mutualInformation", { patch: 4 });
    const reference = rankSlices(pixels, 8, 8, 1, o).reference as number;
    const before = rankSlices(pixels, 8, 8, 1, o);
    const after = rankSlices(swapped, 8, 8, 1, { ...o, reference: { index: reference ^ 1 } });
    expect(after.scores.toSorted()).toEqual(before.scores.toSorted());
  });
});

describe("gradient", () => {
  const weighted = (w: tf.Tensor, o: VolumizerOptions) => (x: tf.Tensor) =>
    volumize(x as Images, o)
      .volume.mul(w)
      .sum();

  it("of Σ V(x)·w is V⁻¹(w)", async () => {
    const o = options("mutualInformation");
    const x = images(2, 4, 4, 3);
    const w = images(2, 4, 4, 3, 2).reshape([2, 4, 2, 2, 3]) as tf.Tensor5D;
    const expected = unvolumize(w, volumize(x, o).perms, 4, 4);
    expect(await tf.grad(weighted(w, o))(x).data()).toEqual(await expected.data());
  });

  it("of the gradient is V again, so that a loss may hold a gradient", async () => {
    const o = options("entropy");
    const x = images(1, 4, 4, 1);
    const w = images(1, 4, 4, 1, 2).reshape([1, 4, 2, 2, 1]) as tf.Tensor5D;
    // d/dw Σ u·V⁻¹(w) = V(u)
    const u = images(1, 4, 4, 1, 3);
    const inner = (v: tf.Tensor) => tf.grad(weighted(v, o))(x).mul(u).sum();
    const { perms } = volumize(x, o);
    expect(await unvolumize(tf.grad(inner)(w) as tf.Tensor5D, perms, 4, 4).data()).toEqual(await u.data());
  });

  it("of the inverse goes back through V", async () => {
    const o = options("mutualInformation");
    const { volume, perms } = volumize(images(1, 4, 4, 1), o);
    const w = images(1, 4, 4, 1, 2);
    const gradient = tf.grad((v: tf.Tensor) =>
      unvolumize(v as tf.Tensor5D, perms, 4, 4)
        .mul(w)
        .sum(),
    )(volume);
    expect(await unvolumize(gradient as tf.Tensor5D, perms, 4, 4).data()).toEqual(await w.data());
  });

  it("counts a mirrored pixel as often as it appears", async () => {
    const o = options("entropy", { onRemainder: "reflectPad" });
    const counts = await tf
      .grad((x: tf.Tensor) => volumize(x as Images, o).volume.sum())(images(1, 3, 3, 1))
      .data();
    expect([...counts]).toEqual([1, 2, 1, 2, 4, 2, 1, 2, 1]); // 3×3 → 4×4: line 1 and column 1 appear once more
  });
});

describe("a patch that does not divide the image", () => {
  const x = () => images(2, 5, 5, 1);

  it("is an error by default, which names patches that fit", () => {
    expect(() => volumize(x(), options("mse"))).toThrow(expect.objectContaining({ code: "PARAMETER_INVALID" }));
    expect(() => rankSlices(new Uint8Array(784), 28, 28, 1, options("mse", { patch: 8 }))).toThrow(
      expect.objectContaining({ fix: expect.stringContaining("2, 4, 7, 14") }),
    );
  });

  it("mirrors, and the inverse crops back", async () => {
    const o = options("mse", { onRemainder: "reflectPad" });
    const { volume, perms } = volumize(x(), o);
    expect(volume.shape).toEqual([2, 9, 2, 2, 1]);
    expect(await unvolumize(volume, perms, 5, 5).data()).toEqual(await x().data());
    const padded = tf.mirrorPad(
      x(),
      [
        [0, 0],
        [0, 1],
        [0, 1],
        [0, 0],
      ],
      "reflect",
    );
    expect(await unvolumize(volume, perms, 6, 6).data()).toEqual(await padded.data());
  });

  it("drops, and the inverse leaves zeros", async () => {
    const { volume, perms } = volumize(x(), options("mse", { onRemainder: "drop" }));
    expect(volume.shape).toEqual([2, 4, 2, 2, 1]);
    const inside = tf.ones([2, 4, 4, 1]).pad([
      [0, 0],
      [0, 1],
      [0, 1],
      [0, 0],
    ]);
    expect(await unvolumize(volume, perms, 5, 5).data()).toEqual(await x().mul(inside).data());
  });

  it("cannot be larger than the image, whatever the rule", () => {
    for (const onRemainder of ["error", "drop", "reflectPad"] as const)
      expect(() => volumize(x(), options("mse", { patch: 16, onRemainder }))).toThrow(
        expect.objectContaining({ code: "PARAMETER_INVALID" }),
      );
    // 6 and 9 could be mirrored from 5 pixels, but a slice of mostly mirrored pixels is no part of the image.
    for (const patch of [6, 9, [6, 2], [2, 6]] as const)
      expect(() => volumize(x(), options("mse", { patch, onRemainder: "reflectPad" }))).toThrow(/too large for an image of 5×5/);
  });
});

it("the inverse refuses permutations of other images", () => {
  const { volume, perms } = volumize(images(1, 4, 4, 1), options("mse"));
  expect(() => unvolumize(volume, perms, 8, 8)).toThrow(expect.objectContaining({ code: "PARAMETER_INVALID" }));
});
