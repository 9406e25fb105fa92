import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { loadNetwork, saveNetwork } from "../../../../src/engine/importers/index.ts";
import { tf, tfl } from "../../../../src/engine/tf.ts";
import { near } from "../fixtures.ts";
import { apart, cube, dot, random, type Scalar } from "../gradientCases.ts";
import { contracted } from "../gradientChecks.ts";
import { arrangementCases } from "./arrangementLayerCases.ts";
import { compactCases } from "./compactLayerCases.ts";
import { elementwiseCases } from "./elementwiseLayerCases.ts";
import { imageCases } from "./imageLayerCases.ts";
import type { LayerCase } from "./layerCase.ts";

beforeAll(async () => {
  await useBackend("cpu");
  await useBackend("onnxruntime");
});
const directory = mkdtempSync(path.join(tmpdir(), "imported-layers-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const layerCases = [...elementwiseCases, ...imageCases, ...arrangementCases, ...compactCases];
const named = layerCases.map((one) => [one.name, one] as const);
const behind = (shape: readonly number[]): tfl.Shape => [null, ...shape.slice(1)];

/** The layer, built for its inputs, with its weights. */
function built({ layer, inputs, weights = [] }: LayerCase): { made: tfl.layers.Layer; output: tfl.Shape } {
  const made = layer();
  const shapes = inputs.map(({ shape }) => behind(shape));
  const shape = shapes.length === 1 ? (shapes[0] as tfl.Shape) : shapes;
  made.build(shape);
  made.setWeights(weights.map((values, i) => tf.tensor([...values], made.weights[i]?.shape as number[])));
  return { made, output: made.computeOutputShape(shape) as tfl.Shape };
}
const call = (layer: tfl.layers.Layer, inputs: readonly tf.Tensor[]): tf.Tensor => layer.call([...inputs], {}) as tf.Tensor;
const tensors = ({ inputs }: LayerCase): tf.Tensor[] => inputs.map(({ values, shape }) => tf.tensor([...values], [...shape]));

/** Σ y³ + y² as a function of the inputs and the weights. */
function functionOf(one: LayerCase): { f: Scalar; shapes: readonly (readonly number[])[] } {
  const { made } = built(one);
  const inputs = one.inputs.map(({ shape }) => shape);
  const weights = one.fixedWeights ? [] : made.weights;
  const f: Scalar = (...args) => {
    for (const [i, weight] of weights.entries()) Reflect.set(weight, "read", () => args[inputs.length + i]);
    const given = args.slice(0, inputs.length).map((x) => one.domain?.(x) ?? x);
    const y = call(made, given);
    return tf.sum(tf.add(cube(y), tf.square(y)));
  };
  return { f, shapes: [...inputs, ...weights.map(({ shape }) => shape as number[])] };
}

/** The slope of φ between its gradient and a random direction, so that it cannot vanish: by the gradient, and by central differences. */
function slopes(phi: Scalar, inputs: readonly tf.Tensor[], h = 4e-3): [number, number] {
  const number = (x: tf.Tensor): number => x.dataSync()[0] ?? Number.NaN;
  const gradients = tf.grads((...xs: tf.Tensor[]) => phi(...xs))([...inputs]);
  const noise = inputs.map((x, i) => random(x.shape, 70 + i));
  const inner = (a: readonly tf.Tensor[], b: readonly tf.Tensor[]) => a.reduce((sum, x, i) => sum + number(dot(x, b[i] as tf.Tensor)), 0);
  const [length, noiseLength] = [gradients, noise].map((all) => Math.sqrt(inner(all, all))) as [number, number];
  const along = gradients.map((g, i) => tf.add(tf.div(g, length), tf.div(noise[i] as tf.Tensor, 2 * noiseLength)));
  const at = (step: number): number => number(phi(...inputs.map((x, i) => tf.add(x, tf.mul(along[i] as tf.Tensor, step)))));
  return [inner(gradients, along), (at(h) - at(-h)) / (2 * h)];
}

describe.each(["cpu", "onnxruntime"])("layers of imported networks on %s", (backend) => {
  beforeAll(async () => {
    await tf.setBackend(backend);
  });

  it.each(named)("%s: values and shape", (_, one) => {
    tf.tidy(() => {
      const { made, output } = built(one);
      const y = call(made, tensors(one));
      expect(y.shape).toEqual(one.shape);
      expect(output).toEqual(behind(one.shape));
      expect(near(y.dataSync(), one.values)).toBeLessThan(2e-6 * Math.max(1, ...one.values.map(Math.abs)));
    });
  });

  it.each(named.filter(([, { gradient }]) => gradient))("%s: gradient of the sum", (_, one) => {
    tf.tidy(() => {
      const { made } = built(one);
      const [x, ...others] = tensors(one) as [tf.Tensor, ...tf.Tensor[]];
      const found = tf.grad((first: tf.Tensor) => tf.sum(call(made, [first, ...others])))(x);
      expect(near(found.dataSync(), one.gradient ?? [])).toBeLessThan(2e-6);
    });
  });

  it.each(named.filter(([, { isFlat, isStepwise }]) => !isFlat && !isStepwise))(
    "%s: first and second derivative as by central differences",
    (_, one) => {
      tf.tidy(() => {
        const { f, shapes } = functionOf(one);
        const inputs = shapes.map((shape, i) => tf.add(tf.mul(apart(shape, 11 + i), 3), 0.3 + 0.05 * i)); // no two near each other
        const directions = shapes.map((shape, i) => random(shape, 40 + i));
        for (const phi of [f, contracted(f, directions)]) {
          const [exact, differences] = slopes(phi, inputs);
          expect(exact).toBeGreaterThan(1e-3);
          expect(Math.abs(exact - differences) / exact).toBeLessThan(1e-2);
        }
      });
    },
  );

  it.each(named.filter(([, { isFlat }]) => isFlat))("%s: no derivative", (_, one) => {
    tf.tidy(() => {
      const { made } = built(one);
      const f = (x: tf.Tensor): tf.Scalar => tf.sum(call(made, [x, ...tensors(one).slice(1)]));
      const [x] = tensors(one) as [tf.Tensor];
      expect(
        tf
          .grad(f)(x)
          .dataSync()
          .every((value) => value === 0),
      ).toBe(true);
    });
  });

  it("leaves no tensor behind", () => {
    for (const one of layerCases) {
      const { made } = built(one);
      const before = tf.memory().numTensors;
      tf.tidy(() => call(made, tensors(one)).dataSync());
      expect(tf.memory().numTensors).toBe(before);
    }
  });
});

/** The name of the layer in question. */
const own = (network: tfl.LayersModel): string => network.layers.at(-3)?.name ?? "";

/** Image – dense – the layer's inputs – the layer – three scores. */
function network(one: LayerCase): tfl.LayersModel {
  const { layers } = tfl;
  const size = (shape: readonly number[]): number => shape.slice(1).reduce((x, y) => x * y, 1);
  const init = (seed: number) => tfl.initializers.glorotUniform({ seed });
  const image = tfl.input({ shape: [2, 2, 3] });
  const pixels = layers.flatten().apply(image);
  const inputs = one.inputs.map(({ shape }, i) => {
    const values = layers.dense({ units: size(shape), kernelInitializer: init(i + 1), activation: "sigmoid" }).apply(pixels);
    return layers.reshape({ targetShape: shape.slice(1) as number[] }).apply(values) as tfl.SymbolicTensor;
  });
  const layer = one.layer();
  const result = layer.apply(inputs.length === 1 ? (inputs[0] as tfl.SymbolicTensor) : inputs) as tfl.SymbolicTensor;
  const weights = one.weights ?? [];
  layer.setWeights(weights.map((values, i) => tf.tensor([...values], layer.weights[i]?.shape as number[])));
  const scores = layers
    .dense({ units: 3, kernelInitializer: init(9) })
    .apply(layers.reshape({ targetShape: [size(one.shape)] }).apply(result));
  return tfl.model({ inputs: image, outputs: scores as tfl.SymbolicTensor });
}

it.each(named)("%s: a saved network with it loads again with the same scores", async (name, one) => {
  await tf.setBackend("cpu");
  const folder = path.join(directory, name.replace(/\W+/g, "-"));
  const saved = network(one);
  await saveNetwork(saved, folder, { input: {} });
  const loaded = await loadNetwork(folder);
  const x = random([2, 2, 2, 3], 5);
  const scores = (of: tfl.LayersModel) => tf.tidy(() => [...(of.predict(x) as tf.Tensor).dataSync()]);
  expect(scores(loaded.network)).toEqual(scores(saved));
  const configOf = (of: tfl.LayersModel) => of.getLayer(own(saved)).getConfig();
  expect(configOf(loaded.network)).toEqual(configOf(saved));
});

it("weights of a shape that is not stored are refused before they are made", async () => {
  const folder = path.join(directory, "bomb");
  await saveNetwork(network(layerCases.find(({ name }) => name === "AppendConstant, a class token") as LayerCase), folder, { input: {} });
  const file = path.join(folder, "model.json");
  writeFileSync(file, readFileSync(file, "utf8").replace(/"shape":\s*\[\s*1,\s*2\s*\](?=[^}]*at_start)/, '"shape": [1000000000, 2]'));
  await expect(loadNetwork(folder)).rejects.toMatchObject({
    code: "MODEL_INVALID",
    message: expect.stringContaining('has no weights "constant" of the shape [1000000000, 2] for its layer "append_constant'),
  });
});
