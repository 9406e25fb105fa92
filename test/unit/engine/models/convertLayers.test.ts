import { describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { convert3d } from "../../../../src/engine/models/convert3d.ts";
import * as own from "../../../../src/engine/models/layers/index.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { tf, tfl } from "../../../../src/engine/tf.ts";

await useBackend("cpu");

const { layers } = tfl;
type Symbolic = tfl.SymbolicTensor;
const chain = (x: Symbolic | Symbolic[], ...of: tfl.layers.Layer[]): Symbolic =>
  of.reduce<Symbolic | Symbolic[]>((y, layer) => layer.apply(y) as Symbolic, x) as Symbolic;
const uniforms = (size: readonly number[], seed: number): tf.Tensor =>
  tf.tensor(createRandom(seed).uniforms(tf.util.sizeFromShape([...size]), 0.1, 1), [...size]);
const [rows, columns] = [6, 6];
const scoresOf = (x: Symbolic): Symbolic =>
  chain(x, ...(x.shape.length > 2 ? [layers.flatten()] : []), layers.dense({ name: "scores", units: 3 }));

/** An axis more on one side: a slice of odd height. */
const odd = () =>
  layers.zeroPadding2d({
    padding: [
      [0, 1],
      [0, 0],
    ],
  });

/** What lies between the image and the score per class. */
const kinds: Readonly<Record<string, (x: Symbolic) => Symbolic>> = {
  "Conv2D, valid, stride 2": (x) => chain(x, layers.conv2d({ filters: 3, kernelSize: 3, strides: 2, activation: "elu" })),
  "Conv2D, 1×5 and 5×1": (x) =>
    chain(x, layers.conv2d({ filters: 3, kernelSize: [1, 5], padding: "same" }), layers.conv2d({ filters: 3, kernelSize: [5, 1] })),
  "Conv2D, stride over kernel": (x) =>
    chain(
      x,
      layers.conv2d({ filters: 3, kernelSize: 1, strides: 2, padding: "same" }),
      layers.conv2d({ filters: 3, kernelSize: [1, 3], strides: 2, padding: "same" }),
    ),
  "pooling, stride over window": (x) => chain(x, layers.maxPooling2d({ poolSize: 1, strides: 2, padding: "same" })),
  "DepthwiseConv2D, valid": (x) => chain(x, layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, activation: "relu" })),
  "DepthwiseConv2D, same, stride 2": (x) => chain(x, layers.depthwiseConv2d({ kernelSize: 3, strides: 2, padding: "same" })),
  "DepthwiseConv2D, 5×5, stride 2, odd side": (x) =>
    chain(x, odd(), layers.depthwiseConv2d({ kernelSize: 5, strides: 2, padding: "same", useBias: false })),
  "DepthwiseConv2D, stride over kernel": (x) => chain(x, odd(), layers.depthwiseConv2d({ kernelSize: 1, strides: 2 })),
  SeparableConv2D: (x) =>
    chain(x, layers.separableConv2d({ filters: 4, kernelSize: 3, strides: 2, depthMultiplier: 2, activation: "tanh" })),
  "Conv2DTranspose, same": (x) => chain(x, layers.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: "same" })),
  "Conv2DTranspose, valid": (x) => chain(x, layers.conv2dTranspose({ filters: 3, kernelSize: 4, strides: 2, activation: "relu" })),
  "Conv2DTranspose, stride over kernel": (x) => chain(x, layers.conv2dTranspose({ filters: 3, kernelSize: 2, strides: 3 })),
  "pooling of windows side by side": (x) => chain(x, layers.maxPooling2d({ poolSize: 2 }), layers.averagePooling2d({ poolSize: [1, 3] })),
  "pooling of windows that overlap": (x) =>
    chain(x, layers.averagePooling2d({ poolSize: 3, strides: 1, padding: "same" }), layers.maxPooling2d({ poolSize: 3, strides: 2 })),
  "ZeroPadding2D, Cropping2D": (x) =>
    chain(
      x,
      layers.zeroPadding2d({ padding: 2 }),
      odd(),
      layers.cropping2D({ cropping: [1, 2] }),
      layers.conv2d({ filters: 2, kernelSize: 3 }),
    ),
  "GroupedConv2D, same, stride 2": (x) =>
    chain(x, new own.GroupedConv2D({ filters: 6, kernelSize: 3, strides: 2, padding: "same", groups: 2, activation: "elu" })),
  "GroupedConv2D, valid": (x) =>
    chain(
      x,
      layers.conv2d({ filters: 6, kernelSize: 1 }),
      new own.GroupedConv2D({ filters: 3, kernelSize: [2, 3], groups: 3, useBias: false }),
    ),
  "pools and padding of imported networks": (x) => {
    const padding = [
      [1, 1],
      [0, 1],
    ] as const;
    const window = { poolSize: [3, 2], strides: [2, 1], padding } as const;
    const around = new own.Pad2D({ padding, mode: "reflect" });
    return chain(x, new own.MaxPoolPad(window), around, new own.AvgPoolPad({ ...window, strides: [1, 1] }));
  },
  "functions of imported networks": (x) =>
    chain(
      x,
      new own.Affine({ scale: [2], offset: [1, 1, 2] }),
      new own.Elementwise({ operation: "hardSwish" }),
      new own.Gelu(),
      new own.Clip({ minValue: -1, maxValue: 0.7 }),
      new own.Binary({ operation: "sub", constant: [], reversed: true }),
      new own.LocalResponseNormalization({ depthRadius: 1, bias: 1, alpha: 0.3, beta: 0.5 }),
    ),
  "channels of imported networks": (x) => {
    const wide = chain(x, layers.conv2d({ filters: 6, kernelSize: 1 }), new own.ChannelShuffle({ groups: 3 }));
    const half = chain(wide, new own.SliceLayer({ axes: [3], starts: [0], ends: [3] }));
    const picked = chain(wide, new own.GatherConstant({ axis: -1, indices: [5, 0, 5] }));
    return chain(
      chain([half, picked], new own.Binary({ operation: "max" })),
      new own.Reduce({ operation: "mean", axes: [1, 2], keepDims: false }),
    );
  },
  UpSampling2D: (x) => chain(x, layers.upSampling2d({ size: [2, 3] }), new own.UpSampling2D({ size: [2, 1], interpolation: "bilinear" })),
  "PReLU for each pixel": (x) => chain(x, layers.prelu()),
  "PReLU for each channel": (x) => chain(x, layers.prelu({ sharedAxes: [1, 2] })),
  "LayerNormalization of channels": (x) => chain(x, layers.layerNormalization({ axis: -1 })),
  BatchNormalization: (x) => chain(x, layers.batchNormalization({ epsilon: 1e-3 }), layers.batchNormalization({ scale: false })),
  "layers of features": (x) =>
    chain(x, layers.globalAveragePooling2d({}), layers.batchNormalization(), layers.layerNormalization(), layers.prelu()),
  "activation layers": (x) =>
    chain(
      x,
      layers.rescaling({ scale: 4, offset: -2 }),
      layers.leakyReLU({ alpha: 0.1 }),
      layers.elu(),
      layers.activation({ activation: "swish" }),
      layers.thresholdedReLU({ theta: 0.2 }),
      layers.reLU({ maxValue: 0.9 }),
      layers.softmax({ axis: -1 }),
    ),
  "noise and dropout": (x) =>
    chain(
      x,
      layers.gaussianNoise({ stddev: 1 }),
      layers.gaussianDropout({ rate: 0.5 }),
      layers.alphaDropout({ rate: 0.5 }),
      layers.dropout({ rate: 0.5, noiseShape: [null as never, 1, 1, 2] }),
    ),
  "Concatenate along height, Permute, Reshape": (x) =>
    chain(
      chain([x, chain(x, layers.maxPooling2d({ poolSize: [2, 1] }))], layers.concatenate({ axis: 1 })),
      layers.permute({ dims: [2, 3, 1] }),
      layers.reshape({ targetShape: [-1, 3, 2] }),
      layers.globalMaxPooling2d({}),
    ),
  "skip connections": (x) => {
    const other = chain(x, layers.conv2d({ filters: 2, kernelSize: 3, padding: "same" }));
    const merged = [layers.add(), layers.multiply(), layers.average(), layers.maximum(), layers.minimum()].map((l) => chain([x, other], l));
    return chain(merged, layers.concatenate());
  },
  "a gate per channel": (x) =>
    chain([x, chain(x, layers.globalAveragePooling2d({}), layers.reshape({ targetShape: [1, 1, 2] }))], layers.multiply()),
  "a layer used twice": (x) => {
    const shared = layers.conv2d({ filters: 2, kernelSize: 3, padding: "same" });
    return chain(x, shared, shared);
  },
  "models inside with layers of equal names, one used twice": (x) => {
    const inner = () =>
      tfl.sequential({
        layers: [layers.conv2d({ name: "volume", inputShape: [rows, columns, 2], filters: 2, kernelSize: 3, padding: "same" })],
      });
    const [first, second] = [inner(), inner()];
    return chain(x, first, second, first);
  },
};

