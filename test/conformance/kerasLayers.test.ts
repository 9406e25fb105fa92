import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../src/engine/backends/index.ts";
import { loadNetwork } from "../../src/engine/importers/index.ts";
import { knownClasses } from "../../src/engine/importers/topology/settings.ts";
import { tf } from "../../src/engine/tf.ts";
import { near } from "../unit/engine/fixtures.ts";
import { type LayerCase, layerCases } from "./kerasLayerCases.ts";

let folder: string;
beforeAll(async () => {
  await useBackend("cpu");
  await useBackend("onnxruntime");
  folder = await fs.mkdtemp(path.join(os.tmpdir(), "bulwark-keras-"));
});
afterAll(() => fs.rm(folder, { recursive: true }));

/** ((37·i + 11·seed + 5) mod 23 − 11) / 16: exact in float32, different for every layout. */
const values = (shape: readonly number[], seed: number): Float32Array =>
  Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (((37 * i + 11 * seed + 5) % 23) - 11) / 16);
/** The picture [6,6,3], in [0,1), no two values alike: a maximum has one place. */
const picture = (): tf.Tensor =>
  tf.tensor4d(
    values([108], 40).map((value, i) => ((value + 0.6875) / 1.375) * 0.75 + i / 432),
    [1, 6, 6, 3],
  );

const layer = (class_name: string, name: string, config: object) => ({
  class_name,
  config: { name, trainable: true, dtype: "float32", ...config },
});

/** (x − 0.55, or reshaped) – the layer – Flatten – four scores, in the files that Keras' converter writes. */
async function written({ className, config, weights, size, reshape, centred }: LayerCase): Promise<string> {
  const directory = await fs.mkdtemp(path.join(folder, "model-"));
  const all = [...weights, ["scores/kernel", [size, 4]] as const];
  const layers = [
    layer("InputLayer", "input", { batch_input_shape: [null, 6, 6, 3], sparse: false, ragged: false }),
    ...(centred ? [layer("Rescaling", "centre", { scale: 1, offset: -0.55 })] : []),
    ...(reshape ? [layer("Reshape", "rows", { target_shape: reshape })] : []),
    layer(className, "l", config),
    layer("Flatten", "flat", { data_format: "channels_last" }),
    layer("Dense", "scores", { units: 4, activation: "linear", use_bias: false }),
  ];
  const model = {
    format: "layers-model",
    modelTopology: { keras_version: "2.15.0", model_config: { class_name: "Sequential", config: { name: "case", layers } } },
    weightsManifest: [{ paths: ["weights.bin"], weights: all.map(([name, shape]) => ({ name, shape, dtype: "float32" })) }],
  };
  const stored = all.map(([name, shape], i) => {
    const own = values(shape, i === weights.length ? 20 : i);
    return name.endsWith("variance") ? own.map((value) => Math.abs(value) + 0.125) : own;
  });
  await fs.writeFile(path.join(directory, "model.json"), JSON.stringify(model));
  await fs.writeFile(path.join(directory, "weights.bin"), Buffer.concat(stored.map((one) => new Uint8Array(one.buffer))));
  return directory;
}

const named = layerCases.map((one) => [`${one.className}, ${one.title}`, one] as const);

describe.each(["cpu", "onnxruntime"])("a layer of Keras on %s", (backend) => {
  beforeAll(async () => {
    await tf.setBackend(backend);
  });

  it.each(named)("%s: the scores are those of numpy", async (_, one) => {
    const { network } = await loadNetwork(await written(one));
    const scores = tf.tidy(() => (network.predict(picture()) as tf.Tensor).dataSync());
    expect(near(scores, one.scores)).toBeLessThan(2e-4);
    network.dispose();
  });

  it.each(named)("%s: a step along the gradient changes the score as it says", async (_, one) => {
    const { network } = await loadNetwork(await written(one));
    const [predicted, differences] = tf.tidy(() => {
      const first = (x: tf.Tensor): tf.Scalar => tf.sum(tf.slice(network.apply(x) as tf.Tensor, [0, 0], [1, 1]));
      const along = tf.tensor4d(values([108], 7), [1, 6, 6, 3]);
      const slope = tf.sum(tf.mul(tf.grad(first)(picture()), along));
      const at = (step: number): number => first(tf.add(picture(), tf.mul(along, step))).dataSync()[0] as number;
      return [slope.dataSync()[0] as number, (at(2 ** -9) - at(-(2 ** -9))) * 2 ** 8];
    });
    expect(Math.abs(predicted - differences)).toBeLessThan(0.02 * Math.max(1, Math.abs(differences)));
    network.dispose();
  });
});

