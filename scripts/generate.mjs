// `npm run generate`: bundles src/cli/generate.ts and runs it. Writes src/shared/catalog.generated.json and docs/reference/*.md.
import { rmSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const bundle = path.join(root, "node_modules/.cache/bulwark-generate.cjs");
await build({
  absWorkingDir: root,
  entryPoints: ["src/cli/generate.ts"],
  outfile: bundle,
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  mainFields: ["module", "main"],
  external: ["onnxruntime-node", "sharp", "@tensorflow/tfjs-node", "@tensorflow/tfjs-node-gpu"],
  logLevel: "warning",
});
createRequire(import.meta.url)(bundle).generate(root);
rmSync(bundle);
