import assert from "node:assert/strict";
import * as vscode from "vscode";

describe("extension host", () => {
  it("holds the extension, contributed for Node", () => {
    const extension = vscode.extensions.getExtension("bulwark-ml.bulwark");
    assert.ok(extension);
    assert.equal(extension.extensionKind, vscode.ExtensionKind.Workspace);
  });

  it("is opened on the copy of the samples", () => {
    assert.equal(vscode.workspace.workspaceFolders?.[0]?.uri.fsPath, process.env["BULWARK_TEST_WORKSPACE"]);
  });
});