describe("settings that are not computed", () => {
  const plain: LayerCase = { title: "", className: "Activation", config: {}, weights: [], size: 108, scores: [] };
  const window = { filters: 2, kernel_size: [3, 3], padding: "same", activation: "linear", use_bias: true };

  it.each([
    ["Conv2DTranspose", { ...window, groups: 2 }, "groups = 2"],
    ["Conv2D", { ...window, strides: [2, 2], dilation_rate: [2, 2] }, "both strides 2×2 and dilation 2×2"],
    ["Conv2DTranspose", { ...window, strides: [2, 2], output_padding: [0, 0] }, "output_padding = [0,0]"],
    ["Conv2DTranspose", { ...window, dilation_rate: [2, 2] }, "dilation_rate = [2,2]"],
    ["UpSampling2D", { size: [2, 2], interpolation: "bicubic" }, 'interpolation = "bicubic"'],
    ["LayerNormalization", { axis: -1, rms_scaling: true }, "rms_scaling = true"],
    ["Resizing", { height: 3, width: 3, antialias: true }, "antialias = true"],
    ["GRU", { units: 3, reset_after: true }, "reset_after = true"],
    ["LSTM", { units: 3, stateful: true }, "stateful = true"],
    ["Softmax", { axis: [1, 2] }, "softmax over several axes"],
    ["Dense", { units: 3, activation: "linear", use_bias: true, lora_rank: 4 }, "lora_rank = 4"],
    ["MaxPooling2D", { pool_size: [2, 2], ceil_mode: true }, "ceil_mode = true"],
    ["Dropout", { rate: 0.5, keep: "all" }, 'keep = "all"'],
  ])("%s %j is refused by name", async (className, config, what) => {
    await expect(loadNetwork(await written({ ...plain, className, config }))).rejects.toMatchObject({
      code: "MODEL_INVALID",
      message: expect.stringMatching(/ has a layer "l" .*\.$/),
    });
    await expect(loadNetwork(await written({ ...plain, className, config }))).rejects.toThrow(what);
  });

  it("are known of every layer class that an image classifier may have", () => {
    const others =
      /^(RNN|StackedRNNCells|\w+Cell|SeparableConv|Random\w+|GaussianNoise|GaussianDropout|AlphaDropout|SpatialDropout1D|CategoryEncoding|GPT2\w*|\w*(Tokenizer|Preprocessor|Backbone|Task|Packer|Decoder)|PositionEmbedding|ReverseEmbedding|PipelineModel|GenerativeTask|CachedMultiHeadAttention|Sequential|Model|Functional|L1L2|[A-Z]\w*Norm|Ones|Zeros|Constant|RuntimeScores)$/;
    const registered = Object.entries(tf.serialization.SerializationMap.getMap().classNameMap);
    const isLayer = (known: unknown): boolean =>
      typeof (known as { prototype?: Record<string, unknown> }).prototype?.["computeOutputShape"] === "function";
    const unknown = registered.filter(([name, [cls]]) => isLayer(cls) && !others.test(name)).map(([name]) => name);
    expect(unknown.filter((name) => !knownClasses.includes(name))).toEqual([]);
    expect(unknown.length).toBeGreaterThan(50);
  });
});
