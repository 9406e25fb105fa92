import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../../src/engine/backends/index.ts";
import { Writer } from "../../../../../src/engine/backends/onnxruntime/protobuf.ts";
import { inputGradient } from "../../../../../src/engine/classifier/classifier.ts";
import { byScores, requireAccess, requirePreparation } from "../../../../../src/engine/classifier/forwardOnly.ts";
import { createContext } from "../../../../../src/engine/context.ts";
import { explainImages } from "../../../../../src/engine/evaluation/explain.ts";
import { loadNetwork, saveNetwork } from "../../../../../src/engine/importers/index.ts";
import { inspectModel } from "../../../../../src/engine/jobs/inspectModel.ts";
import { attacks, completed, find } from "../../../../../src/engine/registry.ts";
import { classifierOfLoaded } from "../../../../../src/engine/session/openModel.ts";
import { tf } from "../../../../../src/engine/tf.ts";
import { convolutions, modelFiles } from "../modelFiles.ts";
import { float, ints, type NodeSpec, node, nodeMessage, numbers, onnx, type Spec, valueMessage } from "./encoder.ts";

let folder: string;
beforeAll(async () => {
  await useBackend("cpu");
  folder = await fs.mkdtemp(path.join(os.tmpdir(), "bulwark-forward-only-"));
});
afterAll(() => fs.rm(folder, { recursive: true }));

let files = 0;
async function written(spec: Spec, contract?: object): Promise<string> {
  const place = path.join(folder, `model-${files++}`);
  await fs.mkdir(place);
  const file = path.join(place, "net.onnx");
  await fs.writeFile(file, onnx(spec));
  if (contract) await fs.writeFile(path.join(place, "net.bulwark.json"), JSON.stringify(contract));
  return file;
}

/** Means m of red, green and blue → the operator → scores 2r − b + 0.5 and g + b. */
const around = (middle: readonly NodeSpec[], o: Partial<Spec> = {}): Spec => ({
  input: ["b", 3, 2, 2],
  opset: 16,
  ...o,
  nodes: [
    node("GlobalAveragePool", "x", "m"),
    node("Flatten", "m", "f"),
    ...middle,
    node("Gemm", "s w b", "scores"),
    ...(o.nodes ?? [node("Identity", "scores", "y")]),
  ],
  initializers: { w: numbers([3, 2], 2, 0, 0, 1, -1, 1), b: numbers([2], 0.5, 0), ...o.initializers },
});
/** x − 0.25 above 0.5, 0 between. Not in the table of operators. */
const shrink = node("Shrink", "f", "s", { lambd: float(0.5), bias: float(0.25) }, "soft threshold");
const reason = 'its file has a node "soft threshold" of the operator Shrink (opset 16), which cannot be differentiated here';

/** Images [b,2,2,3] of one colour each. */
const images = (...colours: readonly (readonly [number, number, number])[]): tf.Tensor4D =>
  tf.tensor4d(
    colours.flatMap((colour) => Array.from({ length: 4 }, () => colour).flat()),
    [colours.length, 2, 2, 3],
  );

const scoresOf = async (file: string, x: tf.Tensor4D): Promise<number[]> => {
  const loaded = await loadNetwork(file, { input: { scale: 255 }, ...(await contractOf(file)) });
  const model = classifierOfLoaded(loaded, file);
  const scores = [...model.logits(x).dataSync()];
  model.dispose();
  return scores;
};
const contractOf = async (file: string): Promise<object> =>
  JSON.parse(await fs.readFile(file.replace(".onnx", ".bulwark.json"), "utf8").catch(() => "{}"));

