import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { byRows, outputsByValue } from "../../../../src/engine/importers/outputs.ts";
import { tfl } from "../../../../src/engine/tf.ts";

beforeAll(() => useBackend("cpu"));

const rows = (...values: number[][]) => values.map((row) => Float32Array.from(row));
const ending = (activation: "linear" | "softmax" | "sigmoid") =>
  tfl.sequential({
    layers: [
      tfl.layers.flatten({ inputShape: [2, 2, 1] }),
      tfl.layers.dense({ units: 3, activation, useBias: false, kernelInitializer: tfl.initializers.constant({ value: 0.05 }) }),
    ],
  });

describe("outputs by their values", () => {
  it("are probabilities where they are not negative and sum to 1, for three images at least; or percentages, to 100", () => {
    expect(byRows(rows([0.2, 0.8], [0.5, 0.5], [1, 0.0002]))).toEqual({ kind: "all", most: 1 });
    expect(byRows(rows([20, 80], [50, 50], [100, 0.02]))).toEqual({ kind: "all", most: 100 });
    expect(byRows(rows([0.2, 0.8], [0.5, 0.5]))).toBeNull();
    expect(byRows(rows([0.2, 0.8], [0.5, 0.5], [1.1, -0.1]))).toBeNull();
    expect(byRows(rows([0.2, 0.8], [0.5, 0.5], [0.5, 0.6]))).toBeNull();
    expect(byRows(rows(...Array.from({ length: 5 }, () => new Array<number>(200).fill(0.5))))).toEqual({ kind: "all", most: 100 });
  });

  it("are some of them where no sum is above 1, also far from any image; the same for every image says nothing", () => {
    expect(byRows(rows([0.2, 0.3], [0.5, 0.5], [0, 0.2], [1, 0], [0, 0]))).toEqual({ kind: "some", most: 1 });
    expect(byRows(rows([20, 30], [50, 50], [0, 20], [100, 0], [0, 1]))).toEqual({ kind: "some", most: 100 });
    expect(byRows(rows([0.2, 0.3], [0.5, 0.5], [0, 0.2]))).toBeNull();
    expect(byRows(rows(...Array.from({ length: 5 }, () => [0.2, 0.3])))).toBeNull();
  });

  it("lie between 0 and 1 or 100 one by one, as behind a sigmoid; units that have died say nothing", () => {
    expect(byRows(rows([0.6, 0.7], [0.5, 0.9], [0, 0.2], [1, 1], [0, 1]))).toEqual({ kind: "each", most: 1 });
    expect(byRows(rows([60, 70], [50, 90], [0, 20], [100, 100], [0, 100]))).toEqual({ kind: "each", most: 100 });
    expect(byRows(rows([60, 70], [50, 90], [0, 20], [100.2, 100], [0, 100]))).toBeNull();
    expect(byRows(rows([0.6, 0.7], [0.5, 0.9], [0, 0.2], [0, 0], [0, 0]))).toBeNull();
  });

  it("are scores where a network gives small ones on images, which grow with the input", async () => {
    const contract = { input: { mean: 0, scale: 255 } };
    const linear = ending("linear");
    const softmax = ending("softmax");
    expect(await outputsByValue(linear, contract)).toBeNull();
    expect(await outputsByValue(softmax, contract)).toEqual({ kind: "all", most: 1 });
    const sigmoid = ending("sigmoid");
    expect(await outputsByValue(sigmoid, contract)).toEqual({ kind: "each", most: 1 });
    for (const network of [linear, softmax, sigmoid]) network.dispose();
  });
});
