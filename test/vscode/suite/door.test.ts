import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as vscode from "vscode";
import { doctorPanel } from "../../../src/extension/panels/doctor.ts";
import { modelPanel } from "../../../src/extension/panels/model.ts";
import { sampleOf } from "../../../src/extension/samples.ts";
import { commands } from "../../../src/shared/contributions.ts";
import type { AttackImageResult, DoctorReport, ModelInspection, RunExperimentResult } from "../../../src/shared/protocol.ts";
import type { AttackDocument } from "../../../src/shared/results.ts";
import { bulwark, closeAll, pictureAndModel, workspace } from "../support.ts";

describe("the door", () => {
  afterEach(closeAll);

  it("has samples: a cat that becomes something else, and no later choice is touched", async () => {
    const { services } = await bulwark();
    const before = services.context.workspaceState.get<string>("lastModel");
    const result = await vscode.commands.executeCommand<AttackImageResult>(commands.trySample);
    assert.equal(result.before.prediction.name, "cat");
    assert.notEqual(result.after.prediction.name, "cat");
    assert.equal(result.success, true);
    assert.equal(services.context.workspaceState.get<string>("lastModel"), before);
  });

  it("evaluates a model on a folder of labelled photos, in any size", async () => {
    const { services } = await bulwark();
    const sample = sampleOf(services.context.extensionPath, "photos");
    const [models, photos] = [path.join(workspace(), "mine"), path.join(workspace(), "photos")];
    cpSync(path.dirname(sample.model), models, { recursive: true });
    cpSync(sample.pictures, photos, { recursive: true });
    try {
      const model = path.join(models, "model.json");
      const done = await vscode.commands.executeCommand<RunExperimentResult>(
        commands.evaluateModel,
        vscode.Uri.file(model),
        `imageFolder:${photos}`,
      );
      assert.ok(existsSync(path.join(done.directory, "report.json")));
      const page = modelPanel.get(services, model) ?? modelPanel.open(services, model);
      await page.read();
      assert.equal(page.state.results[0]?.run, path.basename(done.directory));
    } finally {
      for (const folder of [models, photos]) rmSync(folder, { recursive: true });
    }
  });

  it("counts what an attack changes where nobody labelled the pictures", async () => {
    const { services } = await bulwark();
    const sample = sampleOf(services.context.extensionPath, "photos");
    const folder = path.join(workspace(), "holiday");
    mkdirSync(folder);
    for (const name of ["cat/kitten.jpg", "bird/duck.jpg"])
      cpSync(path.join(sample.pictures, name), path.join(folder, path.basename(name)));
    const result = await vscode.commands.executeCommand<AttackDocument>(
      commands.evaluateModel,
      vscode.Uri.file(sample.model),
      `pictures:${folder}`,
    );
    assert.equal(result.n, 2);
    assert.deepEqual(
      result.images.map(({ label, cleanPrediction }) => label === cleanPrediction),
      [true, true],
    );
    rmSync(folder, { recursive: true });
  });

  it("lists ONNX and Keras files as models, and no data set that is kept as HDF5", async () => {
    const { trees } = await bulwark();
    const files = { "net.onnx": "", "net.keras": "", "net.h5": '{"model_config": {}}', "table.h5": "numbers" };
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(workspace(), name), text);
    try {
      const nodes = (await trees.models.getChildren()) ?? [];
      const names = nodes.map(({ uri }) => path.basename(uri?.fsPath ?? "")).filter((name) => name in files);
      assert.deepEqual(names.sort(), ["net.h5", "net.keras", "net.onnx"]);
    } finally {
      for (const name of Object.keys(files)) rmSync(path.join(workspace(), name));
    }
  });

  it("shows a model and this machine on pages", async () => {
    const { services, trees } = await bulwark();
    const { model } = await pictureAndModel();
    const inspection = await vscode.commands.executeCommand<ModelInspection>(commands.inspectModel, vscode.Uri.file(model));
    assert.equal(modelPanel.get(services, model)?.state.inspection, inspection);
    const report = await vscode.commands.executeCommand<DoctorReport>(commands.runDoctor);
    assert.equal(doctorPanel.get(services, "")?.state.report, report);
    const lite = path.join(workspace(), "net.tflite");
    writeFileSync(lite, "not looked into");
    const node = ((await trees.models.getChildren()) ?? []).find(({ uri }) => uri?.fsPath === lite);
    assert.equal(node?.item.description, "not supported: TensorFlow Lite");
    assert.equal(await vscode.commands.executeCommand(commands.inspectModel, node), undefined);
    assert.match(modelPanel.get(services, lite)?.state.error?.error.message ?? "", /is a TensorFlow Lite model/);
    rmSync(lite);
  });
});