describe("a file with an operator that cannot be differentiated", () => {
  it("is refused where its scores are integers", async () => {
    const spec = around([node("Identity", "f", "s")], { nodes: [node("QuantizeLinear", "scores q z", "y")] });
    const more = { q: numbers([], 0.01), z: { shape: [], data: [128], type: "uint8" } } as const;
    const file = await written({ ...spec, initializers: { ...spec.initializers, ...more } });
    await expect(loadNetwork(file)).rejects.toMatchObject({
      code: "MODEL_UNSUPPORTED",
      message: expect.stringContaining("whose integers are the output"),
    });
  });

  it("opens for its scores, and names the operator and the node", async () => {
    const file = await written(around([shrink]));
    const loaded = await loadNetwork(file);
    expect(loaded.forwardOnly).toMatchObject({ file: "net.onnx", reason });
    expect(loaded.outputs).toBe("logits");
    const model = classifierOfLoaded(loaded, file);
    expect(model.findings.map(({ rule }) => rule)).toContain("RB114");
    expect(model.findings.find(({ rule }) => rule === "RB114")?.message).toBe(
      `The model gives scores only: ${reason}. ONNX Runtime runs it as it is.`,
    );
    expect(model.layers).toBeUndefined();
    const logits = model.logits(images([1, 0.75, 0.25], [0, 0, 1]));
    expect(logits.shape).toEqual([2, 2]);
    expect([...logits.dataSync()]).toEqual([0.75 * 2 + 0.5, 0.5, -0.75 + 0.5, 0.75]);
    model.dispose();
  });

  it("says so where it is inspected", async () => {
    const inspection = await inspectModel(await written(around([shrink])));
    expect(inspection).toMatchObject({ classes: 2, forwardOnly: reason });
    expect(inspection.warnings.join("\n")).toContain("RB114");
  });

  it("is run image by image where its sizes are written for one image, and in its own number where that is fixed", async () => {
    const one = around([node("Reshape", "f size", "r"), { ...shrink, inputs: ["r"] }], { initializers: { size: ints(1, 3) } });
    const five = images([1, 0, 0], [0.9, 0, 0], [0.8, 0, 0], [0.7, 0, 0], [0.6, 0, 0]);
    const expected = [2, 0, 1.8, 0, 1.6, 0, 1.4, 0, 1.2, 0];
    for (const spec of [one, around([shrink], { input: [3, 3, 2, 2] })])
      (await scoresOf(await written(spec), five)).forEach((value, i) => {
        expect(value).toBeCloseTo(expected[i] as number, 5);
      });
    five.dispose();
  });

  it("gives probabilities where it ends in a softmax, which stays", async () => {
    const file = await written(around([shrink], { nodes: [node("Softmax", "scores", "y", { axis: -1 })] }));
    const loaded = await loadNetwork(file);
    expect(loaded.outputs).toBe("probabilities");
    loaded.network.dispose();
    const [a = 0, b = 0] = await scoresOf(file, images([1, 0, 0]));
    expect(a - b).toBeCloseTo(2, 5); // logits 2 and 0
  });

  it("takes bytes, and images with the channels last", async () => {
    const bytes = around([shrink], { inputType: 2 });
    const cast = {
      ...bytes,
      nodes: [node("Cast", "x", "c", { to: 1 }), { ...bytes.nodes[0], inputs: ["c"] } as NodeSpec, ...bytes.nodes.slice(1)],
    };
    const loaded = await loadNetwork(await written(cast));
    expect(loaded.contract.input).toEqual({ mean: 0, scale: 1 });
    const model = classifierOfLoaded(loaded, "net.onnx");
    expect([...model.logits(images([1, 0, 0])).dataSync()]).toEqual([2 * 254.75 + 0.5, 0]);
    model.dispose();
    const last = around([shrink], { input: ["b", 2, 2, 3] });
    const swapped = {
      ...last,
      nodes: [node("Transpose", "x", "t", { perm: [0, 3, 1, 2] }), { ...last.nodes[0], inputs: ["t"] } as NodeSpec, ...last.nodes.slice(1)],
    };
    expect(await scoresOf(await written(swapped), images([1, 0.75, 0.25]))).toEqual([2, 0.5]);
  });

  it("may use operators that ONNX Runtime alone has", async () => {
    const own = around([{ ...node("Gelu", "f", "s", {}, "smooth"), domain: "com.microsoft" }], { domains: { "com.microsoft": 1 } });
    const [a = 0] = await scoresOf(await written(own), images([1, 0, 0]));
    expect(a).toBeCloseTo(2 * 0.841345 + 0.5, 5);
  });

  it("is refused where it could take any memory or time: before it is run, whatever its contract says", async () => {
    const soft = { ...shrink, outputs: ["s0"] };
    const most = [node("ReduceMax", "huge", "r", { keepdims: 0 }), node("Add", "s0 r", "s")];
    const sizes = { sizes: ints(1024, 1024, 1024) };
    const body = new Writer().message(1, nodeMessage(node("Identity", "f", "taken"))).message(12, valueMessage("taken", undefined));
    const cases: readonly (readonly [Spec, RegExp])[] = [
      [around([soft, node("ConstantOfShape", "sizes", "huge"), ...most], { initializers: sizes }), /makes a tensor of 1\.1e\+9 numbers/],
      [
        around([soft, node("ReduceMax", "s0", "q", { keepdims: 0 }), node("Expand", "q sizes", "huge"), ...most], { initializers: sizes }),
        /any size in "huge" \(Expand\)/,
      ],
      [
        around([soft, node("Resize", "x _ scales", "huge"), ...most], { initializers: { scales: numbers([4], 1, 1, 10000, 10000) } }),
        /computes a value \[.*20000, 20000\]/,
      ],
      [
        around([
          node("Cast", "f", "long", { to: 7 }),
          node("ReduceMax", "long", "n", { keepdims: 0 }),
          node("Range", "n n n", "huge"),
          soft,
          ...most,
        ]),
        /any size in "huge" \(Range\)/,
      ],
      [around([node("Loop", "f", "s", { body: { graph: body } }, "again")]), /decides at run time what to compute \("again", Loop\)/],
    ];
    for (const [spec, message] of cases)
      for (const contract of [undefined, { input: {}, forwardOnly: true }])
        await expect(loadNetwork(await written(spec, contract))).rejects.toMatchObject({
          code: expect.stringMatching(/^MODEL_(INVALID|TOO_LARGE|UNSUPPORTED)$/),
          message: expect.stringMatching(message),
        });
  });

  it("is not run with a fixed batch of a billion images; layers are opened for any number instead", async () => {
    const input = [1_000_000_000, 3, 2, 2];
    await expect(loadNetwork(await written(around([shrink], { input })))).rejects.toMatchObject({
      code: "MODEL_UNSUPPORTED",
      message: expect.stringContaining("the file takes 1000000000 images at once"),
    });
    const layers = await loadNetwork(await written(around([node("Relu", "f", "s")], { input })));
    expect(layers.notes.join()).toContain("not compared with ONNX Runtime's, as the file takes 1000000000 images at once");
    layers.network.dispose();
  });

  it("stays refused where ONNX Runtime cannot run it, or gives other scores each time", async () => {
    const unknown = await written(around([node("Frobnicate", "f", "s", {}, "odd")]));
    await expect(loadNetwork(unknown)).rejects.toMatchObject({
      code: "MODEL_UNSUPPORTED",
      message: expect.stringMatching(
        /"odd" of the operator Frobnicate .*; ONNX Runtime cannot be used for its scores alone, as it rejects the file/,
      ),
    });
    const random = await written(around([node("RandomNormalLike", "f", "s")]));
    await expect(loadNetwork(random)).rejects.toMatchObject({
      code: "MODEL_UNSUPPORTED",
      message: expect.stringContaining("its scores for the same images differ from run to run"),
    });
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])(
    "is refused where its scores are no numbers, for that reason: a weight of %s",
    async (weight) => {
      const file = await written(around([shrink], { initializers: { b: numbers([2], weight, 0) } }));
      await expect(loadNetwork(file)).rejects.toMatchObject({ code: "MODEL_NAN" });
    },
  );

  it("reads nothing outside its folder, in a branch neither", async () => {
    const weights = new Writer().int(1, 3).int(2, 1).text(8, "k");
    weights.message(13, new Writer().text(1, "location").text(2, "../secret.bin")).int(14, 1);
    const body = (): Writer =>
      new Writer()
        .message(1, nodeMessage(node("Mul", "f k", "taken")))
        .message(5, weights)
        .message(12, valueMessage("taken", undefined));
    const spec = around([node("If", "cond", "s", { then_branch: { graph: body() }, else_branch: { graph: body() } })], {
      initializers: { cond: { shape: [], data: [1], type: "bool" } },
    });
    await fs.writeFile(path.join(folder, "secret.bin"), Buffer.alloc(12));
    await expect(loadNetwork(await written(spec))).rejects.toMatchObject({ code: "MODEL_UNSAFE" });
  });
});

