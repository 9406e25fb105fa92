import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { fromJson, fromLines } from "../../../../src/engine/importers/evidence/classLists.ts";
import { imagenetClasses } from "../../../../src/engine/importers/imagenetClasses.ts";
import { loadNetwork, outlineNetwork, saveNetwork } from "../../../../src/engine/importers/index.ts";
import { openModel } from "../../../../src/engine/session/openModel.ts";
import { tf, tfl } from "../../../../src/engine/tf.ts";
import { inputRangeText } from "../../../../src/shared/contract.ts";

let folder: string;
beforeAll(async () => {
  await useBackend("cpu");
  folder = await fs.mkdtemp(path.join(os.tmpdir(), "bulwark-evidence-"));
});
afterAll(() => fs.rm(folder, { recursive: true }));

interface Made {
  readonly first?: tfl.layers.Layer | readonly tfl.layers.Layer[];
  readonly name?: string;
  readonly classes?: number;
  readonly side?: number | null;
  readonly channels?: number;
}
/** A network of the mean of each channel, behind what stands in front. */
function network({ first = [], name = "mine", classes = 2, side = 8, channels = 3 }: Made = {}): tfl.LayersModel {
  const input = tfl.input({ shape: [side, side, channels] });
  const behind = [first].flat().reduce((x, layer) => layer.apply(x) as tfl.SymbolicTensor, input);
  const pooled = tfl.layers.globalAveragePooling2d({}).apply(behind) as tfl.SymbolicTensor;
  return tfl.model({ name, inputs: input, outputs: tfl.layers.dense({ units: classes }).apply(pooled) as tfl.SymbolicTensor });
}
const rescaling = (scale: number, offset = 0) => tfl.layers.rescaling({ name: "rescaling", scale, offset });

let count = 0;
/** Saves a model without any contract, and files beside it. */
async function saved(model: tfl.LayersModel, beside: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const directory = path.join(folder, `model-${count++}`);
  await saveNetwork(model, directory, { input: {} });
  await fs.rm(path.join(directory, "model.bulwark.json"));
  for (const [name, content] of Object.entries(beside))
    await fs.writeFile(path.join(directory, name), typeof content === "string" ? content : JSON.stringify(content));
  return directory;
}
async function known(model: tfl.LayersModel, beside: Readonly<Record<string, unknown>> = {}) {
  const directory = await saved(model, beside);
  const loaded = await loadNetwork(directory);
  loaded.network.dispose();
  const { contract, contractSource, classes, evidence } = loaded;
  const outlined = await outlineNetwork(directory); // knows the same without the weights
  outlined.network.dispose();
  expect(outlined).toMatchObject({ contract, contractSource, classes, evidence });
  return { contract, range: inputRangeText(contract.input), from: contractSource.kind, text: contractSource.text, classes, evidence };
}

