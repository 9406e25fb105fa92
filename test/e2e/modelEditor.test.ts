import { writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { codeLens, explorerRow, openWith } from "../harness/gestures.mjs";
import { tinyOnnx } from "../harness/tinyOnnx.ts";
import { openWindow, type Window } from "./window.ts";

let window: Window;
beforeAll(async () => {
  const prepare = (workspace: string): void => {
    writeFileSync(path.join(workspace, "net.onnx"), tinyOnnx());
    writeFileSync(path.join(workspace, "export.py"), 'import torch\n\ntorch.onnx.export(model, x, "net.onnx")\n');
  };
  window = await openWindow({ name: "model-editor", expects: "net.onnx", isBare: true, prepare });
});
afterAll(() => window?.close());

it("an ONNX file opens with its page, is checked, and is there again after a reload", async () => {
  const { page } = window;
  await openWith(page, explorerRow(page, "net.onnx").first(), "Bulwark Model Page");
  const frame = await window.panel("main.model .check-line");
  await frame.getByText("Checked against ONNX Runtime").waitFor();
  await frame.locator("td", { hasText: "Conv2D" }).first().waitFor();
  await window.pictures("model-editor", () => frame.getByText("Checked against ONNX Runtime").waitFor());
  await page.setViewportSize({ width: 640, height: 860 }); // the page is about 320 wide
  await window.pictures("model-editor-narrow", () => frame.getByText("Checked against ONNX Runtime").waitFor());
  await page.setViewportSize({ width: 1280, height: 860 });
  await window.reload();
  const again = await window.panel("main.model .check-line");
  await again.getByText("Checked against ONNX Runtime").waitFor();
  writeFileSync(path.join(window.workspace, "net.onnx"), tinyOnnx().subarray(0, 700));
  await again.getByRole("alert").getByText("is cut off").waitFor();
  await window.picture("model-editor-cut-off");
});

it("a program that saves a model has lenses, and they lead to its page", async () => {
  const { page, workspace } = window;
  writeFileSync(path.join(workspace, "net.onnx"), tinyOnnx());
  await explorerRow(page, "export.py").first().dblclick();
  await codeLens(page, "Evaluate robustness of net.onnx").waitFor();
  await window.picture("model-lens");
  await codeLens(page, "Inspect").click();
  const frame = await window.panel("main.model .check-line");
  expect(await frame.getByRole("heading", { name: "net.onnx" }).count()).toBe(1);
});
