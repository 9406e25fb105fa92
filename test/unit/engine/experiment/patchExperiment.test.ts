import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resumeRun, runExperiment } from "../../../../src/engine/experiment/runExperiment.ts";
import { encodePng } from "../../../../src/engine/io/decode.ts";
import { writeNpz } from "../../../../src/engine/io/npz.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { type Engine, startEngine } from "../../../../src/engine/session/engine.ts";
import type { RunEvent } from "../../../../src/shared/events.ts";
import type { PatchDocument } from "../../../../src/shared/patch.ts";
import type { ArmReport, AttackDocument, RunReport } from "../../../../src/shared/results.ts";

const [side, n] = [16, 96];
let workspace = "";
let engine: Engine;
let report: RunReport;
const at = (...names: string[]) => path.join(workspace, ...names);
const json = async <T>(...names: string[]): Promise<T> => JSON.parse(await readFile(at(...names), "utf8")) as T;
const start = (name: string, signal: AbortSignal, onEvent: (event: RunEvent) => void = () => undefined) =>
  runExperiment(
    { file: at("small.bulwark.jsonc"), mode: "run", directory: at(name), workspace, backend: "auto" },
    { engine, signal, onEvent },
  );
const never = new AbortController().signal;

const patch = { kind: "adversarialPatch", area: 0.1, target: 1, steps: 10, batchSize: 4 };
const experiment = {
  seed: 5,
  dataset: { kind: "arrays", path: "data.npz", testShare: 0.25 },
  model: { kind: "papernot" },
  defense: { kind: "volumizedCurriculum", patch: 8 },
  train: { epochs: 2, batchSize: 16, learningRate: 0.002, validation: 0.2 },
  attacks: [patch, { ...patch, mode: "whitebox" }, { kind: "adversarialPatch", patch: "sticker.png", area: 0.2, rotation: 0 }],
  compare: [{ name: "undefended", defense: { kind: "standard" } }],
  control: false,
};

beforeAll(async () => {
  engine = await startEngine("onnxruntime");
  workspace = await mkdtemp(path.join(tmpdir(), "patches-"));
  const rng = createRandom(3);
  const labels = Int32Array.from({ length: n }, (_, i) => i % 3); // the bright third says the class, not so clearly that no patch hides it
  const images = Float32Array.from({ length: n * side * side }, (_, at) => {
    const third = Math.floor((3 * (at % side)) / side);
    return (third === labels[Math.floor(at / side ** 2)] ? 0.45 : 0.26) + rng.uniform(0, 0.2);
  });
  await writeNpz(at("data.npz"), { images: { data: images, shape: [n, side, side, 1] }, labels: { data: labels, shape: [n] } });
  await writeFile(at("sticker.png"), await encodePng(new Uint8Array(16).fill(255), 4, 4, 1));
  await writeFile(at("small.bulwark.jsonc"), JSON.stringify(experiment));
  await start("whole", never);
  report = await json("whole", "report.json");
}, 120_000);
afterAll(() => rm(workspace, { recursive: true, force: true }));

const arm = (name: string): ArmReport => report.arms.find((one) => one.name === name) as ArmReport;

describe("the findings of an experiment", () => {
  it("name arm, key and place, those of attacks of one kind each its own", () => {
    const attacked = report.findings.filter(({ attack }) => attack !== undefined);
    expect(attacked.map(({ rule }) => rule)).toContain("RB008"); // a patch of mode transfer on a defended arm
    const keys = ["adversarialPatch", "adversarialPatch-2", "adversarialPatch-3"];
    for (const finding of attacked) {
      expect(report.arms.map(({ name }) => name)).toContain(finding.arm);
      const at = { file: "small.bulwark.jsonc", pointer: `/attacks/${keys.indexOf(finding.attackKey ?? "")}` };
      expect(finding).toMatchObject({ attack: "adversarialPatch", at });
    }
    const each = report.findings.map(({ rule, arm: name, attackKey }) => `${rule} ${name} ${attackKey}`);
    expect(new Set(each).size).toBe(each.length);
  });
});

