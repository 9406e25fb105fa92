import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import * as vscode from "vscode";
import { folderOf, type OwnIntent } from "../../../src/extension/panels/panel.ts";
import type { Studio } from "../../../src/extension/panels/studio/studio.ts";
import { currentStudio, studioPanel } from "../../../src/extension/panels/studio/studio.ts";
import { commands, panels } from "../../../src/shared/contributions.ts";
import { type StudioIntent, studioFolder } from "../../../src/shared/patchStudio.ts";
import { bulwark, closeAll, eventually, oneTabOf, pictureAndModel, workspace } from "../support.ts";

/** The Patch Studio on a picture of the samples, with a patch of a few steps that is trained on the pictures there. */
async function studioOn(image: string): Promise<Studio> {
  const { services } = await bulwark();
  await vscode.commands.executeCommand(commands.openPatchStudio, vscode.Uri.file(image));
  const studio = currentStudio(services);
  assert.ok(studio, "the studio is open");
  return studio;
}
const fewSteps = ({ state }: Studio): OwnIntent<StudioIntent> => ({
  kind: "settings",
  settings: {
    ...state.settings,
    source: `files:${workspace()}`,
    limit: 6,
    params: { ...state.settings.params, steps: 12, batchSize: 4, target: 3, area: 0.2, shape: "disc" },
  },
});