describe("weights in another file", () => {
  const start = (): Writer => new Writer().int(1, 3).int(2, 1);
  const located = (place: string, tensor = new Writer()): Writer => tensor.message(13, new Writer().text(1, "location").text(2, place));
  const held = (): Writer => located("../secret.bin", start()).data(9, new Uint8Array(12));
  const constant = (...parts: readonly Writer[]): Writer => {
    const attribute = new Writer().text(1, "value").int(20, 4);
    for (const part of parts) attribute.message(5, part);
    return new Writer().text(2, "k").text(4, "Constant").message(5, attribute);
  };

  it.each<[string, readonly Writer[]]>([
    ["a location beyond 32 bits, which other programs cut to 1", [held().int(14, 2 ** 32 + 1)]],
    ["a location of a wrong type, which other programs skip", [held().int(14, 1).data(14, new Uint8Array(0))]],
    ["a tensor in parts, which other programs merge", [start().data(9, new Uint8Array(12)), located("../secret.bin")]],
  ])("are refused where programs read the file differently: %s", async (_, parts) => {
    const body = new Writer()
      .message(1, constant(...parts))
      .message(1, nodeMessage(node("Mul", "f k", "taken")))
      .message(12, valueMessage("taken", undefined));
    const spec = around([node("If", "cond", "s", { then_branch: { graph: body }, else_branch: { graph: body } })], {
      initializers: { cond: { shape: [], data: [1], type: "bool" } },
    });
    await expect(loadNetwork(await written(spec))).rejects.toMatchObject({
      code: "MODEL_INVALID",
      message: expect.stringContaining("is damaged: a tensor"),
    });
  });
});

