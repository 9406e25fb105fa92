import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { wasmDirectory } from "./paths.ts";
import { registerWasmKernels } from "./wasmKernels.ts";

export const device = "WebAssembly";

let isPrepared = false;

/** Tells tfjs where its .wasm files are, once; throws when they are missing. */
export function prepare(): void {
  if (isPrepared) return;
  const directory = wasmDirectory();
  if (directory === undefined) throw new Error("the .wasm files of @tensorflow/tfjs-backend-wasm are missing");
  setWasmPaths(directory);
  registerWasmKernels();
  isPrepared = true;
}
