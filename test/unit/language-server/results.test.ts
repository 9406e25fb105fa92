import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isLayersModel } from "../../../src/language-server/lenses.ts";
import { lastOfExperiment, lastOfModel } from "../../../src/language-server/results.ts";

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
  it("of a model is the run that used it, or the run it lies in", () => {
    const file = path.join(root, "models/mine/model.json");
    writeRun("a", done("2026-01-01T00:00:00Z", "61.6 %"), { model: { file } });
    expect(lastOfModel(file)).toEqual({ run: "a", headline: "61.6 %" });
    expect(lastOfModel(path.join(root, ".bulwark/runs/a/model/model.json"))).toEqual({ run: "a", headline: "61.6 %" });
    expect(lastOfModel(path.join(root, "models/other/model.json"))).toBeUndefined();
  });
  it("survives a folder with damaged files", () => {
    writeRun("a", done("2026-01-01T00:00:00Z", "fine"), from("x.bulwark.jsonc"));
    writeFileSync(path.join(root, ".bulwark/runs/a/state.json"), '{"status":');
    expect(lastOfExperiment(path.join(root, "x.bulwark.jsonc"))).toBeUndefined();
  });
});

describe("model files", () => {
  it("are layers models, not graph models or other JSON", () => {
    expect(isLayersModel('{"format":"layers-model","modelTopology":{}}')).toBe(true);
    expect(isLayersModel('{"modelTopology":{}}')).toBe(true);
    expect(isLayersModel('{"format": "graph-model","modelTopology":{}}')).toBe(false);
    expect(isLayersModel('{"name":"something"}')).toBe(false);
  });
});