describe("what needs gradients", () => {
  it("is refused, by name, before anything is computed", async () => {
    const file = await written(around([shrink]));
    const model = classifierOfLoaded(await loadNetwork(file), file);
    const [byGradients, others] = [true, false].map((wants) => attacks.filter(({ access }) => (access === "gradients") === wants));
    for (const attack of byGradients ?? []) {
      const refused = (): void => {
        const params = completed(attack, {});
        requireAccess(attack, params, model);
        requirePreparation(attack, params, model);
      };
      expect(refused).toThrow(expect.objectContaining({ code: "MODEL_FORWARD_ONLY", fix: byScores }));
      expect(refused).toThrow(`needs gradients, and net.onnx gives scores only: ${reason}.`);
    }
    for (const attack of others ?? []) requireAccess(attack, completed(attack, {}), model);
    for (const name of byScores.match(/\b[a-z]\w*[A-Z]\w*/g) ?? []) expect(find("attack", name).access).toBe("scores");
    const ctx = createContext({ seed: 1 });
    await expect(explainImages(model, new Float32Array(12), { id: "gradCam", params: {} }, ctx)).rejects.toMatchObject({
      code: "MODEL_FORWARD_ONLY",
      message: `Grad-CAM needs gradients, and net.onnx gives scores only: ${reason}.`,
    });
    expect(model.evaluations).toEqual({ forward: 0, gradient: 0 });
    model.dispose();
  });

  it("finds none in the network itself, which cannot be saved either", async () => {
    const file = await written(around([shrink]));
    const loaded = await loadNetwork(file);
    const model = classifierOfLoaded(loaded, file);
    const x = images([1, 0, 0]);
    expect(() => inputGradient(model, x, (z) => tf.sum(z) as tf.Scalar)).toThrow(expect.objectContaining({ code: "MODEL_FORWARD_ONLY" }));
    await expect(saveNetwork(loaded.network, path.join(folder, "saved"), loaded.contract)).rejects.toMatchObject({
      code: "MODEL_FORWARD_ONLY",
    });
    x.dispose();
    model.dispose();
  });
});

describe("forwardOnly in an input contract", () => {
  const plain = around([node("Relu", "f", "s")]);

  it("opens any ONNX file for its scores", async () => {
    const loaded = await loadNetwork(await written(plain, { input: {}, forwardOnly: true }));
    expect(loaded.forwardOnly?.reason).toBe('its input contract says "forwardOnly"');
    loaded.network.dispose();
    const usual = await loadNetwork(await written(plain));
    expect(usual.forwardOnly).toBeUndefined();
    usual.network.dispose();
  });

  it("is refused for a model of another format", async () => {
    const layers = await modelFiles();
    const place = await layers.write(convolutions("plain"));
    await expect(loadNetwork(place, { input: {}, forwardOnly: true })).rejects.toMatchObject({
      code: "MODEL_INVALID",
      message: expect.stringContaining("is no ONNX file"),
    });
    await fs.rm(layers.folder, { recursive: true });
  });
});