describe("the Patch Studio", () => {
  afterEach(closeAll);

  it("opens with the image of the menu, the model of the folder and its class names", async () => {
    const { image, model } = await pictureAndModel();
    const studio = await studioOn(image);
    await oneTabOf(panels.patchStudio);
    assert.equal(studio.state.place?.image, image);
    assert.ok(studio.state.models.some(({ value }) => value === model));
    assert.equal(studio.state.classes.length, 10);
    assert.ok(studio.state.sources.some(({ value }) => value === `files:${workspace()}`));
    assert.equal(studio.state.error, null);
    await vscode.commands.executeCommand(commands.openPatchStudio, vscode.Uri.file(image));
    await oneTabOf(panels.patchStudio);
  });

  it("trains a patch, places it, tries it at random, maps it, prints it, and comes back after a reload", async () => {
    const { services } = await bulwark();
    const { image } = await pictureAndModel();
    const studio = await studioOn(image);
    await studio.act(fewSteps(studio));
    await studio.act({ kind: "train", goOn: false });
    const { training, patch } = studio.state;
    assert.equal(training?.status, "done", JSON.stringify(training?.error));
    assert.equal(training.history.at(-1)?.step, 12);
    assert.equal(patch?.document?.target?.index, 3);
    for (const file of patch.files) assert.ok(existsSync(file), file);

    await studio.act({ kind: "place", placement: { row: 10, column: 12, rotation: 30, scale: 1 } });
    const placed = studio.state.place;
    assert.equal(placed?.error, null);
    assert.ok(placed?.result?.fits);
    // A disc of a fifth of the image, turned: bilinear weights at its edge cost a little of the area.
    assert.ok(Math.abs(placed.result.coverage - 0.2) < 0.04, String(placed.result.coverage));
    assert.ok(existsSync(path.join(workspace(), studioFolder, studio.state.session, placed.result.image)));

    await studio.act({ kind: "preview", count: 4, transforms: { rotation: 10, scaleMin: 1, scaleMax: 1 }, seed: 2 });
    assert.equal(studio.state.preview?.result?.pictures.length, 4, JSON.stringify(studio.state.preview?.error));
    await studio.act({ kind: "map", stride: 8, rotation: 0, scale: 1, images: 4 });
    const map = studio.state.map?.result;
    assert.ok(map, JSON.stringify(studio.state.map?.error));
    assert.deepEqual([map.success.length, map.success[0]?.length], [map.rows.length, map.columns.length]);

    const print = path.join(workspace(), ".bulwark/printed.png");
    const ask = vscode.window.showSaveDialog;
    Object.assign(vscode.window, { showSaveDialog: async () => vscode.Uri.file(print) });
    try {
      await studio.act({ kind: "export", centimetres: 5, dpi: 300, upscaling: "nearest", background: "white" });
    } finally {
      Object.assign(vscode.window, { showSaveDialog: ask });
    }
    // 5 cm at 300 dots to 2.54 cm are 590.6 dots.
    assert.ok(Math.abs((studio.state.exported?.result?.pixels[1] ?? 0) - 591) <= 1, JSON.stringify(studio.state.exported));
    assert.equal(readFileSync(print).readUInt32BE(16), studio.state.exported?.result?.pixels[1]);

    // A patch from elsewhere is copied to where the panel may read it, with what is known of it.
    const elsewhere = mkdtempSync(path.join(os.tmpdir(), "bulwark-patch-"));
    for (const file of patch.files) copyFileSync(file, path.join(elsewhere, path.basename(file)));
    const askFile = vscode.window.showOpenDialog;
    Object.assign(vscode.window, { showOpenDialog: async () => [vscode.Uri.file(path.join(elsewhere, "patch.png"))] });
    try {
      await studio.act({ kind: "choosePatch" });
    } finally {
      Object.assign(vscode.window, { showOpenDialog: askFile });
      rmSync(elsewhere, { recursive: true });
    }
    assert.deepEqual(studio.state.patch?.document, patch.document);
    assert.ok(studio.state.patch.file.startsWith(workspace()), studio.state.patch.file);
    assert.equal(studio.state.map, null, "the map was of another patch");
    await studio.about({ patch: patch.files[1] ?? "" });
    await studio.act({ kind: "preview", count: 4, transforms: { rotation: 10, scaleMin: 1, scaleMax: 1 }, seed: 2 });
    await studio.act({ kind: "map", stride: 8, rotation: 0, scale: 1, images: 4 });

    const { session } = studio.state;
    await closeAll();
    await eventually("the studio is closed", () => currentStudio(services) === undefined);
    const directory = await folderOf({ runId: session }, studioFolder);
    assert.ok(directory);
    const panel = vscode.window.createWebviewPanel(panels.patchStudio, "restored", vscode.ViewColumn.One);
    const back = await studioPanel.restore(services, panel, directory);
    assert.ok(back);
    await back.ready;
    assert.equal(back.state.patch?.file, patch.file);
    assert.equal(back.state.training?.history.length, training.history.length);
    assert.equal(back.state.preview?.result?.pictures.length, 4);
    assert.deepEqual(back.state.map?.result?.success, map.success);
    assert.equal(back.state.place?.image, image);
    assert.equal(back.state.settings.params["steps"], 12);
  });

  it("uses a picture as a sticker, and says what is wrong with a patch that is larger than the image", async () => {
    const { services } = await bulwark();
    const { image } = await pictureAndModel();
    const studio = await studioOn(image);
    await studio.about({ patch: path.join(workspace(), "seven.png") });
    assert.equal(studio.state.patch?.document, null);
    await studio.act({ kind: "sticker", area: 0.15, target: 7 });
    assert.ok(studio.state.place?.result, JSON.stringify(studio.state.place?.error));
    assert.equal(studio.state.place.result.target?.index, 7);
    await studio.act({ kind: "place", placement: { row: 14, column: 14, rotation: 0, scale: 4 } });
    assert.equal(studio.state.place.error?.error.code, "PARAMETER_INVALID");
    await studio.act({ kind: "place", placement: { row: 14, column: 14, rotation: 0, scale: 1 } });
    assert.equal(studio.state.place.error, null);
    assert.equal(currentStudio(services), studio);
  });

  it("stops a training, and goes on with it, also in another window", async () => {
    const { image } = await pictureAndModel();
    let studio = await studioOn(image);
    await studio.act(fewSteps(studio));
    const { settings } = studio.state;
    await studio.act({ kind: "settings", settings: { ...settings, params: { ...settings.params, steps: 1000 } } });
    const last = (): number => studio.state.training?.history.at(-1)?.step ?? 0;
    const trained = studio.act({ kind: "train", goOn: false });
    await eventually("it is past its first checkpoint", () => last() > 60);
    await studio.act({ kind: "cancel", what: "train" });
    await trained;
    assert.equal(studio.state.training?.status, "cancelled", JSON.stringify(studio.state.training?.error));
    const stopped = last();
    assert.ok(stopped < 1000);
    const { run } = studio.state.training;
    // As a window leaves it that is closed during a training.
    const directory = path.join(workspace(), studioFolder, studio.state.session);
    const file = path.join(directory, "session.json");
    writeFileSync(file, readFileSync(file, "utf8").replace('"status":"cancelled"', '"status":"running"'));
    await closeAll();
    const { services } = await bulwark();
    await eventually("the studio is closed", () => currentStudio(services) === undefined);
    const panel = vscode.window.createWebviewPanel(panels.patchStudio, "restored", vscode.ViewColumn.One);
    const restored = await studioPanel.restore(services, panel, directory);
    assert.ok(restored);
    studio = restored;
    await studio.ready;
    assert.equal(studio.state.training?.status, "interrupted");
    assert.equal(last(), stopped);
    const goingOn = studio.act({ kind: "train", goOn: true });
    await eventually("it goes on", () => last() !== stopped);
    // Twenty checkpoints in a thousand steps: no more than fifty steps are done again.
    assert.ok(last() > stopped - 51, `${last()} after ${stopped}`);
    await studio.act({ kind: "cancel", what: "train" });
    await goingOn;
    assert.equal(studio.state.training.run, run);
  });
});
