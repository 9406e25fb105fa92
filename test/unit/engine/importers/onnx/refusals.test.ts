import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../../src/engine/backends/index.ts";
import { Writer } from "../../../../../src/engine/backends/onnxruntime/protobuf.ts";
import { dense, layout, picture, scores } from "./dense.ts";
import { float, imported, ints, type NodeSpec, node, nodeMessage, numbers, onnx, type Spec, valueMessage } from "./encoder.ts";

let folder: string;
beforeAll(async () => {
  await useBackend("cpu");
  folder = await fs.mkdtemp(path.join(os.tmpdir(), "bulwark-onnx-refusals-"));
});
afterAll(() => fs.rm(folder, { recursive: true }));

describe("models that are no image classifiers are refused with a reason", () => {
  const refused = async (spec: Spec, code: string, pattern: RegExp): Promise<void> => {
    await expect(imported(onnx(spec), folder, layout)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(pattern),
      fix: expect.any(String),
    });
  };
  const nodes = (...all: Spec["nodes"]): Spec => dense({ nodes: all });

  it("by operator, by inputs, by outputs, by version", async () => {
    await refused(nodes(node("Flatten", "x", "f"), node("NonMaxSuppression", "f w", "y")), "MODEL_INPUT", /boxes and classes/);
    await refused(nodes(node("Flatten", "x", "f"), node("ArgMax", "f", "y")), "MODEL_INPUT", /a class number, not scores/);
    await refused(nodes(node("Flatten", "x", "f"), node("LSTM", "f", "y", {}, "rnn")), "MODEL_INPUT", /"rnn", LSTM/);
    await refused(nodes(node("If", "x", "y", {}, "branch")), "MODEL_UNSUPPORTED", /at run time .*"branch", If/);
    await refused(
      nodes(node("Flatten", "x", "f"), node("GridSample", "f w", "y", {}, "warp")),
      "MODEL_UNSUPPORTED",
      /"warp" of the operator GridSample \(opset 13/,
    );
    await refused(nodes({ ...node("FusedConv", "x w", "y"), domain: "com.microsoft" }), "MODEL_UNSUPPORTED", /operators of com\.microsoft/);
    await refused(nodes(node("Flatten", "x", "f", { turbo: 1 }), node("Gemm", "f w b", "y")), "MODEL_UNSUPPORTED", /with turbo/);
    await refused(dense({ opset: 6 }), "MODEL_UNSUPPORTED", /opset 6; 7 to 22/);
    const newer = /opset 999, newer than 22.* not compared with ONNX Runtime's, which rejects the file: ONNX Runtime only/; // without its source files
    await refused(dense({ opset: 999 }), "MODEL_UNSUPPORTED", newer);
    await refused(dense({ opset: 2 ** 40 }), "MODEL_UNSUPPORTED", /newer than 22/);
    await refused(dense({ input: ["b", 4] }), "MODEL_INPUT", /does not take images: x \[\?, 4\]/);
    await refused(dense({ input: ["b", 2, "h", "w"] }), "MODEL_INPUT", /size of its images/);
    const second = dense({
      nodes: [node("Flatten", "x", "f"), node("Add", "f z", "g"), node("Gemm", "g w b", "y")],
      more: (graph) => graph.message(11, valueMessage("z", ["b", 4])),
    });
    await refused(second, "MODEL_INPUT", /takes 2 inputs: x .*, z/);
    await refused(dense({ outputs: ["y", "f"] }), "MODEL_INPUT", /2 outputs: y, f/);
    await refused(dense({ outputs: ["y", "y"] }), "MODEL_INVALID", /names its output "y" twice/);
    await refused(dense({ outputs: [] }), "MODEL_INVALID", /names no output/);
    await refused(dense({ nodes: [], outputs: ["x"] }), "MODEL_INVALID", /holds no nodes/);
  });

  it("by sizes that no image has", async () => {
    await refused(dense({ input: [0, 1, 2, 2] }), "MODEL_INVALID", /impossible size: x \[0, 1, 2, 2\]/);
    await refused(dense({ input: ["b", 1, -16, 16] }), "MODEL_INVALID", /impossible size: x \[\?, 1, -16, 16\]/);
    await refused(dense({ input: [1, 1, 0, 0] }), "MODEL_INVALID", /impossible size/);
    await refused(dense({ input: ["b", 1, -1, 2] }), "MODEL_INPUT", /size of its images/);
  });

  it("by attributes that their operator does not have", async () => {
    const kernel = numbers([1, 2, 1, 1], 1, 1);
    const after = [node("Flatten", "z", "f"), node("Gemm", "f w b", "y")];
    const withNode = (one: Spec["nodes"][number], more: Spec["initializers"] = {}): Spec => {
      const spec = nodes({ ...one, outputs: ["z"], name: "odd" }, ...after);
      return { ...spec, initializers: { ...spec.initializers, k: kernel, ...more } };
    };
    const conv = (attributes: NodeSpec["attributes"]) => withNode(node("Conv", "x k", "z", attributes));
    const invalid = (spec: Spec, pattern: RegExp) => refused(spec, "MODEL_INVALID", pattern);
    await invalid(conv({ auto_pad: "BOGUS" }), /"odd" \(Conv\) with auto_pad "BOGUS", which has to be one of NOTSET, SAME_UPPER/);
    await invalid(conv({ strides: [2 ** 40, 1] }), /with strides 1099511627776, 1, which has to be whole numbers from 1/);
    await invalid(conv({ strides: [0, 1] }), /with strides 0, 1/);
    await invalid(conv({ dilations: [0, 1] }), /with dilations 0, 1/);
    await invalid(conv({ kernel_shape: [-1, 1] }), /with kernel_shape -1, 1/);
    await invalid(conv({ strides: float(2) }), /with strides 2, which has to be whole numbers/); // would be passed over
    await invalid(conv({ group: 0 }), /with group 0/);
    await invalid(conv({ pads: [-1, 0, 0, 0] }), /pads that do not fit/);
    await invalid(withNode(node("AveragePool", "x", "z", { kernel_shape: [1, 1], ceil_mode: 2 })), /with ceil_mode 2, .* 0 or 1/);
    const scales = { s: numbers([4], 1, 1, 1, 1) };
    for (const attribute of ["mode", "coordinate_transformation_mode", "nearest_mode"])
      await invalid(
        withNode(node("Resize", "x _ s", "z", { [attribute]: "odd" }), scales),
        new RegExp(`\\(Resize\\) with ${attribute} "odd"`),
      );
    await invalid(withNode(node("Pad", "x p", "z", { mode: "symmetric" }), { p: ints(0, 0, 1, 1, 0, 0, 1, 1) }), /with mode "symmetric"/);
    await invalid(withNode(node("DepthToSpace", "x", "z", { blocksize: 1, mode: "RDC" })), /with mode "RDC"/);
    await invalid(withNode(node("Softmax", "x", "z", { axis: 4 })), /names the axis 4 of 4/);
    await invalid(withNode(node("Softmax", "x", "z", { axis: "1" })), /with axis "1", which has to be a whole number/);
    const norm = { s: numbers([1], 1) };
    await invalid(withNode(node("BatchNormalization", "x s s s s", "z", { epsilon: float(Number.NaN) }), norm), /with epsilon NaN/);
  });

  it("by values that hold no numbers", async () => {
    const noClass = dense({ initializers: { w: numbers([4, 0]), b: numbers([0]) } });
    await refused(noClass, "MODEL_INVALID", /"y" \(Gemm\) that makes a value \[B, 0\], which holds no numbers/);
    for (const scale of [0, 0.01, Number.NaN]) {
      const scales = numbers([4], 1, 1, scale, 1);
      const resized = dense({ nodes: [node("Resize", "x _ s", "z", {}, "small"), node("Flatten", "z", "f"), node("Gemm", "f w b", "y")] });
      await refused({ ...resized, initializers: { ...resized.initializers, s: scales } }, "MODEL_INVALID", /"small" \(Resize\) that/);
    }
  });

  it("by the operator set, which a file has to name", async () => {
    const graph = new Writer().message(1, nodeMessage(node("Flatten", "x", "y")));
    graph.message(11, valueMessage("x", ["b", 1, 2, 2])).message(12, valueMessage("y", undefined));
    await expect(imported(new Writer().int(1, 8).message(7, graph).finish(), folder, layout)).rejects.toMatchObject({
      code: "MODEL_INVALID",
      message: expect.stringMatching(/does not say which operator set/),
    });
  });

  it("and one of several outputs can be chosen", async () => {
    const { network, run } = await imported(onnx(dense({ outputs: ["f", "y"] })), folder, { input: layout.input, output: { name: "y" } });
    expect(run(picture())).toEqual(scores);
    network.dispose();
  });
});
