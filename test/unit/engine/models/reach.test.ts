import { describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { reachOf } from "../../../../src/engine/models/conversion/reach.ts";
import { GroupedConv2D, GroupNormalization } from "../../../../src/engine/models/layers/index.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { tf, tfl } from "../../../../src/engine/tf.ts";
import { to3d } from "./to3d.ts";

await useBackend("cpu");

const { layers } = tfl;
const apply = (x: tfl.SymbolicTensor | tfl.SymbolicTensor[], layer: tfl.layers.Layer) => layer.apply(x) as tfl.SymbolicTensor;
const ended = (image: tfl.SymbolicTensor, x: tfl.SymbolicTensor): tfl.LayersModel =>
  tfl.model({ inputs: image, outputs: apply(apply(x, layers.flatten()), layers.dense({ units: 3, kernelInitializer: init(9) })) });
const init = (seed: number) => tfl.initializers.glorotUniform({ seed });
const conv = (seed: number) => layers.conv2d({ filters: 2, kernelSize: 3, padding: "same", kernelInitializer: init(seed) });

/** As many convolutions as Papernot's network has. */
function four(): tfl.LayersModel {
  const image = tfl.input({ shape: [8, 8, 2] });
  return ended(image, [1, 2, 3, 4].map(conv).reduce(apply, image));
}
/** Two kinds of depthwise convolution, and a block whose longer way has two convolutions. */
function blocks(): tfl.LayersModel {
  const image = tfl.input({ shape: [8, 8, 2] });
  const depthwise = apply(image, layers.depthwiseConv2d({ kernelSize: 3, strides: 2, padding: "same", depthwiseInitializer: init(1) }));
  const separable = layers.separableConv2d({
    filters: 2,
    kernelSize: 3,
    depthwiseInitializer: init(2),
    pointwiseInitializer: init(3),
    padding: "same",
  });
  const x = apply(depthwise, separable);
  return ended(image, apply([apply(x, conv(4)), apply(apply(x, conv(5)), conv(6))], layers.add()));
}
function normalised(axis: number | number[]): tfl.LayersModel {
  const image = tfl.input({ shape: [8, 8, 2] });
  return ended(image, apply(image, layers.layerNormalization({ axis })));
}
function grouped(): tfl.LayersModel {
  const image = tfl.input({ shape: [8, 8, 2] });
  const of = (seed: number) => new GroupedConv2D({ filters: 2, groups: 2, kernelSize: 3, padding: "same", kernelInitializer: init(seed) });
  return ended(image, [of(1), of(2)].reduce<tfl.SymbolicTensor>(apply, image));
}
function normalisedByGroups(): tfl.LayersModel {
  const image = tfl.input({ shape: [8, 8, 2] });
  return ended(image, apply(image, new GroupNormalization({ groups: 2 })));
}
const flat = {
  "two grouped convolutions": grouped,
  "normalised over groups of images": normalisedByGroups,
  "four convolutions": four,
  blocks,
  "normalised over channels": () => normalised(-1),
  "normalised over columns": () => normalised([2, 3]),
  "normalised over images": () => normalised([1, 2]),
};
type Name = keyof typeof flat;
const deep = (name: Name, depth: number, kernelDepth: number): tfl.LayersModel => to3d(flat[name](), { depth, patch: [8, 8], kernelDepth });

/** Slices whose scores change with the content of one: the most, over all slices. */
function measured(network: tfl.LayersModel): number {
  const shape = (network.inputs[0]?.shape ?? []).slice(1) as number[];
  const [Z = 0] = shape;
  const size = shape.reduce((a, b) => a * b, 1);
  const rng = createRandom(5);
  const pixels = rng.uniforms(size);
  const scores = (x: Float32Array): Float32Array => (network.predict(tf.tensor(x, [1, ...shape])) as tf.Tensor).dataSync<"float32">();
  const before = scores(pixels);
  const k = before.length / Z;
  const reached = Array.from({ length: Z }, (_, changed) => {
    const other = Float32Array.from(pixels, (v, i) => (Math.floor((i * Z) / size) === changed ? rng.uniform(0, 1) : v));
    const after = scores(other);
    return Array.from({ length: Z }, (_, z) => z).filter((z) => after.slice(z * k, (z + 1) * k).some((v, i) => v !== before[z * k + i]));
  });
  return Math.max(...reached.map((slices) => slices.length));
}

describe("receptive field along the depth", () => {
  it.each<[Name, number, number, number]>([
    ["four convolutions", 6, 1, 1],
    ["four convolutions", 12, 3, 9], // each one slice further to either side
    ["four convolutions", 12, 2, 5], // one slice further to one side
    ["four convolutions", 4, 3, 4], // no more than there are
    ["four convolutions", 4, 4, 4],
    ["four convolutions", 1, 1, 1],
    ["blocks", 12, 3, 9], // depthwise, the depthwise part of separable, and the two convolutions of the longer way
    ["blocks", 12, 1, 1],
    ["two grouped convolutions", 12, 3, 5],
    ["normalised over groups of images", 6, 3, 6], // statistics of all slices
    ["normalised over channels", 6, 3, 1],
    ["normalised over columns", 6, 3, 1],
    ["normalised over images", 6, 3, 6], // statistics of all slices
  ])("of %s, %i slices and kernels of depth %i: %i", (name, depth, kernelDepth, expected) => {
    const network = deep(name, depth, kernelDepth);
    expect(reachOf(network)).toBe(expected);
    expect(measured(network)).toBe(expected);
  });

  it("is of networks over volumes alone", () => {
    expect(() => reachOf(four())).toThrow(/no volumes/);
  });
});