function network(kind: string): tfl.LayersModel {
  const image = tfl.input({ shape: [rows, columns, 2] });
  const body = kinds[kind]?.(image);
  if (!body) throw new Error(kind);
  const model = tfl.model({ inputs: image, outputs: scoresOf(body) });
  model.setWeights(model.getWeights().map((w, i) => uniforms(w.shape, 10 + i).sub(w.rank > 1 ? 0.4 : 0)));
  return model;
}

const [Z, b] = [3, 2];
const volume = uniforms([b, Z, rows, columns, 2], 5);

/** The 2-D network on each slice alone. */
const slicewise = (flat: tfl.LayersModel): tf.Tensor =>
  (flat.predict(volume.reshape([b * Z, rows, columns, 2])) as tf.Tensor).reshape([b, Z, -1]);

describe.each(["grouped", "dense"] as const)(
  "a network with its 2-D weights sees each slice as the 2-D network does, depthwise %s",
  (depthwise) => {
    const all = Object.keys(kinds).filter((kind) => depthwise === "grouped" || /Depthwise|Separable|Grouped/.test(kind));
    it.each(all)("%s", (kind) => {
      const flat = network(kind);
      for (const kernelDepth of [1, 2, 3]) {
        const deep = convert3d(flat, { depth: Z, patch: [rows, columns], kernelDepth, depthwise, weights: "inflate" });
        const [actual, expected] = [deep.network.predict(volume) as tf.Tensor, slicewise(flat)];
        expect(actual.shape).toEqual(expected.shape);
        expect(tf.max(tf.abs(actual.sub(expected))).dataSync()[0]).toBeLessThan(1e-4);
      }
    });
  },
);

