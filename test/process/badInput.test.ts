import "../../src/engine/backends/cpu.ts";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { saveNetwork } from "../../src/engine/importers/index.ts";
import { writeNpz } from "../../src/engine/io/npz.ts";
import { tfl } from "../../src/engine/tf.ts";
import type { ErrorCode } from "../../src/shared/errors.ts";
import { writeExperiment } from "./experiment.ts";
import { bulwark, type Finished, newWorkspace, start, type Workspace } from "./support.ts";

const samples = path.resolve(import.meta.dirname, "../../samples");
const seven = path.join(samples, "seven.png");
const model = path.join(samples, "models/papernot");

let workspace: Workspace;
beforeAll(async () => {
  workspace = newWorkspace();
  await writeExperiment(workspace);
});
afterAll(() => workspace.remove());

/** Exit code 3, nothing on stdout (with --json the error as one document), and one line `error CODE: message — fix` after whatever progress there was. */
function expectError(done: Finished, code: ErrorCode, message: RegExp): void {
  const errors = done.stderr.split("\n").filter((line) => /^error |^ {4}at /.test(line));
  expect(errors).toHaveLength(1);
  expect(errors[0]).toMatch(new RegExp(`^error ${code}: .+ — .+`));
  expect(errors[0]).toMatch(message);
  expect(done.code).toBe(3);
  if (done.stdout !== "") expect(JSON.parse(done.stdout)).toMatchObject({ error: { code } });
}

const attack = (modelPath: string, ...source: string[]): Promise<Finished> =>
  bulwark(workspace, "attack", "--model", modelPath, ...source, "--attack", "fgsm", "--backend", "cpu", "--json");

/** An IDX file: magic, sizes, bytes. */
function idx(magic: number, sizes: readonly number[], bytes: Uint8Array): Uint8Array {
  const head = Buffer.alloc(4 + 4 * sizes.length);
  head.writeUInt32BE(magic, 0);
  sizes.forEach((size, i) => {
    head.writeUInt32BE(size, 4 + 4 * i);
  });
  return Buffer.concat([head, bytes]);
}

/** A network for square images of one channel and three classes. */
const network = (side: number, own: object = {}): tfl.LayersModel =>
  tfl.sequential({
    layers: [
      tfl.layers.conv2d({ name: "conv", inputShape: [side, side, 1], filters: 2, kernelSize: 2, ...own }),
      tfl.layers.globalAveragePooling2d({}),
      tfl.layers.dense({ units: 3 }),
    ],
  });

describe("the rules of the editor, on the command line", () => {
  it("say where an experiment is doubtful and what to do, on stderr", async () => {
    const file = path.join(workspace.directory, "doubtful.bulwark.jsonc");
    writeFileSync(
      file,
      `{ "dataset": { "kind": "mnist", "path": "nowhere" }, "model": { "kind": "lenet" },
  "attacks": [{ "kind": "pgd", "eps": 0.1, "steps": 10, "stepSize": 5 }] }`,
    );
    const { code, stderr } = await bulwark(workspace, "run", file);
    expect(code).toBe(3);
    expect(stderr).toContain(
      'doubtful.bulwark.jsonc:2:69 RB001: stepSize is 5, which is in units of 0…255; images are in [0,1]. Convert to "5/255", which is 0.01961.\n',
    );
    expect(stderr).toContain("doubtful.bulwark.jsonc:1:1 RB009: No seed is given, so 1 is used; write it down");
    expect((await bulwark(workspace, "run", file, "--seed", "3")).stderr).not.toContain("RB009");
    expect((await bulwark(workspace, "run", file, "--quiet")).stderr).not.toContain("RB0");
  });

  it("say it of a single attack too, and take ε as a fraction", async () => {
    const settings = (...words: string[]) => words.flatMap((word) => ["--set", word]);
    const attacked = (...words: string[]) =>
      bulwark(workspace, "attack", "--model", model, "--image", seven, "--attack", "pgd", ...settings(...words), "--json");
    const doubtful = await attacked("eps=8/255", "steps=2", "stepSize=0.5");
    expect(doubtful.stderr).toContain("RB002: A step of 0.5 is larger than ε = 8/255: every step ends on the edge of the ball.");
    expect(JSON.parse(doubtful.stdout)).toMatchObject({ attack: { params: { eps: 8 / 255 } } });
    const large = await attacked("eps=8", "steps=2");
    expect(large.stderr).toContain("RB001: eps is 8, which is in units of 0…255");
    expectError(large, "PARAMETER_INVALID", /Use 8\/255 = 0\.03137/);
  });
});

