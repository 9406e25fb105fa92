import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { gradCamMap } from "../../../../src/engine/attention/gradCamMap.ts";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { bind } from "../../../../src/engine/registry.ts";
import { planOf } from "../../../../src/engine/session/openModel.ts";
import { tf, tfl } from "../../../../src/engine/tf.ts";
import { train } from "../../../../src/engine/training/loop.ts";
import { defaultTrain, type TrainSettings } from "../../../../src/shared/experiment.ts";
import type { Choice } from "../../../../src/shared/results.ts";
import { convNetwork, linearNetwork, near, randomBatch, withoutInitialValues } from "../fixtures.ts";
import { gradientErrors, inStep, type LossCase, partNamed, valuesOf } from "./losses.ts";

await useBackend("cpu");

const shape = [8, 8, 1] as const;
const noise = randomBatch(6, shape, 3);
const crafted = noise.images.map((v, i) => Math.min(1, Math.max(0, v + 0.2 * Math.sin(3 * i))));
const aad = (params: Record<string, unknown> = {}): Choice => ({ id: "attentionRectification", params });
const planFor = (params: Record<string, unknown> = {}) => planOf([aad(params)], shape, 3);
const pairing = { kind: "adversarialLogitPairing" };

/** Heads behind the same grid of 4×4×4. */
const heads = {
  "global average – dense": (x: tfl.SymbolicTensor) => [tfl.layers.globalAveragePooling2d({})].map((l) => l.apply(x))[0],
  "dense – ReLU – dense": (x: tfl.SymbolicTensor) =>
    tfl.layers
      .dense({ units: 12, activation: "relu", kernelInitializer: tfl.initializers.glorotUniform({ seed: 6 }) })
      .apply(tfl.layers.flatten().apply(x)),
  "dense – softplus – dense": (x: tfl.SymbolicTensor) =>
    tfl.layers
      .dense({ units: 12, activation: "softplus", kernelInitializer: tfl.initializers.glorotUniform({ seed: 6 }) })
      .apply(tfl.layers.flatten().apply(x)),
  "max pooling – dense": (x: tfl.SymbolicTensor) =>
    tfl.layers.flatten().apply(tfl.layers.maxPooling2d({ poolSize: 3, strides: 1, name: "headPool" }).apply(x)),
} as const;
function network(head: keyof typeof heads): tfl.LayersModel {
  const input = tfl.input({ shape: [...shape] });
  // Without kinks of its own, which differences would step over.
  const conv = tfl.layers.conv2d({
    activation: "softplus",
    filters: 4,
    kernelSize: 3,
    padding: "same",
    kernelInitializer: tfl.initializers.randomNormal({ stddev: 0.8, seed: 1 }),
  });
  let x = conv.apply(input);
  x = tfl.layers.averagePooling2d({ poolSize: 2, name: "features" }).apply(x);
  x = heads[head](x as tfl.SymbolicTensor) as tfl.SymbolicTensor;
  x = tfl.layers.dense({ units: 3, kernelInitializer: tfl.initializers.glorotUniform({ seed: 2 }) }).apply(x);
  return tfl.model({ inputs: input, outputs: x as tfl.SymbolicTensor });
}
const caseOf = (params: Record<string, unknown>, of: tfl.LayersModel): LossCase => ({
  network: of,
  plan: planFor({ layer: "features", ...params }),
  batch: noise,
  crafted,
  shape,
});

