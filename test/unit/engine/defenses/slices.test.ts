import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { networkInput } from "../../../../src/engine/classifier/input.ts";
import { classifierOf } from "../../../../src/engine/classifier/network.ts";
import type { Params, SliceFacts, TrainingPlan } from "../../../../src/engine/define/index.ts";
import { saveNetwork } from "../../../../src/engine/importers/index.ts";
import { sliceMap } from "../../../../src/engine/metrics/certificate.ts";
import { SliceDense } from "../../../../src/engine/models/layers/index.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { openModel, planOf as stacked } from "../../../../src/engine/session/openModel.ts";
import { type Images, tf, tfl } from "../../../../src/engine/tf.ts";
import type { InputContract } from "../../../../src/shared/contract.ts";

beforeAll(() => useBackend("cpu"));
const folder = await mkdtemp(path.join(os.tmpdir(), "slices-"));
afterAll(() => rm(folder, { recursive: true, force: true }));

const side = 8;
const shapeOf = (channels: number) => [side, side, channels] as const;
const choices = (params: Params) => [{ id: "volumizedCurriculum", params: { patch: 4, kernelDepth: 1, ...params } }];
const planOf = (params: Params = {}, channels = 1): TrainingPlan => stacked(choices(params), shapeOf(channels), 3);
const images = (n: number, channels = 1, seed = 3): Images =>
  tf.tensor4d(createRandom(seed).uniforms(n * side * side * channels), [n, ...shapeOf(channels)]);
const initializer = (seed: number) => tfl.initializers.heNormal({ seed });

/** Two dense layers behind a convolution; `first` may come before it. */
function network(channels = 1, first: readonly tfl.layers.Layer[] = []): tfl.LayersModel {
  return tfl.sequential({
    layers: [
      tfl.layers.inputLayer({ inputShape: [...shapeOf(channels)] }),
      ...first,
      tfl.layers.conv2d({ name: "conv", filters: 4, kernelSize: 3, activation: "relu", kernelInitializer: initializer(1) }),
      tfl.layers.globalAveragePooling2d({ name: "pool" }),
      tfl.layers.dense({ name: "hidden", units: 5, activation: "relu", kernelInitializer: initializer(2) }),
      tfl.layers.dense({ name: "scores", units: 3, kernelInitializer: initializer(3) }),
    ],
  });
}
const outputOf = (plan: TrainingPlan, converted: tfl.LayersModel, x: Images): tf.Tensor =>
  converted.predict(networkInput(x, { input: {} }, plan)) as tf.Tensor;
const close = (a: tf.Tensor, b: tf.Tensor, digits = 5): void => {
  expect(a.shape).toEqual(b.shape);
  const expected = b.dataSync();
  a.dataSync().forEach((v, i) => {
    expect(v).toBeCloseTo(expected[i] as number, digits);
  });
};

describe("slices that overlap", () => {
  it("are more, and cost as much more", () => {
    const [apart, overlapping] = [planOf(), planOf({ stride: 2 })];
    expect(overlapping.slices).toMatchObject({ count: 9, rows: 3, columns: 3, side: [4, 4], stride: [2, 2] });
    expect(apart.slices).toMatchObject({ count: 4, stride: [4, 4] });
    expect(overlapping.relativeCost / apart.relativeCost).toBeCloseTo(9 / 4, 10);
    expect(overlapping.learningRateScale).toBeCloseTo(1 / 9, 10);
    expect(overlapping.prepare(images(2)).shape).toEqual([2, 9, 4, 4, 1]);
  });

  it("are refused where they do not fit", () => {
    for (const [params, said] of [
      [{ stride: 3 }, /do not end where an image of 8×8/],
      [{ stride: 5 }, /leaves pixels between/],
      [{ patch: 9 }, /too large/],
    ] as const)
      expect(() => planOf(params)).toThrow(said);
    expect(planOf({ stride: 3, onRemainder: "reflectPad" }).slices?.count).toBe(9);
    expect(planOf({ stride: 3, onRemainder: "drop" }).slices?.count).toBe(4);
  });
});

