import { describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { type Params, resolveParams } from "../../../../src/engine/define/index.ts";
import { find } from "../../../../src/engine/registry.ts";
import { tf, tfl } from "../../../../src/engine/tf.ts";
import { to3d } from "./to3d.ts";

await useBackend("cpu");

interface Options {
  readonly inputShape?: [number, number, number];
  readonly classes?: number;
  readonly seed?: number;
  readonly zeroWeights?: boolean;
  readonly params?: Params;
}

const build = (id: string, o: Options = {}): tfl.LayersModel => {
  const spec = find("model", id);
  return spec.build(resolveParams(spec.params, o.params ?? {}, id), {
    inputShape: o.inputShape ?? [...spec.inputShape],
    classes: o.classes ?? 10,
    seed: o.seed ?? 1,
    zeroWeights: o.zeroWeights ?? false,
  });
};

describe("networks", () => {
  it.each([
    ["lenet", 832 + 51_264 + 3_212_288 + 10_250],
    ["papernot", 312_202],
    ["vgg11", 10_537_354],
    ["resnet9", 6_573_130 + 2 * 2240], // trainable ones, and mean and variance of 2,240 normalised channels
    ["feinmanMnist", 640 + 36_928 + (12 * 12 * 64 * 128 + 128) + 1290],
    ["feinmanSvhn", 1792 + 36_928 + (14 * 14 * 64 * 512 + 512) + (512 * 128 + 128) + 1290],
    ["feinmanCifar", 896 + 9248 + 18_496 + 36_928 + 73_856 + 147_584 + (2048 * 1024 + 1024) + (1024 * 512 + 512) + 5130],
  ])("%s has %i parameters and ends in logits", (id, parameters) => {
    const network = build(id, { zeroWeights: true });
    expect(network.countParams()).toBe(parameters);
    expect(network.outputs[0]?.shape).toEqual([null, 10]);
    expect(network.layers.at(-1)?.getConfig()["activation"]).toBe("linear");
  });

  it("resnet9 of a quarter of the width: 1/16 of the weights of its convolutions, by hand", () => {
    const kernels = 9 * (3 * 16 + 16 * 32 + 2 * 32 * 32 + 32 * 64 + 64 * 128 + 2 * 128 * 128);
    const norms = 4 * (16 + 3 * 32 + 64 + 3 * 128);
    expect(build("resnet9", { params: { width: 0.25 } }).countParams()).toBe(kernels + norms + 128 * 10 + 10);
  });

  it.each([
    ["vgg16", 138_357_544],
    ["vgg19", 143_667_240],
    ["resnet50", 25_636_712],
    ["inceptionV3", 23_851_784 + 17_216], // a scale for each of the 17,216 channels that are normalised
    ["efficientNetB0", 5_330_571 - 7], // of the layer in front: mean and variance of three channels, and a count
  ])("%s has the %i parameters of Keras Applications at its own size and 1000 classes", (id, parameters) => {
    const network = build(id, { classes: 1000, zeroWeights: true });
    expect(network.countParams()).toBe(parameters);
    network.dispose();
  });

  // The convolutions, then batch normalisation, 512 and 128 units with one each, and ten scores, from so many features.
  it.each([
    ["vgg16", 14_714_688, 512],
    ["resnet50", 23_587_712, 2048],
    ["inceptionV3", 21_802_784 + 17_216, 2048],
    ["efficientNetB0", 4_049_571 - 7, 1280],
  ])("%s takes the head of the volumizer's authors", (id, convolutions, features) => {
    const network = build(id, { zeroWeights: true, params: { head: "volumized" } });
    const head = 4 * features + (features * 512 + 512) + 4 * 512 + (512 * 128 + 128) + 4 * 128 + (128 * 10 + 10);
    expect(network.countParams()).toBe(convolutions + head);
    expect(network.layers.at(-1)?.getConfig()["activation"]).toBe("linear");
    network.dispose();
  });

  it.each([
    ["vgg11", 16, { hidden: 16 }],
    ["vgg16", 32, { hidden: 16 }],
    ["vgg19", 32, { hidden: 16 }],
    ["resnet50", 8, {}],
    ["inceptionV3", 75, {}],
    ["inceptionV3", 8, { padding: "same" }],
    ["efficientNetB0", 8, {}],
  ])("%s takes grey images of other sizes and survives saving and loading", async (id, side, params) => {
    const network = build(id, { inputShape: [side, side + 3, 1], classes: 4, params: { width: 0.1, ...params } });
    const x = tf.ones([1, side, side + 3, 1]);
    const z = network.predict(x) as tf.Tensor;
    expect(z.shape).toEqual([1, 4]);
    expect(z.dataSync().every(Number.isFinite)).toBe(true);
    expect(((await roundTrip(network)).predict(x) as tf.Tensor).dataSync()).toEqual(z.dataSync());
  });

  it.each([
    ["vgg11", 16],
    ["vgg16", 32],
    ["vgg19", 32],
    ["inceptionV3", 75],
  ])("%s says that it needs %i pixels", (id, smallest) => {
    const error = { code: "IMAGE_SIZE", message: expect.stringContaining(`${smallest}×${smallest}`) };
    expect(() => build(id, { inputShape: [smallest, smallest - 1, 3] })).toThrow(expect.objectContaining(error));
  });

  it("papernot's layers have the parameters of the paper's table", () => {
    const counts = build("papernot").layers.map((l) => l.countParams());
    expect(counts.filter((n) => n > 0)).toEqual([320, 9248, 18_496, 36_928, 205_000, 40_200, 2010]);
  });

  it("vgg11 has four pools, and 2,048 features behind them", () => {
    const network = build("vgg11", { zeroWeights: true });
    expect(network.layers.filter((l) => l.getClassName() === "MaxPooling2D").map((l) => (l.outputShape as number[])[1])).toEqual([
      16, 8, 4, 2,
    ]);
    const counts = network.layers.map((l) => l.countParams()).filter((n) => n > 0);
    expect(counts).toHaveLength(11);
    expect(counts.slice(-3)).toEqual([2048 * 512 + 512, 512 * 512 + 512, 5130]);
    network.dispose();
  });

  it("Feinman's networks have the layers of the study's code, with its shapes", () => {
    const layersOf = (id: string): string[] =>
      build(id, { zeroWeights: true }).layers.map((layer) => [layer.getClassName(), ...(layer.outputShape as number[]).slice(1)].join(" "));
    const twoConvolutions = (side: number) => [
      ...[side - 2, side - 4].map((s) => `Conv2D ${s} ${s} 64`),
      ...["MaxPooling2D", "Dropout"].map((name) => `${name} ${side / 2 - 2} ${side / 2 - 2} 64`),
      `Flatten ${(side / 2 - 2) ** 2 * 64}`,
    ];
    const hidden = (units: number) => [`Dense ${units}`, `Dropout ${units}`];
    expect(layersOf("feinmanMnist")).toEqual(["InputLayer 28 28 1", ...twoConvolutions(28), ...hidden(128), "Dense 10"]);
    expect(layersOf("feinmanSvhn")).toEqual(["InputLayer 32 32 3", ...twoConvolutions(32), ...hidden(512), ...hidden(128), "Dense 10"]);
    const block = (side: number, filters: number) => [
      ...["Conv2D", "Conv2D"].map((name) => `${name} ${side} ${side} ${filters}`),
      `MaxPooling2D ${side / 2} ${side / 2} ${filters}`,
    ];
    const cifar = ["InputLayer 32 32 3", ...block(32, 32), ...block(16, 64), ...block(8, 128), "Flatten 2048", "Dropout 2048"];
    expect(layersOf("feinmanCifar")).toEqual([...cifar, ...hidden(1024), ...hidden(512), "Dense 10"]);
  });

  it("papernot sees x − 0.5", async () => {
    const center = build("papernot").getLayer("center");
    const seen = (center.apply(tf.tensor4d([0, 0.5, 1, 0.25], [1, 2, 2, 1])) as tf.Tensor).dataSync();
    expect([...seen]).toEqual([-0.5, 0, 0.5, -0.25]);
  });

  it("take other sizes, channels and classes", () => {
    const network = build("lenet", { inputShape: [32, 32, 3], classes: 7 });
    const z = network.predict(tf.zeros([2, 32, 32, 3])) as tf.Tensor;
    expect(z.shape).toEqual([2, 7]);
    expect(() => build("papernot", { inputShape: [12, 12, 1] })).toThrow(expect.objectContaining({ code: "IMAGE_SIZE" }));
  });

  it("start from the seed alone, with He's deviation", () => {
    const kernels = (seed: number): Float32Array[] =>
      build("papernot", { seed })
        .getWeights()
        .map((w) => w.dataSync<"float32">());
    const [first, again, other] = [kernels(1), kernels(1), kernels(2)];
    expect(first).toEqual(again);
    expect(first[0]).not.toEqual(other[0]);
    const fc1 = first[8] as Float32Array; // 1024×200
    const deviation = Math.sqrt(fc1.reduce((sum, w) => sum + w * w, 0) / fc1.length);
    const truncated = 0.8796; // deviation of a unit normal cut at ±2
    expect(deviation).toBeCloseTo(truncated * Math.sqrt(2 / 1024), 3);
  });

  it.each(["lenet", "papernot", "feinmanMnist", "feinmanCifar"])("%s survives saving and loading, flat and deep", async (id) => {
    const flat = build(id);
    for (const network of [flat, to3d(flat, { depth: 16, patch: [7, 7], kernelDepth: 3 })]) {
      const loaded = await roundTrip(network);
      const x = tf.ones([1, ...((network.inputs[0] as tfl.SymbolicTensor).shape.slice(1) as number[])]);
      expect((loaded.predict(x) as tf.Tensor).dataSync()).toEqual((network.predict(x) as tf.Tensor).dataSync());
    }
  });
});

async function roundTrip(network: tfl.LayersModel): Promise<tfl.LayersModel> {
  let saved: tf.io.ModelArtifacts | undefined;
  await network.save(
    tf.io.withSaveHandler(async (artifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
    }),
  );
  return tfl.loadLayersModel(tf.io.fromMemory(saved as tf.io.ModelArtifacts));
}
