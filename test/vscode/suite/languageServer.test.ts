import assert from "node:assert/strict";
import * as vscode from "vscode";
import { bulwark, closeAll, eventually, pictureAndModel, positionOf, showExperiment } from "../support.ts";

const good = `{
  // a comment
  "seed": 1,
  "dataset": { "kind": "mnist", "train": 200, "test": 20 },
  "model": { "kind": "lenet" },
  "attacks": [{ "kind": "pgd", "eps": 0.3, "steps": 40, "stepSize": 0.02 }]
}
`;
const bad = `{
  "dataset": { "kind": "mnst" },
  "model": { "kind": "lenet" },
  "attacks": [{ "kind": "pgd", "eps": 8, "steps": 40 }, { "kind": "pgd", "eps": 0.1, "steps": 10, "stepSize": 0.5 }]
}
`;
const lensesOf = (uri: vscode.Uri): Promise<vscode.CodeLens[]> =>
  eventually("code lenses", async () => {
    const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>("vscode.executeCodeLensProvider", uri, 10);
    const ours = lenses.filter((lens) => lens.command?.command.startsWith("bulwark."));
    return ours.length > 0 && ours;
  });
const codeOf = ({ code }: vscode.Diagnostic): unknown => (typeof code === "object" ? code.value : code);

describe("experiment files", () => {
  before(bulwark);
  afterEach(closeAll);

  it("have their own language and lenses", async () => {
    const document = await showExperiment("lenses", good);
    assert.equal(document.languageId, "bulwark-experiment");
    const titles = (await lensesOf(document.uri)).map((lens) => lens.command?.title);
    assert.deepEqual(titles.slice(0, 3), ["$(play) Run", "$(mortar-board) Train", "$(beaker) Evaluate"]);
  });

  it("show what is wrong, and mend it", async () => {
    const document = await showExperiment("problems", bad);
    const diagnostics = await eventually("problems", () => {
      const found = vscode.languages.getDiagnostics(document.uri);
      return found.length >= 4 && found;
    });
    assert.deepEqual(diagnostics.map(codeOf).sort(), ["RB001", "RB002", "RB009", "UNKNOWN_ID"]);
    const eps = positionOf(document, "8,");
    const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>(
      "vscode.executeCodeActionProvider",
      document.uri,
      new vscode.Range(eps, eps),
    );
    const convert = actions.find((action) => action.title.startsWith('Convert to "8/255"'));
    assert.ok(convert?.edit && convert.isPreferred);
    await vscode.workspace.applyEdit(convert.edit);
    assert.ok(document.getText().includes('"eps": "8/255",'));
    const codes = await eventually("one problem fewer", () => {
      const left = vscode.languages.getDiagnostics(document.uri).map(codeOf);
      return !left.includes("RB001") && left;
    });
    assert.ok(codes.includes("UNKNOWN_ID"));
    await document.save();
  });

  it("complete ids and parameters", async () => {
    const document = await showExperiment("completion", good.replace('"pgd", "eps": 0.3, "steps": 40, "stepSize": 0.02', '"pgd", '));
    const at = async (position: vscode.Position): Promise<string[]> => {
      const list = await vscode.commands.executeCommand<vscode.CompletionList>(
        "vscode.executeCompletionItemProvider",
        document.uri,
        position,
      );
      return list.items.map(({ label }) => (typeof label === "string" ? label : label.label));
    };
    const labels = await eventually("parameters of pgd", async () => {
      const found = await at(positionOf(document, '"pgd", ', 7));
      return found.includes("stepSize") && found;
    });
    assert.ok(labels.includes("eps") && labels.includes("steps"));
    assert.ok((await at(positionOf(document, '"lenet"', 1))).some((label) => label.includes("resnet9")));
  });

  it("explain a key on hover", async () => {
    const document = await showExperiment("hover", good);
    const text = await eventually("hover", async () => {
      const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
        "vscode.executeHoverProvider",
        document.uri,
        positionOf(document, '"seed"', 2),
      );
      const found = hovers.flatMap((hover) => hover.contents.map((part) => (typeof part === "string" ? part : part.value))).join("\n");
      return found !== "" && found;
    });
    assert.match(text, /Seed of everything random/);
  });
});

describe("model files", () => {
  before(bulwark);
  afterEach(closeAll);

  it("have lenses", async () => {
    const { model } = await pictureAndModel();
    const uri = vscode.Uri.file(model);
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri));
    const titles = (await lensesOf(uri)).map((lens) => lens.command?.title);
    assert.deepEqual(titles.slice(0, 3), ["$(beaker) Evaluate robustness", "$(shield) Attack…", "$(info) Inspect"]);
  });
});
