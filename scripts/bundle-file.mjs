import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");

/** Bundles a TypeScript program of the repository for Node, native packages left out, and gives the file to run. Paths are relative to the repository. */
export async function bundleFile(entry, output) {
  const outfile = path.join(root, output);
  await build({
    entryPoints: [path.join(root, entry)],
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    outfile,
    mainFields: ["module", "main"],
    external: ["onnxruntime-node", "onnxruntime-node/*", "sharp"],
    logLevel: "error",
  });
  return outfile;
}