describe("columns", () => {
  it("are as high as the image and as wide as the patch, side by side or overlapping", () => {
    const column = { sliceShape: "column", patch: 2, order: "raster" };
    expect(planOf(column).slices).toMatchObject({ count: 4, rows: 1, columns: 4, side: [8, 2], stride: [8, 2] });
    const x = images(2);
    const volume = planOf({ ...column, stride: 1 }).prepare(x);
    expect(volume.shape).toEqual([2, 7, 8, 2, 1]);
    for (let z = 0; z < 7; z++)
      close(volume.slice([0, z, 0, 0, 0], [2, 1, 8, 2, 1]).reshape([2, 8, 2, 1]), x.slice([0, 0, z, 0], [2, 8, 2, 1]), 7);
  });

  it("pass a network of their own shape, and a patch of 5 pixels touches two of four", () => {
    const plan = planOf({ sliceShape: "column", aggregate: "meanProb" });
    const model = classifierOf(plan.network(network()), { contract: { input: {} }, outputs: "logits", plan, inputShape: shapeOf(1) });
    expect(model.slices).toMatchObject({ count: 2, side: [8, 4], reach: 1 });
    expect(
      sliceMap(shapeOf(1), model.slices as SliceFacts)
        .touchedBy(5)
        .map((set) => set.length),
    ).toEqual([2]);
    expect(
      sliceMap(shapeOf(1), planOf({ sliceShape: "column", patch: 2 }).slices as SliceFacts)
        .touchedBy(2)
        .map((set) => set.length)
        .sort(),
    ).toEqual([1, 1, 1, 1, 2, 2, 2]);
  });
});

describe("position channels", () => {
  it("tell row and column of the slice that lies at each place, whatever the order", () => {
    const x = images(2);
    const find = (order: string): { rows: number[]; columns: number[]; pixels: tf.Tensor } => {
      const volume = planOf({ positionChannel: true, order, measure: "entropy" }).prepare(x);
      expect(volume.shape).toEqual([2, 4, 4, 4, 3]);
      const at = (channel: number): number[] => [...volume.slice([0, 0, 0, 0, channel], [2, 4, 1, 1, 1]).dataSync()];
      // the same for all pixels of a slice
      const [mean, variance] = [tf.moments(volume.slice([0, 0, 0, 0, 1]), [2, 3])].flatMap((m) => [m.mean, m.variance]);
      expect(Math.max(...(variance as tf.Tensor).dataSync())).toBe(0);
      expect(Array.from((mean as tf.Tensor).dataSync()).every((v) => v === 0 || v === 1)).toBe(true);
      return { rows: at(1), columns: at(2), pixels: volume.slice([0, 0, 0, 0, 0], [-1, -1, -1, -1, 1]) };
    };
    expect(find("raster")).toMatchObject({ rows: [0, 0, 1, 1, 0, 0, 1, 1], columns: [0, 1, 0, 1, 0, 1, 0, 1] });
    const { rows, columns, pixels } = find("desc");
    for (let n = 0; n < 2; n++) {
      for (let z = 0; z < 4; z++) {
        const [row, column] = [rows[4 * n + z] as number, columns[4 * n + z] as number];
        const cut = x.slice([n, 4 * row, 4 * column, 0], [1, 4, 4, 1]);
        expect(pixels.slice([n, z, 0, 0, 0], [1, 1, 4, 4, 1]).dataSync()).toEqual(cut.dataSync());
      }
    }
    expect([
      ...planOf({ positionChannel: true, order: "raster", stride: 2 }).prepare(x).slice([0, 0, 0, 0, 1], [1, 9, 1, 1, 2]).dataSync(),
    ]).toEqual([0, 0, 0, 0.5, 0, 1, 0.5, 0, 0.5, 0.5, 0.5, 1, 1, 0, 1, 0.5, 1, 1]);
    expect([...planOf({ positionChannel: true, patch: 8 }).prepare(x).slice([0, 0, 0, 0, 1]).dataSync()].every((v) => v === 0)).toBe(true);
  });

  it("leave the gradient of the pixels as it is", () => {
    const w = tf.tensor(createRandom(4).uniforms(2 * 64), [2, 4, 4, 4, 1]);
    const gradient = (plan: TrainingPlan) =>
      tf.grad((x: tf.Tensor) =>
        plan
          .prepare(x as Images)
          .slice([0, 0, 0, 0, 0], [-1, -1, -1, -1, 1])
          .mul(w)
          .sum(),
      )(images(2));
    close(gradient(planOf({ positionChannel: true })), gradient(planOf()), 7);
  });

  it("begin without effect where the weights of a network are taken over, and get one in training", () => {
    const places = planOf({ positionChannel: true, weights: "inflate" });
    const [plain, placed] = [planOf({ weights: "inflate" }).network(network()), places.network(network())];
    const x = images(2);
    close(outputOf(places, placed, x), outputOf(planOf(), plain, x));
    expect(placed.getLayer("conv").getWeights()[0]?.shape).toEqual([1, 3, 3, 3, 4]);
    const depthwise = tfl.layers.depthwiseConv2d({ name: "each", kernelSize: 3, padding: "same", depthwiseInitializer: initializer(5) });
    const separate = places.network(network(1, [depthwise]));
    expect(outputOf(places, separate, x).shape).toEqual([2, 4, 3]);
    const fresh = planOf({ positionChannel: true });
    const learnt = fresh.network(network());
    const kernel = learnt.getLayer("conv").getWeights()[0] as tf.Tensor5D;
    expect(Math.max(...kernel.slice([0, 0, 0, 1, 0]).abs().dataSync())).toBeGreaterThan(0);
  });

  it("come to the network in the range of its pixels, behind its colours", () => {
    const contract: InputContract = { input: { channels: "bgr", mean: [10, 20, 30], scale: [1, 2, 3] } };
    const x = images(1, 3);
    const input = networkInput(x, contract, planOf({ positionChannel: true, order: "raster" }, 3));
    expect(input.shape).toEqual([1, 4, 4, 4, 5]);
    const [blue = 0, green = 0, red = 0, row, column] = input.slice([0, 3, 0, 0, 0], [1, 1, 1, 1, 5]).dataSync();
    const [r = 0, g = 0, b = 0] = x.slice([0, 4, 4, 0], [1, 1, 1, 3]).dataSync();
    expect(blue).toBeCloseTo(255 * b - 10, 3);
    expect(green).toBeCloseTo((255 * g - 20) / 2, 3);
    expect(red).toBeCloseTo((255 * r - 30) / 3, 3);
    expect([row, column]).toEqual([117.5, 117.5]); // (255 − 20) / 2
  });
});

