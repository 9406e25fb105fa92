import { beforeEach, describe, expect, it } from "vitest";
import { useBackend } from "../../../src/engine/backends/index.ts";
import { OnnxBackend } from "../../../src/engine/backends/onnxruntime/backend.ts";
import { inputGradient } from "../../../src/engine/classifier/classifier.ts";
import { classifierOf } from "../../../src/engine/classifier/network.ts";
import { resolveParams } from "../../../src/engine/define/index.ts";
import { crossEntropy } from "../../../src/engine/losses/crossEntropy.ts";
import { createRandom } from "../../../src/engine/random.ts";
import { registry } from "../../../src/engine/registry.ts";
import { type Images, type Labels, tf } from "../../../src/engine/tf.ts";

beforeEach(async () => {
  await useBackend("onnxruntime");
});

/** Sides at which every network keeps all its layers; narrow ones are as deep as wide ones. */
const sides: Readonly<Record<string, number>> = { papernot: 28, lenet: 28, resnet9: 32, inceptionV3: 75 };

/** Sizes of the tensors that graphs are fed from now on, until the result is asked for. */
function fedLeaves({ sessions }: OnnxBackend): () => number[] {
  const run = sessions.run;
  const sizes: number[] = [];
  sessions.run = (compiled, leaves, fetches) => {
    sizes.push(...compiled.feeds.map(({ leaf }) => leaves[leaf]?.data.length ?? 0));
    return run.call(sessions, compiled, leaves, fetches);
  };
  return () => {
    sessions.run = run;
    return sizes;
  };
}

describe("an input gradient", () => {
  // Otherwise the values between the layers leave the graph: hundreds of megabytes for each image, and every filter's gradient is computed.
  it.each(registry.model.map(({ id }) => id))("of %s lets nothing out of its graph but the gradient and the logits", async (id) => {
    const spec = registry.model.find((model) => model.id === id);
    if (!spec) throw new Error(id);
    const side = sides[id] ?? 64;
    const inputShape = [side, side, spec.inputShape[2]] as const;
    const narrow = "width" in spec.params.properties ? { width: 0.25 } : {};
    const network = spec.build(resolveParams(spec.params, narrow, id), { inputShape, classes: 10, seed: 3 });
    const model = classifierOf(network, { contract: { input: {} }, outputs: "logits", inputShape });
    const x = tf.tensor4d(createRandom(4).uniforms(side * side * inputShape[2], 0, 1), [1, ...inputShape]) as Images;
    const labels = tf.tensor1d([1], "int32") as Labels;
    const backend = tf.backend() as OnnxBackend;
    expect(backend).toBeInstanceOf(OnnxBackend);
    backend.flush();
    const before = backend.sessions.outputs;
    const fed = fedLeaves(backend);
    const { gradient, logits } = inputGradient(model, x, (z) => crossEntropy(z, labels, "sum"));
    await gradient.data();
    await logits.data();
    expect(backend.sessions.outputs - before).toBeLessThanOrEqual(3);
    // A number that is fed is no constant: with the ε of every normalisation fed, no factor would be folded into the filters.
    expect(fed().length).toBeLessThanOrEqual(40);
    tf.dispose([gradient, logits, x, labels]);
    model.dispose();
  });
});

describe("the gradient of a loss", () => {
  // tfjs makes ones of the input's size on the host for sums and means, and zeros for the parts of a split that lead nowhere.
  it.each([
    ["a sum over some axes", (x: tf.Tensor) => tf.sum(tf.square(tf.sum(x, [1, 2])))],
    ["a mean over everything", (x: tf.Tensor) => tf.mean(tf.square(x))],
    ["moments and normalisation", (x: tf.Tensor) => tf.sum(tf.square(tf.sub(x, tf.moments(x, [0, 1, 2], true).variance)))],
    ["one part of a split", (x: tf.Tensor) => tf.sum(tf.square(tf.split(x, 2, 3)[0] as tf.Tensor))],
    ["values beside zeros like them", (x: tf.Tensor) => tf.sum(tf.square(tf.maximum(x, tf.zerosLike(x))))],
  ] as const)("of %s is fed its input and single numbers", (_, f) => {
    const fed = fedLeaves(tf.backend() as OnnxBackend);
    const x = tf.tensor4d(createRandom(4).uniforms(240, -1, 1), [4, 3, 5, 4]);
    const gradient = tf.grad((input: tf.Tensor) => f(input) as tf.Scalar)(x);
    expect(gradient.dataSync()).toHaveLength(240);
    expect(fed().filter((size) => size > 1)).toEqual([240]);
    tf.dispose([x, gradient]);
  });
});
