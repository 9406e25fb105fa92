import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { type Classifier, type LayerSource, layerNamed, spatialLayers } from "../../../../src/engine/classifier/classifier.ts";
import { defended } from "../../../../src/engine/classifier/defended.ts";
import { classifierOf } from "../../../../src/engine/classifier/network.ts";
import { resolveParams, type TrainingPlan, type VolumizerOptions } from "../../../../src/engine/define/index.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { find } from "../../../../src/engine/registry.ts";
import { type Images, tf, tfl } from "../../../../src/engine/tf.ts";
import { plainPlan } from "../../../../src/engine/training/plan.ts";
import { presets } from "../../../../src/engine/volumizer/presets.ts";
import { volumize } from "../../../../src/engine/volumizer/volumize.ts";
import { convNetwork, near } from "../fixtures.ts";
import { noisy } from "./noisy.ts";

beforeAll(() => useBackend("cpu"));

const contract = { input: {} };
const classifier = (network: tfl.LayersModel): Classifier => classifierOf(network, { contract, outputs: "logits" });
const random = (shape: [number, number, number, number], seed = 5): Images =>
  tf.tensor4d(createRandom(seed).uniforms(shape.reduce((a, b) => a * b)), shape);
function sourceOf(model: Classifier): LayerSource {
  if (!model.layers) throw new Error("no layers");
  return model.layers;
}
const take = (model: Classifier, x: Images, layer: string): tf.Tensor =>
  sourceOf(model)
    .run(x, { take: [layer] })
    .taken.get(layer) ?? expect.unreachable(`${layer} was not taken`);
const from = (model: Classifier, x: Images, layer: string, value: tf.Tensor): ArrayLike<number> =>
  sourceOf(model).run(x, { from: { layer, value } }).logits.dataSync();
const init = (seed: number) => tfl.initializers.glorotUniform({ seed });
type Symbolic = tfl.SymbolicTensor;

/** conv – ReLU – conv – the same ReLU – flatten – dense. */
function sharedActivation(): { network: tfl.LayersModel; first: tfl.layers.Layer; second: tfl.layers.Layer; end: tfl.layers.Layer } {
  const input = tfl.input({ shape: [4, 4, 1], name: "picture" });
  const relu = tfl.layers.reLU({ name: "relu" });
  const first = tfl.layers.conv2d({ filters: 2, kernelSize: 3, padding: "same", kernelInitializer: init(1), name: "first" });
  const second = tfl.layers.conv2d({ filters: 3, kernelSize: 3, padding: "same", kernelInitializer: init(2), name: "second" });
  const end = tfl.layers.dense({ units: 2, kernelInitializer: init(3), name: "end" });
  const middle = relu.apply(first.apply(input)) as Symbolic;
  const flat = tfl.layers.flatten({ name: "flat" }).apply(relu.apply(second.apply(middle)) as Symbolic);
  return { network: tfl.model({ inputs: input, outputs: end.apply(flat) as Symbolic }), first, second, end };
}

/** An encoder that takes any size (conv with a ReLU of its own – max pool), applied within a model that adds its input back and ends in a sequential head. */
function nested(): tfl.LayersModel {
  const open = tfl.input({ shape: [null, null, 2], name: "any" });
  const conv = tfl.layers.conv2d({
    filters: 2,
    kernelSize: 3,
    padding: "same",
    activation: "relu",
    kernelInitializer: init(4),
    name: "conv",
  });
  const pooled = tfl.layers.maxPooling2d({ poolSize: 2, name: "pool" }).apply(conv.apply(open)) as Symbolic;
  const encoder = tfl.model({ inputs: open, outputs: pooled, name: "encoder" });
  const head = tfl.sequential({
    name: "head",
    layers: [
      tfl.layers.flatten({ inputShape: [4, 4, 2], name: "flat" }),
      tfl.layers.dense({ units: 3, activation: "tanh", kernelInitializer: init(5), name: "scores" }),
    ],
  });
  const input = tfl.input({ shape: [8, 8, 2], name: "picture" });
  const small = tfl.layers.averagePooling2d({ poolSize: 2, name: "small" }).apply(input);
  const sum = tfl.layers.add({ name: "sum" }).apply([encoder.apply(input) as Symbolic, small as Symbolic]);
  return tfl.model({ inputs: input, outputs: head.apply(sum) as Symbolic });
}

