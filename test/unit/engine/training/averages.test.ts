import { describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { runNetwork } from "../../../../src/engine/classifier/graph.ts";
import { tf, tfl } from "../../../../src/engine/tf.ts";

await useBackend("cpu");

/** Batch normalisation along an axis: the last is our own kernel, another one tfjs'. */
const normalised = (axis: number): tfl.LayersModel => {
  const input = tfl.input({ shape: [3, 2] });
  return tfl.model({ inputs: input, outputs: tfl.layers.batchNormalization({ axis }).apply(input) as tfl.SymbolicTensor });
};
const x = tf.tensor3d([1, 2, 3, 4, 5, 7, 2, 2, 1, 0, 4, 1], [2, 3, 2]);

describe("a pass in training mode that keeps the running averages", () => {
  it.each([-1, 1])("of batch normalisation along axis %i gives what another one gives, and leaves them", (axis) => {
    const network = normalised(axis);
    const averages = () =>
      network
        .getWeights()
        .slice(-2)
        .map((weight) => [...weight.dataSync()]);
    const before = averages();
    const tensors = tf.memory().numTensors;
    const output = (keepsAverages: boolean) => tf.tidy(() => [...runNetwork(network, x, { training: true, keepsAverages }).dataSync()]);
    const kept = output(true);
    expect(averages()).toEqual(before);
    expect(tf.memory().numTensors).toBe(tensors);
    expect(output(false)).toEqual(kept);
    expect(averages()).not.toEqual(before);
  });
});
