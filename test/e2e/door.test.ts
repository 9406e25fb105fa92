import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sideBarIcon, welcomeButton } from "../harness/gestures.mjs";
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
