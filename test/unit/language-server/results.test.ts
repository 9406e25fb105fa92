import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TextDocument } from "vscode-languageserver-textdocument";
import { createExperiments } from "../../../src/language-server/experiments.ts";
import { isModelJson } from "../../../src/language-server/lenses.ts";
import { lastOfExperiment, lastOfModel, lastReportOf } from "../../../src/language-server/results.ts";
import generated from "../../../src/shared/catalog.generated.json";
import type { Catalog } from "../../../src/shared/catalog.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), "bulwark-lens-"));
});
afterEach(() => rmSync(root, { recursive: true }));

function writeRun(id: string, state: object, experiment: object): void {
  const directory = path.join(root, ".bulwark/runs", id);
  mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(directory, "state.json"), JSON.stringify(state));
  writeFileSync(path.join(directory, "experiment.json"), JSON.stringify(experiment));
}
const done = (createdAt: string, headline: string): object => ({ status: "done", createdAt, headline });
const from = (source: string): object => ({ environment: { source } });

describe("last result", () => {
  it("of an experiment is its newest finished run, found from a folder below", () => {
    writeRun("a", done("2026-01-01T00:00:00Z", "old"), from("x.bulwark.jsonc"));
    writeRun("b", done("2026-01-03T00:00:00Z", "new"), from("x.bulwark.jsonc"));
    writeRun("c", { ...done("2026-01-04T00:00:00Z", "unfinished"), status: "running" }, from("x.bulwark.jsonc"));
    writeRun("d", done("2026-01-05T00:00:00Z", "another"), from("y.bulwark.jsonc"));
    writeFileSync(path.join(root, ".bulwark/runs/b/report.json"), "{");
    expect(lastOfExperiment(path.join(root, "deep/er/x.bulwark.jsonc"))).toEqual({ run: "b", headline: "new" });
    expect(lastOfExperiment(path.join(root, "z.bulwark.jsonc"))).toBeUndefined();
  });
  it("shows what the last run found as problems at their place, with their fix", async () => {
    const file = path.join(root, "deep/x.bulwark.jsonc");
    const text = '{ "seed": 1, "dataset": { "kind": "mnist" }, "model": { "kind": "lenet" }, "attacks": [{ "kind": "pgd", "eps": 0.3 }] }';
    const at = { file: "x.bulwark.jsonc", pointer: "/attacks/0" };
    const finding = {
      rule: "RB203",
      severity: "warning",
      message: "Lost.",
      fix: "Smaller.",
      arm: "undefended",
      attack: "pgd",
      attackKey: "pgd",
      at,
    };
    const report = {
      experiment: { attacks: [{ kind: "pgd", eps: 0.3, steps: 40 }] },
      findings: [{ ...finding, edit: { pointer: "/attacks/0/stepSize", value: 0.01 } }],
    };
    writeRun("a", done("2026-01-01T00:00:00Z", "fine"), from("x.bulwark.jsonc"));
    writeFileSync(path.join(root, ".bulwark/runs/a/report.json"), JSON.stringify(report));
    const experiments = createExperiments(generated as unknown as Catalog);
    const document = TextDocument.create(pathToFileURL(file).href, "bulwark-experiment", 1, text);
    const [problem, ...others] = await experiments.diagnose(document);
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ code: "RB203", severity: 2, message: "undefended · pgd: Lost. Smaller. (run a)" });
    expect(problem && document.getText(problem.range)).toBe('"pgd"');
    const [action] = problem ? experiments.actions(document, problem.range) : [];
    expect(action?.title).toBe("Set stepSize to 0.01");
    expect(lastReportOf(path.join(root, "y.bulwark.jsonc"))).toBeUndefined();
  });
  it("of a model is the run that used it, or the run it lies in", () => {
    const file = path.join(root, "models/mine/model.json");
    writeRun("a", done("2026-01-01T00:00:00Z", "61.6 %"), { model: { file } });
    expect(lastOfModel(file)).toEqual({ run: "a", headline: "61.6 %" });
    expect(lastOfModel(path.join(root, ".bulwark/runs/a/model/model.json"))).toEqual({ run: "a", headline: "61.6 %" });
    expect(lastOfModel(path.join(root, "models/other/model.json"))).toBeUndefined();
  });
  it("opens no pipe, and follows no link", () => {
    const experiment = path.join(root, "x.bulwark.jsonc");
    writeRun("a", done("2026-01-01T00:00:00Z", "fine"), from("x.bulwark.jsonc"));
    const runs = path.join(root, ".bulwark/runs");
    renameSync(path.join(runs, "a"), path.join(root, "elsewhere"));
    symlinkSync(path.join(root, "elsewhere"), path.join(runs, "a"));
    expect(lastOfExperiment(experiment)).toBeUndefined();
    mkdirSync(path.join(runs, "b"));
    symlinkSync(path.join(root, "elsewhere/state.json"), path.join(runs, "b/state.json"));
    symlinkSync(path.join(root, "elsewhere/experiment.json"), path.join(runs, "b/experiment.json"));
    mkdirSync(path.join(runs, "c"));
    execFileSync("mkfifo", [path.join(runs, "c/state.json")]); // to open it waits for ever
    expect(lastOfExperiment(experiment)).toBeUndefined();
    rmSync(path.join(runs, "a"));
    renameSync(path.join(root, "elsewhere"), path.join(runs, "a"));
    expect(lastOfExperiment(experiment)).toEqual({ run: "a", headline: "fine" });
  });
  it("survives a folder with damaged files", () => {
    writeRun("a", done("2026-01-01T00:00:00Z", "fine"), from("x.bulwark.jsonc"));
    writeFileSync(path.join(root, ".bulwark/runs/a/state.json"), '{"status":');
    expect(lastOfExperiment(path.join(root, "x.bulwark.jsonc"))).toBeUndefined();
  });
});

describe("model files", () => {
  it("are TensorFlow.js models, not other JSON", () => {
    expect(isModelJson('{"format":"layers-model","modelTopology":{}}')).toBe(true);
    expect(isModelJson('{"format":"graph-model","modelTopology":{}}')).toBe(true);
    expect(isModelJson('{"name":"something"}')).toBe(false);
  });
});
