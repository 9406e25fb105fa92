import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { contextMenu, explorerRow, openActivity, sideBarIcon, treeRow, welcomeButton } from "../harness/gestures.mjs";
import { openWindow, type Window } from "./window.ts";

describe("a window without a folder, and nothing but the extension", () => {
  let window: Window;
  beforeAll(async () => {
    window = await openWindow({ name: "door-empty", expects: undefined, isBare: true, height: 1000 });
  });
  afterAll(() => window?.close());

  it("reaches a fooled picture in two clicks", async () => {
    const { page } = window;
    const began = performance.now();
    await sideBarIcon(page).click();
    await welcomeButton(page, "Try on a Sample").first().click();
    const frame = await window.panel("main.inspector");
    await frame.locator(".verdict.fooled").waitFor();
    console.log(`two clicks to a fooled picture: ${((performance.now() - began) / 1000).toFixed(1)} s`);
    await frame.locator(".attention canvas").first().waitFor();
    expect(await page.locator(".notification-toast").count()).toBe(0);
    await window.pictures("door-sample", () => frame.locator(".attention canvas").first().waitFor());
  });
});

describe("a folder of photos and a model of a thousand classes", () => {
  let window: Window;
  beforeAll(async () => {
    window = await openWindow({ name: "door-photos", expects: "kitten.jpg", isBare: true, height: 1000, prepare: photosAndModel });
  });
  afterAll(() => window?.close());

  it("reaches a fooled photo in two clicks, without a file written", async () => {
    const { page } = window;
    await contextMenu(page, explorerRow(page, "kitten.jpg").first(), "Attack this image", () => window.picture("door-menu"));
    const frame = await window.panel("main.inspector");
    await frame.locator(".verdict.fooled").waitFor();
    expect(await frame.locator("main").textContent()).toContain("224");
    await window.pictures("door-photo", () => frame.locator(".attention canvas").first().waitFor());
    await page.setViewportSize({ width: 640, height: 1000 }); // the panel is about 320 wide
    await window.pictures("door-photo-narrow", () => frame.locator(".attention canvas").first().waitFor());
  });

  it("shows the pages of model and data again after a reload", async () => {
    const { page } = window;
    await sideBarIcon(page).click();
    await treeRow(page, "workspace").first().click();
    await (await window.panel(".preview .page-body")).locator(".grid-label").first().waitFor();
    await window.picture("door-data");
    await treeRow(page, "model").first().click();
    const layers = "GlobalAveragePooling2D";
    await (await window.panel("main.page:not(.preview) .page-body")).getByText(layers).first().waitFor();
    await window.picture("door-model");
    await openActivity(page, "Explorer");
    await window.reload();
    await (await window.panel("main.page:not(.preview) .page-body")).getByText(layers).first().waitFor();
    await page.locator(".tab", { hasText: "Data:" }).first().click();
    await (await window.panel(".preview .page-body")).locator(".grid-label").first().waitFor();
    await window.picture("door-reloaded");
  });
});

/** A network of ImageNet's shape with weights of a fixed sequence, and two photographs of another size. */
function photosAndModel(workspace: string): void {
  const samples = path.resolve(import.meta.dirname, "../../media/samples/photos/pictures");
  cpSync(path.join(samples, "cat/kitten.jpg"), path.join(workspace, "kitten.jpg"));
  cpSync(path.join(samples, "bird/duck.jpg"), path.join(workspace, "duck.jpg"));
  const layer = (type: string, name: string, config: Readonly<Record<string, unknown>>) => ({
    class_name: type,
    config: { name, ...config },
  });
  const conv = { filters: 16, kernel_size: [8, 8], strides: [8, 8], padding: "valid", activation: "relu", use_bias: false };
  const layers = [
    layer("InputLayer", "image", { batch_input_shape: [null, 224, 224, 3], dtype: "float32" }),
    layer("Conv2D", "conv", conv),
    layer("GlobalAveragePooling2D", "pool", {}),
    layer("Dense", "logits", { units: 1000, use_bias: false, activation: "softmax" }),
  ];
  const specs = [
    { name: "conv/kernel", shape: [8, 8, 3, 16], dtype: "float32" },
    { name: "logits/kernel", shape: [16, 1000], dtype: "float32" },
  ];
  const weights = Float32Array.from({ length: 8 * 8 * 3 * 16 + 16 * 1000 }, (_, i) => Math.sin(i * 12.9898) * 0.5);
  const topology = { class_name: "Sequential", config: { name: "thousand", layers } };
  const folder = path.join(workspace, "model");
  mkdirSync(folder);
  writeFileSync(path.join(folder, "weights.bin"), new Uint8Array(weights.buffer));
  const manifest = [{ paths: ["weights.bin"], weights: specs }];
  writeFileSync(
    path.join(folder, "model.json"),
    JSON.stringify({ format: "layers-model", modelTopology: topology, weightsManifest: manifest }),
  );
}
