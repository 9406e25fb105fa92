import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Frame, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PatchDocument } from "../../src/shared/patch.ts";
import { contextMenu, explorerRow } from "../harness/gestures.mjs";
import { openWindow, painted, type Window } from "./window.ts";

const image = "seven.png";
let window: Window;
let page: Page;

beforeAll(async () => {
  window = await openWindow({ name: "studio", expects: image, width: 1400, height: 1300 });
  page = window.page;
});
afterAll(() => window?.close());

const studio = (): Promise<Frame> => window.panel("main.studio");
const field = (frame: Frame, name: string) => frame.locator("label.field", { hasText: name }).locator("vscode-text-field input");
/** The trained patch as its file says it. */
function written(): PatchDocument {
  const runs = path.join(window.workspace, ".bulwark/runs");
  const run = readdirSync(runs).find((name) => existsSync(path.join(runs, name, "patch.json")));
  if (!run) throw new Error("no patch was written");
  return JSON.parse(readFileSync(path.join(runs, run, "patch.json"), "utf8")) as PatchDocument;
}
const percent = (share: number | null): string => `${(100 * (share ?? Number.NaN)).toFixed(1)} %`;

describe("Patch Studio", () => {
  it("opens from the explorer's menu and trains a patch, with a curve on the way", async () => {
    await contextMenu(page, explorerRow(page, image).first(), "Open Patch Studio");
    const frame = await studio();
    await frame.locator("vscode-option", { hasText: "MNIST" }).first().waitFor({ state: "attached" });
    await field(frame, "Maximum images").fill("100");
    await field(frame, "Steps").fill("40");
    const target = frame.locator("label.field", { hasText: "Target class" }).locator("vscode-dropdown");
    await target.locator('vscode-option[value="3"]').waitFor({ state: "attached" });
    await target.click();
    await target.locator('vscode-option[value="3"]').click();
    await frame.locator("vscode-button", { hasText: "20 %" }).click();
    await frame.locator("vscode-button", { hasText: "Train the patch" }).click();
    await frame.locator(".status-line", { hasText: "Trained in 40 steps on 100 images." }).waitFor({ timeout: 60_000 });
    const { training, target: goal, area } = written();
    expect([goal?.index, area, training.imageCount]).toEqual([3, 0.2, 100]);
    const figures = await frame.locator(".progress-row").textContent();
    expect(figures).toContain(percent(training.figures.successRate));
    for (const index of [0, 1]) expect((await painted(frame, ".uplot canvas", index)).colours).toBeGreaterThan(20);
    await window.picture("studio-trained");
  });

  it("follows the keys on the picture with the model's own prediction", async () => {
    const frame = await studio();
    const canvas = frame.locator(".place-canvas");
    await canvas.scrollIntoViewIfNeeded();
    const before = await canvas.getAttribute("aria-label");
    expect(before).toContain("row 14, column 14");
    await canvas.focus();
    for (const key of ["ArrowUp", "Shift+ArrowLeft", "r", "-"]) await page.keyboard.press(key);
    await frame.locator('.place-canvas[aria-label*="row 13, column 6, rotated 15°, scale 0.909"]').waitFor();
    await frame.locator(".verdict", { hasText: "7 (" }).waitFor();
    const box = await canvas.boundingBox();
    if (!box) throw new Error("the picture is not shown");
    await page.mouse.move(box.x + (6 / 28) * box.width, box.y + (13 / 28) * box.height);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2, { steps: 4 });
    await page.mouse.up();
    await frame.locator('.place-canvas[aria-label*="row 14, column 14"]').waitFor();
    expect((await painted(frame, ".place-canvas")).colours).toBeGreaterThan(8);
  });

  it("pastes it at random, and maps where it works", async () => {
    const frame = await studio();
    await frame.locator("vscode-button", { hasText: "Paste at random places" }).click();
    await frame.locator(".previews figure").nth(15).waitFor();
    expect(await frame.locator(".previews figure").count()).toBe(16);
    await field(frame, "Images per place").fill("8");
    await field(frame, "Stride (px)").fill("4");
    await frame.locator("vscode-button", { hasText: "Compute map" }).click();
    await frame.locator(".heat td button").first().waitFor();
    const shown = await frame.locator(".heat td button").allTextContents();
    // 28 pixels, a patch of 13: middles from 6.5 to 21.5, four pixels apart.
    expect(shown).toHaveLength(16);
    for (const text of shown) expect(Number(text)).toBeLessThanOrEqual(100);
    await frame.locator(".previews").scrollIntoViewIfNeeded();
    await window.picture("studio-tried");
  });

  it("is there again after the window was loaded anew", async () => {
    await window.reload();
    const frame = await studio();
    await frame.locator(".status-line", { hasText: "Trained in 40 steps" }).waitFor();
    await frame.locator(".heat td button").first().waitFor();
    await frame.locator(".verdict").waitFor();
    await frame.locator("h1").scrollIntoViewIfNeeded();
    await window.pictures("studio", () => studio());
  });
});
