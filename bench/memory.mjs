// node bench/memory.mjs: resident memory, tensors and compiled graphs over 10,000 PGD steps and 2,000 training steps of a small LeNet.
// STEPS changes the first number and the second with it; below 10,000 the first sample still counts what the runtime gathers at its start.
import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));
const outfile = path.join(here, "../dist/bench-memory.cjs");
await build({
  entryPoints: [path.join(here, "memory.ts")],
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  outfile,
  mainFields: ["module", "main"],
  external: ["onnxruntime-node", "onnxruntime-node/*"],
  logLevel: "error",
});
process.exitCode = spawnSync(process.execPath, ["--expose-gc", outfile], { stdio: "inherit" }).status ?? 1;
