import assert from "node:assert/strict";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as vscode from "vscode";
import { inspectorPanel } from "../../../src/extension/panels/inspector/inspector.ts";
import { modelPanel } from "../../../src/extension/panels/model.ts";
import { sampleOf } from "../../../src/extension/samples.ts";
import { commands, modelEditor, settings } from "../../../src/shared/contributions.ts";
import type { PanelError } from "../../../src/shared/panels.ts";
import type { RunExperimentResult } from "../../../src/shared/protocol.ts";
import type { RunReport } from "../../../src/shared/results.ts";
import { tinyOnnx } from "../../harness/tinyOnnx.ts";
import { bulwark, closeAll, eventually, positionOf, showExperiment } from "../support.ts";

const folder = (): string => path.join(workspace(), "nets");
const workspace = (): string => vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? "";
function written(name: string, content: string | Buffer): string {
  const file = path.join(folder(), name);
  writeFileSync(file, content);
  return file;
}
const openEditor = (file: string): Thenable<unknown> =>
  vscode.commands.executeCommand("vscode.openWith", vscode.Uri.file(file), modelEditor);
const labels = (error: PanelError | null | undefined): string[] =>
  error ? [error.action, ...(error.others ?? [])].flatMap((action) => (action ? [action.label] : [])) : [];
const lensesOf = async (file: string): Promise<string[]> => {
  await vscode.workspace.openTextDocument(file); // lenses are made for open documents only
  const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>("vscode.executeCodeLensProvider", vscode.Uri.file(file), 20);
  return lenses.flatMap(({ command }) => (command?.command.startsWith("bulwark.") ? [command.title] : []));
};