it.each(Object.keys(kinds))("%s can be trained in 3-D: every weight has a finite gradient", (kind) => {
  const { network: deep } = convert3d(network(kind), { depth: Z, patch: [rows, columns], kernelDepth: 3 });
  const target = uniforms([b, Z, 3], 6);
  const gradients = tf.variableGrads(
    () => tf.mean(tf.squaredDifference(deep.apply(volume, { training: true }) as tf.Tensor, target)) as tf.Scalar,
  );
  expect(Object.keys(gradients.grads)).toHaveLength(deep.trainableWeights.length);
  for (const gradient of Object.values(gradients.grads)) expect(gradient.dataSync().every(Number.isFinite)).toBe(true);
});

/** Depthwise convolution by its definition, "same" on all axes: x [Z,h,w,C], kernel [kd,kh,kw,C]. */
function definition(x: number[][][][], kernel: number[][][][], stride: number): number[] {
  const at = (z: number, y: number, column: number, c: number): number => x[z]?.[y]?.[column]?.[c] ?? 0;
  const size = [kernel.length, kernel[0]?.length ?? 0, kernel[0]?.[0]?.length ?? 0] as const;
  const before = (n: number, k: number): number => Math.floor(Math.max((Math.ceil(n / stride) - 1) * stride + k - n, 0) / 2);
  const [h, w, channels] = [x[0]?.length ?? 0, x[0]?.[0]?.length ?? 0, x[0]?.[0]?.[0]?.length ?? 0];
  const front = Math.floor((size[0] - 1) / 2);
  const out: number[] = [];
  for (let z = 0; z < x.length; z++)
    for (let y = 0; y < h; y += stride)
      for (let column = 0; column < w; column += stride)
        for (let c = 0; c < channels; c++) {
          let sum = 0;
          kernel.forEach((plane, i) => {
            plane.forEach((row, j) => {
              row.forEach((value, k) => {
                sum += (value[c] as number) * at(z + i - front, y + j - before(h, size[1]), column + k - before(w, size[2]), c);
              });
            });
          });
          out.push(sum);
        }
  return out;
}

