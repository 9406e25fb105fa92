import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../../src/engine/backends/index.ts";
import { runNetwork } from "../../../../../src/engine/classifier/graph.ts";
import { tf } from "../../../../../src/engine/tf.ts";
import { channelsFirst, imported, ints, type NodeSpec, node, numbers, onnx, type Spec, type Tensor } from "./encoder.ts";
import { imageCases } from "./imageOperatorCases.ts";
import { newerCases } from "./newerOperatorCases.ts";
import { conv, four, given, kernel, layout, line, nine, one, specOf, x3 } from "./operatorCase.ts";
import { otherCases } from "./otherOperatorCases.ts";
import { rareCases } from "./rareOperatorCases.ts";

let folder: string;
beforeAll(async () => {
  await useBackend("cpu");
  folder = await fs.mkdtemp(path.join(os.tmpdir(), "bulwark-onnx-"));
});
afterAll(() => fs.rm(folder, { recursive: true }));

describe("operators of ONNX", () => {
  for (const one of [...imageCases, ...otherCases, ...rareCases, ...newerCases])
    it(one.name, async () => {
      const spec = specOf(one);
      const nodes = spec.nodes.map((n) => ({ ...n, inputs: n.inputs.filter((name, i) => name !== "" || i > 0) }));
      const { network, run } = await imported(onnx({ ...spec, nodes }), folder, layout);
      const found = run(given(one));
      expect(found).toHaveLength(one.gives.length);
      found.forEach((value, i) => {
        expect(value).toBeCloseTo(one.gives[i] as number, 4);
      });
      network.dispose();
    });
});

/** Of the sum of all outputs. */
async function gradient(spec: Spec, x: readonly number[], shape: readonly [number, number, number, number]): Promise<number[]> {
  const { network } = await imported(onnx(spec), folder, layout);
  const given = channelsFirst(x, shape);
  const found = tf.tidy(() => [...tf.transpose(tf.grad((v) => tf.sum(runNetwork(network, v)))(given), [0, 3, 1, 2]).dataSync()]);
  network.dispose();
  given.dispose();
  return found;
}

describe("gradients", () => {
  it("of a dilated convolution", async () => {
    const spec = specOf({ name: "", nodes: conv({ dilations: [2, 2] }), with: { k: kernel }, given: x3, gives: [] });
    expect(await gradient(spec, nine, [1, 1, 3, 3])).toEqual([1, 0, 2, 0, 0, 0, 3, 0, -1]);
  });

  it("of a dilated convolution with strides", async () => {
    const nodes = conv({ dilations: [2, 2], strides: [2, 2], pads: [1, 1, 1, 1] });
    const spec = specOf({ name: "", nodes, with: { k: kernel }, given: four, gives: [] });
    expect(await gradient(spec, four.x, [1, 1, 4, 4])).toEqual([0, 0, 0, 0, 0, 5, 0, 1, 0, 0, 0, 0, 0, 2, 0, -1]);
  });

  it("of a transposed convolution: what the kernel sums to, but for what is cut off", async () => {
    const transposed = (attributes: NodeSpec["attributes"]): Spec =>
      specOf({ name: "", nodes: [node("ConvTranspose", "x k", "v", attributes)], with: { k: kernel }, given: x3, gives: [] });
    expect(await gradient(transposed({}), nine, [1, 1, 3, 3])).toEqual(Array(9).fill(5));
    expect(await gradient(transposed({ pads: [1, 0, 0, 0] }), nine, [1, 1, 3, 3])).toEqual([2, 2, 2, 5, 5, 5, 5, 5, 5]);
  });

  it("of mirrored pixels", async () => {
    const spec = specOf({
      name: "",
      nodes: one("Pad", { mode: "reflect" }, "x p"),
      with: { p: ints(0, 0, 1, 1, 0, 0, 1, 1) },
      given: x3,
      gives: [],
    });
    expect(await gradient(spec, nine, [1, 1, 3, 3])).toEqual([1, 3, 1, 3, 9, 3, 1, 3, 1]);
  });

  it("of rounding to 8 bits: 1 in its range, 0 outside", async () => {
    const spec = specOf({
      name: "",
      nodes: [node("QuantizeLinear", "x s z", "q"), node("DequantizeLinear", "q s z", "v")],
      with: { s: numbers([], 0.1), z: { shape: [], data: [128], type: "uint8" } },
      given: line(0, 0, 0, 0, 0, 0),
      gives: [],
    });
    const values = [0, 0.04, 0.06, 12.75, 13, -0.2];
    expect(await gradient(spec, values, [1, 6, 1, 1])).toEqual([1, 1, 1, 0, 0, 1]);
  });

  it("of GELU", async () => {
    const spec = specOf({ name: "", nodes: one("Gelu"), given: line(1, 0), gives: [], opset: 20 });
    const [at1 = 0, at0] = await gradient(spec, [1, 0], [1, 2, 1, 1]);
    expect(at1).toBeCloseTo(1.083316, 5); // Φ(1) + φ(1)
    expect(at0).toBeCloseTo(0.5, 6);
  });
});

describe("Reshape", () => {
  const shaped = (target: Tensor, attributes: NodeSpec["attributes"] = {}, opset = 14): Spec => ({
    nodes: [node("Reshape", "x s", "v", attributes), node("Flatten", "v", "y")],
    initializers: { s: target },
    input: ["b", 3, 4, 1],
    opset,
  });
  it("copies sizes for 0 and takes what is left for −1", async () => {
    for (const target of [ints(0, -1), ints(0, 0, -1), ints(-1, 2, 6)]) {
      const { network } = await imported(onnx(shaped(target)), folder, layout);
      expect(network.outputs[0]?.shape).toEqual([null, 12]);
      network.dispose();
    }
  });

  it("is refused for sizes that are none", async () => {
    await expect(imported(onnx(shaped(ints(2, 0, 6), { allowzero: 1 })), folder, layout)).rejects.toMatchObject({ code: "MODEL_INVALID" });
    await expect(imported(onnx(shaped(ints(-1, -1))), folder, layout)).rejects.toMatchObject({ code: "MODEL_INVALID" });
    await expect(imported(onnx(shaped(ints(0, 5))), folder, layout)).rejects.toMatchObject({ code: "MODEL_INVALID" });
  });

  it("is refused where a Slice takes steps of 0", async () => {
    const spec = specOf({
      name: "",
      nodes: one("Slice", {}, "x s e a t"),
      with: { s: ints(0), e: ints(2), a: ints(1), t: ints(0) },
      given: line(1, 2, 3),
      gives: [],
    });
    await expect(imported(onnx(spec), folder, layout)).rejects.toMatchObject({
      code: "MODEL_INVALID",
      message: expect.stringContaining("steps of 0"),
    });
  });
});
