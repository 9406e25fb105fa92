import "../../src/engine/backends/cpu.ts";
import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { saveNetwork } from "../../src/engine/importers/index.ts";
import { readNpz } from "../../src/engine/io/npz.ts";
import { tf, tfl } from "../../src/engine/tf.ts";
import type { DetectDocument, PredictDocument } from "../../src/shared/images.ts";
import type { ModelInspection } from "../../src/shared/protocol.ts";
import type { AttackDocument } from "../../src/shared/results.ts";
import { bulwark, type Finished, newWorkspace, readJson, type Workspace } from "./support.ts";

const classes = ["cat", "dog", "fox"];

/** The mean of red is the score of cats, that of green of dogs, that of blue of foxes. */
async function colours(): Promise<tfl.LayersModel> {
  const network = tfl.sequential({
    layers: [tfl.layers.globalAveragePooling2d({ inputShape: [4, 4, 3] }), tfl.layers.dense({ units: 3, name: "scores" })],
  });
  network.setWeights([tf.mul(tf.eye(3), 4), tf.zeros([3])]);
  return network;
}

/** The mean of each 2×2 block; their sum is the score of class 0, that of class 1 is 0. */
async function blocks(): Promise<tfl.LayersModel> {
  const network = tfl.sequential({
    layers: [
      tfl.layers.conv2d({ name: "blocks", inputShape: [4, 4, 1], filters: 1, kernelSize: 2, strides: 2 }),
      tfl.layers.flatten(),
      tfl.layers.dense({ units: 2, activation: "softmax" }),
    ],
  });
  network.setWeights([tf.fill([2, 2, 1, 1], 0.25), tf.zeros([1]), tf.tensor2d([1, 0, 1, 0, 1, 0, 1, 0], [4, 2]), tf.zeros([2])]);
  return network;
}

type Colour = readonly [red: number, green: number, blue: number];
const [red, green, blue]: readonly Colour[] = [
  [200, 10, 20],
  [10, 200, 20],
  [10, 20, 200],
];

let workspace: Workspace;
async function folderOf(name: string): Promise<string> {
  mkdirSync(path.dirname(workspace.file(name)), { recursive: true });
  return workspace.file(name);
}
async function picture(name: string, [r, g, b]: Colour = red as Colour, width = 4, height = 4): Promise<string> {
  await sharp({ create: { width, height, channels: 3, background: { r, g, b } } })
    .png()
    .toFile(await folderOf(name));
  return name;
}

beforeAll(async () => {
  workspace = newWorkspace();
  await saveNetwork(await colours(), workspace.file("colours"), { input: { channels: "rgb" }, output: { classes } });
  await saveNetwork(await blocks(), workspace.file("blocks"), { input: { channels: "gray" } });
  await picture("photos/cat/red.png", red);
  await picture("photos/dog/blue.png", blue);
  await picture("loose.png", red);
  await picture("set/cat/1.png", red);
  await picture("set/dog/1.png", green);
  await picture("set/fox/1.png", blue);
});
afterAll(() => workspace.remove());

const attack = (...words: string[]): Promise<Finished> =>
  bulwark(workspace, "attack", "--model", "colours", ...words, "--attack", "fgsm", "--set", "eps=0.5", "--backend", "cpu");
const documentOf = async (...words: string[]): Promise<AttackDocument> => {
  const done = await attack(...words, "--json");
  expect([done.code, done.stderr]).toEqual([0, expect.not.stringMatching(/^error/m)]);
  return JSON.parse(done.stdout) as AttackDocument;
};