describe("an experiment that cannot work, before anything is trained or attacked", () => {
  const volumized = (patch: number) => ({ kind: "volumizedCurriculum", patch, measure: "entropy" });
  const arrays = (file: string) => ({ kind: "arrays", path: file, testShare: 0.25 });
  async function refused(name: string, more: Record<string, unknown>, code: ErrorCode, message: RegExp): Promise<void> {
    const experiment = { dataset: arrays("data.npz"), model: { kind: "papernot" }, train: { epochs: 1, batchSize: 8 }, ...more };
    const file = workspace.write(`${name}.bulwark.jsonc`, JSON.stringify(experiment));
    expectError(await bulwark(workspace, "run", file, "--out", name, "--backend", "cpu", "--json"), code, message);
    const kinds = readFileSync(workspace.file(`${name}/events.jsonl`), "utf8").match(/"kind":"\w+"/g);
    expect(kinds).toContain('"kind":"failed"');
    for (const kind of ["step", "trained", "attacked"]) expect(kinds).not.toContain(`"kind":"${kind}"`);
    expect(existsSync(workspace.file(`${name}/model`))).toBe(false);
  }

  it("images of one class, in a folder and in arrays", async () => {
    mkdirSync(workspace.file("folder/sevens"), { recursive: true });
    for (let i = 0; i < 4; i++) workspace.write(`folder/sevens/${i}.png`, readFileSync(seven));
    const dataset = { kind: "imageFolder", path: "folder", channels: "gray", testShare: 0.5 };
    await refused("one", { dataset }, "DATASET_INVALID", /only one class, "sevens"; .* — .*subfolder for each class/);
    const images = { data: new Float32Array(4 * 256), shape: [4, 16, 16, 1] };
    await writeNpz(workspace.file("zeros.npz"), { images, labels: { data: new Int32Array(4), shape: [4] } });
    await refused("zeros", { dataset: arrays("zeros.npz") }, "DATASET_INVALID", /only one class, "0"; .* — .*labels/);
  });

  it("more pixels than the image has", async () => {
    const images = { data: new Float32Array(12 * 16), shape: [12, 4, 4, 1] };
    const labels = { data: Int32Array.from({ length: 12 }, (_, i) => i % 3), shape: [12] };
    await writeNpz(workspace.file("tiny.npz"), { images, labels });
    await saveNetwork(network(4), workspace.file("tiny"), { input: {} });
    const attacks = [{ kind: "fgsm" }, { kind: "nPixel", pixels: 17 }];
    const more = { dataset: arrays("tiny.npz"), model: { file: "tiny" }, attacks };
    await refused("pixels", { ...more, defense: volumized(2) }, "PARAMETER_INVALID", /nPixel: 17 pixels .* 4×4 .* — Use at most 16/);
    await refused("pixels-as-it-is", more, "PARAMETER_INVALID", /nPixel: 17 pixels .* 4×4 .* — Use at most 16/);
  });

  it("a patch larger than the image, an area below a pixel, a class that is none, a budget for nothing", async () => {
    const patch = { kind: "adversarialPatch", mode: "whitebox" };
    const attacks = [{ kind: "fgsm" }, { ...patch, area: 0.5, scaleMax: 2 }];
    await refused("large", { attacks }, "PARAMETER_INVALID", /adversarialPatch: .*22×22 pixels, larger than the image of 16×16/);
    await refused(
      "speck",
      { attacks: [{ ...patch, area: 0.0003 }] },
      "PARAMETER_INVALID",
      /adversarialPatch: .*no pixel.* — .*0 for no patch/,
    );
    await refused("target", { attacks: [{ ...patch, target: 3 }] }, "LABEL_RANGE", /adversarialPatch: .*class 3/);
    await refused("budget", { attacks: [{ kind: "nPixel", queryBudget: 300 }] }, "PARAMETER_INVALID", /nPixel: queryBudget 300 .*400/);
  });

  it("a model that cannot be converted, alone and beside another arm", async () => {
    await saveNetwork(network(16, { name: "wide", dilationRate: 2 }), workspace.file("dilated"), { input: {} });
    const model = { file: "dilated" };
    await refused("alone", { model, defense: volumized(8) }, "MODEL_INVALID", /volumizedCurriculum: .*"wide"/);
    const compare = [{ name: "from a file", model, defense: volumized(8) }];
    await refused("beside", { compare }, "MODEL_INVALID", /from a file: .*"wide"/);
  });
});