describe("layers", () => {
  it("are listed in network order with shape, grid and activation; a layer applied twice counts twice", () => {
    const { all, defaultLayer } = sourceOf(classifier(sharedActivation().network));
    expect(all.map(({ name }) => name)).toEqual(["picture", "first", "relu", "second", "relu#2", "flat", "end"]);
    expect(all.map(({ activation }) => activation)).toEqual([null, null, "relu", null, "relu", null, null]);
    expect(all[3]).toEqual({ name: "second", type: "Conv2D", shape: [null, 4, 4, 3], spatial: true, activation: null });
    expect(defaultLayer).toBe("relu#2");
  });

  it("of nested models are listed too, with the size they have here", () => {
    const model = classifier(nested());
    expect(sourceOf(model).all.map(({ name }) => name)).toEqual([
      "picture",
      "encoder/conv",
      "encoder/pool",
      "encoder",
      "small",
      "sum",
      "head/flat",
      "head/scores",
      "head",
    ]);
    expect(sourceOf(model).all.find(({ name }) => name === "encoder/conv")).toMatchObject({
      shape: [null, 8, 8, 2],
      spatial: true,
      activation: "relu",
    });
    expect(sourceOf(model).all.find(({ name }) => name === "head/scores")).toMatchObject({ activation: "tanh", spatial: false });
    expect(sourceOf(model).defaultLayer).toBe("sum");
  });

  it("are the outputs that tfjs itself gives, one application or the other", () => {
    const { network, first, second } = sharedActivation();
    const model = classifier(network);
    const x = random([2, 4, 4, 1]);
    const afterFirst = tf.relu(first.apply(x) as tf.Tensor);
    const afterSecond = tf.relu(second.apply(afterFirst) as tf.Tensor);
    expect(near(take(model, x, "relu").dataSync(), afterFirst.dataSync())).toBeLessThan(1e-6);
    expect(near(take(model, x, "relu#2").dataSync(), afterSecond.dataSync())).toBeLessThan(1e-6);
  });

  it("lead to the logits from any of them on, with a path around, within a nested model and behind it", () => {
    for (const [network, shape] of [
      [sharedActivation().network, [2, 4, 4, 1]],
      [nested(), [2, 8, 8, 2]],
      [convNetwork({ shape: [8, 8, 2] }), [2, 8, 8, 2]],
    ] as [tfl.LayersModel, [number, number, number, number]][]) {
      const model = classifier(network);
      const x = random(shape);
      const expected = (network.predict(x) as tf.Tensor).dataSync();
      for (const { name } of sourceOf(model).all)
        expect(near(from(model, x, name, take(model, x, name)), expected), name).toBeLessThan(1e-6);
    }
  });

  it("change the logits where their value is changed, along all paths from there", () => {
    const model = classifier(nested());
    const x = random([1, 8, 8, 2]);
    const inner = tf.add(take(model, x, "encoder/conv"), 1);
    const outer = tf.add(take(model, x, "encoder"), 1); // a maximum of values + 1 is the maximum + 1
    expect(near(from(model, x, "encoder/conv", inner), from(model, x, "encoder", outer))).toBeLessThan(1e-6);
    expect(near(from(model, x, "encoder", outer), model.logits(x).dataSync())).toBeGreaterThan(0.01);
  });

  it("give several values at once, and count a pass for each run from the images", () => {
    const model = classifier(nested());
    const x = random([3, 8, 8, 2]);
    const { taken } = sourceOf(model).run(x, { take: ["small", "encoder/pool"] });
    expect([...taken.keys()]).toEqual(["small", "encoder/pool"]);
    sourceOf(model).run(x, { from: { layer: "sum", value: take(model, x, "sum") } });
    expect(model.evaluations.forward).toBe(6);
  });

  it("are known by their full name, or by a short one that only one of them has", () => {
    const model = classifier(nested());
    const x = random([1, 8, 8, 2]);
    expect(near(take(model, x, "conv").dataSync(), take(model, x, "encoder/conv").dataSync())).toBe(0);
    expect(() => take(model, x, "convolution")).toThrow('The model has no layer "convolution".');
    const twice = ["a/conv", "b/conv", "b/sum"].map((name) => ({ name, type: "", shape: [], spatial: true, activation: null }));
    expect([layerNamed(twice, "conv"), layerNamed(twice, "sum")?.name, layerNamed(twice, "a/conv")?.name]).toEqual([
      undefined,
      "b/sum",
      "a/conv",
    ]);
  });

  it("leave no tensor behind but what was asked for", () => {
    const model = classifier(nested());
    const x = random([1, 8, 8, 2]);
    const before = tf.memory().numTensors;
    const { logits, taken } = sourceOf(model).run(x, { take: ["sum"], activation: (_, value) => tf.relu(value) });
    tf.dispose([logits, ...taken.values()]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("show their kernels", async () => {
    const { network, first } = sharedActivation();
    const source = sourceOf(classifier(network));
    expect(source.kernel("first")?.shape).toEqual([3, 3, 1, 2]);
    expect(near((await source.kernel("first")?.values()) ?? [], first.getWeights()[0]?.dataSync() ?? [])).toBe(0);
    expect(source.kernel("end")?.shape).toEqual([48, 2]);
    expect(source.kernel("relu")).toBeUndefined();
  });
});

describe("activations", () => {
  it("are replaced one by one, those that a layer ends in too", () => {
    const model = classifier(nested());
    const x = random([2, 8, 8, 2]);
    const seen: string[] = [];
    const { taken, logits } = sourceOf(model).run(x, {
      take: ["encoder/conv"],
      activation: (unit, before) => {
        seen.push(`${unit.name} ${unit.activation}`);
        return unit.activation === "tanh" ? before : undefined;
      },
    });
    expect(seen).toEqual(["encoder/conv relu", "head/scores tanh"]);
    // tanh of the logits without tanh is what the network gives; the ReLU stayed.
    expect(near(tf.tanh(logits).dataSync(), model.logits(x).dataSync())).toBeLessThan(1e-6);
    expect(Math.min(...(taken.get("encoder/conv")?.dataSync() ?? [-1]))).toBe(0);
    expect(near(take(model, x, "encoder/conv").dataSync(), taken.get("encoder/conv")?.dataSync() ?? [])).toBe(0);
  });

  it("get the value before them: without any, two convolutions and a dense layer are left", () => {
    const { network, first, second, end } = sharedActivation();
    const x = random([1, 4, 4, 1]);
    const { logits } = sourceOf(classifier(network)).run(x, { activation: (_, before) => before });
    const linear = end.apply(tf.reshape(second.apply(first.apply(x)) as tf.Tensor, [1, 48])) as tf.Tensor;
    expect(near(logits.dataSync(), linear.dataSync())).toBeLessThan(1e-6);
  });

  it("tell two applications of one layer apart", () => {
    const { network, first, second, end } = sharedActivation();
    const x = random([1, 4, 4, 1]);
    const { logits } = sourceOf(classifier(network)).run(x, { activation: ({ name }, before) => (name === "relu#2" ? before : undefined) });
    const expected = end.apply(tf.reshape(second.apply(tf.relu(first.apply(x) as tf.Tensor)) as tf.Tensor, [1, 48])) as tf.Tensor;
    expect(near(logits.dataSync(), expected.dataSync())).toBeLessThan(1e-6);
  });
});

describe("gradients through layers", () => {
  /** Σ of the squared gradient of logit 0 at a layer: what an attention loss is made of. */
  const attention =
    (model: Classifier, layer: string) =>
    (x: tf.Tensor): tf.Scalar => {
      const value = take(model, x as Images, layer);
      const gradient = tf.grad((v: tf.Tensor) =>
        tf.sum(tf.slice(sourceOf(model).run(x as Images, { from: { layer, value: v } }).logits, [0, 0], [-1, 1])),
      )(value);
      return tf.sum(tf.mul(tf.square(gradient), value)) as tf.Scalar;
    };

  it("are those of finite differences, twice", () => {
    const input = tfl.input({ shape: [4, 4, 1] });
    const conv = tfl.layers
      .conv2d({ filters: 2, kernelSize: 3, activation: "tanh", kernelInitializer: init(6), name: "read" })
      .apply(input);
    const dense = tfl.layers
      .dense({ units: 4, activation: "tanh", kernelInitializer: init(7) })
      .apply(tfl.layers.flatten().apply(conv) as Symbolic);
    const output = tfl.layers.dense({ units: 2, kernelInitializer: init(8) }).apply(dense) as Symbolic;
    const model = classifier(tfl.model({ inputs: input, outputs: output }));
    const f = attention(model, "read");
    const x = random([1, 4, 4, 1]);
    const gradient = tf.grad(f)(x).dataSync();
    const values = Float32Array.from(x.dataSync());
    for (const i of [0, 5, 10, 15]) {
      const at = (h: number): number => {
        const moved = Float32Array.from(values);
        moved[i] = (moved[i] ?? 0) + h;
        return f(tf.tensor4d(moved, [1, 4, 4, 1])).dataSync()[0] ?? Number.NaN;
      };
      expect(gradient[i]).toBeCloseTo((at(0.01) - at(-0.01)) / 0.02, 3);
    }
  });
});

describe("layers of a volumized network", () => {
  const volumizer: VolumizerOptions = { patch: 4, ...presets.paper };

  it("have a grid in each slice, which goes back to where the slice came from", () => {
    const network = tfl.sequential({
      layers: [
        tfl.layers.conv3d({ inputShape: [4, 4, 4, 1], filters: 2, kernelSize: [3, 3, 3], padding: "same", name: "volume" }),
        tfl.layers.reshape({ targetShape: [4, 32] }),
        tfl.layers.dense({ units: 3 }),
      ],
    });
    const plan: TrainingPlan = {
      ...plainPlan,
      prepare: (x) => volumize(x, volumizer).volume,
      toLogits: (output) => tf.mean(output, 1),
      volumizer,
    };
    const model = classifierOf(network, { contract, outputs: "logits", plan, inputShape: [8, 8, 1] });
    const x = random([2, 8, 8, 1], 9);
    const value = take(model, x, "volume");
    expect(value.shape).toEqual([2, 4, 4, 4, 2]);
    expect(near(from(model, x, "volume", value), model.logits(x).dataSync())).toBeLessThan(1e-6);
    // The volume of the image itself, slice by slice, is the image again.
    const slices = tf.reshape(volumize(x, volumizer).volume, [8, 4, 4]) as tf.Tensor3D;
    expect(Array.from(sourceOf(model).toImage(slices, x).dataSync())).toEqual(Array.from(x.dataSync()));
    // and in place, the volume in raster order
    const raster = volumize(x, { ...volumizer, order: "raster" }).volume;
    expect(near(sourceOf(model).inPlace(slices, x).dataSync(), raster.dataSync())).toBeLessThan(1e-6);
    expect(near(slices.dataSync(), raster.dataSync())).toBeGreaterThan(0.1);
  });

  it("that only rearrange slices have none; each of the others leads to the logits", () => {
    const [defense, model] = [find("defense", "volumizedCurriculum"), find("model", "papernot")];
    if (defense.kind !== "training") throw new Error("no training defence");
    const facts = { inputShape: [16, 16, 1], classes: 3 } as const;
    const plan = defense.plan(plainPlan, resolveParams(defense.params, { patch: 8, kernelDepth: 3 }, defense.id), facts);
    const network = plan.network(model.build({}, { ...facts, seed: 1 }));
    const deep = classifierOf(network, { contract, outputs: "logits", plan, inputShape: facts.inputShape });
    const x = random([2, 16, 16, 1], 4);
    const logits = deep.logits(x).dataSync();
    expect(spatialLayers(deep).length).toBeGreaterThan(3);
    for (const layer of spatialLayers(deep)) {
      const value = take(deep, x, layer);
      expect([layer, ...value.shape.slice(0, 2)]).toEqual([layer, 2, 4]);
      expect(near(from(deep, x, layer, value), logits)).toBeLessThan(1e-6);
    }
    deep.dispose();
  });
});

describe("layers behind a defence", () => {
  it("agree with one another where the defence is randomised: every reading begins its draws anew", () => {
    const model = defended(classifier(nested()), [noisy], { random: (i) => createRandom(i) });
    const x = random([2, 8, 8, 2]);
    const twice = [take(model, x, "sum"), take(model, x, "sum")].map((value) => [...value.dataSync()]);
    expect(twice[0]).toEqual(twice[1]);
    const { logits } = sourceOf(model).run(x);
    expect(near(from(model, x, "encoder", take(model, x, "encoder")), logits.dataSync())).toBeLessThan(1e-6); // the path around it too
  });

  it("of a channels-first network are channels last", () => {
    const network = tfl.sequential({
      layers: [
        tfl.layers.permute({ dims: [3, 1, 2], inputShape: [2, 4, 6], name: "same" }), // stands for a layer of [b,C,H,W]
        tfl.layers.flatten(),
        tfl.layers.dense({ units: 2, kernelInitializer: init(9) }),
      ],
    });
    const model = classifierOf(network, {
      contract: { input: { layout: "nchw", channels: "gray", size: [4, 6] } },
      outputs: "logits",
      inputShape: [4, 6, 2],
    });
    const x = random([1, 4, 6, 2]);
    const start = sourceOf(model).all[0];
    expect(start).toMatchObject({ type: "InputLayer", shape: [null, 4, 6, 2] });
    expect([...take(model, x, start?.name ?? "").dataSync()]).toEqual([...x.dataSync()]);
    expect(near(from(model, x, "same", take(model, x, "same")), model.logits(x).dataSync())).toBeLessThan(1e-6);
  });
});
