import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../../src/engine/backends/index.ts";
import { channelsFirst, imported, type NodeSpec, node, numbers, onnx, type Spec } from "./encoder.ts";

let folder: string;
beforeAll(async () => {
  await useBackend("cpu");
  folder = await fs.mkdtemp(path.join(os.tmpdir(), "bulwark-onnx-training-"));
});
afterAll(() => fs.rm(folder, { recursive: true }));

const layout = { input: { layout: "nchw" as const } };
/** y = n·w + b on pictures x of 1×2 pixels and two channels, where a node makes n of x. */
const behind = (first: NodeSpec, opset: number, ratio = 0.5): Spec => ({
  nodes: [first, node("Flatten", "n", "f"), node("Gemm", "f w b", "y")],
  initializers: {
    w: numbers([4, 2], 1, 0, 0, 1, 2, 0, 0, -1),
    b: numbers([2], 0.5, -0.5),
    ratio: numbers([], ratio),
    yes: { shape: [], data: [1], type: "bool" },
  },
  input: ["b", 2, 1, 2],
  opset,
});

describe("a network exported in training mode", () => {
  it.each([
    ["BatchNormalization", behind(node("BatchNormalization", "x b b b b", "n", { training_mode: 1 }), 14)],
    ["BatchNormalization", behind(node("BatchNormalization", "x b b b b", "n mean var"), 13)],
    ["Dropout", behind(node("Dropout", "x ratio yes", "n"), 13)],
    ["Dropout", behind(node("Dropout", "x _ yes", "n"), 13, 0)], // the ratio is 0.5 where none is given
  ])("is refused: %s", async (op, spec) => {
    await expect(imported(onnx(spec), folder, layout)).rejects.toMatchObject({
      code: "MODEL_INVALID",
      message: expect.stringContaining(`training mode (1 ${op})`),
    });
  });

  it("is opened where its dropout drops nothing, as in torchvision's Swin", async () => {
    const { network, run } = await imported(onnx(behind(node("Dropout", "x ratio yes", "n"), 13, 0)), folder, layout);
    expect(run(channelsFirst([1, 2, 3, 4], [1, 2, 1, 2]))).toEqual([1 + 6 + 0.5, 2 - 4 - 0.5]);
    expect(network.layers.map((layer) => layer.getClassName())).not.toContain("Dropout");
    network.dispose();
  });
});
