import { promises as fs, openSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../../src/engine/backends/index.ts";
import { Writer } from "../../../../../src/engine/backends/onnxruntime/protobuf.ts";
import { locateModel } from "../../../../../src/engine/importers/index.ts";
import { ByteFile } from "../../../../../src/engine/importers/onnx/file/bytes.ts";
import { bfloatOf, halfOf } from "../../../../../src/engine/importers/onnx/file/elementTypes.ts";
import { fieldsOf, integersOf, messageOf } from "../../../../../src/engine/importers/onnx/file/wire.ts";
import { openOnnx } from "../../../../../src/engine/importers/onnx/index.ts";
import { createRandom } from "../../../../../src/engine/random.ts";
import { dense, layout, picture, scores } from "./dense.ts";
import { imported, ints, node, nodeMessage, numbers, onnx, rawBytes, type Spec } from "./encoder.ts";

let folder: string;
beforeAll(async () => {
  await useBackend("cpu");
  folder = await fs.mkdtemp(path.join(os.tmpdir(), "bulwark-onnx-reader-"));
});
afterAll(() => fs.rm(folder, { recursive: true }));

let files = 0;
async function written(bytes: Uint8Array, name = `file-${files++}.onnx`): Promise<string> {
  const file = path.join(folder, name);
  await fs.writeFile(file, bytes);
  return file;
}
/** The numbers of field 1 in a message. */
async function numbersOf(...bytes: number[]): Promise<number[]> {
  const file = await written(Uint8Array.from(bytes));
  const source = new ByteFile(file, openSync(file, "r"));
  try {
    return [...fieldsOf(messageOf(source))].filter(({ number }) => number === 1).flatMap(integersOf);
  } finally {
    source.close();
  }
}

describe("the wire format", () => {
  it("reads numbers of one and of ten bytes", async () => {
    expect(await numbersOf(0x08, 0x96, 0x01)).toEqual([150]);
    expect(await numbersOf(0x08, ...Array(9).fill(0xff), 0x01)).toEqual([-1]);
    expect(await numbersOf(0x08, ...Array(8).fill(0xff), 0x7f)).toEqual([2 ** 63]); // rounded from 2^63 − 1
  });

  it("reads repeated numbers packed and one by one", async () => {
    expect(await numbersOf(0x0a, 0x02, 0x03, 0x04)).toEqual([3, 4]);
    expect(await numbersOf(0x08, 0x03, 0x08, 0x04)).toEqual([3, 4]);
  });

  it("refuses longer numbers, groups, and lengths beyond the end", async () => {
    const refused = (...bytes: number[]) => expect(numbersOf(...bytes)).rejects.toMatchObject({ code: "MODEL_INVALID" });
    await refused(0x08, ...Array(10).fill(0xff), 0x01);
    await refused(0x0b, 0x0c);
    await refused(0x0a, 0x05, 0x01);
    await refused(0x08);
  });

  it("reads 16-bit floats", () => {
    expect([0x3c00, 0xc000, 0x7bff].map(halfOf)).toEqual([1, -2, 65504]);
    expect(halfOf(0x3555)).toBeCloseTo(0.333252, 6);
    expect(halfOf(0x0001)).toBeCloseTo(5.96e-8, 10);
    expect(halfOf(0x7c00)).toBe(Number.POSITIVE_INFINITY);
    expect(bfloatOf(0x3fc0)).toBe(1.5);
  });
});

describe("weights", () => {
  it("of every type become 32-bit floats", async () => {
    const w = [1, 0, 0, 1, 2, 0, 0, -1];
    const half = [0x3c00, 0, 0, 0x3c00, 0x4000, 0, 0, 0xbc00];
    const bfloat = [0x3f80, 0, 0, 0x3f80, 0x4000, 0, 0, 0xbf80];
    const b = numbers([2], 0.5, -0.5);
    for (const tensor of [
      { shape: [4, 2], data: w, isTyped: true },
      { shape: [4, 2], data: w, type: "double" as const },
      { shape: [4, 2], data: half, type: "float16" as const },
      { shape: [4, 2], data: half, type: "float16" as const, isTyped: true },
      { shape: [4, 2], data: bfloat, type: "bfloat16" as const },
    ]) {
      const isOther = tensor.type !== undefined;
      const nodes = [
        node("Flatten", "x", "f"),
        ...(isOther ? [node("Cast", "w", "w1", { to: 1 })] : []),
        node("Gemm", `f ${isOther ? "w1" : "w"} b`, "y"),
      ];
      const { network, run } = await imported(onnx(dense({ nodes, initializers: { w: tensor, b } })), folder, layout);
      expect(run(picture())).toEqual(scores);
      network.dispose();
    }
  });

  it("that are NaN are refused by name", async () => {
    const spec = dense({ initializers: { w: numbers([4, 2], 1, 2, 3, Number.NaN, 5, 6, 7, 8), b: numbers([2], 0, 0) } });
    await expect(imported(onnx(spec), folder, layout)).rejects.toMatchObject({
      code: "MODEL_NAN",
      message: expect.stringMatching(/"w".* 3\./),
    });
  });

  it("in another file beside it are read, and nothing else is", async () => {
    const place = await fs.mkdtemp(path.join(folder, "external-"));
    const bytes = rawBytes(numbers([4, 2], 1, 0, 0, 1, 2, 0, 0, -1));
    await fs.writeFile(path.join(place, "w.bin"), Buffer.concat([Buffer.alloc(8), bytes]));
    await fs.writeFile(path.join(folder, "w.bin"), bytes);
    await fs.symlink(path.join(folder, "w.bin"), path.join(place, "link.bin"));
    await fs.symlink(folder, path.join(place, "up"));
    await fs.link(path.join(folder, "w.bin"), path.join(place, "hard.bin"));
    const model = (entries: Readonly<Record<string, string>>): Uint8Array => {
      const weights = new Writer().int(1, 4).int(1, 2).int(2, 1).text(8, "w").int(14, 1);
      for (const [key, value] of Object.entries(entries)) weights.message(13, new Writer().text(1, key).text(2, value));
      return onnx(dense({ initializers: { b: numbers([2], 0.5, -0.5) }, more: (graph) => graph.message(5, weights) }));
    };
    const { network, run } = await imported(model({ location: "w.bin", offset: "8", length: "32" }), place, layout);
    expect(run(picture())).toEqual(scores);
    network.dispose();
    const refused = async (entries: Readonly<Record<string, string>>, code: string): Promise<void> => {
      await expect(imported(model(entries), place, layout)).rejects.toMatchObject({ code });
    };
    await fs.mkdir(path.join(place, "sub"));
    const sentences = {
      "../w.bin": /outside its folder/,
      "/w.bin": /outside its folder/,
      "..\\w.bin": /outside its folder/,
      "c:\\w.bin": /outside its folder/,
      "a//w.bin": /names no file/,
      "": /names no file/,
      ".": /names no file/,
      "a\0b": /names no file/,
      sub: /a folder/,
      "link.bin": /through a link/,
      "up/w.bin": /through a link/,
      "hard.bin": /a hard link/,
    };
    for (const [location, sentence] of Object.entries(sentences)) {
      const fix = expect.stringMatching(/link/.test(`${sentence}`) ? /Hugging Face/ : /Export the model again, with its weights/);
      await expect(imported(model({ location }), place, layout)).rejects.toMatchObject({
        code: "MODEL_UNSAFE",
        message: expect.stringMatching(sentence),
        fix,
      });
    }
    await refused({ location: "none.bin" }, "FILE_NOT_FOUND");
    await refused({ location: "w.bin", offset: "16" }, "MODEL_INVALID");
    await refused({ location: "w.bin", offset: String(2 ** 53) }, "MODEL_INVALID");
    await refused({ location: "w.bin", offset: "-8" }, "MODEL_INVALID");
    await refused({ location: "w.bin", length: "33" }, "MODEL_INVALID");
  });
});

describe("files that were made to do harm", () => {
  const refused = async (bytes: Uint8Array, code: string, pattern: RegExp): Promise<void> => {
    const start = process.cpuUsage();
    await expect(imported(bytes, folder, layout)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(pattern),
      fix: expect.any(String),
    });
    expect(process.cpuUsage(start).user / 1e6).toBeLessThan(5);
  };
  const withTensor = (weights: Writer): Uint8Array =>
    onnx(dense({ initializers: { b: numbers([2], 0.5, -0.5) }, more: (graph) => graph.message(5, weights.text(8, "w")) }));

  it("sizes and weights that do not go together", async () => {
    await refused(
      withTensor(
        new Writer()
          .int(1, 2 ** 31)
          .int(1, 2 ** 31)
          .int(2, 1)
          .data(9, new Uint8Array(8)),
      ),
      "MODEL_INVALID",
      /which is no size/,
    );
    await refused(withTensor(new Writer().int(1, -4).int(2, 1).data(9, new Uint8Array(8))), "MODEL_INVALID", /which is no size/);
    await refused(
      withTensor(new Writer().int(1, 4).int(1, 2).int(2, 1).data(9, new Uint8Array(28))),
      "MODEL_INVALID",
      /hold 28 bytes, and .* needs 32/,
    );
    await refused(withTensor(new Writer().int(1, 4).int(1, 2).int(2, 1).float(4, 1)), "MODEL_INVALID", /"w"/);
  });

  it("circles, values that are made twice or not at all", async () => {
    const nodes = (...all: Spec["nodes"]) => onnx(dense({ nodes: all }));
    await refused(nodes(node("Flatten", "x", "f"), node("Add", "f a", "a"), node("Gemm", "a w b", "y")), "MODEL_INVALID", /circle/);
    await refused(nodes(node("Flatten", "x", "f"), node("Relu", "x", "f"), node("Gemm", "f w b", "y")), "MODEL_INVALID", /Two nodes/);
    await refused(nodes(node("Flatten", "x", "f"), node("Relu", "f", "w"), node("Gemm", "f w b", "y")), "MODEL_INVALID", /Two nodes/);
    await refused(nodes(node("Flatten", "x", "f"), node("Gemm", "f q b", "y")), "MODEL_INVALID", /nothing makes it/);
  });

  it("constants of a few bytes that would fill the memory", async () => {
    const nodes = [
      node("Constant", "_", "s", { value: ints(2 ** 40) }),
      node("ConstantOfShape", "s", "c"),
      node("Flatten", "x", "f"),
      node("Add", "f c", "y"),
    ];
    const spec = { ...dense({ nodes }), nodes: nodes.map((one) => ({ ...one, inputs: one.inputs.filter((name) => name !== "") })) };
    await refused(onnx(spec), "MODEL_INVALID", /makes a tensor of 1\.1e\+12 numbers/);
    const tiled = [node("Tile", "w t", "big"), node("Tile", "big t", "bigger"), node("Flatten", "x", "f"), node("MatMul", "f bigger", "y")];
    await refused(
      onnx(dense({ nodes: tiled, initializers: { w: numbers([4, 2], 1, 0, 0, 1, 2, 0, 0, -1), t: ints(1, 2 ** 20) } })),
      "MODEL_TOO_LARGE",
      /./,
    );
  });

  it("messages in messages, and a million nodes", async () => {
    let inner = new Writer();
    for (let i = 0; i < 40; i++) inner = new Writer().message(6, new Writer().message(1, new Writer().text(4, "If").message(5, inner)));
    const deep = onnx(
      dense({
        nodes: [node("Flatten", "x", "f"), { ...node("Gemm", "f w b", "y"), attributes: {} }],
        more: (graph) => graph.message(1, new Writer().text(4, "Relu").message(5, inner)),
      }),
    );
    await refused(deep, "MODEL_TOO_LARGE", /nests graphs deeper than 16/);
    const many = new Writer();
    const relu = nodeMessage(node("Relu", "x", "q"));
    for (let i = 0; i < 1_000_000; i++) many.message(1, relu);
    await refused(new Writer().int(1, 8).message(7, many).finish(), "MODEL_TOO_LARGE", /more than 100,000 nodes/);
  });

  it("names that JavaScript knows, and names that are no text", async () => {
    const nodes = [node("Flatten", "x", "__proto__", {}, "constructor"), node("Gemm", "__proto__ w b", "y", {}, "__proto__")];
    const { network, run } = await imported(onnx(dense({ nodes })), folder, layout);
    expect(run(picture())).toEqual(scores);
    network.dispose();
    const graph = new Writer().message(1, new Writer().data(1, Uint8Array.of(0xff, 0xfe)).text(4, "Relu"));
    await refused(new Writer().int(1, 8).message(7, graph).finish(), "MODEL_INVALID", /not valid UTF-8/);
    await refused(onnx(dense({ nodes: [node("Flatten", "x", "f".repeat(2000))] })), "MODEL_INVALID", /a name of 2000 bytes/);
  });

  it("thousands of damaged ones are opened or refused, each in a moment", async () => {
    const nodes = [
      node("Conv", "x k", "c", { pads: [1, 1, 1, 1], kernel_shape: [3, 3] }),
      node("BatchNormalization", "c s s s s", "n"),
      node("Relu", "n", "r"),
      node("MaxPool", "r", "m", { kernel_shape: [2, 2], strides: [2, 2] }),
      node("Shape", "m", "sh"),
      node("Gather", "sh zero", "b0"),
      node("Unsqueeze", "b0 axis", "b1"),
      node("Concat", "b1 minus", "t", { axis: 0 }),
      node("Reshape", "m t", "f"),
      node("Gemm", "f w", "y", { transB: 1 }),
    ];
    const initializers = {
      k: numbers([2, 1, 3, 3], ...Array.from({ length: 18 }, (_, i) => i - 9)),
      s: numbers([2], 1, 2),
      zero: { shape: [], data: [0], type: "int64" as const },
      axis: ints(0),
      minus: ints(-1),
      w: numbers([3, 8], ...Array.from({ length: 24 }, (_, i) => i / 10)),
    };
    const whole = onnx({ nodes, initializers, input: ["b", 1, 4, 4] });
    const random = createRandom("damage");
    const file = await written(whole, "damaged.onnx");
    let refusals = 0;
    for (let round = 0; round < 2000; round++) {
      const bytes = Uint8Array.from(whole);
      for (let i = 0; i < 1 + (round % 3); i++) bytes[random.integer(bytes.length)] = random.integer(256);
      await fs.writeFile(file, round % 3 === 0 ? whole.subarray(0, random.integer(whole.length)) : bytes);
      const start = process.cpuUsage();
      try {
        const model = await openOnnx(file);
        try {
          model.normalise({ input: {} }, undefined);
        } finally {
          model.close();
        }
      } catch (error) {
        expect(error).toMatchObject({ name: "BulwarkError", fix: expect.any(String) });
        refusals++;
      }
      expect(process.cpuUsage(start).user / 1e6).toBeLessThan(5);
    }
    expect(refusals).toBeGreaterThan(1000);
  });
});

