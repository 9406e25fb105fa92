import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { contextMenu, explorerRow, runCommand, workbenchReady } from "../harness/gestures.mjs";
import { openWindow, type Window } from "./window.ts";

const image = "seven.png";
let window: Window;
let page: Page;

beforeAll(async () => {
  window = await openWindow({ name: "trust", expects: image, trust: true });
  page = window.page;
});
afterAll(() => window?.close());

describe("a folder that is not trusted", () => {
  it("opens in restricted mode, where nothing of the folder is run", async () => {
    await page.getByRole("button", { name: /No, I don't trust/ }).click();
    await workbenchReady(page, image);
    await contextMenu(page, explorerRow(page, image).first(), "Attack this image");
    await page.locator(".notification-toast", { hasText: /trust/i }).first().waitFor();
    await window.picture("untrusted");
    expect(await page.locator("iframe.webview").count()).toBe(0);
  });

  it("works as soon as it is trusted", async () => {
    await runCommand(page, "Workspaces: Manage Workspace Trust");
    await page.locator(".workspace-trust-editor a.monaco-button", { hasText: "Trust" }).first().click();
    await page.locator(".workspace-trust-editor", { hasText: /trusted/i }).waitFor();
    await contextMenu(page, explorerRow(page, image).first(), "Attack this image");
    const frame = await window.panel("main.inspector");
    await frame.locator(".verdict.fooled, .verdict.resisted").first().waitFor();
  });
});
