import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../../src/engine/backends/index.ts";
import { Writer } from "../../../../../src/engine/backends/onnxruntime/protobuf.ts";
import { tf } from "../../../../../src/engine/tf.ts";
import { branch, channelsFirst, imported, ints, type NodeSpec, node, nodeMessage, numbers, onnx, type Spec } from "./encoder.ts";

/** What a file computes from the sizes of its pictures. `imported` compares every network with ONNX Runtime, four pictures as one batch. */
let folder: string;
beforeAll(async () => {
  await useBackend("cpu");
  folder = await fs.mkdtemp(path.join(os.tmpdir(), "bulwark-onnx-sizes-"));
});
afterAll(() => fs.rm(folder, { recursive: true }));

const layout = { input: { layout: "nchw", channels: "gray" } } as const;
const scalar = (value: number) => ({ shape: [], data: [value], type: "int64" }) as const;

describe("windows of a picture, as Swin has them", () => {
  /** [n,1,4,4] → n·4 windows of 2×2 → the mean of each pixel's squares over the windows, as 4 scores. All sizes but n are computed. */
  const windows = (count: number): Spec => ({
    nodes: [
      node("Shape", "x", "sizes"),
      node("Gather", "sizes two", "height"),
      node("Div", "height two", "rows"),
      node("Unsqueeze", "rows first", "rows1"),
      node("Concat", "n rows1 side rows1 side", "split", { axis: 0 }),
      node("Reshape", "x split", "a"),
      node("Transpose", "a", "b", { perm: [0, 1, 3, 2, 4] }),
      node("Mul", "rows rows", "inEach"),
      node("Mul", "inEach n", "all"),
      node("Concat", "all four", "flat", { axis: 0 }),
      node("Reshape", "b flat", "w"),
      node("Mul", "w w", "squared"),
      node("Concat", "n four four", "joined", { axis: 0 }),
      node("Reshape", "squared joined", "j"),
      node("ReduceMean", "j", "y", { axes: [1], keepdims: 0 }),
    ],
    initializers: { two: scalar(2), first: ints(0), side: ints(2), four: ints(4), n: ints(count) },
    input: [count, 1, 4, 4],
  });

  it("are cut for any number of pictures, whatever number the file was written for", async () => {
    // Pixels 0…15 row by row: the first pixels of the windows are 0, 2, 8, 10, and the mean of their squares is (0 + 4 + 64 + 100)/4 = 42.
    const picture = Array.from({ length: 16 }, (_, i) => i);
    const scores = [42, (1 + 9 + 81 + 121) / 4, (16 + 36 + 144 + 196) / 4, (25 + 49 + 169 + 225) / 4];
    for (const count of [1, 2]) {
      const { run, network } = await imported(onnx(windows(count)), folder, layout);
      expect(run(channelsFirst(picture, [1, 1, 4, 4]))).toEqual(scores);
      const three = channelsFirst([...picture, ...picture.map((value) => 2 * value), ...picture.map(() => 1)], [3, 1, 4, 4]);
      expect(run(three)).toEqual([...scores, ...scores.map((value) => 4 * value), 1, 1, 1, 1]);
      network.dispose();
    }
  });
});

