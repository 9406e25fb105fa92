import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Catalog } from "../../src/shared/catalog.ts";
import { parseEvents } from "../../src/shared/events.ts";
import type { DoctorReport } from "../../src/shared/protocol.ts";
import type { RunReport } from "../../src/shared/results.ts";
import { hashesOf, writeExperiment } from "./experiment.ts";
import { bulwark, newWorkspace, readJson, type Workspace } from "./support.ts";

const root = path.resolve(import.meta.dirname, "../..");
let workspace: Workspace;
beforeAll(async () => {
  workspace = newWorkspace();
  await writeExperiment(workspace, { train: { epochs: 1, batchSize: 8 }, compare: [] });
});
afterAll(() => workspace.remove());

/** Exit code 0 and one JSON document on stdout. */
async function json<T>(...words: string[]): Promise<T> {
  const done = await bulwark(workspace, ...words, "--json");
  expect([done.code, done.stderr]).toEqual([0, expect.not.stringContaining("error ")]);
  return JSON.parse(done.stdout) as T;
}

describe("verbs that look", () => {
  it("list: what the generated catalogue says", async () => {
    const generated = readJson<Catalog>(path.join(root, "src/shared/catalog.generated.json"));
    expect(await json<Catalog>("list")).toEqual(generated);
    expect(await json<Catalog>("list", "measure")).toEqual(generated.filter(({ kind }) => kind === "measure"));
  });

  it("doctor: every backend, and the one that is used", async () => {
    const report = await json<DoctorReport>("doctor");
    expect(report.node).toBe(process.versions.node);
    const names = report.backends.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["onnxruntime", "wasm", "cpu"]));
    expect(report.backends.find(({ name }) => name === report.selected)?.available).toBe(true);
    for (const { available, device, reason } of report.backends) expect(available ? device : reason).toBeTruthy();
  });

  it("inspect: the layers of a model", async () => {
    const model = path.join(root, "samples/models/papernot/model.json");
    const found = await json<{ inputShape: number[]; layers: { name: string; outputShape: number[] }[] }>("inspect", model);
    expect(found.inputShape.slice(-3)).toEqual([28, 28, 1]);
    expect(found.layers.find(({ name }) => name === "conv1")?.outputShape.slice(-3)).toEqual([26, 26, 32]);
  });

  it("help: to stdout, with the exit code of success", async () => {
    const [general, one] = await Promise.all([bulwark(workspace, "--help"), bulwark(workspace, "attack", "--help")]);
    expect([general.code, general.stderr, one.code]).toEqual([0, "", 0]);
    expect(one.stdout).toContain("--attack ID");
  });
});

describe("verbs that work", () => {
  it("train: shows after each epoch where the network looks, on four images of different classes or as many as there are", async () => {
    await json<RunReport>("train", "small.bulwark.jsonc", "--out", "looks");
    const events = parseEvents(readFileSync(workspace.file("looks/events.jsonl"), "utf8"));
    const attention = events.filter((event) => event.kind === "attention");
    expect(attention.map(({ arm, epoch }) => [arm, epoch])).toEqual([["undefended", 1]]);
    const images = attention[0]?.images ?? [];
    expect(images.length).toBeGreaterThan(1);
    expect(images.length).toBeLessThanOrEqual(4);
    for (const { file } of images)
      expect(
        readFileSync(workspace.file(`looks/${file}`))
          .subarray(1, 4)
          .toString(),
      ).toBe("PNG");
  });

  it("train, then evaluate, then run use one and the same model", async () => {
    const trained = await json<RunReport>("train", "small.bulwark.jsonc", "--out", "t");
    expect(trained.arms).toMatchObject([{ name: "undefended", attacks: [], training: { epochs: 1, reused: false } }]);
    const weights = hashesOf(workspace.file("t"))["model/weights.bin"];
    const evaluated = await json<RunReport>("evaluate", "small.bulwark.jsonc", "--model", "t", "--out", "e");
    expect(evaluated.arms[0]?.attacks.map(({ attack }) => attack.id)).toEqual(["fgsm", "pgd"]);
    expect(evaluated.arms[0]?.clean).toEqual(trained.arms[0]?.clean);
    expect(existsSync(workspace.file("e/model"))).toBe(false);
    const run = await json<RunReport>("run", "small.bulwark.jsonc", "--out", "t");
    expect(run.arms[0]?.training?.reused).toBe(true);
    expect(run.arms[0]?.attacks.map(({ attacked }) => attacked)).toEqual(evaluated.arms[0]?.attacks.map(({ attacked }) => attacked));
    expect(hashesOf(workspace.file("t"))["model/weights.bin"]).toBe(weights);
    expect(readJson<RunReport>(workspace.file("t/report.json"))).toEqual(run);
  });

  it("write down everything that decided the result", () => {
    const experiment = readJson<Record<string, unknown>>(workspace.file("t/experiment.json"));
    expect(experiment).toMatchObject({
      seed: 5,
      dataset: { kind: "arrays", testShare: 0.25 },
      train: { epochs: 1, batchSize: 8, optimizer: "adam", momentum: 0.9, schedule: { kind: "constant" } },
      environment: { backend: "onnxruntime", node: process.versions.node, data: { train: 72, test: 24 } },
    });
    expect(JSON.stringify(experiment)).toMatch(/"undefended":"[0-9a-f]{64}"/);
  });

  it("run: with the seed of the command line instead of the experiment's", async () => {
    const run = await json<RunReport>("train", "small.bulwark.jsonc", "--out", "seeded", "--seed", "9");
    expect(run.experiment["seed"]).toBe(9);
    expect(hashesOf(workspace.file("seeded"))["model/weights.bin"]).not.toBe(hashesOf(workspace.file("t"))["model/weights.bin"]);
  });

  it("report: in every format, from the folder alone", async () => {
    for (const format of ["html", "md", "csv", "json"]) {
      const { path: file } = await json<{ path: string }>("report", "t", "--format", format);
      expect(readFileSync(path.resolve(workspace.directory, file), "utf8")).toMatch(/pgd/i); // its title where people read
    }
  });
});
