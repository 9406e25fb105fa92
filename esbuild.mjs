// Builds everything into dist/: extension, engine, command line, language server, webviews. `--watch` rebuilds on change.
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { build, context } from "esbuild";

const require = createRequire(import.meta.url);
const node = {
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  sourcemap: true,
  outdir: "dist",
  outExtension: { ".js": ".cjs" },
  logLevel: "warning",
  mainFields: ["module", "main"],
  supported: { "dynamic-import": false }, // becomes a require: Node's loader of modules takes as long as sharp itself
  // Native parts and the user's own TensorFlow are found at run time. tfjs wants node-fetch only where there is no fetch.
  external: [
    "node-fetch",
    "vscode",
    "onnxruntime-node",
    "onnxruntime-node/*",
    "sharp",
    "@tensorflow/tfjs-node",
    "@tensorflow/tfjs-node-gpu",
  ],
  define: { "process.env.BULWARK_VERSION": JSON.stringify(require("./package.json").version) },
};
const targets = [
  {
    ...node,
    entryPoints: {
      extension: "src/extension/extension.ts",
      "language-client": "src/extension/languageClient.ts",
      engine: "src/engine/main.ts",
      cli: "src/cli/main.ts",
      "language-server": "src/language-server/main.ts",
    },
  },
  // A thread of its own, and the only ECMAScript module: the library that it holds knows where it lies by import.meta.
  {
    ...node,
    format: "esm",
    outExtension: { ".js": ".mjs" },
    supported: {},
    charset: "utf8",
    sourcemap: false,
    entryPoints: { hdf5: "src/engine/importers/keras/hdf5/worker.mjs" },
  },
  {
    bundle: true,
    platform: "browser",
    format: "iife",
    target: "chrome120",
    sourcemap: "linked",
    minify: true,
    logLevel: "warning",
    outdir: "dist/webview",
    entryPoints: {
      inspector: "webview/inspector/index.ts",
      training: "webview/training/index.ts",
      report: "webview/report/index.ts",
      patchStudio: "webview/patchStudio/index.ts",
      model: "webview/model/index.ts",
      doctor: "webview/doctor/index.ts",
      preview: "webview/preview/index.ts",
    },
  },
];

const watch = process.argv.includes("--watch");
if (!watch) rmSync("dist", { recursive: true, force: true });
mkdirSync("dist", { recursive: true });
const wasm = path.dirname(require.resolve("@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm"));
for (const file of ["tfjs-backend-wasm.wasm", "tfjs-backend-wasm-simd.wasm", "tfjs-backend-wasm-threaded-simd.wasm"])
  cpSync(path.join(wasm, file), path.join("dist", file));
cpSync(path.join(path.dirname(require.resolve("@vscode/codicons/package.json")), "dist/codicon.ttf"), "dist/codicon.ttf");
cpSync(path.join(path.dirname(require.resolve("@vscode/codicons/package.json")), "dist/codicon.css"), "dist/codicon.css");
if (watch) for (const target of targets) await (await context(target)).watch();
else await Promise.all(targets.map((target) => build(target)));