describe("an If whose condition follows from sizes", () => {
  const picture = () => channelsFirst([1, 2, 3, 4], [1, 1, 2, 2]);
  /** Scores 2·x and x + 1 of the flat picture, by the size of an axis. */
  const chosen = (axis: number, o: Partial<Spec> = {}): Spec => ({
    nodes: [
      node("Flatten", "x", "f"),
      node("Shape", "x", "sizes"),
      node("Gather", "sizes axis", "side"),
      node("Equal", "side one", "isOne"),
      node("If", "isOne", "y", {
        then_branch: branch([node("Mul", "f two", "t")], "t", { two: numbers([], 2) }),
        else_branch: branch([node("Add", "f two", "t")], "t", { two: numbers([], 1) }),
      }),
    ],
    initializers: { axis: scalar(axis), one: scalar(1) },
    input: ["b", 1, 2, 2],
    ...o,
  });

  it("is the branch that is taken, whose values have the same names as those of the other", async () => {
    for (const input of [
      ["b", 1, 2, 2],
      [1, 1, 2, 2],
      [3, 1, 2, 2],
    ]) {
      const one = await imported(onnx(chosen(1, { input })), folder, layout);
      expect(one.run(picture())).toEqual([2, 4, 6, 8]);
      expect(one.run(channelsFirst([1, 2, 3, 4, 5, 6, 7, 8], [2, 1, 2, 2]))).toEqual([2, 4, 6, 8, 10, 12, 14, 16]);
      one.network.dispose();
      const other = await imported(onnx(chosen(2, { input })), folder, layout);
      expect(other.run(picture())).toEqual([2, 3, 4, 5]);
      other.network.dispose();
    }
  });

  it("may hold another one, and decide the sizes that the next one asks for", async () => {
    // The branch squeezes the only channel, so that a value of three axes comes to the second If.
    const inner = branch([node("Squeeze", "x chan", "s")], "s", { chan: ints(1) });
    const asItIs = branch([node("Identity", "x", "i")], "i");
    const nested = branch([node("If", "isOne", "n", { then_branch: inner, else_branch: asItIs })], "n");
    const nodes: NodeSpec[] = [
      ...chosen(1).nodes.slice(1, 4),
      node("If", "isOne", "q", { then_branch: nested, else_branch: asItIs }),
      node("Shape", "q", "sizes2"),
      node("Size", "sizes2", "rank"),
      node("Equal", "rank three", "isThree"),
      node("If", "isThree", "r", {
        then_branch: branch([node("Neg", "q", "m")], "m"),
        else_branch: branch([node("LSTM", "q q q", "m")], "m"), // is never computed
      }),
      node("Flatten", "r", "y"),
    ];
    const { run, network } = await imported(
      onnx(chosen(1, { nodes, initializers: { axis: scalar(1), one: scalar(1), three: scalar(3) } })),
      folder,
      layout,
    );
    expect(run(picture())).toEqual([-1, -2, -3, -4]);
    network.dispose();
  });

  it("is refused where it asks for the number of pictures, or for the pictures themselves", async () => {
    const refusal = { code: "MODEL_UNSUPPORTED", message: expect.stringContaining("decides at run time what to compute") };
    await expect(imported(onnx(chosen(0)), folder, layout)).rejects.toMatchObject(refusal);
    const nodes = [
      node("Flatten", "x", "f"),
      node("ReduceMax", "f", "most", { keepdims: 0 }),
      node("Greater", "most half", "isOne"),
      ...chosen(1).nodes.slice(4),
    ];
    const bright = chosen(1, { nodes, initializers: { half: numbers([], 0.5) } });
    await expect(imported(onnx(bright), folder, layout)).rejects.toMatchObject(refusal);
  });

  it("is found in a function of the model too, under the names that the call gives", async () => {
    const half = new Writer().text(1, "halved").text(4, "v").text(4, "c").text(5, "w").text(10, "own");
    const body = [
      node("Constant", "", "k", { value: numbers([], 0.5) }),
      node("If", "c", "w", {
        then_branch: branch([node("Mul", "v k", "t")], "t"),
        else_branch: branch([node("Identity", "v", "t")], "t"),
      }),
    ].map((one) => ({ ...one, inputs: one.inputs.filter((name) => name !== "") }));
    for (const one of body) half.message(7, nodeMessage(one));
    half.message(9, new Writer().text(1, "").int(2, 13));
    const nodes = [...chosen(1).nodes.slice(0, 4), { ...node("halved", "f isOne", "y", {}, "call"), domain: "own" }];
    const spec = chosen(1, { nodes, functions: [half], domains: { own: 1 } });
    const { run, network } = await imported(onnx(spec), folder, layout);
    expect(run(picture())).toEqual([0.5, 1, 1.5, 2]);
    network.dispose();
  });

  it("cannot be used to make a file of a few bytes large", async () => {
    // Each function calls the next one a hundred times: 100⁷ calls of a function that holds nothing.
    const functions = Array.from({ length: 8 }, (_, depth) => {
      const made = new Writer().text(1, `f${depth}`).text(10, "own");
      for (let i = 0; i < 100 && depth < 7; i++) made.message(7, new Writer().text(4, `f${depth + 1}`).text(7, "own"));
      return made;
    });
    const nodes = [...chosen(1).nodes, { ...node("f0", "x", "none"), domain: "own" }];
    const start = process.cpuUsage();
    await expect(imported(onnx(chosen(1, { nodes, functions, domains: { own: 1 } })), folder, layout)).rejects.toMatchObject({
      code: "MODEL_TOO_LARGE",
      message: expect.stringContaining("more than 100,000 nodes"),
    });
    expect(process.cpuUsage(start).user / 1e6).toBeLessThan(5);
  });

  it("leaves no tensor behind", async () => {
    const before = tf.memory().numTensors;
    const { network } = await imported(onnx(chosen(1)), folder, layout);
    network.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
