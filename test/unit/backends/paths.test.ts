import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { requireNative, resolveFile } from "../../../src/engine/backends/paths.ts";
import { runtimePart } from "../../../src/shared/gpuRuntime.ts";

const binding = "onnxruntime-node/dist/binding.js";
const { version } = runtimePart("onnxruntime");
let root = "";
beforeEach(() => {
  root = realpathSync(mkdtempSync(path.join(os.tmpdir(), "bulwark-runtime-")));
  process.env["BULWARK_GPU_RUNTIME"] = root;
});
afterEach(() => {
  delete process.env["BULWARK_GPU_RUNTIME"];
  rmSync(root, { recursive: true });
});
function install(version: string): string {
  const home = path.join(root, "onnxruntime/node_modules/onnxruntime-node");
  mkdirSync(path.join(home, "dist"), { recursive: true });
  writeFileSync(path.join(home, "package.json"), JSON.stringify({ name: "onnxruntime-node", version }));
  writeFileSync(path.join(home, "dist/binding.js"), "exports.from = 'the command';");
  return path.join(home, "dist/binding.js");
}

it("takes ONNX Runtime from the folder of the command", () => {
  const file = install(version);
  expect(resolveFile(binding)).toBe(file);
  expect(requireNative(binding)).toEqual({ from: "the command" });
});

it("keeps its own where the command's is another version, or not there", () => {
  const own = resolveFile(binding);
  expect(own).toMatch(/node_modules/);
  install("1.20.0");
  expect(resolveFile(binding)).toBe(own);
});

it("takes nothing else from there", () => {
  install(version);
  expect(resolveFile("sharp")).not.toContain(root);
});