describe("patches in an experiment", () => {
  it("of mode transfer are trained on the undefended arm, of mode whitebox on each", async () => {
    expect(arm("volumizedCurriculum").attacks.map((attack) => attack.patch)).toEqual([
      "patch-undefended-adversarialPatch.png",
      "patch-volumizedCurriculum-adversarialPatch-2.png",
      at("sticker.png"),
    ]);
    expect(arm("undefended").attacks.map((attack) => attack.patch)).toEqual([
      "patch-undefended-adversarialPatch.png",
      "patch-undefended-adversarialPatch-2.png",
      at("sticker.png"),
    ]);
    const read = (name: string) => json<PatchDocument>("whole", `patch-${name}.json`);
    const [source, own] = [await read("undefended-adversarialPatch"), await read("volumizedCurriculum-adversarialPatch-2")];
    expect(source.training).toMatchObject({
      images: "the training images of arrays",
      imageCount: 72,
      seed: 5,
      model: { name: "undefended" },
    });
    expect(own.training.model.name).toBe("volumizedCurriculum");
    expect(own.sha256).not.toBe(source.sha256);
    expect(source).toMatchObject({ size: [5, 5], target: { index: 1 }, imageSize: [16, 16, 1] });
  });

  it("count their training, the target class, and leave no more than they promise", async () => {
    for (const { attacks } of report.arms)
      for (const attack of attacks.slice(0, 2)) {
        expect(attack.targetRate).toBeLessThanOrEqual(attack.successRate ?? 0);
        expect(attack.norms.l0.max).toBeLessThanOrEqual(49);
        expect(attack.findings.map(({ rule }) => rule)).not.toContain("RB201");
      }
    expect(arm("undefended").attacks.map(({ gradientEvaluations }) => gradientEvaluations)).toEqual([40, 40, 0]);
    expect(arm("volumizedCurriculum").attacks.map(({ gradientEvaluations }) => gradientEvaluations)).toEqual([0, 40, 0]);
    const { images } = await json<AttackDocument>("whole", "records-undefended-adversarialPatch-3.json");
    // A sticker of √(0.2·256) = 7 pixels, not turned: 49 pixels at most, and no more than that where it is drawn exactly.
    expect(new Set(images.map(({ l0 }) => l0))).toEqual(new Set([49]));
  });

  it("of mode transfer have one β: the images of the target class count in neither", async () => {
    const [summary] = arm("volumizedCurriculum").attacks;
    const { images } = await json<AttackDocument>("whole", "records-adversarialPatch.json");
    const counted = images.filter(({ label, cleanPrediction }) => label !== 1 && cleanPrediction === label);
    const broken = images.filter((one) => one.cleanPrediction === one.label && one.prediction !== one.label);
    expect(new Set(broken.map(({ label }) => label))).toContain(1); // or the two ways to count would come to the same
    expect(summary?.mode).toBe("static");
    expect(summary?.defenseSuccess).toBe(counted.filter(({ label, prediction }) => prediction === label).length / counted.length);
    expect(summary?.static).toMatchObject({
      defenseSuccess: summary?.defenseSuccess,
      successRate: summary?.successRate,
      defenseSuccessOfFooled: summary?.defenseSuccessOfFooled,
    });
  });

  it("go on after an interruption to the same patch and figures", async () => {
    const stop = new AbortController();
    const onEvent = (event: RunEvent) => {
      if (event.kind === "phase" && event.phase === "Training a patch against volumizedCurriculum") setTimeout(() => stop.abort(), 30);
    };
    await expect(start("stopped", stop.signal, onEvent)).rejects.toMatchObject({ code: "CANCELLED" });
    await resumeRun({ directory: at("stopped"), backend: "auto" }, { engine, signal: never });
    const figures = ({ arms }: RunReport) =>
      arms.map(({ attacks }) =>
        attacks.map(({ attacked, targetRate, norms, gradientEvaluations }) => ({ attacked, targetRate, norms, gradientEvaluations })),
      );
    expect(figures(await json("stopped", "report.json"))).toEqual(figures(report));
    for (const name of ["undefended-adversarialPatch", "volumizedCurriculum-adversarialPatch-2"]) {
      const file = `patch-${name}.png`;
      expect(await readFile(at("stopped", file))).toEqual(await readFile(at("whole", file)));
    }
  }, 120_000);

  it("of mode transfer need an undefended arm, told before anything is trained", async () => {
    const { compare: _, ...alone } = experiment;
    await writeFile(at("alone.bulwark.jsonc"), JSON.stringify(alone));
    const run = runExperiment({ file: at("alone.bulwark.jsonc"), mode: "run", workspace, backend: "auto" }, { engine, signal: never });
    await expect(run).rejects.toMatchObject({ code: "EXPERIMENT_INVALID", message: expect.stringContaining("undefended arm") });
  });
});
