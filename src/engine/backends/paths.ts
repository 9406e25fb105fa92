import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

/** Folder of the running bundle (dist/), or of this source file when it runs unbundled. */
export const bundleDirectory = typeof __dirname === "string" ? __dirname : process.cwd();

const fromBundle = createRequire(path.join(bundleDirectory, "noop.js"));

/** Loads a native or optional package that is not bundled; throws what `require` throws. */
export const requireNative = (id: string): unknown => fromBundle(id);

/** Where a package file lies, or undefined when it is not installed. `from` defaults to the bundle. */
export function resolveFile(id: string, from?: string): string | undefined {
  try {
    return from === undefined ? fromBundle.resolve(id) : createRequire(path.join(from, "noop.js")).resolve(id);
  } catch {
    return undefined;
  }
}

/** Where “Install GPU Runtime” puts a part: a folder with `node_modules` inside the one that BULWARK_GPU_RUNTIME names. */
export function runtimeDirectory(part: "tensorflow" | "onnxruntime"): string | undefined {
  const root = process.env["BULWARK_GPU_RUNTIME"];
  return root ? path.join(root, part) : undefined;
}

/** Folder that holds the .wasm files: beside the bundle, else inside the installed package. */
export function wasmDirectory(): string | undefined {
  if (existsSync(path.join(bundleDirectory, "tfjs-backend-wasm.wasm"))) return bundleDirectory + path.sep;
  const file = resolveFile("@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm");
  return file === undefined ? undefined : path.dirname(file) + path.sep;
}