describe("the label of pictures that are named", () => {
  it("is that of the class folder: a wrong prediction is wrong before the attack, and accuracies count", async () => {
    const document = await documentOf("--image", "photos/cat/red.png", "photos/dog/blue.png");
    expect(document).toMatchObject({ n: 2, clean: { accuracy: 0.5 }, attacked: { accuracy: 0 }, successRate: 1 });
    expect(document.labels).toBeUndefined();
    const folder = (name: string) => ({ kind: "folder", name });
    expect(document.images).toMatchObject([
      { label: 0, cleanPrediction: 0, success: true, labelSource: folder("cat") },
      { label: 1, cleanPrediction: 2, success: false, labelSource: folder("dog") },
    ]);
    const { stdout } = await attack("--image", "photos/cat/red.png", "photos/dog/blue.png");
    expect(stdout).toContain("image 0: cat → fox: the attack succeeded. Label: cat, from the folder.");
    expect(stdout).toContain("image 1: Already wrong before the attack: dog predicted as fox. Label: dog, from the folder.");
  });

  it("is what --label says, by name or index, before any folder", async () => {
    const byName = await documentOf("--image", "photos/cat/red.png", "--label", "Dog");
    expect(byName.images).toMatchObject([{ label: 1, cleanPrediction: 0, labelSource: { kind: "person" } }]);
    expect(byName.clean.accuracy).toBe(0);
    expect((await documentOf("--image", "loose.png", "--label", "0")).images).toMatchObject([{ label: 0, success: true }]);
    const unknown = await attack("--image", "loose.png", "--label", "gnu");
    expect([unknown.code, unknown.stderr]).toEqual([
      3,
      expect.stringMatching(/^error LABEL_RANGE: There is no class "gnu"\. — .*cat, dog, fox\.$/m),
    ]);
    const outside = await attack("--image", "loose.png", "--label", "3");
    expect([outside.code, outside.stderr]).toEqual([
      3,
      expect.stringContaining("error LABEL_RANGE: The label 3 is none of the 3 classes."),
    ]);
  });

  it("is missing where nothing says it, or by --no-label: the model's own prediction is attacked, and no accuracy is told", async () => {
    for (const words of [["loose.png"], ["photos/dog/blue.png", "--no-label"]]) {
      const document = await documentOf("--image", ...words);
      expect([document.labels, document.clean.accuracy, document.attacked.accuracy]).toEqual(["predicted", null, null]);
      expect(document.images[0]).not.toHaveProperty("labelSource");
    }
    const { stdout } = await attack("--image", "loose.png");
    expect(stdout).toContain("No label: attacking the model's own prediction.");
    expect(stdout).toContain("image 0: cat → fox: the model's own prediction changed (no label).");
  });

  it("may be known of some: each line says whose label it goes by, and no accuracy mixes them", async () => {
    const document = await documentOf("--image", "photos/cat/red.png", "loose.png");
    expect([document.labels, document.clean.accuracy]).toEqual(["partly", null]);
    const { stdout } = await attack("--image", "photos/cat/red.png", "loose.png");
    expect(stdout).toMatch(/^image 0: .*Label: cat, from the folder\.$/m);
    expect(stdout).toMatch(/^image 1: .*No label: attacking the model's own prediction\.$/m);
  });

  it("belongs to pictures: a data set has its own", async () => {
    const words: readonly (readonly string[])[] = [
      ["--label", "cat"],
      ["--fit", "fill"],
    ];
    for (const option of words) {
      const done = await attack("--dataset", "imageFolder:set", ...option);
      expect([done.code, done.stderr]).toEqual([3, expect.stringContaining(`error USAGE: ${option[0]} is for --image.`)]);
    }
    const both = await attack("--image", "loose.png", "--label", "cat", "--no-label");
    expect(both.stderr).toContain("error USAGE: A picture has either a --label or --no-label.");
  });
});

describe("predict and detect", () => {
  const asked = async <D>(verb: "predict" | "detect", ...words: string[]): Promise<D> => {
    const detector = verb === "detect" ? ["--detector", "softmaxEntropy"] : [];
    const done = await bulwark(workspace, verb, "--model", "colours", ...detector, ...words, "--backend", "cpu", "--json");
    expect([done.code, done.stderr]).toEqual([0, expect.not.stringMatching(/^error/m)]);
    return JSON.parse(done.stdout) as D;
  };

  it("go by the same labels as an attack: --label, the class folder, none by --no-label", async () => {
    const both = ["--image", "photos/cat/red.png", "photos/dog/blue.png"];
    const byFolder = await asked<PredictDocument>("predict", ...both);
    expect([byFolder.accuracy, byFolder.labels]).toEqual([0.5, undefined]);
    expect(byFolder.images).toMatchObject([
      { label: 0, labelSource: { kind: "folder", name: "cat" } },
      { label: 1, prediction: 2 },
    ]);
    const said = await asked<PredictDocument>("predict", ...both, "--label", "fox");
    expect([said.accuracy, said.images.map(({ label }) => label)]).toEqual([0.5, [2, 2]]);
    const none = await asked<PredictDocument>("predict", ...both, "--no-label");
    expect([none.accuracy, none.labels, none.images.map(({ label }) => label)]).toEqual([null, "predicted", [0, 2]]);
    const partly = await asked<DetectDocument>("detect", "--image", "photos/dog/blue.png", "loose.png");
    expect([partly.labels, partly.images.map(({ label }) => label)]).toEqual(["partly", [1, 0]]);
    expect((await asked<DetectDocument>("detect", ...both, "--label", "0")).images.map(({ label }) => label)).toEqual([0, 0]);
  });
});

describe("a defence with a window larger than the pictures", () => {
  const median = ["--defense", "medianFilter", "--defense-set", "window=9"];
  const note =
    "Median filter: its window of 9×9 pixels is larger than the image of 4×4; beyond its edge the image is mirrored, as often as it takes.";

  it("is said by predict, defend and attack, and stands in their results", async () => {
    const predicted = await bulwark(workspace, "predict", "--model", "colours", "--image", "loose.png", ...median, "--backend", "cpu");
    const transformed = await bulwark(workspace, "defend", "--image", "loose.png", ...median, "--backend", "cpu");
    const attacked = await attack("--image", "loose.png", ...median, "--out", "median");
    for (const { code, stderr } of [predicted, transformed, attacked])
      expect([code, stderr]).toEqual([0, expect.stringContaining(`note: ${note}`)]);
    expect(readJson<AttackDocument>(workspace.file("median/result.json")).notes).toContain(note);
  });
});

describe("a folder whose classes the model does not have", () => {
  beforeAll(async () => {
    await picture("other/gnu/1.png", red);
    await picture("other/yak/1.png", blue);
  });
  const other = ["--dataset", "imageFolder:other"];

  it("is predicted without its labels, and a note says why", async () => {
    const done = await bulwark(workspace, "predict", "--model", "colours", ...other, "--backend", "cpu", "--out", "unlabelled");
    expect(done.code).toBe(0);
    expect(done.stderr).toMatch(
      /note: The labels are left out\. The model colours has none of the data set's classes: it lacks "gnu", "yak"\./,
    );
    expect(done.stdout).toContain("No image has a label: how many are correct cannot be told.");
    const document = readJson<PredictDocument>(workspace.file("unlabelled/result.json"));
    expect([document.accuracy, document.labels, document.images.map(({ prediction }) => prediction)]).toEqual([null, "predicted", [0, 2]]);
  });

  it("is refused where labels are needed, and --no-label attacks the model's own predictions", async () => {
    const refused = await attack(...other);
    expect([refused.code, refused.stderr]).toEqual([
      3,
      expect.stringMatching(/^error LABEL_RANGE: .* Or leave the labels out with --no-label\.$/m),
    ]);
    const document = await documentOf(...other, "--no-label");
    expect([document.labels, document.clean.accuracy, document.images.map(({ label }) => label)]).toEqual(["predicted", null, [0, 2]]);
    expect(document.successRate).toBe(1);
  });
});

describe("a folder with pictures that cannot be used", () => {
  it("names the flag that leaves them out", async () => {
    await picture("mixed/cat/1.png", red);
    for (const name of ["mixed/cat/2.png", "mixed/dog/1.png"])
      await sharp({ create: { width: 4, height: 4, channels: 4, background: { r: 9, g: 9, b: 9, alpha: 0.5 } } })
        .png()
        .toFile(await folderOf(name));
    const stopped = await attack("--dataset", "imageFolder:mixed");
    expect([stopped.code, stopped.stderr]).toEqual([
      3,
      expect.stringMatching(
        /^error IMAGE_INVALID: 2 of the 3 pictures in \S+mixed cannot be used: .* with --dataset-set onBroken=skip\.$/m,
      ),
    ]);
    expect((await documentOf("--dataset", "imageFolder:mixed", "--dataset-set", "onBroken=skip")).n).toBe(1);
  });
});

describe("--fit", () => {
  it("brings pictures of another size to the model's by that rule, and says so", async () => {
    await picture("wide.png", red, 8, 4);
    const clean = async (out: string) => (await readNpz(workspace.file(`${out}/adversarial.npz`)))["clean"]?.data ?? [];
    const done = await attack("--image", "wide.png", "--fit", "contain", "--out", "contained");
    expect(done.stderr).toMatch(/^note: Pictures of another size than 4×4 are fitted: long side to fit \(bilinear\), black borders\.$/m);
    expect((await clean("contained"))[0]).toBe(0); // 8×4 becomes 4×2: a black row above and below
    await attack("--image", "wide.png", "--out", "covered");
    expect((await clean("covered"))[0]).toBeCloseTo(200 / 255, 6);
    const none = await attack("--image", "wide.png", "--fit", "none");
    expect([none.code, none.stderr]).toEqual([3, expect.stringContaining("error IMAGE_SIZE")]);
  });
});

describe("a targeted attack", () => {
  it("says how many images were of the target class before it", async () => {
    const words = ["attack", "--model", "colours", "--dataset", "imageFolder:set", "--attack", "pgd", "--set", "target=1"];
    const { stdout } = await bulwark(workspace, ...words, "--set", "steps=2", "--backend", "cpu");
    expect(stdout).toMatch(/^already of the target class: 1, which count neither as misclassified nor as successes$/m);
  });
});

describe("bulwark explain", () => {
  it("writes the map as arrays: at the picture's size and at the layer's", async () => {
    // Blocks of 0, 64, 128 and 255: α = 1, so that Grad-CAM is the blocks' means over their maximum.
    const bytes = Uint8Array.from([0, 0, 64, 64, 0, 0, 64, 64, 128, 128, 255, 255, 128, 128, 255, 255]);
    await sharp(bytes, { raw: { width: 4, height: 4, channels: 1 } })
      .toColourspace("b-w")
      .png()
      .toFile(workspace.file("blocks.png"));
    const words = ["--image", "blocks.png", "--method", "gradCam", "--out", "looks", "--backend", "cpu", "--json"];
    const done = await bulwark(workspace, "explain", "--model", "blocks", ...words);
    expect(JSON.parse(done.stdout)).toMatchObject({ values: "map.npz", layer: "blocks", prediction: { index: 0 } });
    const { map, grid } = await readNpz(workspace.file("looks/map.npz"));
    expect([map?.shape, grid?.shape, map?.data.constructor.name]).toEqual([[4, 4], [2, 2], "Float32Array"]);
    const [a, b, c] = [64 / 255, 128 / 255, 1];
    [0, a, b, c].forEach((value, i) => {
      expect(grid?.data[i]).toBeCloseTo(value, 5);
    });
    // Bilinear with half-pixel centres: the second pixel of the first row lies a quarter of the way from 0 to 64.
    [0, a / 4, (3 * a) / 4, a].forEach((value, i) => {
      expect(map?.data[i]).toBeCloseTo(value, 5);
    });
    expect(map?.data[15]).toBeCloseTo(1, 5);
  });
});

describe("bulwark inspect", () => {
  it("counts the parameters of each layer, and tells notes from warnings", async () => {
    rmSync(workspace.file("blocks/model.bulwark.json"));
    const { stdout } = await bulwark(workspace, "inspect", "blocks", "--backend", "cpu");
    expect(stdout).toMatch(/^layer +type +output +parameters$/m);
    expect(stdout).toMatch(/^blocks +Conv2D +n×2×2×1 +5$/m); // 2·2 weights and a bias
    expect(stdout).toMatch(/^dense\S* +Dense +n×2 +10$/m); // 4·2 and 2
    expect(stdout).toMatch(/^note: the final softmax is taken off/m);
    expect(stdout).toMatch(/^warning: RB111/m);
    const json = JSON.parse((await bulwark(workspace, "inspect", "blocks", "--backend", "cpu", "--json")).stdout) as ModelInspection;
    expect([json.warnings.length, json.notes.length]).toEqual([1, 1]);
  });
});