describe.each([1, 2])("depthwise convolution over slices, stride %i", (strides) => {
  it.each([3, 4, 2])("and depth %i is that of the definition", (kernelDepth) => {
    const image = tfl.input({ shape: [5, 6, 2] });
    const conv = layers.depthwiseConv2d({ name: "conv", kernelSize: 3, strides, padding: "same", useBias: false });
    const flat = tfl.model({ inputs: image, outputs: chain(image, conv, layers.flatten(), layers.dense({ units: 2 })) });
    const { network: deep, notes } = convert3d(flat, { depth: 4, patch: [5, 6], kernelDepth });
    expect(notes.filter((note) => note.includes("dense"))).toEqual([]);
    const taps = Array.from({ length: kernelDepth }, (_, tap) => deep.getLayer(`conv_tap${tap}`));
    const kernel = uniforms([kernelDepth, 3, 3, 2], 8);
    taps.forEach((layer, tap) => {
      layer.setWeights([kernel.slice([tap, 0, 0, 0], [1, 3, 3, 2]).reshape([3, 3, 2, 1])]);
    });
    expect(taps.reduce((n, layer) => n + layer.countParams(), 0)).toBe(kernelDepth * 9 * 2);
    const x = uniforms([1, 4, 5, 6, 2], 9);
    const actual = tfl.model({ inputs: deep.inputs, outputs: deep.getLayer("conv").output }).predict(x) as tf.Tensor;
    const expected = definition(x.squeeze([0]).arraySync() as number[][][][], kernel.arraySync() as number[][][][], strides);
    expect(actual.size).toBe(expected.length);
    actual.dataSync().forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i] as number, 4);
    });
  });
});

it("the taps of a depthwise convolution start from numbers of their own, all together of the deviation of one", () => {
  const initializer = tfl.initializers.varianceScaling({ scale: 2, mode: "fanOut", distribution: "normal", seed: 4 });
  const image = tfl.input({ shape: [6, 6, 200] });
  const conv = layers.depthwiseConv2d({ name: "conv", kernelSize: 3, depthwiseInitializer: initializer });
  const flat = tfl.model({ inputs: image, outputs: scoresOf(chain(image, conv)) });
  const { network: deep } = convert3d(flat, { depth: 4, patch: [6, 6], kernelDepth: 4 });
  const taps = [0, 1, 2, 3].map((tap) => deep.getLayer(`conv_tap${tap}`).getWeights()[0] as tf.Tensor);
  expect(taps[0]?.dataSync()).not.toEqual(taps[1]?.dataSync());
  // The kernel of an output has 9 weights of variance 2/9, or 36 of 2/36: a sum of squares of 2 in the mean.
  const sum = taps.reduce((total, kernel) => total + (tf.sum(tf.square(kernel)).dataSync()[0] as number), 0) / 200;
  const truncated = 0.8796; // deviation of a unit normal cut at ±2, as tfjs draws it
  expect(Math.abs(sum - 2 * truncated ** 2)).toBeLessThan(0.1);
});

