import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { type RuntimePart, runtimePart } from "../../shared/gpuRuntime.ts";
import { noTelemetry } from "../../shared/telemetry.ts";

// Here because nothing finds or loads a native package except through this module; child processes inherit it.
Object.assign(process.env, noTelemetry);

/** Folder of the running bundle (dist/), or of this source file when it runs unbundled. */
export const bundleDirectory = typeof __dirname === "string" ? __dirname : process.cwd();

type Require = ReturnType<typeof createRequire>;
const requireIn = (folder: string): Require => createRequire(path.join(folder, "noop.js"));
const fromBundle = requireIn(bundleDirectory);

/** Where “Install GPU Runtime” puts a part: a folder with `node_modules` inside the one that BULWARK_GPU_RUNTIME names. */
export function runtimeDirectory(part: RuntimePart["id"]): string | undefined {
  const root = process.env["BULWARK_GPU_RUNTIME"];
  return root ? path.join(root, part) : undefined;
}

function versionOf(require: Require, name: string): unknown {
  try {
    return (require(`${name}/package.json`) as { readonly version?: unknown }).version;
  } catch {
    return undefined;
  }
}

/** ONNX Runtime comes from the command's folder, with its CUDA provider, as long as it is the very version that we were built against. */
function requireFor(id: string): Require {
  const name = runtimePart("onnxruntime").package;
  const folder = runtimeDirectory("onnxruntime");
  if (folder === undefined || !id.startsWith(name)) return fromBundle;
  const installed = requireIn(folder);
  return versionOf(installed, name) === runtimePart("onnxruntime").version ? installed : fromBundle;
}

/** Loads a native or optional package that is not bundled; throws what `require` throws. */
export const requireNative = (id: string): unknown => requireFor(id)(id);

/** Where a package file lies, or undefined when it is not installed. `from` defaults to the bundle. */
export function resolveFile(id: string, from?: string): string | undefined {
  try {
    return (from === undefined ? requireFor(id) : requireIn(from)).resolve(id);
  } catch {
    return undefined;
  }
}

/** Folder that holds the .wasm files: beside the bundle, else inside the installed package. */
export function wasmDirectory(): string | undefined {
  if (existsSync(path.join(bundleDirectory, "tfjs-backend-wasm.wasm"))) return bundleDirectory + path.sep;
  const file = resolveFile("@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm");
  return file === undefined ? undefined : path.dirname(file) + path.sep;
}
