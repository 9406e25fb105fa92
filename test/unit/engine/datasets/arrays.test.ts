import { writeFile } from "node:fs/promises";
import path from "node:path";
import { zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { arrays } from "../../../../src/engine/datasets/arrays.ts";
import { splitByShare } from "../../../../src/engine/datasets/split.ts";
import { encodeNpy } from "../../../../src/engine/io/npy.ts";
import { type NpyArray, writeNpz } from "../../../../src/engine/io/npz.ts";
import { closeAll, load, temporaryFolder } from "./helpers.ts";

let root: string;
beforeAll(async () => {
  root = await temporaryFolder();
});
afterAll(closeAll);
let count = 0;
async function npz(content: Readonly<Record<string, NpyArray>>): Promise<string> {
  const file = path.join(root, `${count++}.npz`);
  await writeNpz(file, content);
  return file;
}
const labels: NpyArray = { data: Int32Array.of(2, 0), shape: [2] };
const floats: NpyArray = { data: Float32Array.of(0, 0.25, 1, 0.5), shape: [2, 1, 2, 1] };

describe("numpy arrays", () => {
  it("reads floats as they are and bytes as 255ths, for testing unless a share is for training", async () => {
    const data = await load(arrays, { path: await npz({ images: floats, labels }) });
    expect([data.size("train"), data.size("test"), data.inputShape, data.classNames]).toEqual([0, 2, [1, 2, 1], ["0", "1", "2"]]);
    expect(await data.read("test", [1, 0])).toEqual({ images: Float32Array.of(1, 0.5, 0, 0.25), labels: Int32Array.of(0, 2), n: 2 });
    const bytes = await load(arrays, {
      path: await npz({ images: { data: Uint8Array.of(0, 255, 51, 102), shape: [2, 1, 2] }, labels }),
      testShare: 0,
      classes: 5,
    });
    expect([bytes.size("train"), bytes.size("test"), bytes.classNames.length]).toEqual([2, 0, 5]);
    expect([...(await bytes.read("train", [0, 1])).images]).toEqual([0, 1, Math.fround(0.2), Math.fround(0.4)]);
  });

  it("reads the four arrays of Keras data sets", async () => {
    const data = await load(arrays, {
      path: await npz({
        x_train: floats,
        y_train: labels,
        x_test: { data: floats.data.slice(0, 2), shape: [1, 1, 2, 1] },
        y_test: { data: Uint8Array.of(1), shape: [1, 1] },
      }),
    });
    expect([data.size("train"), data.size("test")]).toEqual([2, 1]);
    expect((await data.read("test", [0])).labels).toEqual(Int32Array.of(1));
  });

  it("reads what an attack left: the adversarial images, or the clean ones, of all classes that were predicted", async () => {
    const path = await npz({
      clean: floats,
      adversarial: { data: Float32Array.of(0.5, 0.75, 0, 1), shape: [2, 1, 2, 1] },
      label: labels,
      prediction: { data: Int32Array.of(3, 1), shape: [2] },
    });
    const adversarial = await load(arrays, { path });
    expect(await adversarial.read("test", [0, 1])).toEqual({
      images: Float32Array.of(0.5, 0.75, 0, 1),
      labels: Int32Array.of(2, 0),
      n: 2,
    });
    expect(adversarial.classNames).toEqual(["0", "1", "2", "3"]);
    expect((await (await load(arrays, { path, which: "clean" })).read("test", [1])).images).toEqual(Float32Array.of(1, 0.5));
  });

  it("reads the names that people use, in any case", async () => {
    const one: NpyArray = { data: Float32Array.of(0.5), shape: [1, 1, 1, 1] };
    const y = (label: number): NpyArray => ({ data: Int32Array.of(label), shape: [1, 1] });
    const splits = async (content: Readonly<Record<string, NpyArray>>) => {
      const data = await load(arrays, { path: await npz(content) });
      return [[...data.labels("train")], [...data.labels("test")]];
    };
    expect(await splits({ X_train: one, Y_train: y(1), X_test: one, Y_test: y(2) })).toEqual([[1], [2]]);
    const medmnist = { train_images: one, train_labels: y(1), val_images: one, val_labels: y(3), test_images: one, test_labels: y(2) };
    expect(await splits(medmnist)).toEqual([[1], [2]]);
    expect(await splits({ val_images: one, val_labels: y(3) })).toEqual([[], [3]]);
    for (const [images, labels] of [
      ["X", "y"],
      ["data", "label"],
      ["data", "targets"],
      ["Images", "Labels"],
      ["arr_0", "arr_1"],
    ] as const)
      expect(await splits({ [images]: one, [labels]: y(4) })).toEqual([[], [4]]);
    const unclear = { code: "DATASET_INVALID", message: expect.stringMatching(/not certain .*images.*x, y, images, labels/) };
    await expect(splits({ x: one, y: y(0), images: one, labels: y(1) })).rejects.toMatchObject(unclear);
    const four = { arr_0: one, arr_1: y(1), arr_2: one, arr_3: y(2) };
    await expect(splits(four)).rejects.toMatchObject({
      code: "DATASET_INVALID",
      message: expect.stringMatching(/arr_0, arr_1, arr_2, arr_3/),
    });
  });

  it("understands one-hot labels, and refuses rows that mark no class or several", async () => {
    const oneHot = (...values: number[]): NpyArray => ({ data: Float32Array.from(values), shape: [2, 3] });
    expect([...(await load(arrays, { path: await npz({ images: floats, labels: oneHot(0, 0, 1, 0, 1, 0) }) })).labels("test")]).toEqual([
      2, 1,
    ]);
    const wrong = load(arrays, { path: await npz({ images: floats, labels: oneHot(0, 0, 1, 0, 1, 1) }) });
    await expect(wrong).rejects.toMatchObject({ code: "LABEL_RANGE", message: expect.stringMatching(/Image 1 /) });
  });

  it("says where channels come first, and what a single array lacks", async () => {
    const planes = { images: { data: new Uint8Array(2 * 3 * 4 * 8), shape: [2, 3, 4, 8] }, labels };
    await expect(load(arrays, { path: await npz(planes) })).rejects.toMatchObject({
      code: "DATASET_INVALID",
      message: expect.stringMatching(/channels first: \[2, 3, 4, 8\]/),
      fix: expect.stringMatching(/transpose\(0, 2, 3, 1\)/),
    });
    await expect(load(arrays, { path: "x.npy" })).rejects.toMatchObject({
      code: "DATASET_INVALID",
      message: expect.stringMatching(/one array/),
    });
  });

  it("refuses what is not images and labels", async () => {
    const attempt = async (content: Readonly<Record<string, NpyArray>>, code: string, pattern: RegExp, params = {}) =>
      expect(load(arrays, { path: await npz(content), ...params })).rejects.toMatchObject({
        code,
        message: expect.stringMatching(pattern),
      });
    await attempt({ pictures: floats }, "DATASET_INVALID", /no arrays.*only pictures/);
    await attempt({ images: { data: Float32Array.of(0, 128, 0, 0), shape: [2, 1, 2, 1] }, labels }, "DATASET_INVALID", /Image 0.*128/);
    await attempt(
      { images: { data: Float32Array.of(0, 0, 0, Number.NaN), shape: [2, 1, 2, 1] }, labels },
      "DATASET_INVALID",
      /Image 1.*NaN/,
    );
    await attempt({ images: { data: Uint8Array.of(1, 2, 3, 4), shape: [2, 2] }, labels }, "DATASET_INVALID", /shape \[2, 2\]/);
    await attempt({ images: { data: new Uint8Array(8), shape: [2, 1, 1, 4] }, labels }, "DATASET_INVALID", /shape/);
    await attempt({ images: floats, labels: { data: Int32Array.of(1), shape: [1] } }, "DATASET_INVALID", /2 images but 1 labels/);
    await attempt({ images: floats, labels: { data: Float32Array.of(0.5, 1), shape: [2] } }, "LABEL_RANGE", /Image 0 .* label 0\.5/);
    await attempt({ images: floats, labels: { data: Int32Array.of(0, -1), shape: [2] } }, "LABEL_RANGE", /label -1/);
    const large = { data: Float64Array.of(2 ** 32, 0), shape: [2] };
    await attempt({ images: floats, labels: large }, "LABEL_RANGE", /Image 0 .* label 4294967296/);
    await attempt({ images: floats, labels }, "LABEL_RANGE", /label 2.*2 classes/, { classes: 2 });
    await attempt(
      { images: { data: new Uint8Array(), shape: [0, 1, 1, 1] }, labels: { data: new Int32Array(), shape: [0] } },
      "DATASET_EMPTY",
      /no images/,
    );
  });
});

describe("values that are not as their type says", () => {
  const square = (data: NpyArray["data"]): NpyArray => ({ data, shape: [2, 1, 2, 1] });
  it.each<[string, NpyArray["data"], RegExp, RegExp]>([
    ["bytes of 0 and 1", Uint8Array.of(0, 1, 1, 0), /bytes of 0 and 1 alone/, /images \* 255/],
    ["16 bits", Int32Array.of(0, 300, 65535, 2), /whole numbers from 0 to 65535/, /astype\("float32"\) \/ 65535/],
    ["bytes of another type", Int32Array.of(0, 255, 3, 2), /from 0 to 255, and not of type uint8/, /astype\("uint8"\)/],
    ["signed numbers", Int32Array.of(-3, 100, 3, 2), /from −3 to 100/, /floats from 0 to 1/],
    ["0 to 255", Float32Array.of(0, 0, 200, 1), /Image 1 .* value 200/, /Divide by 255/],
    ["−1 to 1", Float32Array.of(0.5, -1, 1, 0), /Image 0 .* value −1/, /\(images \+ 1\) \/ 2/],
    ["a little too much", Float32Array.of(0.5, 0, 0, 1.0078125), /Image 1 .* value 1\.0078125/, /numpy\.clip/],
    ["normalised", Float32Array.of(0.5, 0, -2.5, 2.25), /Image 1 .* value −2\.5/, /before they were normalised/],
    ["NaN", Float32Array.of(0.5, 0, 0, Number.NaN), /Image 1 .* NaN/, /repair them/],
  ])("%s", async (_, data, message, fix) => {
    await expect(load(arrays, { path: await npz({ images: square(data), labels }) })).rejects.toMatchObject({
      code: "DATASET_INVALID",
      message: expect.stringMatching(message),
      fix: expect.stringMatching(fix),
    });
  });

  it("names of classes are not passed over: they may be in another order than the model's", async () => {
    const text = Buffer.from("{'descr': '<U1', 'fortran_order': False, 'shape': (1,), }\n");
    const names = Buffer.concat([Buffer.from([0x93, ...Buffer.from("NUMPY"), 1, 0, text.length, 0]), text, Buffer.alloc(4)]);
    const file = path.join(root, "names.npz");
    const images = encodeNpy(square(Uint8Array.of(0, 9, 9, 0)));
    const write = (name: string) =>
      writeFile(file, zipSync({ "images.npy": images, "labels.npy": encodeNpy(labels), [`${name}.npy`]: names }));
    await write("classes");
    await expect(load(arrays, { path: file })).rejects.toMatchObject({
      message: expect.stringMatching(/^The array classes of .* name the classes/),
    });
    await write("files");
    expect([...(await load(arrays, { path: file })).labels("test")]).toEqual([2, 0]);
  });

  it("all black is black, and a byte of 2 makes them bytes", async () => {
    for (const [data, largest] of [
      [new Uint8Array(4), 0],
      [Uint8Array.of(0, 1, 2, 0), 2 / 255],
    ] as const) {
      const read = await load(arrays, { path: await npz({ images: square(data), labels }) });
      expect(Math.max(...(await read.read("test", [0, 1])).images)).toBeCloseTo(largest, 7);
    }
  });

  it("a label without an axis is that of the one image; an image without one is told how to get it", async () => {
    const label: NpyArray = { data: Int32Array.of(2), shape: [] };
    const one = await load(arrays, { path: await npz({ images: { data: Uint8Array.of(0, 9), shape: [1, 1, 2, 1] }, labels: label }) });
    expect([...one.labels("test")]).toEqual([2]);
    const bare = { images: { data: new Uint8Array(12), shape: [2, 2, 3] }, labels: label };
    await expect(load(arrays, { path: await npz(bare) })).rejects.toMatchObject({ fix: expect.stringContaining("images[None]") });
  });
});

describe("division by share", () => {
  it("is the same share of every class, evenly spread", () => {
    expect(splitByShare([0, 0, 0, 0, 1, 1, 1, 1], 0.5)).toEqual({ train: [0, 2, 4, 6], test: [1, 3, 5, 7] });
    expect(splitByShare([0, 1, 0, 1], 1)).toEqual({ train: [], test: [0, 1, 2, 3] });
    const ten = splitByShare(new Array(10).fill(0), 0.3); // 0.3·j passes 1, 2 and 3 at j = 4, 7, 10
    expect(ten.test).toEqual([3, 6, 9]);
  });
});