describe("model files", () => {
  before(async () => {
    await bulwark();
    mkdirSync(folder(), { recursive: true });
  });
  afterEach(closeAll);
  after(() => rmSync(folder(), { recursive: true }));

  it("open in an editor with the model's page, are checked, and are followed", async () => {
    const { services } = await bulwark();
    const file = written("net.onnx", tinyOnnx());
    await openEditor(file);
    const session = await eventually("the page", () => modelPanel.get(services, file));
    const shown = await eventually("its check", () => session.state.check?.status === "done" && session.state);
    assert.equal(shown.inspection?.parameters, 3 * 3 * 3 * 4 + 4 + 4 * 3 + 3);
    assert.ok((shown.check?.result?.difference ?? 1) < 1e-5);
    assert.ok(vscode.window.tabGroups.activeTabGroup.activeTab?.input instanceof vscode.TabInputCustom);
    // Inspect Model… leads to the same page.
    await vscode.commands.executeCommand(commands.inspectModel, vscode.Uri.file(file));
    assert.equal(modelPanel.get(services, file), session);
    writeFileSync(file, tinyOnnx().subarray(0, 700));
    await eventually("the failure", () => session.state.status === "failed");
    assert.match(session.state.error?.error.message ?? "", /cut off/);
    assert.deepEqual(labels(session.state.error), ["Read Again"]);
    writeFileSync(file, tinyOnnx());
    await eventually("the file again", () => session.state.check?.status === "done" && session.state.status === "ready");
  });

  it("take over the page that was open", async () => {
    const { services } = await bulwark();
    const file = written("other.onnx", tinyOnnx());
    await vscode.commands.executeCommand(commands.inspectModel, vscode.Uri.file(file));
    const page = modelPanel.get(services, file);
    await openEditor(file);
    await eventually("the editor in place of the page", () => {
      const now = modelPanel.get(services, file);
      return now !== undefined && now !== page && now.state.status === "ready";
    });
  });

  it("that cannot be opened say why, with what to do as a button", async () => {
    const { services } = await bulwark();
    const zip = Buffer.concat([Buffer.from("PK\u0003\u0004", "latin1"), Buffer.alloc(40)]);
    const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n";
    const cases: readonly (readonly [string, string | Buffer, RegExp, string])[] = [
      ["renamed.onnx", zip, /is a PyTorch model/, "Copy Export Snippet"],
      ["pointer.onnx", pointer, /Git LFS pointer/, "Open Terminal with git lfs pull"],
      ["table.h5", Buffer.concat([Buffer.from("894844460d0a1a0a", "hex"), Buffer.alloc(200)]), /table\.h5/, "Read Again"],
    ];
    for (const [name, content, message, label] of cases) {
      const file = written(name, content);
      await openEditor(file);
      const error = await eventually(name, () => modelPanel.get(services, file)?.state.error ?? undefined);
      assert.match(error.error.message, message);
      assert.equal(labels(error)[0], label, name);
    }
  });

  it("have lenses above the lines that save or load them, once they are there and unless switched off", async () => {
    const program = written(
      "train.py",
      'import torch\ntorch.onnx.export(model, x, "later.onnx")\n# torch.onnx.export(model, x, "net.onnx")\n',
    );
    await vscode.window.showTextDocument(vscode.Uri.file(program));
    assert.deepEqual(await lensesOf(program), []);
    written("later.onnx", tinyOnnx());
    const titles = ["$(beaker) Evaluate robustness of later.onnx", "$(info) Inspect"];
    assert.deepEqual(await lensesOf(program), titles);
    const script = written(
      "use.ts",
      'const a = tf.loadLayersModel("file://nets/model.json");\nconst b = ort.InferenceSession.create("../../outside.onnx");\n',
    );
    assert.deepEqual(await lensesOf(script), []);
    written("model.json", "{}");
    assert.deepEqual(await lensesOf(script), ["$(beaker) Evaluate robustness of nets", "$(info) Inspect"]);
    await vscode.workspace.getConfiguration().update(settings.modelLenses, false, vscode.ConfigurationTarget.Workspace);
    try {
      assert.deepEqual(await lensesOf(program), []);
    } finally {
      await vscode.workspace.getConfiguration().update(settings.modelLenses, undefined, vscode.ConfigurationTarget.Workspace);
    }
  });

  it("that give scores only are attacked by scores alone, in the Inspector and in an evaluation", async () => {
    const { services } = await bulwark();
    const file = written("scores.onnx", tinyOnnx());
    written("scores.bulwark.json", JSON.stringify({ input: { mean: 0, scale: 255 }, forwardOnly: true }));
    const photos = path.join(folder(), "photos");
    const { pictures } = sampleOf(services.context.extensionPath, "photos");
    for (const [i, name] of readdirSync(pictures).slice(0, 3).entries())
      cpSync(path.join(pictures, name), path.join(photos, `${i}`), { recursive: true });
    const [image = ""] = readdirSync(path.join(photos, "0")).map((name) => path.join(photos, "0", name));
    const options = { model: file, attack: "fgsm" };
    assert.equal(await vscode.commands.executeCommand(commands.attackThisImage, vscode.Uri.file(image), options), undefined);
    const inspector = inspectorPanel.get(services, image);
    assert.equal(inspector?.state.error?.error.code, "MODEL_FORWARD_ONLY");
    assert.deepEqual(labels(inspector?.state.error).slice(0, 2), ["Attack by Scores Alone", "Choose Another Attack…"]);
    await inspector?.fix("inspector.scores");
    assert.equal(inspector?.state.error, null);
    assert.equal(inspector?.state.attack.id, "sparseRs");
    const { card: seen } = await eventually("the attention, by an explanation that asks for scores alone", () => {
      const card = inspector?.state.cards.attention;
      return card?.status !== "running" && card && { card };
    });
    assert.deepEqual([seen.error, seen.result?.explanation], [null, { id: "lime", params: {} }]);
    assert.ok(seen.result?.clean.superpixels);
    const arguments_ = [vscode.Uri.file(file), `imageFolder:${photos}`] as const;
    const done = await vscode.commands.executeCommand<RunExperimentResult>(commands.evaluateModel, ...arguments_);
    const report = JSON.parse(readFileSync(path.join(done.directory, "report.json"), "utf8")) as RunReport;
    assert.deepEqual(
      report.arms.flatMap(({ attacks }) => attacks.map(({ attack }) => attack.id)),
      ["sparseRs"],
    );
  });

  it("of other programs are a problem of an experiment file, with the lines that export them", async () => {
    written("theirs.pt", "weights");
    const document = await showExperiment(
      "theirs",
      '{ "seed": 1, "dataset": { "kind": "mnist" }, "model": { "file": "nets/theirs.pt" }, "attacks": [{ "kind": "fgsm" }] }',
    );
    await eventually("the problem", () =>
      vscode.languages.getDiagnostics(document.uri).some(({ message }) => message.includes("is a PyTorch model")),
    );
    const at = positionOf(document, "theirs.pt");
    const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>(
      "vscode.executeCodeActionProvider",
      document.uri,
      new vscode.Range(at, at),
    );
    const copy = actions.find(({ title }) => title === "Copy the export snippet");
    assert.ok(copy?.command);
    await vscode.commands.executeCommand(copy.command.command, ...(copy.command.arguments ?? []));
    assert.match(await vscode.env.clipboard.readText(), /torch\.onnx\.export\(model\.eval\(\), .*"theirs\.onnx"/);
  });
});