describe("what is no ONNX file is recognised by its content", () => {
  const refused = async (content: Uint8Array | string, name: string, pattern: RegExp, fix = /./): Promise<void> => {
    const file = await written(typeof content === "string" ? Buffer.from(content, "latin1") : content, name);
    await expect(locateModel(file)).rejects.toMatchObject({
      code: "MODEL_INVALID",
      message: expect.stringMatching(pattern),
      fix: expect.stringMatching(fix),
    });
  };
  const zip = (entry: string): Buffer =>
    Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), Buffer.alloc(22), Buffer.of(entry.length, 0, 0, 0), Buffer.from(entry)]);

  it("and explained", async () => {
    await refused("version https://git-lfs.github.com/spec/v1\noid sha256:0", "lfs.onnx", /Git LFS pointer/, /git lfs pull/);
    await refused(zip("archive/data.pkl"), "net.onnx", /a PyTorch model/, /torch\.onnx\.export/);
    await refused(zip("archive/data.pkl"), "net.pt", /a PyTorch model/, /torch\.onnx\.export/);
    await refused(`\x80\x02}q\x00${" ".repeat(20)}`, "net.pth", /a PyTorch model/, /torch\.onnx\.export/);
    await refused('\x08\0\0\0\0\0\0\0{"a":{}}', "net.safetensors", /a Safetensors model/);
    await refused("hello, this is a text", "net.txt", /not a model file/);
  });

  it("and an ONNX or Keras file is one under any name", async () => {
    for (const content of [onnx(dense()), Buffer.from("\x89HDF\r\n\x1a\n0000000", "latin1"), zip("metadata.json")]) {
      const file = await written(content, "network");
      expect(await locateModel(file)).toBe(file);
    }
  });
});
