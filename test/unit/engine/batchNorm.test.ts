import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../src/engine/backends/index.ts";
import { batchNormTraining } from "../../../src/engine/gradients/index.ts";
import { tf, tfl } from "../../../src/engine/tf.ts";
import { difference } from "../backends/nets.ts";

const at = (x?: tf.Tensor): tf.Tensor => x as tf.Tensor;
const close = (actual: tf.Tensor | undefined, wanted: readonly number[], tolerance = 2e-6) => {
  expect(difference(at(actual).dataSync(), wanted)).toBeLessThan(tolerance);
};

beforeAll(async () => {
  await useBackend("cpu");
  await useBackend("onnxruntime");
});

describe.each(["cpu", "wasm", "onnxruntime"] as const)("batch normalisation in training on %s", (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  // μ = 1, v = 1, x̂ = −1, −1, 1, 1; mean(dy) = ¼, mean(dy·x̂) = −¼: dx = γ·(dy − ¼ + ¼·x̂), dγ = Σ dy·x̂ = −1, dβ = 1.
  it("by hand: one channel of 0, 0, 2, 2 with dy = 1, 0, 0, 0, without ε", () => {
    const x = tf.tensor2d([0, 0, 2, 2], [4, 1]);
    const [gamma, beta] = [tf.tensor1d([3]), tf.tensor1d([10])];
    const [y, mean, variance] = batchNormTraining(tf, x, gamma, beta, 0);
    close(y, [7, 7, 13, 13]);
    close(mean, [1]);
    close(variance, [1]);
    const dy = tf.tensor2d([1, 0, 0, 0], [4, 1]);
    const [dx, dGamma, dBeta] = tf.grads((a: tf.Tensor, g: tf.Tensor, b: tf.Tensor) =>
      tf.sum(tf.mul(at(batchNormTraining(tf, a, g, b, 0)[0]), dy)),
    )([x, gamma, beta]);
    expect(Math.max(...[1.5, -1.5, 0, 0].map((value, i) => Math.abs((at(dx).dataSync()[i] ?? Number.NaN) - value)))).toBeLessThan(1e-6);
    close(dGamma, [-1]);
    close(dBeta, [1]);
  });

  /*
   * By torch 1.13 in float64: y = torch.nn.functional.batch_norm(x, None, None, g, b, True, 0, 1e-3) on x, w and v as [2, 2, 3];
   * d = torch.autograd.grad((y * w).sum(), [x, g, b], create_graph=True), then torch.autograd.grad((d[0] * v).sum(), [x, g]).
   */
  it("result, gradients and gradients of the gradient as by PyTorch", () => {
    const x = tf.tensor3d([0.5, -1, 2, 0.25, 1.5, 3, -0.75, 1, 0.1, -2, 0.6, 0.9], [2, 3, 2]);
    const [g, b] = [tf.tensor1d([1.5, -0.5]), tf.tensor1d([0.2, 0.1])];
    const w = tf.tensor3d([1, -2, 0.5, 0.3, -1, 2, 0.7, -0.4, 1.2, 0.8, -0.6, 1.1], [2, 3, 2]);
    const v = tf.tensor3d([0.3, 1, -0.7, 0.2, 0.9, -1.1, 0.4, 0.6, -0.2, -0.5, 1.3, 0.8], [2, 3, 2]);
    const loss = (...[a, gamma, beta]: tf.Tensor[]): tf.Scalar =>
      tf.sum(tf.mul(at(batchNormTraining(tf, at(a), at(gamma), at(beta), 1e-3)[0]), w));
    close(
      batchNormTraining(tf, x, g, b, 1e-3)[0],
      [
        -0.0644859, 0.5280035, 2.4411702, 0.1341352, 1.6059515, -0.7323749, -2.1525327, -0.1021857, -0.7326609, 0.8430981, 0.1025578,
        -0.0706762,
      ],
    );
    const [dx, dGamma, dBeta] = tf.grads(loss)([x, g, b]);
    close(
      dx,
      [
        1.0627046, 0.5428426, 1.237396, -0.0145054, -1.6048968, -0.181953, -0.2800184, 0.3064826, 1.1274827, -0.473318, -1.542668,
        -0.1795488,
      ],
    );
    close(dGamma, [-2.1715687, 4.0458145]);
    close(dBeta, [1.8, 1.8]);
    const [ofX, ofGamma] = tf.grads((a: tf.Tensor, gamma: tf.Tensor) => tf.sum(tf.mul(at(tf.grads(loss)([a, gamma, b])[0]), v)))([x, g]);
    close(
      ofX,
      [
        -0.0147707, 0.2576895, 0.8411702, 0.0073616, 0.9732477, -0.3214101, -1.40902, 0.0742621, -0.741781, -0.0500315, 0.3511538,
        0.0321284,
      ],
      1e-5,
    );
    close(ofGamma, [-2.8898302, -2.0339986], 1e-5);
  });

  it("the variance does not drown in a large mean: 1000 and 1001 in turn have ¼", () => {
    const x = tf.tensor4d(
      Array.from({ length: 128 }, (_, i) => 1000 + (i % 2)),
      [2, 8, 8, 1],
    );
    const [, mean, variance] = batchNormTraining(tf, x, tf.ones([1]), tf.zeros([1]), 1e-3);
    close(mean, [1000.5]);
    close(variance, [0.25], 1e-4);
  });

  it.each([
    [true, true],
    [false, true],
    [true, false],
    [false, false],
  ])("the layer's moving averages: 0.9 of what was and 0.1 of the batch's (scale %s, centre %s)", (scale, center) => {
    const layer = tfl.layers.batchNormalization({ momentum: 0.9, scale, center });
    const x = tf.tensor2d([0, 4, 2, 4, 4, 10], [3, 2]);
    tf.dispose(layer.apply(x, { training: true }) as tf.Tensor);
    const [mean, variance] = layer.getWeights().slice(-2);
    close(mean, [0.2, 0.6]);
    close(variance, [0.9 + 0.1 * (8 / 3), 0.9 + 0.1 * 8]);
    layer.dispose();
  });
});
