import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../src/engine/backends/index.ts";
import { GroupedConv2D } from "../../../src/engine/models/layers/index.ts";
import { tf, tfl } from "../../../src/engine/tf.ts";
import { difference, frozenPass } from "./nets.ts";

const { activation, add, batchNormalization, conv2d, depthwiseConv2d } = tfl.layers;
type Layer = (x: tfl.SymbolicTensor) => tfl.SymbolicTensor;
const chain =
  (...layers: readonly tfl.layers.Layer[]): Layer =>
  (x) =>
    layers.reduce((value, layer) => layer.apply(value) as tfl.SymbolicTensor, x);
const norm = () => batchNormalization({ epsilon: 1e-3 });
const conv = (filters: number, more: object = {}) => conv2d({ filters, kernelSize: 3, padding: "same", useBias: false, ...more });
const grouped = (filters: number, groups: number, more: object = {}) =>
  new GroupedConv2D({ filters, groups, kernelSize: 3, padding: "same", useBias: false, ...more });
const relu = () => activation({ activation: "relu" });

/** Every way in which a batch normalisation can follow a layer: its factor goes into that layer's weights, where that is the same. */
const nets: Readonly<Record<string, () => Layer>> = {
  "a convolution": () => chain(conv(16), norm(), relu()),
  "a convolution with a bias": () => chain(conv(16, { useBias: true }), norm(), relu()),
  "a convolution of few channels": () => chain(conv(5, { useBias: true }), norm()),
  "a convolution with strides": () => chain(conv(16), norm(), relu(), conv(16, { strides: 2 }), norm()),
  "a pointwise convolution": () => chain(conv(24, { kernelSize: 1 }), norm(), relu(), conv(16, { kernelSize: 1, useBias: true }), norm()),
  "a depthwise convolution": () => chain(depthwiseConv2d({ kernelSize: 3, padding: "same", useBias: false }), norm(), relu()),
  "a depthwise convolution with strides": () => chain(depthwiseConv2d({ kernelSize: 3, strides: 2, padding: "same" }), norm()),
  "a depthwise convolution of two outputs to a channel": () => chain(depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2 }), norm()),
  "a grouped convolution": () => chain(conv(16), norm(), relu(), grouped(16, 4), norm(), relu(), grouped(32, 2, { useBias: true }), norm()),
  "a grouped convolution with strides": () => chain(conv(32), relu(), grouped(32, 8, { strides: 2, useBias: true }), norm(), relu()),
  "a grouped convolution of few channels": () => chain(conv(6), grouped(9, 3), norm(), relu()),
  "a ReLU": () => chain(conv(16), relu(), norm(), conv(16, { activation: "relu", useBias: true }), norm()),
  "another normalisation": () => chain(conv(16), norm(), norm()),
  "a normalisation without scale": () => chain(conv(16), batchNormalization({ scale: false }), relu()),
  "a normalisation without offset": () => chain(conv(16), batchNormalization({ center: false }), relu()),
  "a convolution that something else reads too": () => (x) => {
    const shared = conv(16).apply(x) as tfl.SymbolicTensor;
    return add().apply([norm().apply(shared) as tfl.SymbolicTensor, shared]) as tfl.SymbolicTensor;
  },
  "a convolution whose bias is shared": () => (x) => {
    const shared = conv(16, { useBias: true }).apply(x) as tfl.SymbolicTensor;
    return add().apply([
      relu().apply(norm().apply(shared)) as tfl.SymbolicTensor,
      norm().apply(shared) as tfl.SymbolicTensor,
    ]) as tfl.SymbolicTensor;
  },
};
const image = [2, 9, 8, 3];

describe("a batch normalisation with constant statistics", () => {
  beforeAll(async () => {
    await useBackend("cpu");
    await useBackend("onnxruntime");
  });

  it.each(Object.keys(nets))("after %s gives cpu's output and gradient", async (name) => {
    const net = nets[name] as () => Layer;
    await tf.setBackend("cpu");
    const [output, gradient] = frozenPass(net(), image);
    await tf.setBackend("onnxruntime");
    const [ours, ourGradient] = frozenPass(net(), image);
    expect(ours).toHaveLength(output.length);
    expect(difference(ours, output)).toBeLessThan(2e-6);
    expect(difference(ourGradient, gradient)).toBeLessThan(2e-6);
  });
});
