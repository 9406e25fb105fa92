import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as vscode from "vscode";
import { commands } from "../../../src/shared/contributions.ts";
import { bulwark, closeAll, pictureAndModel, workspace } from "../support.ts";

describe("data", () => {
  afterEach(closeAll);

  it("are found as a folder with one subfolder for each class, and previewed", async () => {
    const { trees } = await bulwark();
    const { image } = await pictureAndModel();
    const folder = path.join(workspace(), "pets");
    for (const name of ["cat", "dog"]) {
      mkdirSync(path.join(folder, name), { recursive: true });
      writeFileSync(path.join(folder, name, "one.png"), readFileSync(image));
    }
    const nodes = (await trees.data.getChildren()) ?? [];
    const pets = nodes.find((node) => node.spec === `imageFolder:${folder}`);
    assert.ok(pets);
    assert.equal(pets.item.description, "2 images · 2 classes");
    const classes = (await pets.children?.()) ?? [];
    assert.deepEqual(
      classes.map((node) => node.item.label),
      ["cat", "dog"],
    );
    const shown = await vscode.commands.executeCommand<vscode.Uri>(commands.previewData, pets);
    assert.equal(shown.fsPath, path.join(folder, "cat", "one.png"));
  });

  it("of MNIST are previewed as a sheet", async () => {
    const pixels = 28 * 28;
    const idx = Buffer.alloc(16 + 3 * pixels, 200);
    for (const [at, value] of [0x803, 3, 28, 28].entries()) idx.writeUInt32BE(value, 4 * at);
    const folder = path.join(workspace(), ".bulwark", "data", "fashionMnist");
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, "t10k-images-idx3-ubyte"), idx);
    const sheet = await vscode.commands.executeCommand<vscode.Uri>(commands.previewData, "fashionMnist");
    assert.ok(existsSync(sheet.fsPath));
    assert.equal(readFileSync(sheet.fsPath).subarray(1, 4).toString("latin1"), "PNG");
  });
});
