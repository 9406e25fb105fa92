import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { runNetwork } from "../../../../src/engine/classifier/graph.ts";
import { builtFrom } from "../../../../src/engine/importers/build.ts";
import { loadNetwork } from "../../../../src/engine/importers/index.ts";
import { openOnnx } from "../../../../src/engine/importers/onnx/index.ts";
import { normalise } from "../../../../src/engine/importers/topology/index.ts";
import { readTopology } from "../../../../src/engine/importers/topology/read.ts";
import { tf } from "../../../../src/engine/tf.ts";
import { node, numbers, onnx, type Spec } from "./onnx/encoder.ts";

let folder: string;
beforeAll(async () => {
  await useBackend("cpu");
  folder = await fs.mkdtemp(path.join(os.tmpdir(), "bulwark-deep-"));
});
afterAll(() => fs.rm(folder, { recursive: true }));

/** Of one pixel x: after all those nodes, the scores x and −x. */
async function written(nodes: Spec["nodes"], from: string, initializers: Spec["initializers"] = {}): Promise<string> {
  const file = path.join(folder, "net.onnx");
  const spec: Spec = {
    nodes: [...nodes, node("Flatten", from, "f"), node("MatMul", "f w", "y")],
    initializers: { w: numbers([1, 2], 1, -1), ...initializers },
    input: ["b", 1, 1, 1],
  };
  await fs.writeFile(file, onnx(spec));
  await fs.writeFile(path.join(folder, "net.bulwark.json"), '{"input":{"layout":"nchw","channels":"gray"}}');
  return file;
}
const chain = (op: string, length: number, start: string, other = ""): Spec["nodes"] =>
  Array.from({ length }, (_, i) => node(op, `${i === 0 ? start : `${start}${i - 1}`}${other}`, `${start}${i}`));
const sequential = (layers: number): object => ({
  class_name: "Sequential",
  config: {
    name: "deep",
    layers: Array.from({ length: layers }, (_, i) => ({
      class_name: i === layers - 1 ? "Flatten" : "Activation",
      config: {
        name: `layer${i}`,
        ...(i === layers - 1 ? {} : { activation: "relu" }),
        ...(i === 0 ? { batch_input_shape: [null, 1, 2, 1] } : {}),
      },
    })),
  },
});

const names = (start: string, some: number): string => Array.from({ length: some }, (_, i) => `${start}${i}`).join(" ");
const layer = (name: string, class_name: string, config: object, inputs: readonly (readonly [string, number][])[]): object => ({
  ...{ name, class_name, config: { name, ...config } },
  inbound_nodes: inputs.map((one) => one.map(([from, index]) => [from, index, 0, {}])),
});
const functional = (name: string, layers: readonly object[], [last, index]: readonly [string, number]): object => ({
  class_name: "Functional",
  config: {
    name,
    layers: [layer("image", "InputLayer", { batch_input_shape: [null, 1, 2, 1] }, []), ...layers],
    input_layers: [["image", 0, 0]],
    output_layers: [[last, index, 0]],
  },
});
/** So many activations of one image, side by side, each applied to it so often. */
const branches = (layers: number, times = 1): object => {
  const each = Array.from({ length: layers }, (_, i) => `layer${i}`);
  const again = new Array<readonly [string, number][]>(times).fill([["image", 0]]);
  const activations = each.map((name) => layer(name, "Activation", { activation: "relu" }, again));
  return functional(
    "wide",
    [...activations, layer("sum", "Add", {}, [each.map((name) => [name, 0] as const) as [string, number][]])],
    ["sum", 0],
  );
};
/** The sum of so many times the image. */
const joined = (times: number): object =>
  functional("sum", [layer("sum", "Add", {}, [new Array<[string, number]>(times).fill(["image", 0])])], ["sum", 0]);
/** A model in which a model is applied twice, in which a model is applied twice … */
const doubled = (levels: number): object => {
  let model = functional("m0", [layer("relu", "Activation", { activation: "relu" }, [[["image", 0]]])], ["relu", 0]);
  for (let i = 1; i <= levels; i++) {
    const within = { ...model, name: `m${i - 1}`, inbound_nodes: [[["image", 0, 0, {}]], [[`m${i - 1}`, 1, 0, {}]]] };
    model = functional(`m${i}`, [within], [`m${i - 1}`, 2]);
  }
  return model;
};