describe("attentionRectification", () => {
  it("adds its two losses, weighted, to the base's, and names them beside the base's own parts", () => {
    const own = { network: network("dense – ReLU – dense"), batch: noise, crafted, shape };
    for (const base of [{ kind: "adversarialTraining" }, pairing]) {
      const alone = valuesOf({ ...own, plan: planOf([{ id: base.kind, params: {} }], shape, 3) });
      const { total, parts } = valuesOf({ ...own, plan: planFor({ base, alpha: 0.5, beta: 2, layer: "features" }) });
      const { rectification = 0, preservation = 0, ...rest } = parts;
      expect(rest).toEqual(base === pairing ? alone.parts : { classification: alone.total });
      expect(rectification).toBeLessThan(0);
      expect(rectification).toBeGreaterThan(-2 * Math.SQRT2);
      expect(preservation).toBeGreaterThan(0);
      expect(total).toBeCloseTo(alone.total + 0.5 * rectification + 2 * preservation, 5);
    }
  });

  it("measures what it says, by Grad-CAM of the label and masks made of it here", () => {
    const o = caseOf({ alpha: 1, beta: 1 }, network("global average – dense"));
    const { parts } = valuesOf(o);
    const [byHand, preserved] = tf.tidy(() => {
      const looked = [noise.images, crafted].map((pixels) => ({ pixels, ...look(o, pixels) }));
      const moved = looked.map(({ pixels, masked }) => distance(o, pixels, masked).dataSync()[0] ?? Number.NaN);
      return [-(moved[0] ?? 0) - (moved[1] ?? 0), distanceOf(looked[0]?.map ?? [], looked[1]?.map ?? [])];
    });
    expect(parts["rectification"]).toBeCloseTo(byHand ?? 0, 5);
    expect(parts["preservation"]).toBeCloseTo(preserved ?? 0, 4);
  });

  it.each(Object.keys(heads) as (keyof typeof heads)[])("has the gradient of finite differences, head %s", (head) => {
    const of = network(head);
    const o = caseOf({ alpha: 1, beta: 1 }, of);
    const masked = [noise.images, crafted].map((pixels) => tf.tidy(() => look(o, pixels).masked));
    // The areas are constants to the gradient.
    const rectified = (): tf.Scalar =>
      tf.addN([noise.images, crafted].map((pixels, i) => tf.neg(distance(o, pixels, masked[i] ?? pixels)))) as tf.Scalar;
    const rectification = gradientErrors(o, 5e-3, partNamed("rectification"), rectified);
    const preserved = (): tf.Scalar => {
      const [clean, adversarial] = [noise.images, crafted].map((pixels) => {
        const map = rawMap(o, pixels);
        return tf.div(map, tf.add(tf.max(map, [1, 2], true), 1e-7));
      });
      return tf.div(tf.sum(tf.abs(tf.sub(clean as tf.Tensor, adversarial as tf.Tensor))), 6);
    };
    const preservation = gradientErrors(o, 2e-3, partNamed("preservation"), preserved);
    expect(Object.keys(preservation).length).toBeGreaterThanOrEqual(4);
    for (const errors of [rectification, preservation]) expect(Object.entries(errors).filter(([, error]) => !(error < 1e-2))).toEqual([]);
  });

  it("has the gradient of class activation maps in closed form where the head is a global average and a dense layer", () => {
    const of = network("global average – dense");
    const o = caseOf({ alpha: 0, beta: 1 }, of);
    const weights = of.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const gradients = (loss: () => tf.Scalar): number[] => {
      const { grads, value } = tf.variableGrads(loss, weights);
      const found = weights.flatMap(({ name }) => [...(grads[name]?.dataSync() ?? [])]);
      tf.dispose([value, ...Object.values(grads)]);
      return found;
    };
    const kernel = weights.findLast(({ rank }) => rank === 2) as tf.Variable;
    /** α_k = w_kc / (h·w): plain first-order differentiation. */
    const closedForm = (pixels: Float32Array): tf.Tensor =>
      inStep(o, ({ layers, labels }) => {
        const features = layers.run(tf.tensor4d(pixels, [6, ...shape]), { take: ["features"] }).taken.get("features") as tf.Tensor;
        const alpha = tf.div(tf.gather(tf.transpose(kernel), labels), 16);
        const map = tf.relu(tf.sum(tf.mul(features, tf.reshape(alpha, [6, 1, 1, 4])), 3));
        return tf.div(map, tf.add(tf.max(map, [1, 2], true), 1e-7));
      });
    const byHand = gradients(() => {
      const distance = tf.abs(tf.sub(closedForm(noise.images), closedForm(crafted)));
      return tf.div(tf.sum(tf.mul(distance, tf.cast(tf.greater(distance, 1e-5), "float32"))), 6) as tf.Scalar; // not where both are 1
    });
    const nested = gradients(() => inStep(o, (step) => partNamed("preservation")(o.plan.loss(step))));
    expect(Math.max(...byHand.map(Math.abs))).toBeGreaterThan(0.01);
    expect(near(nested, byHand)).toBeLessThan(1e-5);
  });

  it.each([
    ["adversarialTraining", { kind: "adversarialTraining", batch: "mixed" }],
    ["adversarialLogitPairing", pairing],
  ])("without weights is %s, to the bit", async (_, base) => {
    const { kind, ...inside } = base;
    const strength = { eps: 0.05, steps: 2, stepSize: 0.02 };
    const alone = await trained([{ id: kind, params: { ...inside, ...strength } }]);
    expect(await trained([aad({ base, ...strength, alpha: 0, beta: 0 })])).toEqual(alone);
    expect(await trained([aad({ base, ...strength })])).not.toEqual(alone);
  });

  it("leaves the running averages of batch normalisation to the passes of its base", async () => {
    const averages = async (defense: Choice): Promise<number[][]> => (await trained([defense], 1)).slice(-2);
    const strength = { eps: 0.05, steps: 2 };
    expect(await averages(aad(strength))).toEqual(await averages({ id: "adversarialTraining", params: strength }));
  });

  it("gives 0 and finite gradients for images without attention", () => {
    const of = network("global average – dense");
    const kernel = of.trainableWeights.at(-2)?.read() as tf.Variable;
    tf.tidy(() => kernel.assign(tf.fill(kernel.shape, -1))); // every ∂z/∂A is negative
    const o = caseOf({ alpha: 1, beta: 1 }, of);
    const { rectification, preservation } = valuesOf(o).parts;
    expect(rectification).toBeCloseTo(0, 5);
    expect(preservation).toBe(0);
    const { grads, value } = tf.variableGrads(
      () => inStep(o, (step) => o.plan.loss(step).total),
      of.trainableWeights.map((weight) => weight.read() as tf.Variable),
    );
    for (const gradient of Object.values(grads)) expect([...gradient.dataSync()].every(Number.isFinite)).toBe(true);
    tf.dispose([value, ...Object.values(grads)]);
  });

  it("compares maps of the same places of volumized images, in either order of the two defences", () => {
    const volumized: Choice = { id: "volumizedCurriculum", params: { patch: 4 } };
    const values = [
      [volumized, aad({ alpha: 1, beta: 1 })],
      [aad({ alpha: 1, beta: 1 }), volumized],
    ].map((stack) => {
      const plan = planOf(stack, shape, 3);
      return valuesOf({ network: plan.network(convNetwork({ seed: 5 })), plan, batch: noise, crafted, shape }).parts;
    });
    expect(values[1]).toEqual(values[0]);
    expect(values[0]?.["preservation"]).toBeGreaterThan(0);
  });

  it("takes the multi-label soft margin in place of the cross-entropy, but not of slices", () => {
    // z = [2, −1], label 0: .220095 (algorithms, 2F).
    const rows = [
      [1, 0],
      [0, 1],
    ];
    const o = { network: linearNetwork(rows, [1, 2, 1]), batch: { images: Float32Array.of(2, -1), labels: Int32Array.of(0), n: 1 } };
    const plan = planOf([aad({ lc: "mlsm", alpha: 0, beta: 0 })], [1, 2, 1], 2);
    expect(valuesOf({ ...o, plan, crafted: Float32Array.of(2, -1), shape: [1, 2, 1] }).total).toBeCloseTo(0.220095, 5);
    const volumized = { id: "volumizedCurriculum", params: { patch: 4 } };
    for (const weights of [{}, { alpha: 0, beta: 0 }])
      for (const stack of [
        [volumized, aad({ lc: "mlsm", ...weights })],
        [aad({ lc: "mlsm", ...weights }), volumized],
      ])
        expect(() => planOf(stack, shape, 3)).toThrow("lc mlsm judges an image as a whole");
  });

  it("gives its strength to the attack of its base, and says which layer it reads", () => {
    const plan = planFor({ base: pairing, eps: 0.1, steps: 3, stepSize: 0.05 });
    expect(plan.craft).toMatchObject({ id: "pgd", params: { eps: 0.1, steps: 3, stepSize: 0.05 } });
    const built = plan.network(network("global average – dense"));
    expect(plan.remark?.(built, plan)).toMatch(/read at features; .* exact, by nested gradients/);
    const volumized = planOf([aad(), { id: "volumizedCurriculum", params: { patch: 4 } }], shape, 3);
    expect(volumized.remark?.(volumized.network(convNetwork()), volumized)).toMatch(/^attention is read at pool_\d+;/);
    expect(planFor({ alpha: 0, beta: 0 }).remark).toBeUndefined();
  });

  it("costs the passes of a step: clean and adversarial images, and with rectification both without their areas", () => {
    const cost = (params: Record<string, unknown>) => planFor(params).stepCost;
    expect([cost({ alpha: 0, beta: 0 }), cost({ alpha: 0 }), cost({}), cost({ base: pairing })]).toEqual([1, 2, 4, 4]);
  });

  it("reads LeNet's attention after its second pooling, and ResNet9's at its last residual block", () => {
    const read = (model: string, inputShape: [number, number, number]): string | undefined => {
      const { entry, params } = bind("model", { kind: model });
      const plan = planOf([aad()], inputShape, 10);
      const built = withoutInitialValues(() => entry.build(params, { inputShape, classes: 10, seed: 1, zeroWeights: true }));
      return /read at (\w+);/.exec(plan.remark?.(plan.network(built), plan) ?? "")?.[1];
    };
    expect([read("lenet", [28, 28, 1]), read("resnet9", [32, 32, 3])]).toEqual(["pool2", "residual2"]);
  });

  it("refuses a network without a convolution, and a layer that is not there, before anything is trained", () => {
    const dense = linearNetwork(
      Array.from({ length: 3 }, () => Array.from({ length: 64 }, () => 1)),
      [...shape],
    );
    expect(() => planFor().network(dense)).toThrow(expect.objectContaining({ code: "MODEL_INVALID" }));
    expect(() => planFor({ layer: "feature" }).network(network("global average – dense"))).toThrow('no layer "feature" with a grid');
  });

  it.each([
    ["a base that crafts nothing", { base: "standard" }, "standard is none"],
    ["a base that stands in front of a network", { base: "bitDepth" }, "bitDepth is none"],
    ["itself as its base", { base: "attentionRectification" }, "attentionRectification is none"],
    ["a strength at two places", { base: { kind: "adversarialTraining", eps: 0.2 }, eps: 0.3 }, "eps is 0.2 in the base and 0.3"],
  ])("refuses %s", (_, params, message) => {
    expect(() => planFor(params)).toThrow(message);
  });
});

