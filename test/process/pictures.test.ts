import "../../src/engine/backends/cpu.ts";
import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { saveNetwork } from "../../src/engine/importers/index.ts";
import { readNpz } from "../../src/engine/io/npz.ts";
import { tf, tfl } from "../../src/engine/tf.ts";
import type { ModelInspection } from "../../src/shared/protocol.ts";
import type { AttackDocument } from "../../src/shared/results.ts";
import { bulwark, type Finished, newWorkspace, type Workspace } from "./support.ts";

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
async function picture(name: string, [r, g, b]: Colour = red as Colour, width = 4, height = 4): Promise<string> {
  mkdirSync(path.dirname(workspace.file(name)), { recursive: true });
  await sharp({ create: { width, height, channels: 3, background: { r, g, b } } })
    .png()
    .toFile(workspace.file(name));
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
    const words: readonly (readonly string[])[] = [["--label", "cat"], ["--no-label"], ["--fit", "fill"]];
    for (const option of words) {
      const done = await attack("--dataset", "imageFolder:set", ...option);
      expect([done.code, done.stderr]).toEqual([3, expect.stringContaining(`error USAGE: ${option[0]} is for --image.`)]);
    }
    const both = await attack("--image", "loose.png", "--label", "cat", "--no-label");
    expect(both.stderr).toContain("error USAGE: A picture has either a --label or --no-label.");
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
