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
    const { gradient, logits } = inputGradient(model, x, (z) => crossEntropy(z, labels, "sum"));
    await gradient.data();
    await logits.data();
    expect(backend.sessions.outputs - before).toBeLessThanOrEqual(3);
    tf.dispose([gradient, logits, x, labels]);
    model.dispose();
  });
});
