// node bench/memory.mjs: resident memory, tensors and compiled graphs over 10,000 PGD steps and 2,000 training steps of a small LeNet.
// STEPS changes the first number and the second with it; below 10,000 the first sample still counts what the runtime gathers at its start.
import { spawnSync } from "node:child_process";
import { bundle } from "./bundle.mjs";

process.exitCode = spawnSync(process.execPath, ["--expose-gc", await bundle("memory")], { stdio: "inherit" }).status ?? 1;
