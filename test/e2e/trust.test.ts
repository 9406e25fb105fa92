import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { contextMenu, explorerRow, statusItem } from "../harness/gestures.mjs";
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
    await statusItem(page, "Restricted Mode").waitFor();
    await contextMenu(page, explorerRow(page, image).first(), "Attack this image");
    await page.locator(".notification-toast", { hasText: /trust/i }).first().waitFor();
    await window.picture("untrusted");
    expect(await page.locator("iframe.webview").count()).toBe(0);
  });

  it("works as soon as it is trusted", async () => {
    await page.locator(".notification-toast .monaco-button", { hasText: "Manage Trust" }).click();
    const editor = page.locator(".workspace-trust-editor");
    await editor.locator("a.monaco-button", { hasText: "Trust" }).first().click();
    await editor.getByText("You trust this folder").waitFor();
    await contextMenu(page, explorerRow(page, image).first(), "Attack this image");
    const frame = await window.panel("main.inspector");
    await frame.locator(".verdict.fooled, .verdict.resisted").first().waitFor();
  });
});
