import { createRequire } from "node:module";
import path from "node:path";
import { resolveFile } from "./paths.ts";

const packages = ["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-node"] as const;

/** The user's own native TensorFlow, looked up from the folder the engine runs in, or undefined. */
export function findTensorflow(directory = process.cwd()): { id: string; file: string } | undefined {
  for (const id of packages) {
    const file = resolveFile(id, directory);
    if (file !== undefined) return { id, file };
  }
  return undefined;
}

/** Loads it, which registers the tfjs backend `tensorflow`. Throws when it is absent or its native part fails. */
export function prepare(directory = process.cwd()): string {
  const found = findTensorflow(directory);
  if (!found) throw new Error("neither @tensorflow/tfjs-node-gpu nor @tensorflow/tfjs-node is installed in this folder");
  createRequire(path.join(directory, "noop.js"))(found.id);
  return found.id.endsWith("-gpu") ? "TensorFlow (GPU build)" : "TensorFlow (CPU build)";
}
