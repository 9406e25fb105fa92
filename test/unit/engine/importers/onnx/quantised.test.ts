import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../../src/engine/backends/index.ts";
import { loadNetwork, saveNetwork } from "../../../../../src/engine/importers/index.ts";
import { classifierOfLoaded } from "../../../../../src/engine/session/openModel.ts";
import { tf, type tfl } from "../../../../../src/engine/tf.ts";
import { channelsFirst, type NodeSpec, node, numbers, onnx, type Spec } from "./encoder.ts";

let folder: string;
beforeAll(async () => {
  await useBackend("cpu");
  folder = await fs.mkdtemp(path.join(os.tmpdir(), "bulwark-quantised-"));
});
afterAll(() => fs.rm(folder, { recursive: true }));

let files = 0;
async function written(spec: Spec): Promise<string> {
  const file = path.join(folder, `net-${files++}.onnx`);
  await fs.writeFile(file, onnx(spec));
  return file;
}

const layout = { input: { layout: "nchw" } } as const;
const uint8 = (value: number) => ({ shape: [], data: [value], type: "uint8" }) as const;
/** Means of red, green and blue, in steps of 1/4 up to 1 → weights of 8 bits: scores 2r − b and g + b → the end. */
const quantised = (end: readonly NodeSpec[], middle: readonly NodeSpec[] = [node("DequantizeLinear", "q s z", "d")]): Spec => ({
  input: ["b", 3, 1, 1],
  nodes: [
    node("Flatten", "x", "f"),
    node("QuantizeLinear", "f s z", "q", {}, "round"),
    ...middle,
    node("DequantizeLinear", "wq ws wz", "w", { axis: 1 }),
    node("MatMul", "d w", "scores"),
    ...end,
  ],
  initializers: {
    s: numbers([], 0.25),
    z: uint8(0),
    ws: numbers([2], 1, 0.5),
    wz: { shape: [2], data: [1, 1], type: "uint8" },
    wq: { shape: [3, 2], data: [3, 1, 1, 3, 0, 3], type: "uint8" },
    one: numbers([], 1 / 256),
  },
});
const pixel = (r: number, g: number, b: number) => channelsFirst([r, g, b], [1, 3, 1, 1]);
const predict = (network: tfl.LayersModel, x: tf.Tensor): number[] => [...(network.predict(x) as tf.Tensor).dataSync()];

describe("a quantised file", () => {
  it("has gradients, which pass through its quantisers, and says so", async () => {
    const file = await written(quantised([node("Identity", "scores", "y")]));
    const loaded = await loadNetwork(file, layout);
    expect(loaded.forwardOnly).toBeUndefined();
    expect(loaded.evidence.quantisers).toBe(1);
    expect(predict(loaded.network, pixel(0.3, 0.6, 0.9))).toEqual([2 * 0.25 - 1, 0.5 + 1]);
    const scores = (x: tf.Tensor) => tf.sum(tf.mul(loaded.network.apply(x) as tf.Tensor, tf.tensor2d([[1, 10]])));
    expect([
      ...tf
        .grad(scores)(pixel(0.3, 0.6, 0.9))
        .dataSync(),
    ]).toEqual([2, 10, 9]);
    const model = classifierOfLoaded(loaded, file);
    expect(model.findings.find(({ rule }) => rule === "RB115")?.message).toContain("pass through 1 quantiser as if they were not there");
    model.dispose();
  });

  it("keeps a softmax before its last quantiser", async () => {
    const end = [
      node("Softmax", "scores", "p", { axis: -1 }),
      node("QuantizeLinear", "p one z", "i"),
      node("DequantizeLinear", "i one z", "y"),
    ];
    const loaded = await loadNetwork(await written(quantised(end)), layout);
    expect(loaded.outputs).toBe("probabilities");
    const [p = 0] = predict(loaded.network, pixel(0.25, 0, 0));
    expect(p).toBe(159 / 256); // of 1/(1 + e^−½) = 0.6225
    loaded.network.dispose();
  });

  it("can be saved and opened again", async () => {
    const loaded = await loadNetwork(await written(quantised([node("Identity", "scores", "y")])), layout);
    const place = path.join(folder, "saved");
    await saveNetwork(loaded.network, place, loaded.contract);
    loaded.network.dispose();
    const again = await loadNetwork(place);
    expect(again.evidence.quantisers).toBe(1);
    expect(predict(again.network, pixel(0.3, 0.6, 0.9))).toEqual([-0.5, 1.5]);
    again.network.dispose();
  });

  it("has no second derivative", async () => {
    const loaded = await loadNetwork(await written(quantised([node("Identity", "scores", "y")])), layout);
    const first = (x: tf.Tensor) => tf.sum(tf.square(tf.grad((v) => tf.sum(tf.square(loaded.network.apply(v) as tf.Tensor)))(x)));
    expect(() => tf.grad(first)(pixel(0.3, 0.6, 0.9))).toThrow(/rounds to 8 bits, and rounding has no second derivative/);
    loaded.network.dispose();
  });

  it("gives scores only where it computes with integers, or with other scales", async () => {
    const end = [node("Identity", "scores", "y")];
    const other = quantised(end, [node("DequantizeLinear", "q one z", "d", {}, "odd")]);
    const integers = quantised([node("DequantizeLinear", "product", "y")].slice(1), [node("DequantizeLinear", "q s z", "d")]);
    const whole: Spec = {
      ...integers,
      nodes: [
        node("Flatten", "x", "f"),
        node("DynamicQuantizeLinear", "f", "q qs qz"),
        node("MatMulInteger", "q wq qz wz", "i", {}, "product"),
        node("Cast", "i", "c", { to: 1 }),
        node("Mul", "c qs", "m"),
        node("Mul", "m ws", "y"),
      ],
    };
    for (const [spec, reason] of [
      [other, /"odd" \(DequantizeLinear\) with another scale than that of its QuantizeLinear/],
      [whole, /of the operator DynamicQuantizeLinear/],
    ] as const) {
      const loaded = await loadNetwork(await written(spec), layout);
      expect(loaded.forwardOnly?.reason).toMatch(reason);
      loaded.network.dispose();
    }
  });
});