describe("the input range", () => {
  it("is assumed where nothing says it, and that is a finding of the opened model", async () => {
    expect(await known(network())).toMatchObject({ range: "0…1", from: "assumed", evidence: { contradiction: null } });
    const { classifier } = await openModel(await saved(network()));
    expect(classifier.findings.map(({ rule, severity }) => [rule, severity])).toEqual([["RB111", "warning"]]);
    expect(classifier.contractSource.kind).toBe("assumed");
    classifier.dispose();
  });

  it("follows from a first layer that rescales: 1/255 and 1/127.5 are made for bytes, an offset of −1/2 for 0…1", async () => {
    expect(await known(network({ first: rescaling(1 / 255) }))).toMatchObject({ range: "0…255", from: "layer" });
    expect(await known(network({ first: rescaling(1 / 127.5, -1) }))).toMatchObject({ range: "0…255", from: "layer" });
    expect(await known(network({ first: rescaling(1, -0.5) }))).toMatchObject({ range: "0…1", from: "layer" });
    expect(await known(network({ first: rescaling(2, -1) }))).toMatchObject({ range: "0…1", from: "layer" });
    expect(await known(network({ first: rescaling(127.5, 127.5) }))).toMatchObject({ range: "−1…1", from: "layer" });
    expect(await known(network({ first: rescaling(0.5, 0.25) }))).toMatchObject({ from: "assumed" });
    const nested = tfl.sequential({ layers: [network({ first: rescaling(1 / 255) }), tfl.layers.dense({ units: 2 })] });
    expect(await known(nested)).toMatchObject({ range: "0…255", from: "layer", text: expect.stringContaining('"mine/rescaling"') });
  });

  it("follows from a product and a sum together, and not from a product that suits any range", async () => {
    const chain = (...lines: readonly (readonly [number, number])[]) =>
      lines.map(([scale, offset], i) => tfl.layers.rescaling({ name: `line${i}`, scale, offset }));
    for (const made of [
      [
        [0.5, 0],
        [1, 0.5],
      ],
      [
        [127.5, 0],
        [1, 127.5],
        [1 / 255, 0],
      ],
      // (x + 1) / 2, and then the mean and deviation of what lies in 0…1
      [
        [1, 1],
        [0.5, 0],
        [1, -0.456],
        [1 / 0.224, 0],
      ],
      [
        [0.5, 0.5],
        [1, -0.6],
      ],
      // (x + 1) · 127.5, and then the mean of bytes
      [
        [127.5, 127.5],
        [1, -103.9],
      ],
    ] as const)
      expect(await known(network({ first: chain(...made) }))).toMatchObject({ range: "−1…1", from: "layer" });
    for (const factor of [1.5, 7]) expect(await known(network({ first: chain([factor, 0]) }))).toMatchObject({ from: "assumed" });
    expect(await known(network({ first: chain([1, -0.5], [2, 0]) }))).toMatchObject({ range: "0…1", from: "layer" });
    expect(await known(network({ first: chain([1, -127.5], [1 / 127.5, 0]) }))).toMatchObject({ range: "0…255", from: "layer" });
    expect(await known(network({ first: chain([255, 0], [1, -100]) }))).toMatchObject({ range: "0…1", from: "layer" });
    expect(await known(network({ first: chain([1, 1], [1 / 256, 0]) }))).toMatchObject({ range: "0…255", from: "layer" });
  });

  it("gives the network with a first layer of 1/255 the bytes of the picture", async () => {
    const model = network({ first: rescaling(1 / 255) });
    const [kernel] = [tf.tensor2d([1, 0, 0, 1, 0, 0], [3, 2])];
    model.layers.at(-1)?.setWeights([kernel, tf.zeros([2])]);
    const { classifier } = await openModel(await saved(model));
    const logits = classifier.logits(tf.fill([1, 8, 8, 3], 0.25));
    expect([...(await logits.data())].map((value) => Number(value.toFixed(6)))).toEqual([0.25, 0.25]); // 0.25 → 63.75 → 0.25
    expect(classifier.findings).toEqual([]);
    classifier.dispose();
  });

  it("follows from what known makers leave beside a model", async () => {
    const tm = { tmVersion: "2.4.7", packageName: "@teachablemachine/image", labels: ["cat", "dog"], imageSize: 224 };
    expect(await known(network(), { "metadata.json": tm })).toMatchObject({
      range: "−1…1.01", // 255/127 − 1 = 1.0079
      from: "metadata",
      classes: { names: ["cat", "dog"] },
    });
    const open = await known(network({ side: null }), { "metadata.json": tm });
    expect(open.contract.input).toMatchObject({ size: [224, 224], mean: 127, scale: 127 });
    const hf = { do_normalize: true, image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5], rescale_factor: 1 / 255 };
    expect(await known(network(), { "preprocessor_config.json": hf })).toMatchObject({ range: "−1…1", from: "metadata" });
    const plain = { do_normalize: false, do_rescale: false };
    expect(await known(network(), { "preprocessor_config.json": plain })).toMatchObject({ range: "0…255" });
    const timm = { pretrained_cfg: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } };
    // (0 − .485) / .229 = −2.118, (1 − .485) / .229 = 2.249 …
    expect(await known(network(), { "config.json": timm })).toMatchObject({ range: "−2.12…2.25, −2.04…2.43, −1.8…2.64" });
    expect(await known(network(), { "metadata.json": { keras_version: "3.0" }, "config.json": "[" })).toMatchObject({ from: "assumed" });
  });

  it("is that of Keras Applications for a whole network of that name, and not for another head", async () => {
    expect(await known(network({ name: "mobilenetv2_1.00_224", classes: 1000 }))).toMatchObject({ range: "−1…1", from: "known" });
    expect(await known(network({ name: "mobilenetv2_1.00_224", classes: 5 }))).toMatchObject({ range: "0…1", from: "assumed" });
    const caffe = await known(network({ name: "vgg16", classes: 1000 }));
    expect(caffe.contract.input).toMatchObject({ channels: "bgr", scale: 1, mean: [103.939, 116.779, 123.68] });
  });

  it("is the contract's where that states it; other fields of a contract leave it open", async () => {
    const model = network({ first: rescaling(1 / 255) });
    const partial = { input: {}, output: { classes: ["cat", "dog"] } };
    expect(await known(model, { "model.bulwark.json": partial })).toMatchObject({
      contract: { input: { mean: 0, scale: 1 }, output: { classes: ["cat", "dog"] } },
      from: "layer",
      evidence: { contradiction: null },
    });
    const stated = { input: { mean: 0, scale: 255 } };
    const other = network({ first: rescaling(1 / 255) });
    const wrong = await known(other, { "model.bulwark.json": stated });
    expect(wrong).toMatchObject({ range: "0…1", from: "file", text: "model.bulwark.json" });
    expect(wrong.evidence.contradiction).toMatch(/model\.bulwark\.json feeds the network 0…1, but .*"rescaling".* speaks for 0…255/);
    const { classifier } = await openModel(await saved(network({ first: rescaling(1 / 255) }), { "model.bulwark.json": stated }));
    expect(classifier.findings.map(({ rule }) => rule)).toEqual(["RB112"]);
    classifier.dispose();
    const inverted = { input: { mean: 255, scale: -1 } };
    const third = await known(network({ first: rescaling(1 / 255) }), { "model.bulwark.json": inverted });
    expect(third.evidence.contradiction).toBeNull(); // 255…0: bytes all the same
  });

  it("is no finding for a network that Bulwark saved, nor for one of its older runs", async () => {
    const directory = path.join(folder, "own");
    await saveNetwork(network(), directory, { input: { layout: "nhwc", size: [8, 8], channels: "rgb" } });
    expect(JSON.parse(await fs.readFile(path.join(directory, "model.bulwark.json"), "utf8")).input).toMatchObject({ mean: 0, scale: 255 });
    const contract = { input: { layout: "nhwc", size: [8, 8], channels: "rgb" } };
    expect(await known(network(), { "model.bulwark.json": contract, "training.json": {} })).toMatchObject({ from: "file" });
  });
});

