import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import * as vscode from "vscode";
import { readRequest, readResult } from "../../../src/extension/panels/inspector/file.ts";
import { inspectorPanel } from "../../../src/extension/panels/inspector/inspector.ts";
import { modelPanel } from "../../../src/extension/panels/model.ts";
import { folderOf } from "../../../src/extension/panels/panel.ts";
import { commands, panels } from "../../../src/shared/contributions.ts";
import type { AttackImageResult, ModelInspection, RankPatchesResult } from "../../../src/shared/protocol.ts";
import { runsFolder } from "../../../src/shared/runs.ts";
import { bulwark, closeAll, eventually, oneTabOf, pictureAndModel } from "../support.ts";

describe("one image", () => {
  afterEach(closeAll);

  it("is attacked by the real engine, in the inspector, into a run folder", async () => {
    const { services, trees } = await bulwark();
    const { image, model } = await pictureAndModel();
    const options = { model, attack: "fgsm", params: { eps: 0.1 } };
    const result = await vscode.commands.executeCommand<AttackImageResult>(commands.attackThisImage, vscode.Uri.file(image), options);
    assert.ok(result, "the attack ended with a result");
    assert.ok(result.norms.linf <= 0.1 + 1e-6, `inside the ball: ${result.norms.linf}`);
    for (const file of [result.before.image, result.after.image, result.difference, "result.json", "inspector.json"])
      assert.ok(existsSync(path.join(result.directory, file)), `${file} was written`);
    await oneTabOf(panels.inspector);
    const state = inspectorPanel.get(services, image)?.state;
    assert.equal(state?.status, "done");
    assert.equal(state?.runId, path.basename(result.directory));
    const nodes = (await trees.runs.getChildren()) ?? [];
    const single = nodes.find((node) => node.item.id === "single");
    const runs = (await single?.children?.()) ?? [];
    assert.ok(runs.some((node) => node.run === state?.runId));
  });

  it("is attacked without a question where there is one model, as hard as grayscale digits are", async () => {
    const { services } = await bulwark();
    for (const key of ["lastModel", "lastAttack"]) await services.context.workspaceState.update(key, undefined);
    const { image } = await pictureAndModel();
    const attack = vscode.commands.executeCommand<AttackImageResult>(commands.attackThisImage, vscode.Uri.file(image));
    await eventually("the panel is there before the result", () => inspectorPanel.get(services, image)?.state.status === "running");
    const result = await attack;
    assert.equal(result.attack.id, "fgsm");
    assert.equal(result.attack.params["eps"], 0.3);
  });

  it("is attacked again with other parameters in the same panel", async () => {
    const { services } = await bulwark();
    const { image, model } = await pictureAndModel();
    const attack = (eps: number): Thenable<AttackImageResult> =>
      vscode.commands.executeCommand(commands.attackThisImage, vscode.Uri.file(image), { model, attack: "fgsm", params: { eps } });
    const weak = await attack(0.05);
    const strong = await attack(0.2);
    assert.notEqual(weak.directory, strong.directory);
    await oneTabOf(panels.inspector);
    assert.equal(inspectorPanel.get(services, image)?.state.result?.directory, strong.directory);
    assert.ok(strong.norms.linf > weak.norms.linf);
  });

  it("shows a card for a model that is cut in half, and attacks with a whole one afterwards", async () => {
    const { services } = await bulwark();
    const { image, model } = await pictureAndModel();
    const broken = path.join(path.dirname(image), "model.json");
    await vscode.workspace.fs.writeFile(vscode.Uri.file(broken), readFileSync(model).subarray(0, 900));
    try {
      const uri = vscode.Uri.file(image);
      assert.equal(await vscode.commands.executeCommand(commands.attackThisImage, uri, { model: broken, attack: "fgsm" }), undefined);
      const state = inspectorPanel.get(services, image)?.state;
      assert.equal(state?.status, "failed");
      assert.equal(state?.error?.error.code, "MODEL_INVALID");
      assert.equal(state?.error?.action?.label, "Inspect Model…");
      assert.ok(await vscode.commands.executeCommand(commands.attackThisImage, uri, { model, attack: "fgsm" }));
      assert.equal(inspectorPanel.get(services, image)?.state.error, null);
    } finally {
      await vscode.workspace.fs.delete(vscode.Uri.file(broken));
    }
  });

  it("is cut into slices and ranked without a model", async () => {
    const { services } = await bulwark();
    const { image } = await pictureAndModel();
    const ranked = await vscode.commands.executeCommand<RankPatchesResult>(commands.rankPatches, vscode.Uri.file(image));
    assert.ok(ranked);
    const { clean } = ranked;
    assert.deepEqual(
      [...clean.perm].sort((a, b) => a - b),
      Array.from({ length: clean.Z }, (_, i) => i),
    );
    const state = inspectorPanel.get(services, image)?.state;
    assert.equal(state?.cards.ranking?.status, "done");
    for (const slice of clean.slices) assert.ok(existsSync(path.join(ranked.directory, slice)), slice);
  });

  it("comes back in its panel after a reload, from its run folder alone", async () => {
    const { services } = await bulwark();
    const { image, model } = await pictureAndModel();
    const options = { model, attack: "fgsm", params: { eps: 0.1 } };
    const before = await vscode.commands.executeCommand<AttackImageResult>(commands.attackThisImage, vscode.Uri.file(image), options);
    await closeAll();
    await eventually("the inspector is closed", () => !inspectorPanel.get(services, image));
    const directory = await folderOf({ runId: path.basename(before.directory) }, runsFolder);
    assert.equal(directory, before.directory);
    assert.equal((await readRequest(before.directory))?.image, image);
    const panel = vscode.window.createWebviewPanel(panels.inspector, "restored", vscode.ViewColumn.One);
    await inspectorPanel.restore(services, panel, before.directory);
    const state = inspectorPanel.get(services, image)?.state;
    assert.equal(state?.status, "done");
    assert.deepEqual(state?.result, await readResult(before.directory));
    assert.equal(state?.result?.norms.linf, before.norms.linf);
    assert.equal(await folderOf({ runId: "../../etc" }, runsFolder), undefined);
  });
});

describe("a model", () => {
  it("is inspected, and is in the tree", async () => {
    const { services, trees } = await bulwark();
    const { model } = await pictureAndModel();
    const inspection = await vscode.commands.executeCommand<ModelInspection>(commands.inspectModel, vscode.Uri.file(model));
    assert.ok(inspection.layers.length > 0);
    assert.equal(modelPanel.get(services, model)?.state.inspection, inspection);
    const nodes = (await trees.models.getChildren()) ?? [];
    assert.ok(nodes.some((node) => node.uri?.fsPath === model));
    await closeAll();
  });
});