describe("bad input", () => {
  it("a choice inside a parameter with wrong parameters of its own, with its place", async () => {
    const inner = (attack: string) => ["--defense", "adversarialTraining", "--defense-set", `attack=${attack}`];
    const wrong = await attack(model, "--image", seven, ...inner('{"kind":"pgd","steps":0}'));
    expectError(wrong, "PARAMETER_INVALID", /: adversarialTraining\.attack: pgd\.steps is 0 but must be between 1 and 10000\. — /);
    expectError(
      await attack(model, "--image", seven, ...inner("fgms")),
      "UNKNOWN_ID",
      /: adversarialTraining\.attack: .* — Did you mean "fgsm"\?/,
    );
    const defense = [{ kind: "bitDepth" }, { kind: "adversarialTraining", attack: { kind: "pgd", steps: 0 } }];
    const text = JSON.stringify({ dataset: { kind: "arrays", path: "data.npz" }, model: { kind: "papernot" }, defense });
    const file = workspace.write("nested.bulwark.jsonc", text);
    const run = await bulwark(workspace, "run", file, "--out", "nested", "--json");
    expectError(run, "EXPERIMENT_INVALID", /nested\.bulwark\.jsonc:1:\d+ defense\[1\]\.attack\.steps is 0 but must be/);
  });

  it("a truncated IDX file", async () => {
    workspace.write("t10k-images-idx3-ubyte", idx(0x803, [10, 28, 28], new Uint8Array(5000)));
    workspace.write("t10k-labels-idx1-ubyte", idx(0x801, [10], new Uint8Array(10)));
    expectError(await attack(model, "--dataset", `mnist:${workspace.directory}`), "DATASET_INVALID", /t10k-images/);
  });

  it("a label outside the classes", async () => {
    workspace.write("t10k-images-idx3-ubyte", idx(0x803, [2, 28, 28], new Uint8Array(2 * 784)));
    workspace.write("t10k-labels-idx1-ubyte", idx(0x801, [2], Uint8Array.of(3, 10)));
    expectError(await attack(model, "--dataset", `mnist:${workspace.directory}`), "LABEL_RANGE", /10/);
  });

  it("a PNG that is none", async () => {
    expectError(await attack(model, "--image", workspace.write("fake.png", "not a picture")), "IMAGE_INVALID", /fake\.png/);
  });

  it("a picture cut in half", async () => {
    const half = workspace.write("half.png", readFileSync(seven).subarray(0, 100));
    expectError(await attack(model, "--image", half), "IMAGE_INVALID", /half\.png/);
  });

  it("a picture with transparency, one of 16 bits", async () => {
    const rgba = await sharp({ create: { width: 28, height: 28, channels: 4, background: { r: 200, g: 10, b: 10, alpha: 0.5 } } });
    expectError(
      await attack(model, "--image", workspace.write("rgba.png", await rgba.png().toBuffer())),
      "IMAGE_INVALID",
      /rgba\.png is transparent in places/,
    );
    const deep = sharp(Buffer.alloc(2 * 784, 7), { raw: { width: 28, height: 28, channels: 1, depth: "ushort" } } as never);
    const png = await deep.toColourspace("grey16").png().toBuffer();
    expectError(await attack(model, "--image", workspace.write("deep.png", png)), "IMAGE_INVALID", /16 bits/);
  });

  it("data of another size than the model's", async () => {
    expectError(await attack(model, "--dataset", "arrays:data.npz"), "IMAGE_SIZE", /28×28×1.*16×16×1/);
  });

  it("a model file cut in half, and weights cut in half", async () => {
    const text = readFileSync(path.join(model, "model.json"), "utf8");
    workspace.write("model.json", text.slice(0, text.length / 2));
    expectError(await attack(workspace.file("model.json"), "--image", seven), "MODEL_INVALID", /model\.json/);
    workspace.write("model.json", text);
    workspace.write("weights.bin", readFileSync(path.join(model, "weights.bin")).subarray(0, 1000));
    expectError(await attack(workspace.file("model.json"), "--image", seven), "MODEL_INVALID", /weights/);
  });

  it("weights with NaN", async () => {
    workspace.write("model.json", readFileSync(path.join(model, "model.json")));
    const weights = Buffer.from(readFileSync(path.join(model, "weights.bin")));
    weights.writeFloatLE(Number.NaN, 400);
    workspace.write("weights.bin", weights);
    expectError(await attack(workspace.file("model.json"), "--image", seven), "MODEL_NAN", /NaN|number/);
  });

  it("an experiment with an unknown key", async () => {
    const file = workspace.write("wrong.bulwark.jsonc", '{ "dataset": { "kind": "mnist" },\n  "modell": { "kind": "lenet" } }');
    const done = await bulwark(workspace, "run", file, "--out", "wrong");
    expectError(done, "EXPERIMENT_INVALID", /wrong\.bulwark\.jsonc:\d+/);
    expect(existsSync(workspace.file("wrong"))).toBe(false);
  });

  it("an unknown attack, a parameter that is none, a value out of bounds", async () => {
    const words = ["attack", "--model", model, "--image", seven, "--attack"];
    expectError(await bulwark(workspace, ...words, "pdg"), "UNKNOWN_ID", /pdg.*pgd/);
    expectError(await bulwark(workspace, ...words, "pgd", "--set", "epsilon=0.1", "--backend", "cpu"), "PARAMETER_INVALID", /epsilon/);
    expectError(await bulwark(workspace, ...words, "pgd", "--set", "eps=8", "--backend", "cpu"), "PARAMETER_INVALID", /eps is 8/);
  });

  it("a folder that cannot be written", async () => {
    // Even the superuser makes no folder there.
    const done = await bulwark(workspace, "run", "small.bulwark.jsonc", "--out", "/sys/bulwark", "--backend", "cpu");
    expect(done.code).toBe(3);
    expect(done.stderr).toMatch(/^error NOT_WRITABLE: .*\/sys\/bulwark.* — /m);
  });

  it("a disk that is full while a checkpoint is written: earlier results stay, the run can be resumed", async () => {
    // The system call fails as it does on a full disk, for files of the checkpoint alone.
    const preload = workspace.write(
      "full.cjs",
      `const fs = require("node:fs");
       const write = fs.promises.writeFile;
       fs.promises.writeFile = async (file, ...rest) => {
         if (!String(file).includes("checkpoints")) return write(file, ...rest);
         throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC", errno: -28, syscall: "write", path: String(file) });
       };`,
    );
    const words = ["run", "small.bulwark.jsonc", "--out", "full"];
    const done = await start(workspace, words, { NODE_OPTIONS: `--require ${preload}` }).finished;
    expectError(done, "DISK_FULL", /checkpoints/);
    const state = JSON.parse(readFileSync(workspace.file("full/state.json"), "utf8"));
    expect(state).toMatchObject({ status: "failed", error: { code: "DISK_FULL" } });
    expect((await bulwark(workspace, "resume", "full", "--quiet")).code).toBe(0);
  });

  it("an engine that cannot start", async () => {
    expectError(await bulwark(workspace, "run", "small.bulwark.jsonc", "--backend", "tensorflow"), "BACKEND_UNAVAILABLE", /tensorflow/);
    expectError(await bulwark(workspace, "run", "small.bulwark.jsonc", "--backend", "abacus"), "PARAMETER_INVALID", /abacus/);
  });

  it("a run folder that is none, or damaged", async () => {
    expectError(
      await bulwark(workspace, "predict", "--model", "x", "--dataset", "."),
      "UNKNOWN_ID",
      /Name its kind as well: --dataset "imageFolder:\."/,
    );
    expectError(await bulwark(workspace, "resume", "nowhere"), "RUN_NOT_FOUND", /nowhere/);
    expectError(await bulwark(workspace, "report", "nowhere"), "RUN_NOT_FOUND", /nowhere/);
    writeFileSync(workspace.file("state.json"), "{");
    expectError(await bulwark(workspace, "resume", "."), "RUN_INVALID", /state\.json/);
  });

  it("words that make no command", async () => {
    expectError(await bulwark(workspace, "atack"), "USAGE", /atack/);
    expectError(await bulwark(workspace, "run"), "USAGE", /EXPERIMENT.*Usage: bulwark run/);
    expectError(await bulwark(workspace, "doctor", "--frobnicate"), "USAGE", /frobnicate/);
  });
});
