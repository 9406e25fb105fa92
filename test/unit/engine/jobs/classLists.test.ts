import { promises as fs } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { classLists, writeClassList } from "../../../../src/engine/jobs/classLists.ts";
import { openModel } from "../../../../src/engine/session/openModel.ts";
import { tfl } from "../../../../src/engine/tf.ts";
import type { InputContract } from "../../../../src/shared/contract.ts";
import { type ModelFiles, modelFiles } from "../importers/modelFiles.ts";

let files: ModelFiles;
beforeAll(async () => {
  await useBackend("cpu");
  files = await modelFiles();
});
afterAll(() => fs.rm(files.folder, { recursive: true }));

const network = (classes: number): tfl.LayersModel =>
  tfl.sequential({ layers: [tfl.layers.globalAveragePooling2d({ inputShape: [8, 8, 3] }), tfl.layers.dense({ units: classes })] });
const model = (classes: number, contract?: InputContract): Promise<string> => files.write(network(classes), undefined, contract);
async function list(name: string, content: string | object): Promise<string> {
  const file = path.join(files.folder, name);
  await fs.writeFile(file, typeof content === "string" ? content : JSON.stringify(content));
  return file;
}
const contractOf = async (folder: string): Promise<InputContract> =>
  JSON.parse(await fs.readFile(path.join(folder, "model.bulwark.json"), "utf8")) as InputContract;

describe("class lists", () => {
  it("are offered where they name as many classes as the model has, in every form that is in use", async () => {
    const fitting = [
      await list("lines.txt", "cat\ndog\nfox\n"),
      await list("numbered.names", "0 cat\n1 dog\n2 fox\n"),
      await list("indices.json", { fox: 2, cat: 0, dog: 1 }),
      await list("metadata.json", { tmVersion: "2.4.7", labels: ["cat", "dog", "fox"] }),
      await list("config.json", { id2label: { "0": "cat", "1": "dog", "2": "fox" } }),
    ];
    const four = await list("four.txt", "a\nb\nc\nd\n");
    const none = [await list("package.json", { name: "x", version: "1" }), path.join(files.folder, "gone.txt")];
    const twice = await list("twice.txt", "cat\ncat\nfox\n");
    const found = await classLists({ model: await model(3), files: [...fitting, four, twice, ...none] });
    expect(found).toMatchObject({ outputs: 3, now: null });
    expect(found.fitting).toEqual(fitting.map((file) => ({ file, count: 3, sample: ["cat", "dog", "fox"] })));
    expect(found.others.map(({ file, count }) => [file, count])).toEqual([
      [four, 4],
      [twice, 3],
    ]);
  });

  it("of ImageNet come with Bulwark: for 1000 outputs, and for 1001 behind a background class", async () => {
    const imagenet = [{ file: null, count: 1000, sample: ["tench", "goldfish", "great white shark"] }];
    for (const [outputs, labelOffset] of [
      [1000, undefined],
      [1001, 1],
    ] as const) {
      const folder = await model(outputs);
      expect((await classLists({ model: folder, files: [] })).fitting).toEqual(imagenet);
      const { names } = await writeClassList({ model: folder, file: null });
      const { output } = await contractOf(folder);
      expect([output?.labelOffset, output?.synsets?.[0], names[1]]).toEqual([labelOffset, "n01440764", "goldfish"]);
      const { classifier } = await openModel(folder);
      expect([classifier.classes, classifier.classNames[1], classifier.synsets?.[0]]).toEqual([1000, "goldfish", "n01440764"]);
      expect(classifier.classNamesSource).toEqual({ kind: "given", text: "model.bulwark.json" });
      classifier.dispose();
    }
    expect((await classLists({ model: await model(3), files: [] })).fitting).toEqual([]);
  });

  it("are written into the contract, whose other fields stay", async () => {
    const input = { mean: 0, scale: 1, channels: "bgr" } as const;
    const folder = await model(3, { input, output: { kind: "logits", classes: ["x", "y", "z"], synsets: ["n1", "n2", "n3"] } });
    const file = await list("animals.txt", "cat\ndog\nfox\n");
    expect(await writeClassList({ model: folder, file })).toMatchObject({ names: ["cat", "dog", "fox"] });
    expect(await contractOf(folder)).toEqual({ input, output: { kind: "logits", classes: ["cat", "dog", "fox"] } });
  });

  it("mend a model whose own list does not fit, and are refused where they do not fit themselves", async () => {
    const folder = await model(3);
    await fs.writeFile(path.join(folder, "labels.txt"), "a\nb\n");
    await expect(openModel(folder)).rejects.toMatchObject({ code: "MODEL_INVALID" });
    const file = await list("right.txt", "cat\ndog\nfox\n");
    expect(await classLists({ model: folder, files: [file] })).toMatchObject({ now: null, fitting: [{ file }] });
    const short = writeClassList({ model: folder, file: path.join(folder, "labels.txt") });
    await expect(short).rejects.toMatchObject({ message: "labels.txt names 2 classes, but the model gives 3 scores." });
    const none = writeClassList({ model: folder, file: await list("package.json", { name: "x" }) });
    await expect(none).rejects.toMatchObject({ message: "package.json is no list of class names." });
    await writeClassList({ model: folder, file });
    const { classifier } = await openModel(folder);
    expect(classifier.classNames).toEqual(["cat", "dog", "fox"]);
    classifier.dispose();
  });
});
