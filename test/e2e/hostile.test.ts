import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { exampleReport, onePixelPng } from "../golden/exampleReport.ts";
import { runCommand, sideBarIcon, statusItem, treeRow } from "../harness/gestures.mjs";
import { openWindow, type Window } from "./window.ts";

/** A folder of a stranger: whatever in it could run leaves a file here, and what it points at lies here. */
let outside: string;
/** A process of ours whose number the folder names as its own. */
let victim: ChildProcess;
let window: Window;
let page: Page;
let before: string;

const script = `"'><script>window.hacked = 1; top.hacked = 1</script><img src=x onerror="window.hacked = 1">`;
const mark = (name: string): string => `require("fs").writeFileSync(${JSON.stringify(path.join(outside, `ran-${name}`))}, "x");`;

function hostile(workspace: string): void {
  const write = (name: string, content: string | object | Uint8Array): void => {
    const file = path.join(workspace, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, typeof content === "string" || content instanceof Uint8Array ? content : JSON.stringify(content), { mode: 0o755 });
  };
  const run = (id: string, status: string, files: Readonly<Record<string, string | object>>): void => {
    const times = { createdAt: "2026-01-01T00:00:00Z", updatedAt: "2026-01-01T00:00:00Z" };
    const state = { version: 1, run: id, kind: "experiment", title: id, status, ...times, progress: 1, headline: script, error: null };
    for (const [name, content] of Object.entries({ "state.json": state, ...files })) write(`.bulwark/runs/${id}/${name}`, content);
  };
  const text = JSON.stringify(exampleReport);
  const named = (name: string): object =>
    JSON.parse(text.replaceAll(/images\/[a-d]\.png/g, name).replaceAll("undefended", JSON.stringify(script).slice(1, -1)));
  run("linked", "done", { "report.json": named("images/link.png"), "report.html": `<script>document.title = "hacked"</script>` });
  mkdirSync(path.join(workspace, ".bulwark/runs/linked/images"));
  symlinkSync(path.join(outside, "secret.png"), path.join(workspace, ".bulwark/runs/linked/images/link.png"));
  run("leaving", "done", { "report.json": named("../../../../secret.png") });
  run("broken", "done", { "state.json": '{"version":1' });
  const driver = {
    version: 1,
    token: "01234567-89ab-cdef-0123-456789abcdef",
    host: os.hostname(),
    boot: null,
    pids: null,
    pid: victim.pid,
  };
  run("driven", "running", { "driver.json": { ...driver, started: null, runner: "local", beat: 1 } });
  run("pictured", "done", { "inspector.json": { image: path.join(outside, "secret.png"), model: path.join(outside, "model.json") } });
  write(".npmrc", "registry=http://127.0.0.1:9/\nscript-shell=./evil.sh\n");
  write("evil.cjs", `${mark("plugin")} module.exports = () => [];`);
  write("evil.bulwark.jsonc", { plugins: ["./evil.cjs"], model: { kind: "smallCnn" }, data: { kind: "mnist" } });
  write("evil.sh", `#!/bin/sh\ntouch ${JSON.stringify(path.join(outside, "ran-node"))}\n`);
  write(".vscode/settings.json", { "bulwark.engine.nodePath": path.join(workspace, "evil.sh") });
  const tensorflow = "node_modules/@tensorflow/tfjs-node";
  write(`${tensorflow}/package.json`, { name: "@tensorflow/tfjs-node", version: "4.22.0", main: "index.js" });
  write(`${tensorflow}/index.js`, mark("tensorflow"));
  write("README.md", "Open me.");
}

/** Every file of a folder with its content; where links lead is told and not followed. */
function contents(folder: string): string {
  const hash = createHash("sha256");
  const lines = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  const told = lines.map((name) => {
    const file = path.join(folder, name);
    const found = lstatSync(file);
    if (found.isSymbolicLink()) return `${name} -> ${readlinkSync(file)}`;
    return found.isDirectory() ? name : `${name} ${hash.copy().update(readFileSync(file)).digest("hex")} ${found.mtimeMs}`;
  });
  return told.join("\n");
}

