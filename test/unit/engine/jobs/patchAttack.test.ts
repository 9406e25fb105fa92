import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodePng } from "../../../../src/engine/io/decode.ts";
import { readImage } from "../../../../src/engine/io/images.ts";
import { readNpz, writeNpz } from "../../../../src/engine/io/npz.ts";
import { type AttackDatasetParams, attackDataset } from "../../../../src/engine/jobs/attackDataset.ts";
import { type Engine, startEngine } from "../../../../src/engine/session/engine.ts";
import type { PatchDocument } from "../../../../src/shared/patch.ts";
import type { AttackDocument } from "../../../../src/shared/results.ts";

const samples = path.resolve(import.meta.dirname, "../../../../samples");
const digits = ["zero", "one", "two", "four", "seven", "nine"].map((name) => path.join(samples, `${name}.png`));
let workspace = "";
let engine: Engine;
beforeAll(async () => {
  engine = await startEngine("onnxruntime");
  workspace = await mkdtemp(path.join(tmpdir(), "patch-attack-"));
});
afterAll(() => rm(workspace, { recursive: true, force: true }));

const attack = (name: string, params: AttackDatasetParams["attack"]["params"], more: Partial<AttackDatasetParams> = {}) =>
  attackDataset(
    {
      model: path.join(samples, "models/papernot"),
      images: digits,
      dataset: null,
      split: "test",
      limit: null,
      attack: { id: "adversarialPatch", params },
      defenses: [],
      mode: null,
      seed: 2,
      workspace,
      directory: path.join(workspace, name),
      ...more,
    },
    { engine, signal: new AbortController().signal },
  );
const patchOf = async (name: string): Promise<PatchDocument> =>
  JSON.parse(await readFile(path.join(workspace, name, "patch.json"), "utf8")) as PatchDocument;

describe("one attack with a patch", () => {
  it("trains it on the pictures that there are, and says so", async () => {
    const { document } = await attack("pictures", { area: 0.2, target: 3, steps: 40, batchSize: 6 });
    expect(document).toMatchObject({
      n: 6,
      patch: "patch.png",
      gradientEvaluations: 240,
      attack: { params: { mode: "whitebox", target: 3 } },
    });
    expect(document.findings.map(({ rule }) => rule)).toContain("RB210");
    expect((await patchOf("pictures")).training).toMatchObject({
      images: "6 pictures",
      imageCount: 6,
      seed: 2,
      model: { name: "papernot" },
    });
  });

  it("gives the same images with the patch from its file, exactly", async () => {
    const file = path.join(workspace, "pictures", "patch.png");
    const { document } = await attack("again", { patch: file, area: 0.9 });
    expect(document).toMatchObject({ patch: file, gradientEvaluations: 0, attack: { params: { target: 3 } } });
    expect(document.findings.map(({ rule }) => rule)).not.toContain("RB210");
    const [first, second] = await Promise.all(["pictures", "again"].map((name) => readNpz(path.join(workspace, name, "adversarial.npz"))));
    expect(second?.["adversarial"]?.data).toEqual(first?.["adversarial"]?.data);
  });

  it("is told beside a grey patch at the same places", async () => {
    const { document } = await attack("beside", { patch: path.join(workspace, "pictures", "patch.png") });
    const file = path.join(workspace, "grey.png");
    const { size } = await patchOf("pictures");
    await writeFile(file, await encodePng(new Uint8Array(size[0] * size[1]).fill(128), size[1], size[0], 1));
    const grey = await attack("grey", { patch: file, area: 0.2, target: 3 });
    expect(document.covering).toEqual({ attacked: grey.document.attacked });
    expect(grey.document.attacked.correct).toBeGreaterThan(document.attacked.correct);
    expect(grey.document.covering).toEqual({ attacked: grey.document.attacked });
    const isRaised = ({ findings }: AttackDocument): boolean => findings.some(({ rule }) => rule === "RB209");
    const isBroken = grey.document.attacked.correct < grey.document.clean.correct;
    expect([isRaised(document), isRaised(grey.document)]).toEqual([false, isBroken]);
  });

  it("keeps training and test images apart where the data set does", async () => {
    const pixels = await Promise.all(digits.map(async (file) => (await readImage(file, { channels: 1, resize: "none" })).pixels));
    const table = (from: number, to: number) => ({
      data: Float32Array.from(pixels.slice(from, to).flatMap((image) => [...image])),
      shape: [to - from, 28, 28, 1],
    });
    const labels = Int32Array.of(0, 1, 2, 4, 7, 9);
    const file = path.join(workspace, "digits.npz");
    await writeNpz(file, {
      x_train: table(0, 4),
      y_train: { data: labels.slice(0, 4), shape: [4] },
      x_test: table(4, 6),
      y_test: { data: labels.slice(4), shape: [2] },
    });
    const data = { images: [], dataset: `arrays:${file}` };
    const { document } = await attack("data", { area: 0.1, steps: 3 }, data);
    expect(document.findings.map(({ rule }) => rule)).not.toContain("RB210");
    expect((await patchOf("data")).training).toMatchObject({ images: "the training images of arrays", imageCount: 4 });
    const itself = await attack("itself", { area: 0.1, steps: 3 }, { ...data, split: "train" });
    expect(itself.document.findings.map(({ rule }) => rule)).toContain("RB210");
  });

  it("of area 0 leaves the images as they are, and no file", async () => {
    const { document } = await attack("nothing", { area: 0 });
    expect(document).toMatchObject({ successRate: 0, gradientEvaluations: 0, norms: { l0: { max: 0 } } });
    expect(document).not.toHaveProperty("patch");
    expect(document.covering).toEqual({ attacked: document.clean });
    await expect(patchOf("nothing")).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("is refused where all images are of the target class", async () => {
    const seven = [path.join(samples, "seven.png")];
    await expect(attack("one", { target: 7, steps: 3 }, { images: seven })).rejects.toMatchObject({ code: "DATASET_INVALID" });
    const state = JSON.parse(await readFile(path.join(workspace, "one", "state.json"), "utf8"));
    expect(state).toMatchObject({ status: "failed", error: { code: "DATASET_INVALID" } });
    await writeFile(path.join(workspace, "broken.png"), "no picture");
    const broken = { patch: path.join(workspace, "broken.png") };
    await expect(attack("broken", broken)).rejects.toMatchObject({ code: "IMAGE_INVALID" });
  });
});
