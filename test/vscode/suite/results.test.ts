import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import * as vscode from "vscode";
import { exportInspector } from "../../../src/extension/panels/inspector/export.ts";
import { inspectorPanel } from "../../../src/extension/panels/inspector/inspector.ts";
import { bytesOfDataUrl } from "../../../src/extension/panels/save.ts";
import { commands } from "../../../src/shared/contributions.ts";
import type { AttackImageResult } from "../../../src/shared/protocol.ts";
import { bulwark, closeAll, eventually, pictureAndModel, workspace } from "../support.ts";

/** Dialogs are refused in a test host, so the test answers in the person's place. */
async function answering<T>(name: "showSaveDialog" | "showInformationMessage", answer: unknown, body: () => Promise<T>): Promise<T> {
  const before = Object.getOwnPropertyDescriptor(vscode.window, name);
  const value = async () => (typeof answer === "function" ? answer() : answer);
  Object.defineProperty(vscode.window, name, { configurable: true, value });
  try {
    return await body();
  } finally {
    if (before) Object.defineProperty(vscode.window, name, before);
  }
}
async function attack(): Promise<AttackImageResult> {
  const { image, model } = await pictureAndModel();
  const options = { model, attack: "fgsm", params: { eps: 0.1 } };
  const result = await vscode.commands.executeCommand<AttackImageResult | undefined>(
    commands.attackThisImage,
    vscode.Uri.file(image),
    options,
  );
  assert.ok(result);
  return result;
}

describe("a result", () => {
  afterEach(closeAll);

  it("is exported as picture, as arrays, as drawing and as command line", async () => {
    const { services } = await bulwark();
    const result = await attack();
    const target = path.join(workspace(), "exported.bin");
    const what = { directory: result.directory, title: "seven.png", result, root: workspace() };
    const saved = async (intent: Parameters<typeof exportInspector>[2]): Promise<Buffer> => {
      await answering("showSaveDialog", vscode.Uri.file(target), () => exportInspector(services, what, intent));
      return readFileSync(target);
    };
    assert.deepEqual(await saved({ kind: "export", format: "png" }), readFileSync(path.join(result.directory, result.after.image)));
    assert.deepEqual(await saved({ kind: "export", format: "npz" }), readFileSync(path.join(result.directory, "adversarial.npz")));
    assert.equal((await saved({ kind: "export", format: "panel", dataUrl: "data:image/png;base64,aGVsbG8=" })).toString(), "hello");
    await exportInspector(services, what, { kind: "export", format: "command" });
    assert.equal(await vscode.env.clipboard.readText(), result.commandLine);
    assert.match(result.commandLine, /^bulwark attack .*--attack fgsm/);
  });

  it("reads data URLs and nothing else", () => {
    assert.equal(Buffer.from(bytesOfDataUrl("data:text/csv;charset=utf-8,a%2Cb%0A1") ?? []).toString(), "a,b\n1");
    assert.equal(bytesOfDataUrl("https://example.com/x.png"), undefined);
  });

  it("is deleted, and is back after Undo", async () => {
    const { services } = await bulwark();
    const { directory } = await attack();
    const id = path.basename(directory);
    await answering("showInformationMessage", "Undo", async () => {
      await vscode.commands.executeCommand(commands.deleteRun, id);
      await eventually("the folder is back", () => existsSync(path.join(directory, "result.json")));
    });
    services.runs.refresh();
    assert.equal((await services.runs.find(id))?.state.status, "done");
  });

  it("is back after Undo also where a card was still at work and made the folder anew", async () => {
    const { services } = await bulwark();
    const { directory } = await attack();
    const { image } = await pictureAndModel();
    const inspector = inspectorPanel.get(services, image);
    assert.ok(inspector);
    void vscode.commands.executeCommand(commands.rankPatches, vscode.Uri.file(image));
    const late = () => {
      mkdirSync(path.join(directory, "cards/late"), { recursive: true });
      return "Undo";
    };
    await answering("showInformationMessage", late, async () => {
      await vscode.commands.executeCommand(commands.deleteRun, path.basename(directory));
      await eventually("the folder is back", () => existsSync(path.join(directory, "result.json")));
    });
    assert.ok(Object.values(inspector.state.cards).every(({ status }) => status !== "running"));
  });

  it("of a request that another one overtook leaves no folder behind", async () => {
    const { services } = await bulwark();
    const { image, model } = await pictureAndModel();
    const uri = vscode.Uri.file(image);
    const slow = vscode.commands.executeCommand(commands.attackThisImage, uri, {
      model,
      attack: "pgd",
      params: { eps: 0.1, steps: 10_000 },
    });
    const first = await eventually("iterations arrive", () => {
      const state = inspectorPanel.get(services, image)?.state;
      return state && state.trace.length > 0 && state.runId;
    });
    const fast = await vscode.commands.executeCommand<AttackImageResult>(commands.attackThisImage, uri, {
      model,
      attack: "fgsm",
      params: {},
    });
    assert.equal(await slow, undefined);
    assert.equal(inspectorPanel.get(services, image)?.state.runId, path.basename(fast.directory));
    await eventually("the folder is gone", () => !existsSync(path.join(path.dirname(fast.directory), first)));
  });
});
