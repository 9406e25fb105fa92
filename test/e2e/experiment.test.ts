import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Frame, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { choose, codeLens, explorerRow, openActivity, runCommand, treeRow } from "../harness/gestures.mjs";
import { openWindow, painted, type Window } from "./window.ts";

/** Small enough for two cores: seconds, not minutes. */
const experiment = `{
  "name": "tiny",
  "seed": 1,
  "dataset": { "kind": "mnist", "train": 800, "test": 40 },
  "model": { "kind": "lenet" },
  "train": { "epochs": 2, "batchSize": 64, "optimizer": "adam", "learningRate": 0.002, "quickAttack": { "kind": "fgsm", "eps": 0.3 } },
  "attacks": [{ "kind": "fgsm", "eps": 0.3 }, { "kind": "pgd", "eps": 0.3, "steps": 10, "stepSize": 0.06 }],
  "explanations": [{ "kind": "gradCam", "samples": 2 }],
  "control": false,
  "compare": [{ "name": "volumized", "defense": { "kind": "volumizedCurriculum", "measure": "mutualInformation", "patch": 7, "kernelDepth": 3 } }]
}
`;
let window: Window;
let page: Page;

beforeAll(async () => {
  window = await openWindow({
    name: "experiment",
    expects: "tiny.bulwark.jsonc",
    prepare: (workspace) => writeFileSync(path.join(workspace, "tiny.bulwark.jsonc"), experiment),
  });
  page = window.page;
});
afterAll(() => window?.close());

const runFolder = (): string => {
  const runs = path.join(window.workspace, ".bulwark/runs");
  const found = readdirSync(runs).find((name) => name.endsWith("-tiny"));
  if (!found) throw new Error("no run of the experiment was written");
  return path.join(runs, found);
};
const training = (): Promise<Frame> => window.panel("main.training");
const report = (): Promise<Frame> => window.panel("main.report");
/** Both charts hold lines: more colours than an empty plot's background, grid and text. */
async function curves(): Promise<Frame> {
  const frame = await training();
  await frame.locator(".uplot canvas").nth(1).waitFor();
  for (const index of [0, 1]) expect((await painted(frame, ".uplot canvas", index)).colours).toBeGreaterThan(20);
  return frame;
}
/** Leaves the whole width to the panel. */
async function closeFile(): Promise<void> {
  await page.locator(".tab", { hasText: "tiny.bulwark.jsonc" }).click();
  await runCommand(page, "View: Close Editor");
  await page.locator(".tab", { hasText: "tiny.bulwark.jsonc" }).waitFor({ state: "hidden" });
  await runCommand(page, "Notifications: Clear All Notifications");
}
async function table(): Promise<Frame> {
  const frame = await report();
  await frame.locator("table td").first().waitFor();
  return frame;
}

describe("Experiment", () => {
  it("shows lenses above the file and draws the training from the Run lens on", async () => {
    await explorerRow(page, "tiny.bulwark.jsonc").dblclick();
    for (const lens of ["Run", "Train", "Evaluate"]) await codeLens(page, lens).first().waitFor();
    await window.picture("lenses");
    await codeLens(page, "Run").first().click();
    await curves();
    await window.picture("training-running");
  });

  it("ends with a report whose figures are those of report.json", async () => {
    const frame = await training();
    await frame.getByText("Open report").first().waitFor({ timeout: 170_000 });
    // Two arms and four digits: each digit itself, and its attention after either epoch.
    expect(await frame.locator(".epoch-cell.first img").count()).toBe(8);
    expect(await frame.locator(".epoch-cell:not(.first) img").count()).toBe(16);
    await closeFile();
    await window.pictures("training", curves);
    await (await training()).getByText("Open report").first().click();
    const shown = await (await table()).locator("table").first().textContent();
    const written = JSON.parse(readFileSync(path.join(runFolder(), "report.json"), "utf8"));
    expect(written.arms.map((arm: { name: string }) => arm.name)).toHaveLength(2);
    for (const arm of written.arms) {
      expect(shown).toContain(arm.name);
      for (const { attacked } of arm.attacks) expect(shown).toContain(`${(100 * attacked.accuracy).toFixed(1)} %`);
    }
  });

  it("lists every image in the ledger", async () => {
    const frame = await report();
    const thumbnail = frame.locator(".ledger-frame .thumbs img").first();
    await thumbnail.scrollIntoViewIfNeeded();
    const width = await thumbnail.evaluate(async (element) => {
      const image = element as HTMLImageElement;
      await image.decode();
      return image.naturalWidth;
    });
    expect(width).toBe(28);
    expect(await frame.locator(".ledger").textContent()).toContain("40 of 40 images");
    await window.picture("report-ledger");
    await frame.locator("h1").scrollIntoViewIfNeeded();
    await window.pictures("report", table);
  });

  it("shows models, data, runs and findings in the side bar", async () => {
    await openActivity(page, "Bulwark");
    await treeRow(page, "tiny").first().waitFor();
    await treeRow(page, "MNIST").first().waitFor();
    await window.pictures("views", () => treeRow(page, "MNIST").first().waitFor());
  });

  it("restores its panels after the window was loaded anew", async () => {
    await openActivity(page, "Explorer");
    await window.reload();
    await table();
    await choose(page, "Bulwark: Open Training Curves…", "tiny");
    await curves();
    // It lay behind the report and nobody had looked at it: it is that one, not a second.
    expect(await page.locator(".tab", { hasText: "Training: tiny" }).count()).toBe(1);
  });

  it("opens the doctor from the palette", async () => {
    await runCommand(page, "Bulwark: Run Doctor");
    const doctor = await window.panel("main.doctor");
    await doctor.getByText("onnxruntime").first().waitFor();
  });
});
