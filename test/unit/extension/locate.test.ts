import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { locateEngine } from "../../../src/extension/engine/locate.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), "bulwark-locate-"));
  mkdirSync(path.join(root, "dist"));
  writeFileSync(path.join(root, "dist/engine.cjs"), "");
});
afterEach(() => rmSync(root, { recursive: true }));
const options = { nodePath: "", threads: 0, memory: 0, gpuRuntime: "", env: {}, ownRuntime: "/usr/share/code/code" };

describe("where the engine is", () => {
  it("runs under VS Code's own runtime as Node", () => {
    const { file, execPath, env } = locateEngine({ ...options, extensionPath: root });
    expect(file).toBe(path.join(root, "dist/engine.cjs"));
    expect(execPath).toBe("/usr/share/code/code");
    expect(env).toEqual({ ELECTRON_RUN_AS_NODE: "1", ORT_DISABLE_TELEMETRY: "1" });
  });
  it("runs under the Node of the settings, with so many threads", () => {
    const found = locateEngine({ ...options, extensionPath: root, nodePath: process.execPath, threads: 3, memory: 4 });
    expect(found.execPath).toBe(process.execPath);
    expect(found.env).toEqual({ BULWARK_THREADS: "3", BULWARK_MEMORY: "4", ORT_DISABLE_TELEMETRY: "1" });
  });
  it("keeps the user's environment, less what would change Node", () => {
    const env = {
      PATH: "/bin",
      HTTP_PROXY: "p",
      VSCODE_IPC_HOOK: "x",
      ELECTRON_NO_ATTACH_CONSOLE: "1",
      NODE_OPTIONS: "--inspect",
      GONE: undefined,
      ORT_DISABLE_TELEMETRY: "0",
    };
    expect(locateEngine({ ...options, extensionPath: root, env }).env).toEqual({
      PATH: "/bin",
      HTTP_PROXY: "p",
      ELECTRON_RUN_AS_NODE: "1",
      ORT_DISABLE_TELEMETRY: "1",
    });
  });
  it("tells the engine where the GPU runtime is, unless the user has", () => {
    const gpuRuntime = "/storage/gpu-runtime";
    expect(locateEngine({ ...options, extensionPath: root, gpuRuntime }).env["BULWARK_GPU_RUNTIME"]).toBe(gpuRuntime);
    const env = { BULWARK_GPU_RUNTIME: "/opt/gpu" };
    expect(locateEngine({ ...options, extensionPath: root, gpuRuntime, env }).env["BULWARK_GPU_RUNTIME"]).toBe("/opt/gpu");
  });
  it("says what is missing", () => {
    expect(() => locateEngine({ ...options, extensionPath: path.join(root, "nowhere") })).toThrow(/missing from the installed extension/);
    expect(() => locateEngine({ ...options, extensionPath: root, nodePath: "/nowhere/node" })).toThrow(/no Node at \/nowhere\/node/);
  });
});
