import { execFile } from "node:child_process";
import type { BackendReport } from "../../shared/protocol.ts";
import { resolveFile, wasmDirectory } from "./paths.ts";
import { report as tensorflow } from "./tensorflow/index.ts";

/** Loads a native package in a child process, so that a crash or an abort in it cannot end the engine. */
function loads(script: string, argument: string): Promise<{ ok: boolean; output: string }> {
  return new Promise((resolve) => {
    const env = { ...process.env, ELECTRON_RUN_AS_NODE: "1" };
    execFile(process.execPath, ["-e", script, argument], { env, timeout: 30_000 }, (error, stdout, stderr) => {
      const line = stderr.split("\n").find((text) => text.includes("Error")) ?? (error ? error.message.split("\n")[0] : "");
      resolve(error ? { ok: false, output: line ?? "" } : { ok: true, output: stdout.trim() });
    });
  });
}

async function onnxruntime(): Promise<BackendReport> {
  const file = resolveFile("onnxruntime-node/dist/binding.js");
  if (file === undefined) return { name: "onnxruntime", available: false, reason: "onnxruntime-node is not installed" };
  const script = "const b=require(process.argv[1]);b.initOrt();new b.binding.InferenceSession();process.stdout.write('ok')";
  const { ok, output } = await loads(script, file);
  return ok ? { name: "onnxruntime", available: true, device: "CPU" } : { name: "onnxruntime", available: false, reason: output };
}

/** What each backend could do on this machine, in order of preference. Native code is only loaded in a child process. */
export async function probeBackends(): Promise<BackendReport[]> {
  const native = await Promise.all([onnxruntime(), tensorflow()]);
  const wasm: BackendReport =
    wasmDirectory() === undefined
      ? { name: "wasm", available: false, reason: "its .wasm files are missing" }
      : { name: "wasm", available: true, device: "WebAssembly" };
  return [...native, wasm, { name: "cpu", available: true, device: "JavaScript" }];
}