describe("a deep network", () => {
  it("of 3,400 layers, as ResNet-1001 has, opens, and gives scores and gradients", { timeout: 120_000 }, async () => {
    const { network, comparison } = await loadNetwork(await written(chain("Relu", 3400, "x"), "x3399"));
    expect(comparison?.difference).toBe(0);
    const x = tf.tensor4d([0.25], [1, 1, 1, 1]);
    expect([...runNetwork(network, x).dataSync()]).toEqual([0.25, -0.25]);
    expect([
      ...tf
        .grad((one) => tf.slice(runNetwork(network, one), [0, 1], [1, 1]))(x)
        .dataSync(),
    ]).toEqual([-1]);
    network.dispose();
    x.dispose();
  });

  it("deeper than can be built is refused before it is, whatever its format", async () => {
    const refusal = { code: "MODEL_TOO_LARGE", message: expect.stringMatching(/has 20\u202f00\d layers in a row; the limit is 4000/) };
    await expect(loadNetwork(await written(chain("Relu", 4100, "x"), "x4099"))).rejects.toMatchObject({
      message: expect.stringMatching(/has 4102 layers in a row; the limit is 4000/),
    });
    const { topology } = readTopology(sequential(20_001) as Record<string, unknown>, "model.json");
    await expect(builtFrom(topology, 0, "model.json", () => undefined)).rejects.toMatchObject(refusal);
  });

  it("of more operators or layers than any network is refused at once, deep or wide", async () => {
    const refusal = {
      code: "MODEL_TOO_LARGE",
      message: expect.stringMatching(/has [234][09]\u202f\d+ operations on its images; the limit is 16/),
    };
    const wide = [...Array.from({ length: 19_999 }, (_, i) => node("Relu", "x", `r${i}`)), node("Sum", names("r", 19_999), "s")];
    for (const [nodes, from] of [
      [chain("Relu", 20_000, "x"), "x19999"],
      [wide, "s"],
    ] as const) {
      const model = await openOnnx(await written(nodes, from));
      expect(() => model.normalise({ input: {} }, undefined)).toThrow(expect.objectContaining(refusal));
      await model.close();
    }
  });

  it.each([
    ["side by side", branches(10_001)],
    ["applied again and again", branches(1, 10_001)],
    ["one that joins many", joined(10_001)],
    ["within one another, each model applied twice", doubled(30)],
  ])("of more layers than any network is refused before it is made flat: %s", (_, json) => {
    const many = { code: "MODEL_TOO_LARGE", message: expect.stringMatching(/has [\d\u202f]+ layers, .*; the limit is 10\u202f000/) };
    expect(() => normalise(json as Record<string, unknown>, [], { input: {} }, { file: "model.json", size: undefined })).toThrow(
      expect.objectContaining(many),
    );
  });

  it("may compute a constant in many steps, each from the one before it, or twice", async () => {
    const doubled = Array.from({ length: 24 }, (_, i) => node("Add", `c${i} c${i}`, `c${i + 1}`));
    const large = [...doubled, node("ReduceMax", "c24", "most", { keepdims: 0 }), node("Sub", "x most", "z")];
    const numbered = await loadNetwork(await written(large, "z", { c0: numbers([70_000], ...new Array<number>(70_000).fill(1)) }));
    expect([...runNetwork(numbered.network, tf.tensor4d([0], [1, 1, 1, 1])).dataSync()]).toEqual([-(2 ** 24), 2 ** 24]);
    numbered.network.dispose();
    const nodes = [...chain("Add", 20_000, "c", " one"), node("Sub", "x c19999", "z")];
    const { network } = await loadNetwork(await written(nodes, "z", { c: numbers([1], 0), one: numbers([1], 1) }));
    expect([...runNetwork(network, tf.tensor4d([0.25], [1, 1, 1, 1])).dataSync()]).toEqual([-19999.75, 19999.75]);
    network.dispose();
  });
});
