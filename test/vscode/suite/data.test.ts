import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as vscode from "vscode";
import { commands } from "../../../src/shared/contributions.ts";
import type { PreviewState } from "../../../src/shared/previews.ts";
import { bulwark, closeAll, pictureAndModel, workspace } from "../support.ts";

const preview = (what: unknown): Thenable<PreviewState> => vscode.commands.executeCommand<PreviewState>(commands.previewData, what);

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
    const shown = await preview(pets);
    assert.deepEqual(shown.groups, [
      { name: "cat", count: 1 },
      { name: "dog", count: 1 },
    ]);
    assert.deepEqual(
      shown.items.map(({ name, group }) => [name, group]),
      [
        [path.join("cat", "one.png"), 0],
        [path.join("dog", "one.png"), 1],
      ],
    );
    assert.equal(shown.areFiles, true);
  });

  it("are found beside a label file, in a divided folder and without labels", async () => {
    const { trees } = await bulwark();
    const { image } = await pictureAndModel();
    const put = (...parts: string[]): void => {
      const file = path.join(workspace(), ...parts);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, readFileSync(image));
    };
    put("scans", "a.png");
    writeFileSync(path.join(workspace(), "scans", "labels.csv"), "file,label\na.png,cat\n");
    for (const split of ["Training", "Testing"]) for (const name of ["cat", "dog"]) put("divided", split, name, "one.png");
    put("holiday", "beach.png");
    const nodes = (await trees.data.getChildren()) ?? [];
    const described = (spec: string): unknown => nodes.find((node) => node.spec === spec)?.item.description;
    assert.equal(described(`imageFolder:${path.join(workspace(), "scans")}`), "1 image · label file");
    assert.equal(described(`imageFolder:${path.join(workspace(), "divided")}`), "2 images · 2 classes");
    assert.equal(described(`pictures:${path.join(workspace(), "holiday")}`), "1 image without labels");
    const shown = await preview(`pictures:${path.join(workspace(), "holiday")}`);
    assert.deepEqual([shown.total, shown.groups, shown.areFiles], [1, [], true]);
    for (const folder of ["scans", "divided", "holiday"]) rmSync(path.join(workspace(), folder), { recursive: true });
  });

  it("in no files of their own are written for the preview", async () => {
    const pixels = 28 * 28;
    const idx = Buffer.alloc(16 + 3 * pixels, 200);
    for (const [at, value] of [0x803, 3, 28, 28].entries()) idx.writeUInt32BE(value, 4 * at);
    const labels = Buffer.from([0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 7]);
    const folder = path.join(workspace(), ".bulwark", "data", "fashionMnist");
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, "t10k-images-idx3-ubyte"), idx);
    writeFileSync(path.join(folder, "t10k-labels-idx1-ubyte"), labels);
    const { services } = await bulwark();
    const shown = await preview("fashionMnist");
    assert.deepEqual([shown.total, shown.groups[7]?.count, shown.groups[2]?.count, shown.areFiles], [3, 2, 1, false]);
    const written = path.join(services.context.globalStorageUri.fsPath, "preview");
    assert.ok(existsSync(written), "the pictures lie in the extension's own storage");
    rmSync(folder, { recursive: true });
  });
});
