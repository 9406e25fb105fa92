import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { type Classifier, spatialLayers } from "../../../../src/engine/classifier/classifier.ts";
import { classifierOf } from "../../../../src/engine/classifier/network.ts";
import { tfl } from "../../../../src/engine/tf.ts";

beforeAll(() => useBackend("cpu"));

type Symbolic = tfl.SymbolicTensor;
const classifier = (network: tfl.LayersModel): Classifier => classifierOf(network, { contract: { input: {} }, outputs: "logits" });
const layerOf = (network: tfl.LayersModel): string | null | undefined => classifier(network).layers?.defaultLayer;

describe("the layer that attention is read from", () => {
  it("has the picture's grid, not the heads and tokens of an attention layer", () => {
    const input = tfl.input({ shape: [8, 8, 3], name: "picture" });
    const attention = [
      tfl.layers.conv2d({ filters: 6, kernelSize: 2, strides: 2, name: "patches" }),
      tfl.layers.reshape({ targetShape: [16, 2, 3] }),
      tfl.layers.permute({ dims: [2, 1, 3] }), // [b,2,16,3] is no map of 2×16 cells
      tfl.layers.flatten(),
    ].reduce((x, layer) => layer.apply(x) as Symbolic, input as Symbolic);
    const end = tfl.layers.dense({ units: 2 }).apply(attention) as Symbolic;
    expect(layerOf(tfl.model({ inputs: input, outputs: end }))).toBe("patches");
  });

  it("may have a single row, and one of several rows comes first", () => {
    const convolution = (shape: [number, number, number]) =>
      tfl.layers.conv2d({ inputShape: shape, filters: 2, kernelSize: [1, 3], name: "row" });
    const row = tfl.sequential({ layers: [convolution([1, 9, 1]), tfl.layers.flatten(), tfl.layers.dense({ units: 2 })] });
    expect(layerOf(row)).toBe("row");
    const pooled = tfl.layers.averagePooling2d({ poolSize: [4, 1], name: "pooled" });
    const both = tfl.sequential({ layers: [convolution([4, 9, 1]), pooled, tfl.layers.flatten(), tfl.layers.dense({ units: 2 })] });
    expect(layerOf(both)).toBe("row");
    expect(spatialLayers(classifier(both))).toEqual(["row", "pooled"]);
  });
});
