import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { runNetwork } from "../../../../src/engine/classifier/graph.ts";
import { builtFrom } from "../../../../src/engine/importers/build.ts";
import { loadNetwork } from "../../../../src/engine/importers/index.ts";
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
    await expect(loadNetwork(await written(chain("Relu", 20_000, "x"), "x19999"))).rejects.toMatchObject(refusal);
    const { topology } = readTopology(sequential(20_001) as Record<string, unknown>, "model.json");
    await expect(builtFrom(topology, "model.json", () => undefined)).rejects.toMatchObject(refusal);
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
