import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { unzipSync, zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeNpy, encodeNpy } from "../../../../src/engine/io/npy.ts";
import { openNpz, readNpz, writeNpz } from "../../../../src/engine/io/npz.ts";
import { readZip } from "../../../../src/engine/io/unzip.ts";
import { ZipWriter } from "../../../../src/engine/io/zip.ts";

let folder: string;
beforeAll(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), "bulwark-npz-"));
});
afterAll(() => fs.rm(folder, { recursive: true }));

const npy = (header: string, body: readonly number[], version = 1): Uint8Array => {
  const length = version === 1 ? [header.length & 255, header.length >> 8] : [header.length & 255, header.length >> 8, 0, 0];
  return Uint8Array.from([0x93, ...Buffer.from("NUMPY"), version, 0, ...length, ...Buffer.from(header), ...body]);
};

describe("npy", () => {
  it("writes the bytes of numpy's format 1.0", () => {
    // numpy.lib.format, version 1.0: the header is padded with spaces to a multiple of 64 and ends in a newline
    const bytes = encodeNpy({ data: Int32Array.of(1, -2), shape: [2] });
    expect(bytes.length).toBe(128 + 8);
    expect(Buffer.from(bytes.subarray(0, 8)).toString("hex")).toBe("934e554d50590100");
    expect(bytes[8]).toBe(118);
    expect(Buffer.from(bytes.subarray(10, 128)).toString()).toBe(
      `${"{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }".padEnd(117)}\n`,
    );
    expect([...bytes.subarray(128)]).toEqual([1, 0, 0, 0, 254, 255, 255, 255]);
  });

  it("reads 64-bit integers and floats, versions 1 and 2", () => {
    const minusTwo = [254, 255, 255, 255, 255, 255, 255, 255];
    const read = decodeNpy(npy("{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }\n", [7, 0, 0, 0, 0, 0, 0, 0, ...minusTwo]), "a");
    expect([...read.data]).toEqual([7, -2]);
    expect(read).toMatchObject({ shape: [2], type: "int" });
    const half = [0, 0, 0, 0, 0, 0, 0xe0, 0x3f]; // IEEE 754: 0x3fe0… is 0.5
    expect([...decodeNpy(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }\n", half, 2), "a").data]).toEqual([0.5]);
  });

  it("reads bools as 0 and 1, half floats, and numbers of the other byte order", () => {
    const values = (descr: string, n: number, body: readonly number[]): number[] => [
      ...decodeNpy(npy(`{'descr': '${descr}', 'fortran_order': False, 'shape': (${n},), }\n`, body), "a").data,
    ];
    expect(values("|b1", 2, [1, 0])).toEqual([1, 0]);
    // IEEE 754 binary16: 3c00 is 1, c000 is −2, 3555 the nearest to 1/3, 0001 the smallest positive number, 2⁻²⁴
    expect(values("<f2", 4, [0x00, 0x3c, 0x00, 0xc0, 0x55, 0x35, 0x01, 0x00])).toEqual([1, -2, 0.333251953125, 2 ** -24]);
    expect(values(">f2", 1, [0x3c, 0x00])).toEqual([1]);
    expect(values(">f4", 1, [0x3f, 0x00, 0, 0])).toEqual([0.5]); // 3f000000
    expect(values(">i8", 1, [255, 255, 255, 255, 255, 255, 255, 254])).toEqual([-2]);
    expect(values(">u2", 2, [1, 2, 0, 7])).toEqual([258, 7]);
  });

  it("turns Fortran order into C order", () => {
    // [[1, 2, 3], [4, 5, 6]] is stored column by column: 1 4 2 5 3 6
    const header = "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }\n";
    expect([...decodeNpy(npy(header, [1, 4, 2, 5, 3, 6]), "a").data]).toEqual([1, 2, 3, 4, 5, 6]);
    // a[i][j][k] = 4 i + 2 j + k; first index fastest: 0 4 2 6 1 5 3 7
    const cube = "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 2, 2), }\n";
    expect([...decodeNpy(npy(cube, [0, 4, 2, 6, 1, 5, 3, 7]), "a").data]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it("reads scalars and empty arrays", () => {
    expect(decodeNpy(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (), }\n", [9]), "a")).toMatchObject({ shape: [] });
    expect(decodeNpy(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3), }\n", []), "a").data).toHaveLength(0);
  });

  it("refuses what it cannot read, in one sentence", () => {
    const code = (body: () => unknown): unknown => {
      try {
        return body();
      } catch (error) {
        return error instanceof Error && "code" in error ? error.code : error;
      }
    };
    expect(code(() => decodeNpy(npy("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }\n", [0, 0, 0, 0, 0, 0, 0, 0]), "a"))).toBe(
      "DATASET_INVALID",
    );
    const whole = encodeNpy({ data: Float32Array.of(1, 2, 3), shape: [3] });
    for (let length = 0; length < whole.length; length++)
      expect(code(() => decodeNpy(whole.subarray(0, length), "a"))).toBe("DATASET_INVALID");
  });
});

describe("npz", () => {
  it("gives back what was written, bit by bit", async () => {
    const file = path.join(folder, "round.npz");
    const floats = Float32Array.of(0, -0, 1 / 3, Number.NaN, Number.POSITIVE_INFINITY, 5e-45);
    await writeNpz(file, {
      clean: { data: floats, shape: [1, 2, 3] },
      label: { data: Int32Array.of(-1, 2147483647), shape: [2] },
      bytes: { data: Uint8Array.of(0, 128, 255), shape: [3, 1] },
    });
    const read = await readNpz(file);
    expect(Object.keys(read)).toEqual(["clean", "label", "bytes"]);
    expect(new Uint8Array(read["clean"]?.data.buffer as ArrayBuffer)).toEqual(new Uint8Array(floats.buffer));
    expect(read["label"]).toEqual({ data: Int32Array.of(-1, 2147483647), shape: [2], type: "int" });
    expect(read["bytes"]).toEqual({ data: Uint8Array.of(0, 128, 255), shape: [3, 1], type: "uint8" });
    expect(await fs.readdir(folder)).toEqual(["round.npz"]);
  });

  it("refuses a file that is no archive, or half of one", async () => {
    const file = path.join(folder, "broken.npz");
    await fs.writeFile(file, "hello");
    await expect(readNpz(file)).rejects.toMatchObject({ code: "DATASET_INVALID" });
    const whole = zipSync({ "images.npy": encodeNpy({ data: new Float32Array(500), shape: [500] }) });
    await fs.writeFile(file, whole.subarray(0, whole.length / 2));
    await expect(readNpz(file)).rejects.toMatchObject({ code: "DATASET_INVALID" });
    await expect(readNpz(path.join(folder, "none.npz"))).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  });

  it("names what it cannot read, where it is wanted: texts, objects, structures, other compression", async () => {
    const file = path.join(folder, "others.npz");
    const array = (descr: string) => npy(`{'descr': ${descr}, 'fortran_order': False, 'shape': (1,), }\n`, new Array(8).fill(0));
    const entries = {
      "text.npy": array("'<U2'"),
      "object.npy": array("'|O'"),
      "fields.npy": array("[('a', '<i4')]"),
      "x.npy": array("'<i8'"),
    };
    await fs.writeFile(file, zipSync(entries, { level: 0 }));
    const { arrays, unreadable, close } = await openNpz(file);
    await close();
    expect([...arrays.keys()]).toEqual(["x"]);
    expect([...unreadable].map(([name, { message, fix }]) => [name, message, fix])).toEqual([
      [
        "text",
        "The array text.npy of others.npz holds text.",
        "Save class indices as whole numbers, or put the pictures in class folders.",
      ],
      ["object", expect.stringMatching(/holds Python objects/), expect.stringMatching(/Save numbers/)],
      ["fields", expect.stringMatching(/is a structured array/), "Save one of its fields alone, as array['field']."],
    ]);
    const zip = Buffer.from(zipSync({ "x.npy": array("'<i8'") }));
    zip.writeUInt16LE(14, zip.indexOf("PK\u0001\u0002") + 10); // method 14 is LZMA
    await fs.writeFile(file, zip);
    await expect(openNpz(file)).rejects.toMatchObject({
      message: "others.npz is compressed with LZMA, which is not read.",
      fix: "Save it again with numpy.savez_compressed.",
    });
  });

  it("is written and read in parts", async () => {
    const file = path.join(folder, "parts.npz");
    const rows = [Float32Array.of(1, 2), Float32Array.of(3, 4), Float32Array.of(5, 6)];
    await writeNpz(file, {
      images: { type: "float32", shape: [3, 2], chunks: () => rows },
      score: { data: Float64Array.of(0.1, 1e300), shape: [2] },
    });
    const { arrays, close } = await openNpz(file);
    expect(await arrays.get("images")?.read(1, 3)).toEqual(Float32Array.of(3, 4, 5, 6));
    expect(await arrays.get("score")?.read(0, 2)).toEqual(Float64Array.of(0.1, 1e300));
    expect([...arrays].map(([name, { shape, type }]) => [name, shape, type])).toEqual([
      ["images", [3, 2], "float"],
      ["score", [2], "float"],
    ]);
    await close();
    // An independent reader of the format finds the same bytes.
    const entries = unzipSync(await fs.readFile(file));
    expect(entries["images.npy"]).toEqual(encodeNpy({ data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [3, 2] }));
  });

  it("of another writer, compressed or in Fortran order, is read in parts too", async () => {
    const file = path.join(folder, "other.npz");
    const images = encodeNpy({ data: Int32Array.of(1, 2, 3, 4), shape: [2, 2] });
    const fortran = npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }\n", [1, 4, 2, 5, 3, 6]);
    await fs.writeFile(file, zipSync({ "images.npy": images, "fortran.npy": [fortran, { level: 0 }], "notes.txt": images }, { level: 9 }));
    const { arrays, close } = await openNpz(file);
    expect([...arrays.keys()]).toEqual(["images", "fortran"]);
    expect(await arrays.get("images")?.read(1, 2)).toEqual(Int32Array.of(3, 4));
    expect(await arrays.get("fortran")?.read(1, 2)).toEqual(Uint8Array.of(4, 5, 6));
    await close();
  });

  it("refuses an array that is not as long as its shape, and a byte that changed", async () => {
    const file = path.join(folder, "short.npz");
    const chunks = () => [Float32Array.of(1)];
    await expect(writeNpz(file, { images: { type: "float32", shape: [2], chunks } })).rejects.toThrow("images.npy");
    await writeNpz(file, { images: { data: Float32Array.of(1, 2), shape: [2] } });
    const bytes = await fs.readFile(file);
    bytes[30 + "images.npy".length + 128 + 2] = 7; // in the first value
    await fs.writeFile(file, bytes);
    await expect(readNpz(file)).rejects.toMatchObject({ code: "DATASET_INVALID" });
  });
});

describe("a zip with 64-bit sizes and places", () => {
  it("is what other readers take for the same", async () => {
    const file = path.join(folder, "wide.zip");
    const handle = await fs.open(file, "w+");
    const content = [Uint8Array.of(1, 2, 3), Uint8Array.of(4)];
    const writer = new ZipWriter(handle, 2); // everything above one byte counts as large
    await writer.add("a", 4, content);
    await writer.add("b", 1, [Uint8Array.of(9)]);
    await writer.finish();
    const read = async (): Promise<[string, Uint8Array][]> =>
      Promise.all(
        (await readZip(handle)).map(async (entry): Promise<[string, Uint8Array]> => [entry.name, new Uint8Array(await entry.read())]),
      );
    expect(await read()).toEqual([
      ["a", Uint8Array.of(1, 2, 3, 4)],
      ["b", Uint8Array.of(9)],
    ]);
    await handle.close();
    expect(unzipSync(await fs.readFile(file))).toEqual({ a: Uint8Array.of(1, 2, 3, 4), b: Uint8Array.of(9) });
  });
});
