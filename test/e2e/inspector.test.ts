import { writeFileSync } from "node:fs";
import path from "node:path";
import type { Frame, Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { contextMenu, explorerRow } from "../harness/gestures.mjs";
import { openWindow, painted, type Window } from "./window.ts";

const image = "seven.png";
let window: Window;
let page: Page;

beforeAll(async () => {
  window = await openWindow({
    name: "inspector",
    expects: image,
    height: 1200, // as much of the panel as possible in one picture
    async prepare(workspace) {
      writeFileSync(path.join(workspace, "broken.png"), "this is not a picture");
      const digit = sharp(path.join(workspace, image)).resize(300, 300).extend({ left: 50, right: 50, background: "black" });
      await digit.png().toFile(path.join(workspace, "photo.png"));
    },
  });
  page = window.page;
});
afterAll(() => window?.close());

const inspector = (): Promise<Frame> => window.panel("main.inspector");
/** The panel once the attack has ended, whichever way. */
async function finished(): Promise<Frame> {
  const frame = await inspector();
  await frame.locator(".verdict.fooled, .verdict.resisted").first().waitFor();
  return frame;
}
/** How long a busy machine may take: a wait ends with what it waits for. */
const patience = { timeout: 20_000 };
/** Value beside a name in the list of figures. */
const fact = async (frame: Frame, name: string): Promise<string> =>
  (await frame.locator(".facts dt", { hasText: name }).locator("xpath=following-sibling::dd[1]").textContent()) ?? "";

/** Every slice is a picture that the browser could read. */
const slicesLoaded = (frame: Frame): Promise<unknown> =>
  frame.locator(".filmstrip img").evaluateAll((images) => Promise.all(images.map((image) => (image as HTMLImageElement).decode())));

describe("Inspector", () => {
  it("opens from the explorer's menu and shows what the attack did", async () => {
    const row = explorerRow(page, image).first();
    await row.waitFor();
    await contextMenu(page, row, "Attack this image", () => window.picture("menu"));
    const frame = await finished();
    expect(await frame.locator("h1").textContent()).toBe(image);
    expect(Number(await fact(frame, "L∞"))).toBeGreaterThan(0);
    expect(Number(await fact(frame, "L2"))).toBeGreaterThan(0);
    expect(await fact(frame, "Pixels")).toMatch(/^[1-9]\d* of 784$/);
    // A digit has many greys; the difference of a single sign step is −ε, 0 or +ε almost everywhere.
    for (const [index, colours] of [8, 8, 3].entries())
      expect((await painted(frame, ".picture-row canvas", index)).colours).toBeGreaterThanOrEqual(colours);
  });

  it("shows where the model looks, and other layers without attacking again", async () => {
    const frame = await inspector();
    const layer = frame.locator(".attention vscode-dropdown").nth(1);
    await layer.waitFor();
    const map = (): Promise<string | null> => frame.locator(".attention canvas").first().getAttribute("aria-label");
    const verdict = await frame.locator(".verdict").textContent();
    const before = await map();
    await layer.click();
    await layer.locator("vscode-option").first().click();
    await expect.poll(map, patience).not.toBe(before);
    expect(await frame.locator(".verdict").textContent()).toBe(verdict);
    expect(await frame.locator(".attention .overlap").textContent()).toMatch(/Overlap of the two areas \(IoU\) \S+ \(chance: \S+\)/);
  });

  it("runs another attack with parameters of its own from the form", async () => {
    const frame = await inspector();
    await frame.locator("summary", { hasText: "Parameters" }).click();
    await frame.locator(".parameters vscode-dropdown").first().click();
    await frame.locator(".parameters vscode-option", { hasText: "Projected gradient descent" }).click();
    await frame.locator(".parameters .field-row", { hasText: "ε" }).first().locator("vscode-text-field input").fill("0.3");
    await frame.locator(".parameters vscode-button", { hasText: "Re-run with these" }).click();
    await frame.locator(".subtitle", { hasText: "PGD-40" }).waitFor();
    await frame.locator(".verdict.fooled").waitFor();
    expect(await frame.locator(".subtitle").textContent()).toMatch(/PGD-40.*ε 0\.3/);
    expect(Number(await fact(frame, "L∞"))).toBeCloseTo(0.3, 2);
    expect(await frame.locator(".verdict").textContent()).toMatch(/7 \(.*\) → \d \(.*own prediction changed \(no label\)/);
  });

  it("moves picture, norms, verdict, classes and attention together while scrubbing", async () => {
    const frame = await inspector();
    const slider = frame.locator('input[aria-label="Iteration"]');
    const seen = async (): Promise<(string | null)[]> =>
      Promise.all([
        frame.locator(".pictures figcaption").nth(1).textContent(),
        fact(frame, "L∞"),
        frame.locator(".verdict").textContent(),
        frame.locator(".score-table tbody").first().textContent(),
      ]);
    const map = (): Promise<string | null> => frame.locator(".attention canvas").nth(1).getAttribute("aria-label");
    await expect.poll(map, patience).toMatch(/strongest at/);
    const [end, endMap] = [await seen(), await map()];
    await slider.focus();
    await page.keyboard.press("Home");
    await frame.locator(".pictures figcaption", { hasText: "Start" }).waitFor();
    const start = await seen();
    for (const [i, text] of start.entries()) expect(text, `part ${i}`).not.toBe(end[i]);
    expect(start[2]).toMatch(/^Start: still 7/);
    await frame.locator(".attention figure.stale").waitFor({ state: "detached" });
    await expect.poll(map, patience).toMatch(/^Attention at its start, strongest at/);
    await window.picture("inspector-scrubbed");
    await page.keyboard.press("End");
    expect(await seen()).toEqual(end);
    await expect.poll(map, patience).toBe(endMap);
  });

  it("puts a defence in front of both pictures, and attacks through it", async () => {
    const frame = await inspector();
    const card = frame.locator("details.section", { hasText: "Try a defence" }).last();
    await card.locator("summary").first().click();
    await card.locator("vscode-button", { hasText: "Add" }).click();
    await card.locator("figcaption", { hasText: "Adversarial, defended" }).waitFor();
    expect(await card.textContent()).toMatch(/Without → with the defence\. Clean: 7 \(.*\) → \d \(.*\)\. Adversarial: \d \(.*\) → \d \(/);
    await card.evaluate((element) => element.scrollIntoView({ block: "start" }));
    await window.picture("inspector-defence");
    await card.locator("vscode-button", { hasText: "Attack through these" }).click();
    await frame.locator(".subtitle", { hasText: "through" }).waitFor();
    await frame.locator("p", { hasText: "Adaptive attack: BPDA through" }).waitFor();
    await window.picture("inspector-through");
  });

  it("asks a detector about both pictures, and chooses its threshold on clean images", async () => {
    const frame = await inspector();
    const card = frame.locator("details.section", { hasText: "Is this image adversarial?" }).last();
    await card.locator("summary").first().click();
    await card.locator("vscode-button", { hasText: "Run the detector" }).click();
    const verdict = card.locator(".detected");
    await verdict.filter({ hasText: "No verdict without a threshold (clean:" }).waitFor();
    expect(await card.locator(".chart").textContent()).toContain("Votes of 100 passes by class");
    await card.locator('canvas[aria-label^="Sampling probabilities of"][aria-label*="largest at row"]').first().waitFor();
    for (const side of [0, 1]) expect((await painted(frame, ".detection canvas[tabindex]", side)).colours).toBeGreaterThan(8);
    await card.locator(".threshold vscode-text-field input").last().fill("20");
    await card.locator("vscode-button", { hasText: "Score clean images" }).click();
    await verdict.filter({ hasText: /(Caught|Missed|Both are flagged).*threshold: / }).waitFor({ timeout: 120_000 });
    expect(await card.locator(".threshold").textContent()).toMatch(/Above it: \d+ of \d+ .*the test images of mnist/);
    await verdict.evaluate((element) => element.scrollIntoView({ block: "start" }));
    await window.picture("inspector-detector");
  });

  it("ranks the slices of the image", async () => {
    const frame = await inspector();
    await frame.locator("summary", { hasText: "Patch ranking" }).click();
    await frame.locator(".ranking-body .filmstrip .slice").first().waitFor();
    expect(await frame.locator(".ranking-body .filmstrip .slice").count()).toBe(16);
    expect(await frame.locator(".ranked-view").textContent()).toMatch(/The attack moved \d+ of 16 slices/);
    await slicesLoaded(frame);
    await frame.locator(".ranking-settings").evaluate((element) => element.scrollIntoView({ block: "start" }));
    await window.picture("inspector-ranking");
  });

  it("ranks again while the slice size is dragged, and says which sizes fit", async () => {
    const frame = await inspector();
    const size = frame.locator('.ranking-settings input[aria-label="Slice size"]');
    await size.focus();
    for (let i = 0; i < 2; i++) await page.keyboard.press("ArrowLeft");
    const card = frame.locator(".card.warning");
    await card.filter({ hasText: "Slices of 5 × 5 do not divide 28 × 28 pixels" }).waitFor();
    await card.locator("vscode-button", { hasText: "Use 4 × 4" }).click();
    await frame.locator(".ranked-view", { hasText: "of 49 slices" }).waitFor();
    expect(await frame.locator(".filmstrip .slice").count()).toBe(49);
    await frame.locator(".ranked-view vscode-button", { hasText: "Attacked" }).click();
    await frame.locator('.filmstrip .slice[data-slice="24"]').hover();
    await frame.locator('.ranked-view canvas[aria-label*="slice 24 outlined"]').waitFor();
    await slicesLoaded(frame);
    await frame.locator(".ranking-settings").evaluate((element) => element.scrollIntoView({ block: "start" }));
    await window.picture("inspector-ranking-attacked");
  });

  it("is there again after the window was loaded anew, without computing", async () => {
    await window.reload();
    const frame = await finished();
    expect(await frame.locator(".subtitle").textContent()).toContain("PGD-40");
    expect(Number(await fact(frame, "L∞"))).toBeCloseTo(0.3, 2);
    await window.pictures("inspector", finished);
  });

  it("fits a picture of another size, says how, and does it in another way in place", async () => {
    await contextMenu(page, explorerRow(page, "photo.png").first(), "Attack this image");
    const frame = await window.panel("main.inspector h1:text-is('photo.png')");
    const row = frame.locator(".fit-row", { hasText: "Resized from 300×400 to 28×28, centre crop." });
    await row.waitFor();
    expect(await frame.locator(".label-row").textContent()).toContain("No label: attacking the model's own prediction.");
    await row.locator("vscode-dropdown").click();
    await row.locator("vscode-option", { hasText: "Stretch" }).click();
    await frame.locator(".fit-row", { hasText: "Resized from 300×400 to 28×28, stretched." }).waitFor();
    await frame.locator(".verdict.fooled, .verdict.resisted").first().waitFor();
    await window.picture("inspector-photo");
  });

  it("says what is wrong with a picture that is none, and offers the way out", async () => {
    await contextMenu(page, explorerRow(page, "broken.png").first(), "Attack this image");
    const frame = await window.panel("main > .card.error");
    await frame.locator("main > .card.error", { hasText: "broken.png" }).waitFor();
    expect(await frame.locator("main > .card.error vscode-button").count()).toBeGreaterThan(0);
    await window.picture("inspector-error");
  });
});
