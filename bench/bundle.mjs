import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));
/** The repository, for measurements that read its samples and data. */
export const root = path.join(here, "..");

/** Bundles bench/<name>.ts, native packages left out, and gives the file to run. */
export async function bundle(name) {
  const outfile = path.join(root, `dist/bench-${name.replaceAll("/", "-")}.cjs`);
  await build({
    entryPoints: [path.join(here, `${name}.ts`)],
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