/** Grad-CAM of the label, [6,h,w], not normalised. */
const rawMap = (o: LossCase, pixels: Float32Array): tf.Tensor3D =>
  inStep(o, ({ layers, labels }) => gradCamMap(layers, tf.tensor4d(pixels, [6, ...shape]), labels, "features"));

/** Mean distance of the probabilities of two batches. */
const distance = (o: LossCase, a: Float32Array, b: Float32Array): tf.Scalar =>
  inStep(o, ({ layers }) => {
    const [p, q] = [a, b].map((pixels) => tf.softmax(layers.run(tf.tensor4d(pixels, [6, ...shape])).logits));
    return tf.mean(tf.norm(tf.sub(p as tf.Tensor, q as tf.Tensor), 2, 1));
  }) as tf.Scalar;

/** Normalised maps, and the images without their areas, in plain JavaScript but for the network itself. */
function look(o: LossCase, pixels: Float32Array): { map: number[]; masked: Float32Array } {
  const raw = [...rawMap(o, pixels).dataSync()];
  const of = (values: ArrayLike<number>, size: number, i: number) => Array.from(values).slice(size * i, size * i + size);
  const map = raw.map((value, i) => value / (Math.max(...of(raw, 16, Math.floor(i / 16))) + 1e-7));
  const large = tf.image.resizeBilinear(tf.tensor4d(map, [6, 4, 4, 1]), [8, 8], false, true).dataSync();
  const masked = pixels.map((value, i) => {
    const image = of(large, 64, Math.floor(i / 64));
    const mean = image.reduce((a, b) => a + b, 0) / 64;
    return mean > 0 && (large[i] ?? 0) >= mean ? 0 : value;
  });
  return { map, masked };
}
const distanceOf = (a: number[], b: number[]): number => a.reduce((sum, value, i) => sum + Math.abs(value - (b[i] ?? 0)), 0) / 6;

async function trained(defenses: readonly Choice[], steps = 6): Promise<number[][]> {
  const directory = mkdtempSync(path.join(tmpdir(), "attention-"));
  const network = convNetwork({ dropout: 0.3, batchNorm: true, seed: 5 });
  const read = async (places: ArrayLike<number>) => ({
    images: Float32Array.from(Array.from(places).flatMap((i) => [...noise.images.subarray(i * 64, (i + 1) * 64)])),
    labels: Int32Array.from(places, (i) => noise.labels[i] ?? 0),
    n: places.length,
  });
  const settings: TrainSettings = { ...defaultTrain, epochs: steps, batchSize: 6 };
  const o = { network, plan: planOf(defenses, shape, 3), train: { size: 6, read }, validation: null, settings, arm: "a" };
  await train({ ...o, checkpointDirectory: directory }, createContext());
  rmSync(directory, { recursive: true });
  return network.getWeights().map((weight) => [...weight.dataSync()]);
}
