import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { kindOfRows, outputsByValue } from "../../../../src/engine/importers/outputs.ts";
import { tfl } from "../../../../src/engine/tf.ts";

beforeAll(() => useBackend("cpu"));

const rows = (...values: number[][]) => values.map((row) => Float32Array.from(row));
const ending = (activation: "linear" | "softmax") =>
  tfl.sequential({
    layers: [
      tfl.layers.flatten({ inputShape: [2, 2, 1] }),
      tfl.layers.dense({ units: 3, activation, useBias: false, kernelInitializer: tfl.initializers.constant({ value: 0.05 }) }),
    ],
  });

describe("outputs by their values", () => {
  it("are probabilities where they are not negative and sum to 1, for three images at least", () => {
    expect(kindOfRows(rows([0.2, 0.8], [0.5, 0.5], [1, 0.0002]))).toBe("probabilities");
    expect(kindOfRows(rows([0.2, 0.8], [0.5, 0.5]))).toBeNull();
    expect(kindOfRows(rows([0.2, 0.8], [0.5, 0.5], [1.1, -0.1]))).toBeNull();
    expect(kindOfRows(rows([0.2, 0.8], [0.5, 0.5], [0.5, 0.6]))).toBeNull();
  });

  it("are some of them where no sum is above 1, also far from any image; the same for every image says nothing", () => {
    expect(kindOfRows(rows([0.2, 0.3], [0.5, 0.5], [0, 0.2], [1, 0], [0, 0]))).toBe("some");
    expect(kindOfRows(rows([0.2, 0.3], [0.5, 0.5], [0, 0.2]))).toBeNull();
    expect(kindOfRows(rows(...Array.from({ length: 5 }, () => [0.2, 0.3])))).toBeNull();
  });

  it("are scores where a network gives small ones on images, which grow with the input", async () => {
    const contract = { input: { mean: 0, scale: 255 } };
    const linear = ending("linear");
    const softmax = ending("softmax");
    expect(await outputsByValue(linear, contract)).toBeNull();
    expect(await outputsByValue(softmax, contract)).toBe("probabilities");
    linear.dispose();
    softmax.dispose();
  });
});