describe("a head for every place", () => {
  it("starts like the one that all would share, and takes over its weights", () => {
    const x = images(2);
    for (const weights of ["new", "inflate"]) {
      const [shared, own] = [planOf({ weights }), planOf({ weights, perSliceHead: true })];
      const [one, many] = [shared.network(network()), own.network(network())];
      if (weights === "inflate") close(outputOf(own, many, x), outputOf(shared, one, x));
      const [kernel, bias] = many.getLayer("hidden").getWeights();
      expect([kernel?.shape, bias?.shape]).toEqual([
        [4, 4, 5],
        [4, 5],
      ]);
      expect(new Set(kernel?.slice([0, 0, 0], [-1, 1, 1]).dataSync()).size).toBe(1);
      expect(many.countParams() - one.countParams()).toBe(3 * (4 * 5 + 5 + 5 * 3 + 3));
    }
  });

  it("computes x·W[z] + c[z], by hand", () => {
    const layer = new SliceDense({ dense: tfl.layers.dense({ units: 2 }).getConfig() });
    const input = tfl.input({ shape: [2, 2] });
    const model = tfl.model({ inputs: input, outputs: layer.apply(input) as tfl.SymbolicTensor });
    layer.setWeights([tf.tensor3d([1, 0, 0, 1, 2, 3, 4, 5], [2, 2, 2]), tf.tensor2d([0, 0, 10, 20], [2, 2])]);
    const y = model.predict(tf.tensor3d([1, 2, 1, 2], [1, 2, 2])) as tf.Tensor;
    expect([...y.dataSync()]).toEqual([1, 2, 20, 33]); // 1·2 + 2·4 + 10, 1·3 + 2·5 + 20
  });

  it("trains the weights of each place on its own slices", () => {
    const plan = planOf({ perSliceHead: true, order: "raster" });
    const many = plan.network(network());
    const before = (many.getLayer("scores").getWeights()[0] as tf.Tensor).clone();
    const x = images(4);
    const y = tf.oneHot(tf.tensor1d([0, 1, 2, 0], "int32"), 3).toFloat() as tf.Tensor2D;
    tf.train.sgd(0.1).minimize(() => {
      const z = many.apply(plan.prepare(x), { training: true }) as tf.Tensor;
      return plan.criterion(z.slice([0, 1, 0], [-1, 1, -1]), y); // a loss of the second place alone
    });
    const moved = (many.getLayer("scores").getWeights()[0] as tf.Tensor).sub(before).abs().sum([1, 2]).dataSync();
    expect(Array.from(moved, (v) => v > 0)).toEqual([false, true, false, false]);
  });

  it("leaves slices independent where they stay in their places, and nowhere else", () => {
    const reach = (params: Params): number | undefined => {
      const plan = planOf({ perSliceHead: true, ...params });
      const model = classifierOf(plan.network(network()), { contract: { input: {} }, outputs: "logits", plan, inputShape: shapeOf(1) });
      return model.slices?.reach;
    };
    expect([reach({}), reach({ order: "raster" }), reach({ order: "raster", kernelDepth: 3 })]).toEqual([4, 1, 3]);
  });

  it("needs a dense layer", () => {
    const pooled = tfl.sequential({
      layers: [tfl.layers.conv2d({ inputShape: [...shapeOf(1)], filters: 3, kernelSize: 3 }), tfl.layers.globalAveragePooling2d({})],
    });
    const before = tf.memory().numTensors;
    expect(() => planOf({ perSliceHead: true }).network(pooled)).toThrow(
      expect.objectContaining({ code: "MODEL_INVALID", fix: expect.stringContaining("perSliceHead") }),
    );
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each(["new", "inflate"])("leaves no tensor behind, with %s weights", (weights) => {
    const flat = network();
    const before = tf.memory().numTensors;
    const many = planOf({ weights, perSliceHead: true }).network(flat);
    expect(tf.memory().numTensors - before).toBe(many.weights.length);
    many.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("slices in the order of the image", () => {
  it("need no measure", () => {
    const x = images(1);
    const cut = [0, 4].flatMap((top) => [0, 4].flatMap((left) => [...x.slice([0, top, left, 0], [1, 4, 4, 1]).dataSync()]));
    expect([...planOf({ order: "raster" }).prepare(x).dataSync()]).toEqual(cut);
  });

  it("feed a curriculum lowest first all the same", () => {
    const pixels = images(6).dataSync<"float32">();
    const of = (order: string) => planOf({ order }).syllabus?.order(pixels, 6);
    expect(of("raster")).toEqual(of("asc"));
    expect(of("raster")).not.toEqual(of("desc"));
  });
});

describe("abstention", () => {
  it("is part of the logits and told", () => {
    const plan = planOf({ abstain: 0.6, aggregate: "vote" });
    expect(plan.slices).toMatchObject({ abstain: 0.6, aggregate: "vote" });
    const z = tf.tensor3d([
      [
        [4, 0, 0],
        [0, 1, 0],
        [0, 1.2, 0],
        [0, 0, 0],
      ],
    ]);
    const shares = tf.exp(plan.toLogits(z)).dataSync();
    expect(Array.from(shares, (v) => Math.round(1000 * v))).toEqual([250, 250, 25]);
  });

  it("is refused where one slice can outvote all", () => {
    expect(() => planOf({ abstain: 0.5, aggregate: "sumLog" })).toThrow(
      expect.objectContaining({ code: "PARAMETER_INVALID", fix: expect.stringContaining("meanProb or vote") }),
    );
  });
});

it("the preset local judges every slice on its own", () => {
  const plan = stacked([{ id: "volumizedCurriculum", params: { preset: "local", patch: 4 } }], shapeOf(1), 3);
  expect(plan.syllabus).toBeUndefined();
  const model = classifierOf(plan.network(network()), { contract: { input: {} }, outputs: "logits", plan, inputShape: shapeOf(1) });
  expect(model.slices).toMatchObject({ reach: 1, count: 4, aggregate: "meanProb" });
});

it("a saved model keeps all of it", async () => {
  const params = { stride: 2, positionChannel: true, perSliceHead: true, order: "raster", abstain: 0.4, aggregate: "vote" };
  const plan = planOf(params);
  const converted = plan.network(network());
  const before = classifierOf(converted, { contract: { input: {} }, outputs: "logits", plan, inputShape: shapeOf(1), freeze: false });
  const file = path.join(folder, "model");
  await saveNetwork(converted, file, {
    input: { size: [side, side], channels: "gray" },
    output: { kind: "logits" },
    defense: choices(params),
  });
  const { classifier } = await openModel(file);
  const { logits: _, order: __, ...facts } = before.slices ?? expect.unreachable("no slices");
  expect(classifier.slices).toMatchObject(facts);
  const x = images(3);
  expect(await classifier.logits(x).data()).toEqual(await before.logits(x).data());
});
