import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { runtimePart } from "../../src/shared/gpuRuntime.ts";
import { pick, quickPickRow, runCommand, statusItem } from "../harness/gestures.mjs";
import { working } from "../unit/backends/tensorflowFixture.ts";
import { openRegistry, type Registry } from "../unit/extension/registry.ts";
import { openWindow, type Window } from "./window.ts";

const supported = process.platform === "linux" && process.arch === "x64";
const part = runtimePart("tensorflow");
const title = "Install GPU Runtime";
let folder = "";
let registry: Registry;
let window: Window;
let page: Page;
const extension = path.join(inject("extensions"), readdirSync(inject("extensions")).find((name) => name.startsWith("bulwark")) ?? "");
/** Of the installed extension: the real package has 600 MB, so ours takes its place in the registry and here. */
const lock = path.join(extension, "media/locks", `${part.id}.json`);
const ownLock = readFileSync(lock, "utf8");
/** @param main of the package, which the engine loads */
function publish(installScript: string, main?: string): void {
  registry.publish(installScript, main);
  writeFileSync(lock, registry.lock());
}
const otherSum = `sha512-${Buffer.alloc(64).toString("base64")}`;

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), "bulwark-registry-"));
  registry = await openRegistry(folder, part.package, part.version);
  const environment = { npm_config_registry: registry.url, npm_config_cache: path.join(folder, "cache"), npm_config_prefer_online: "true" };
  window = await openWindow({ name: "gpu-runtime", expects: "seven.png", environment });
  page = window.page;
});
afterAll(async () => {
  await window?.close();
  await registry?.close();
  writeFileSync(lock, ownLock);
  rmSync(folder, { recursive: true, force: true });
});

const dialog = (): Locator => page.locator(".monaco-dialog-box");
const notification = (text: string | RegExp): Locator => page.locator(".notification-toast", { hasText: text }).first();

/** Through the palette to the question; returns what it says. */
async function ask(): Promise<string> {
  await runCommand(page, title);
  await pick(page, part.title);
  await dialog().waitFor();
  return (await dialog().textContent()) ?? "";
}
const answer = (button: string): Promise<void> => dialog().locator(".monaco-button", { hasText: button }).click();

describe.each(supported ? [title] : [])("the command %s", () => {
  let target = "";

  it("comes with none of it", () => {
    const packages = readdirSync(path.join(extension, "dist/node_modules"));
    expect(packages).toContain("onnxruntime-node");
    expect(packages).not.toContain("@tensorflow");
  });

  it("says what it would download, from where and to which place, and does nothing without consent", async () => {
    const text = await ask();
    for (const word of [`${part.package} ${part.version}`, part.host, "600 MB", "2.5 GB", part.needs, "Nothing is uploaded"])
      expect(text).toContain(word);
    target = /Installs to (\S+gpu-runtime\/tensorflow)\./.exec(text)?.[1] ?? "";
    expect(target).toContain("globalStorage/bulwark-ml.bulwark/");
    await window.picture("gpu-runtime-consent");
    await answer("Cancel");
    await dialog().waitFor({ state: "detached" });
    expect(existsSync(path.dirname(target))).toBe(false);
  });

  it("installs nothing but what Bulwark was built with", async () => {
    publish("");
    writeFileSync(lock, registry.lock(part.version, otherSum));
    await ask();
    await answer("Download and Install");
    await notification("a package that differs from the one Bulwark was built with; nothing was installed.").waitFor();
    expect(existsSync(target)).toBe(false);
  });

  it("without a connection for the native part, says so and leaves nothing", async () => {
    publish('require("https").get("https://storage.invalid/libtensorflow.tar.gz");');
    await ask();
    await answer("Download and Install");
    await notification("storage.invalid cannot be reached; nothing was installed.").waitFor();
    expect(existsSync(target)).toBe(false);
  });

  it("installs, tries what came in the engine's own process, and says that it sees no GPU and why", async () => {
    const says = "Could not load dynamic library 'libcudart.so.11.0'; dlerror: libcudart.so.11.0: cannot open shared object file\n";
    const bring =
      'require("fs").mkdirSync("lib/napi-v8",{recursive:true});require("fs").writeFileSync("lib/napi-v8/tfjs_binding.node","");';
    publish(bring, working({ says }));
    await ask();
    await answer("Download and Install");
    await notification(`${part.title} is installed, but sees no GPU: libcudart.so.11.0 is not found. Install CUDA 11.2`).waitFor();
    expect(existsSync(path.join(target, "node_modules", part.package, "lib/napi-v8/tfjs_binding.node"))).toBe(true);
    await window.picture("gpu-runtime-installed");
  });

  it("computes with it where it is chosen", async () => {
    await runCommand(page, "Select Backend");
    await pick(page, "tensorflow");
    await runCommand(page, "Restart Engine");
    await statusItem(page, "Bulwark: TensorFlow, CPU").waitFor();
    await runCommand(page, "Select Backend");
    await pick(page, /^auto/);
  });

  it("removes it again", async () => {
    await runCommand(page, title);
    await quickPickRow(page, `${part.version} is installed`).waitFor();
    await pick(page, part.title);
    await pick(page, "Remove");
    await notification(`${part.title} is removed.`).waitFor();
    expect(existsSync(target)).toBe(false);
  });
});

it.each(supported ? [] : ["another system"])("on %s the command says that there is none, and what there is", async () => {
  await runCommand(page, title);
  await notification("There is no GPU runtime to install for").waitFor();
});