describe("normalisation", () => {
  const scored = (layer: tfl.layers.Layer, side: number): tfl.LayersModel =>
    tfl.sequential({ layers: [layers.inputLayer({ inputShape: [side, side, 1] }), layer, layers.flatten(), layers.dense({ units: 2 })] });
  const normalised = (layer: tfl.layers.Layer, x: tf.Tensor, training = false): number[] => {
    const [, depth = 0, side = 0] = x.shape;
    const { network: deep } = convert3d(scored(layer, side), { depth, patch: [side, side], kernelDepth: 1 });
    const split = deep.getLayer(`${layer.name}_split`).output as Symbolic;
    return [...(tfl.model({ inputs: deep.inputs, outputs: split }).apply(x, { training }) as tf.Tensor).dataSync()];
  };

  it("of batches takes mean and variance over images, slices, height and width", () => {
    // Eight ones and eight threes, differently in each slice and image: mean 2, variance 1.
    const x = tf.tensor5d([1, 1, 1, 1, 3, 3, 3, 3, 1, 3, 1, 3, 3, 3, 1, 1], [2, 2, 2, 2, 1]);
    const y = normalised(layers.batchNormalization({ epsilon: 1e-3 }), x, true);
    x.dataSync().forEach((value, i) => {
      expect(y[i]).toBeCloseTo((value - 2) / Math.sqrt(1.001), 5);
    });
  });

  it("of instances takes them over slices, height and width of each image", () => {
    const x = tf.tensor5d([1, 1, 1, 1, 3, 3, 3, 3, 0, 10, 0, 10, 10, 10, 0, 0], [2, 2, 2, 2, 1]);
    const y = normalised(layers.layerNormalization({ axis: [1, 2], epsilon: 1e-3 }), x);
    x.dataSync().forEach((value, i) => {
      const [mean, variance] = i < 8 ? [2, 1] : [5, 25];
      expect(y[i]).toBeCloseTo((value - mean) / Math.sqrt(variance + 1e-3), 4);
    });
  });

  it("of an instance that is constant gives β", () => {
    const layer = layers.layerNormalization({ axis: [1, 2], betaInitializer: tfl.initializers.constant({ value: 0.25 }) });
    expect(normalised(layer, tf.fill([1, 2, 2, 2, 1], 7))).toEqual(Array(8).fill(0.25));
  });
});

describe("what cannot be converted is an error that names the layer", () => {
  const refused = (name: string, build: (x: Symbolic) => Symbolic, patch = 6): void => {
    const image = tfl.input({ shape: [rows, columns, 2] });
    const flat = tfl.model({ inputs: image, outputs: scoresOf(build(image)) });
    const convert = () => convert3d(flat, { depth: 4, patch: [patch, patch], kernelDepth: 3 });
    expect(convert).toThrow(expect.objectContaining({ code: "MODEL_INVALID", message: expect.stringContaining(`"${name}"`) }));
  };
  const named = { name: "culprit" };

  it.each<[string, (x: Symbolic) => Symbolic]>([
    ["a dilated kernel", (x) => chain(x, layers.conv2d({ ...named, filters: 1, kernelSize: 3, dilationRate: 2 }))],
    ["normalisation of rows", (x) => chain(x, layers.batchNormalization({ ...named, axis: 1 }))],
    ["recurrence", (x) => chain(x, layers.reshape({ targetShape: [6, 12] }), layers.lstm({ ...named, units: 2 }))],
    ["tensors of different rank", (x) => chain([x, chain(x, layers.globalMaxPooling2d({}))], layers.multiply(named))],
  ])("%s", (_, build) => {
    refused("culprit", build);
  });

  it("branches that differ in size on slices", () => {
    const build = (x: Symbolic) =>
      chain(
        [chain(x, layers.conv2d({ filters: 2, kernelSize: 2, strides: 2 })), chain(x, layers.maxPooling2d({}))],
        layers.concatenate(named),
      );
    refused("culprit", build, 5); // a convolution leaves 2 of 5 pixels, the pool 3
  });

  it("a reshape to the size of the image", () => {
    refused("culprit", (x) => chain(x, layers.reshape({ ...named, targetShape: [12, 6] })), 3);
  });
});

it("weights that are not those of a slice start anew, and a note says so", () => {
  const image = tfl.input({ shape: [8, 8, 1] });
  const flat = tfl.model({
    inputs: image,
    outputs: chain(
      image,
      layers.conv2d({ name: "conv", filters: 2, kernelSize: 3, padding: "same" }),
      layers.flatten(),
      layers.dense({ name: "scores", units: 2 }),
    ),
  });
  const { network: deep, notes } = convert3d(flat, { depth: 4, patch: [4, 4], kernelDepth: 3, weights: "inflate" });
  expect(notes.filter((note) => note.includes("starts from new weights"))).toEqual([expect.stringContaining('"scores"')]);
  const [kernel] = deep.getLayer("conv").getWeights();
  expect(kernel?.slice([1, 0, 0, 0, 0], [1, 3, 3, 1, 2]).dataSync()).toEqual(flat.getLayer("conv").getWeights()[0]?.dataSync());
  expect(kernel?.slice([0, 0, 0, 0, 0], [1, 3, 3, 1, 2]).dataSync()).toEqual(new Float32Array(18));
});
