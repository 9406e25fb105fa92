import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import * as vscode from "vscode";
import { compareModels } from "../../../src/extension/commands/compareModels.ts";
import { reportPanel } from "../../../src/extension/panels/report.ts";
import { sampleOf } from "../../../src/extension/samples.ts";
import { commands } from "../../../src/shared/contributions.ts";
import type { RunExperimentResult } from "../../../src/shared/protocol.ts";
import type { RunReport } from "../../../src/shared/results.ts";
import { bulwark, closeAll, eventually, workspace } from "../support.ts";

describe("comparing models", () => {
  const folder = path.join(workspace(), "rivals");
  const model = (name: string): string => path.join(folder, name, "model.json");
  const photos = path.join(folder, "photos");
  before(async () => {
    const { services } = await bulwark();
    const sample = sampleOf(services.context.extensionPath, "photos");
    mkdirSync(folder);
    for (const name of ["first", "second"]) cpSync(path.dirname(sample.model), path.dirname(model(name)), { recursive: true });
    cpSync(path.dirname(sampleOf(services.context.extensionPath, "digits").model), path.dirname(model("digits")), { recursive: true });
    cpSync(sample.pictures, photos, { recursive: true });
  });
  after(() => rmSync(folder, { recursive: true }));
  afterEach(closeAll);

  const compare = (...names: string[]): Thenable<RunExperimentResult | undefined> => {
    const uris = names.map((name) => vscode.Uri.file(model(name)));
    return vscode.commands.executeCommand(commands.compareModels, uris[0], uris, `imageFolder:${photos}`);
  };

  it("shows each under attack, on what was made for the other, its kernels and its features with their pictures", async () => {
    const { services } = await bulwark();
    const done = await compare("first", "second");
    assert.ok(done);
    const report = JSON.parse(readFileSync(path.join(done.directory, "report.json"), "utf8")) as RunReport;
    assert.deepEqual(
      report.arms.map(({ name }) => name),
      ["first", "second"],
    );
    const analyses = report.analyses ?? [];
    assert.deepEqual(
      analyses.map(({ id }) => id),
      ["robustnessCurve", "transferMatrix", "minimalDistance", "singularValues", "tsne"],
    );
    // Two files of one network: what fools the one fools the other.
    const heat = analyses[1]?.figures?.find(({ kind }) => kind === "heatmap");
    assert.ok(heat?.kind === "heatmap");
    const [own, crossed] = heat.values[0] as readonly number[];
    assert.equal(own, crossed);
    const scatter = analyses.at(-1)?.figures?.[0];
    assert.ok(scatter?.kind === "scatter");
    for (const { picture = "none" } of scatter.series.flatMap(({ points }) => points))
      assert.ok(existsSync(path.join(done.directory, picture)), picture);
    await eventually("the report", () => reportPanel.get(services, done.directory));
  });

  it("is refused in words for models of different tasks", async () => {
    const { services } = await bulwark();
    const uris = ["first", "digits"].map((name) => vscode.Uri.file(model(name)));
    await assert.rejects(compareModels(services, uris[0], uris, `imageFolder:${photos}`), {
      code: "MODEL_MISMATCH",
      message: /model\.json is for images of 32×32×3 and \d+ classes, model\.json for images of 28×28×1 and 10 classes/,
    });
  });
});