/** Engines, command lines and package managers that our extension has started. */
const processes = (): string[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      } catch {
        return [];
      }
    })
    .filter((line) => line.includes(inject("extensions")) && /(engine|cli)\.cjs|npm-cli\.js/.test(line));

function expectHarmless(): void {
  expect(readdirSync(outside).sort()).toEqual(["secret.png"]);
  expect(readFileSync(path.join(outside, "secret.png")).equals(Buffer.from(onePixelPng))).toBe(true);
  expect([victim.exitCode, victim.signalCode]).toEqual([null, null]);
  expect(contents(window.workspace)).toBe(before);
}

const toast = (text: RegExp) => page.locator(".notification-toast", { hasText: text }).first();

beforeAll(async () => {
  outside = mkdtempSync(path.join(os.tmpdir(), "bulwark-stranger-"));
  writeFileSync(path.join(outside, "secret.png"), onePixelPng);
  victim = spawn("sleep", ["600"]);
  window = await openWindow({ name: "hostile", expects: "README.md", isBare: true, trust: true, prepare: hostile });
  page = window.page;
  before = contents(window.workspace);
});
afterAll(async () => {
  await window?.close();
  victim?.kill();
  rmSync(outside, { recursive: true, force: true });
});

describe("a stranger's folder, not trusted", () => {
  it("has its runs listed, the damaged one as such", async () => {
    await statusItem(page, "Restricted Mode").waitFor();
    await sideBarIcon(page).click();
    await treeRow(page, /^broken\s*damaged/)
      .first()
      .waitFor();
    await treeRow(page, "linked").first().waitFor();
    expectHarmless();
  });

  it("shows a report without running, reading or sending anything of it", async () => {
    await treeRow(page, /^linked/)
      .first()
      .click();
    const frame = await window.panel("main.report");
    await frame
      .getByText("alert(1)", { exact: false })
      .or(frame.getByText("window.hacked", { exact: false }))
      .first()
      .waitFor();
    for (const one of page.frames()) expect(await one.evaluate(() => "hacked" in globalThis).catch(() => false)).toBe(false);
    expect(await frame.locator("img[onerror]").count()).toBe(0);
    expect(await frame.locator("script", { hasText: "hacked" }).count()).toBe(0);
    await frame.getByText("Open report.html").click();
    const dialog = page.locator(".monaco-dialog-box");
    await dialog.getByText("This folder is not trusted").waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
    await treeRow(page, /^leaving/)
      .first()
      .click();
    const damaged = await window.panel(".card.error, [role=alert]");
    await damaged
      .getByText(/must name a file inside the run folder/)
      .first()
      .waitFor();
    expectHarmless();
  });

  it.each(["Bulwark: Create Experiment…", "Bulwark: Delete Run…", "Bulwark: Cancel Run…", "Bulwark: Run Doctor"])(
    "refuses %s",
    async (command) => {
      await runCommand(page, command);
      await toast(/not trusted/).waitFor();
      await runCommand(page, "Notifications: Clear All Notifications");
      expectHarmless();
      expect(processes()).toEqual([]);
    },
  );
});

describe("the same folder, trusted", () => {
  it("runs nothing that was not asked for; the doctor runs nothing of it either", async () => {
    await statusItem(page, "Restricted Mode").click();
    const editor = page.locator(".workspace-trust-editor");
    await editor.locator("a.monaco-button", { hasText: "Trust" }).first().click();
    await editor.getByText("You trust this folder").waitFor();
    await page.waitForTimeout(2000); // whatever would begin by itself
    expect(processes()).toEqual([]);
    expectHarmless();
    await runCommand(page, "Bulwark: Run Doctor");
    const frame = await window.panel("main.doctor");
    await frame
      .getByText(/is in this folder and was not tried/)
      .first()
      .waitFor({ timeout: 60_000 });
    expectHarmless();
  });
});