describe("class names", () => {
  const two = { names: ["cat", "dog"], synsets: null };

  it("are read from lists as people write them", () => {
    for (const lines of ["cat\ndog\n", "0 cat\r\n1 dog", "0: cat\n1: dog", "1,cat\n2,dog", "# animals\ncat\n\ndog"])
      expect(fromLines(lines), lines).toEqual(two);
    expect(fromLines("n01440764 tench, Tinca tinca\nn01443537 goldfish")).toEqual({
      names: ["tench", "goldfish"],
      synsets: ["n01440764", "n01443537"],
    });
    expect(fromLines("7 up\n9 lives")?.names).toEqual(["7 up", "9 lives"]); // no numbering
    expect(fromLines("a.png,cat\nb.png,dog")).toBeNull(); // labels of pictures
    for (const json of [["cat", "dog"], { "0": "cat", "1": "dog" }, { cat: 0, dog: 1 }, { dog: 1, cat: 0 }])
      expect(fromJson(JSON.stringify(json))).toEqual(two);
    expect(fromJson('{"0": ["n01440764", "tench"], "1": ["n01443537", "goldfish"]}')).toEqual({
      names: ["tench", "goldfish"],
      synsets: ["n01440764", "n01443537"],
    });
    for (const other of ["{", "3", '{"a": 0, "b": 0}', '{"a": 0, "b": 2}', '{"name": "x"}']) expect(fromJson(other)).toBeNull();
  });

  it("come from a list beside the model, and the contract's go before", async () => {
    expect((await known(network(), { "labels.txt": "0 cat\n1 dog" })).classes).toMatchObject({
      names: ["cat", "dog"],
      source: { text: "labels.txt" },
    });
    const stated = { input: {}, output: { classes: ["fox", "owl"] } };
    expect((await known(network(), { "labels.txt": "cat\ndog", "model.bulwark.json": stated })).classes?.names).toEqual(["fox", "owl"]);
    const { classifier } = await openModel(await saved(network(), { "classes.json": ["cat", "dog"] }));
    expect([classifier.classNames, classifier.classNamesKnown]).toEqual([["cat", "dog"], true]);
    classifier.dispose();
    const nameless = await openModel(await saved(network()));
    expect([nameless.classifier.classNames, nameless.classifier.classNamesKnown]).toEqual([["0", "1"], false]);
    nameless.classifier.dispose();
  });

  it("are refused where they are too few, too many or twice there", async () => {
    const refused = async (beside: Record<string, unknown>, message: RegExp) =>
      expect(known(network(), beside)).rejects.toMatchObject({ code: "MODEL_INVALID", message: expect.stringMatching(message) });
    await refused({ "labels.txt": "a\nb\nc" }, /gives 2 scores but labels\.txt names 3 classes/);
    await refused({ "labels.txt": "a\na" }, /names the class "a" twice, as 0 and 1/);
    await refused({ "model.bulwark.json": { input: {}, output: { classes: ["a", "a"] } } }, /"a" twice/);
    await refused(
      { "model.bulwark.json": { input: {}, output: { classes: ["a"] } } },
      /gives 2 scores but model\.bulwark\.json names 1 classes/,
    );
  });

  it("are ImageNet's for a network of photos with 1000 outputs, and said to be assumed", async () => {
    const { names, synsets } = imagenetClasses();
    expect([names.length, new Set(names).size, new Set(synsets).size]).toEqual([1000, 1000, 1000]);
    expect([...synsets].sort()).toEqual(synsets); // the order of WordNet ids is that of the outputs
    // Well-known places: 0 tench, 207 golden retriever, 285 Egyptian cat, 401 accordion, 859 toaster, 999 toilet tissue
    expect([0, 207, 285, 401, 859, 999].map((i) => names[i])).toEqual([
      "tench",
      "golden retriever",
      "Egyptian cat",
      "accordion",
      "toaster",
      "toilet tissue",
    ]);
    expect([207, 859].map((i) => synsets[i])).toEqual(["n02099601", "n04442312"]);
    const thousand = await known(network({ classes: 1000, side: 224 }));
    expect(thousand.classes).toMatchObject({ names, source: { kind: "assumed", text: "ImageNet's names, assumed from 1000 outputs" } });
    const background = await known(network({ classes: 1001, side: null }));
    expect(background.contract.output).toEqual({ labelOffset: 1 });
    expect(background.classes).toMatchObject({ names, source: { text: expect.stringContaining("background") } });
    for (const other of [
      { classes: 1000, side: 28 },
      { classes: 1000, side: 224, channels: 1 },
      { classes: 999, side: 224 },
    ])
      expect((await known(network(other))).classes).toBeNull();
  });
});
