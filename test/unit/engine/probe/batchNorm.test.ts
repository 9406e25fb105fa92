import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { addValues, channelSums, contradicted, distance, type FirstNorm, firstNorm } from "../../../../src/engine/probe/batchNorm.ts";
import { tf, tfl } from "../../../../src/engine/tf.ts";

beforeAll(() => useBackend("cpu"));

const norm = (mean: number[], variance: number[]): FirstNorm => ({
  name: "bn",
  of: "conv",
  mean: Float32Array.from(mean),
  variance: Float32Array.from(variance),
});

describe("the distance to a batch normalisation's statistics", () => {
  it("is the KL divergence of two normal distributions, mean over the channels", async () => {
    const sums = channelSums(2);
    await addValues(sums, tf.tensor([1, 0, 3, 0], [1, 1, 2, 2])); // channel 0: 1 and 3, channel 1: 0 and 0
    await addValues(sums, tf.tensor([1, 4, 3, 4], [1, 2, 1, 2])); // together mean 2, variance 1; mean 2, variance 4
    // channel 0 against μ 1, v 2: [1/2 + 1/2 − 1 − ln(1/2)]/2 = ln 2 / 2; channel 1 against μ 2, v 4: 0
    expect(distance(norm([1, 2], [2, 4]), sums)).toBeCloseTo(Math.log(2) / 4, 6);
    expect(distance(norm([2, 2], [1, 4]), sums)).toBeCloseTo(0, 6);
    expect(distance(norm([2, 9], [1, 0]), sums)).toBeCloseTo(0, 6); // a channel that never varies
  });

  it("contradicts what is ten times as far as the nearest, and nothing where none is near", () => {
    const of = (...far: number[]) => [...contradicted(new Map(far.map((value, i) => [String(i), value])))];
    expect(of(0.01, 0.06, 0.34, 3.8)).toEqual(["2", "3"]);
    expect(of(0.1, 0.9, 1.1)).toEqual(["2"]);
    expect(of(0.4, 9, Number.POSITIVE_INFINITY)).toEqual([]);
    expect(of()).toEqual([]);
  });
});

describe("the first batch normalisation", () => {
  it("is the one behind at most one convolution", async () => {
    const conv = () => tfl.layers.conv2d({ filters: 2, kernelSize: 3 });
    const first = tfl.sequential({
      layers: [
        tfl.layers.inputLayer({ inputShape: [8, 8, 3] }),
        tfl.layers.conv2d({ filters: 2, kernelSize: 3, name: "c" }),
        tfl.layers.batchNormalization({ name: "b" }),
      ],
    });
    expect(await firstNorm(first)).toMatchObject({ name: "b", of: "c", mean: Float32Array.of(0, 0), variance: Float32Array.of(1, 1) });
    const second = tfl.sequential({
      layers: [tfl.layers.inputLayer({ inputShape: [8, 8, 3] }), conv(), conv(), tfl.layers.batchNormalization()],
    });
    expect(await firstNorm(second)).toBeNull();
    expect(await firstNorm(tfl.sequential({ layers: [tfl.layers.inputLayer({ inputShape: [8, 8, 3] }), conv()] }))).toBeNull();
  });
});
