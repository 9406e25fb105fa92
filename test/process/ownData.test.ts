import "../../src/engine/backends/cpu.ts";
import { mkdirSync, truncateSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { saveNetwork } from "../../src/engine/importers/index.ts";
import { readNpz } from "../../src/engine/io/npz.ts";
import { tfl } from "../../src/engine/tf.ts";
import type { AttackDocument } from "../../src/shared/results.ts";
import { bulwark, newWorkspace, readJson, type Workspace } from "./support.ts";

let workspace: Workspace;
beforeAll(async () => {
  workspace = newWorkspace();
  await saveNetwork(network(3), workspace.file("named"), { input: { channels: "rgb" }, output: { classes: ["cat", "dog", "fox"] } });
  await saveNetwork(network(4), workspace.file("unnamed"), { input: { channels: "rgb" } });
});
afterAll(() => workspace.remove());

const network = (classes: number): tfl.LayersModel =>
  tfl.sequential({ layers: [tfl.layers.flatten({ inputShape: [4, 4, 3] }), tfl.layers.dense({ units: classes })] });

let shade = 0;
/** Pictures of 4×4 pixels, all different. */
async function pictures(...names: readonly string[]): Promise<void> {
  for (const name of names) {
    mkdirSync(path.dirname(workspace.file(name)), { recursive: true });
    const background = { r: shade % 251, g: Math.floor(shade / 251), b: 7 };
    shade++;
    await sharp({ create: { width: 4, height: 4, channels: 3, background } })
      .png()
      .toFile(workspace.file(name));
  }
}
const attack = (model: string, dataset: string, ...more: string[]) =>
  bulwark(workspace, "attack", "--model", model, "--dataset", dataset, "--attack", "fgsm", "--backend", "cpu", "--json", ...more);
interface DatasetFile {
  readonly labels: readonly number[];
  readonly files: readonly string[];
  readonly classNames: readonly string[];
  readonly skipped: readonly string[];
  readonly notes?: readonly string[];
}
const datasetOf = (run: string): DatasetFile => readJson(path.join(workspace.file(run), "dataset.json"));

describe("arrays", () => {
  it("a file of 3 GB that is no .npz is refused in one line", async () => {
    workspace.write("large.npz", "");
    truncateSync(workspace.file("large.npz"), 3 * 2 ** 30); // sparse: takes no space
    const done = await attack("unnamed", "arrays:large.npz");
    expect([done.code, done.stderr.trim().split("\n")]).toEqual([
      3,
      [expect.stringMatching(/^error DATASET_INVALID: large\.npz is damaged or is not a \.npz file\. — /)],
    ]);
  });
});

describe("a folder of one's own and a model of one's own", () => {
  it("labels by name, on the command line and in an experiment", async () => {
    await pictures("subset/cat/1.png", "subset/fox/1.png", "subset/fox/2.png");
    const done = await attack("named", "imageFolder:subset", "--out", "one");
    const document = JSON.parse(done.stdout) as AttackDocument;
    expect(document.images.map(({ label }) => label)).toEqual([0, 2, 2]);
    expect(datasetOf("one")).toMatchObject({ labels: [0, 2, 2], classNames: ["cat", "dog", "fox"] });
    const experiment = {
      dataset: { kind: "imageFolder", path: "subset" },
      model: { file: "named" },
      attacks: [{ kind: "fgsm" }],
    };
    workspace.write("subset.bulwark.jsonc", JSON.stringify(experiment));
    const run = await bulwark(workspace, "run", "subset.bulwark.jsonc", "--out", "two", "--backend", "cpu", "--quiet");
    expect(run.code).toBe(0);
    expect(datasetOf("two")).toMatchObject({ labels: [0, 2, 2], classNames: ["cat", "dog", "fox"] });
  });

  it("fits photos of any size to the model, in an experiment as on the command line", async () => {
    for (const [i, name] of ["cat", "dog"].entries()) {
      mkdirSync(workspace.file(`photos/${name}`), { recursive: true });
      const pixels = Uint8Array.from({ length: 9 * 14 * 3 }, (_, at) => (at * (31 + i)) % 256);
      await sharp(pixels, { raw: { width: 14, height: 9, channels: 3 } })
        .png()
        .toFile(workspace.file(`photos/${name}/1.png`));
    }
    const output = { classes: ["cat", "dog", "fox"] };
    await saveNetwork(network(3), workspace.file("stretching"), { input: { channels: "rgb", resize: "fill" }, output });
    const done = await attack("stretching", "imageFolder:photos", "--out", "fit-attack");
    expect([done.code, done.stderr]).toEqual([
      0,
      expect.stringMatching(/^note: Pictures of another size than 4×4 are fitted: both sides stretched to fit \(bilinear\)\.$/m),
    ]);
    const picture = ["--image", "photos/cat/1.png", "--attack", "fgsm", "--backend", "cpu"];
    const single = await bulwark(workspace, "attack", "--model", "named", ...picture);
    expect(single.stderr).toMatch(/^note: Pictures of another size than 4×4 are fitted: short side to fit \(bilinear\), centre crop\.$/m);
    const experiment = { dataset: { kind: "imageFolder", path: "photos" }, model: { file: "stretching" }, attacks: [{ kind: "fgsm" }] };
    workspace.write("photos.bulwark.jsonc", JSON.stringify(experiment));
    expect((await bulwark(workspace, "run", "photos.bulwark.jsonc", "--out", "fit-run", "--backend", "cpu", "--quiet")).code).toBe(0);
    const clean = async (file: string) => [...((await readNpz(workspace.file(file)))["clean"]?.data ?? [])];
    const attacked = await clean("fit-attack/adversarial.npz");
    expect(attacked).toHaveLength(2 * 4 * 4 * 3);
    expect(await clean("fit-run/adversarial-fgsm.npz")).toEqual(attacked);
    expect(attacked[0]).toBeCloseTo(106 / 255, 6); // Image.resize((4, 4), Image.BILINEAR) of Pillow 9.4
    const resumed = await bulwark(workspace, "resume", "fit-run", "--backend", "cpu", "--quiet");
    expect(resumed.code).toBe(0);
  });

  it("names classes that the model lacks", async () => {
    await pictures("strangers/cat/1.png", "strangers/gnu/1.png");
    const done = await attack("named", "imageFolder:strangers");
    expect([done.code, done.stderr]).toEqual([3, expect.stringMatching(/error LABEL_RANGE: The model \S+named has no class "gnu"\. — /)]);
  });

  it("says on stderr, in the result and in dataset.json what it decided", async () => {
    await pictures("ants/ant/1.png", "ants/cat/1.png", "ants/dog/1.png");
    mkdirSync(workspace.file("ants/bee"));
    workspace.write("ants/cat/x.dat", "no picture");
    const done = await attack("unnamed", "imageFolder:ants", "--out", "three");
    const document = JSON.parse(done.stdout) as AttackDocument;
    expect(document.images.map(({ label }) => label)).toEqual([0, 2, 3]);
    expect(done.stderr).toMatch(/^note: The class folder bee has no images\.$/m);
    expect(document.notes?.join("\n")).toMatch(
      /bee has no images[\s\S]*cat\/x\.dat \(not a picture\)[\s\S]*labels go by position \(0 = ant/,
    );
    expect(datasetOf("three")).toMatchObject({ skipped: ["cat/x.dat"], notes: document.notes });
  });

  it("a part of it is a sample of all classes, the same for every verb", async () => {
    await pictures(...[1, 2, 3, 4, 5, 6].flatMap((i) => [`halves/cat/${i}.png`, `halves/dog/${i}.png`]));
    const done = await attack("named", "imageFolder:halves", "--limit", "6", "--out", "four");
    const labels = (JSON.parse(done.stdout) as AttackDocument).images.map(({ label }) => label);
    expect([labels.filter((label) => label === 0).length, labels.filter((label) => label === 1).length]).toEqual([3, 3]);
    const predict = ["predict", "--model", "named", "--dataset", "imageFolder:halves", "--limit", "6", "--out", "five", "--backend", "cpu"];
    expect((await bulwark(workspace, ...predict, "--quiet")).code).toBe(0);
    expect(datasetOf("five").files).toEqual(datasetOf("four").files);
  });
});
