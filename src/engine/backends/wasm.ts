import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { wasmDirectory } from "./paths.ts";

export const device = "WebAssembly";

/** Tells tfjs where its .wasm files are; throws when they are missing. */
export function prepare(): void {
  const directory = wasmDirectory();
  if (directory === undefined) throw new Error("the .wasm files of @tensorflow/tfjs-backend-wasm are missing");
  setWasmPaths(directory);
}
