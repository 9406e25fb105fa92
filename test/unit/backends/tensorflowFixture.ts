import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { buildSync } from "esbuild";

/** Folders of this process's tests; they go with it. */
const made: string[] = [];
process.once("exit", () => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

/** A folder called `tensorflow` with one installed package whose main file is `source`. */
export function install(source: string, id = "@tensorflow/tfjs-node"): string {
  const root = mkdtempSync(path.join(os.tmpdir(), "bulwark-runtime-"));
  made.push(root);
  const folder = path.join(root, "tensorflow");
  const home = path.join(folder, "node_modules", id);
  mkdirSync(path.join(home, "dist"), { recursive: true });
  writeFileSync(path.join(home, "package.json"), JSON.stringify({ name: id, version: "4.22.0", main: "dist/index.js" }));
  writeFileSync(path.join(home, "dist/index.js"), source);
  return folder;
}

/** What stands for TensorFlow: the real `cpu` kernels under its name. */
const entry = `
const tf = require("@tensorflow/tfjs-core");
require("@tensorflow/tfjs-core/dist/register_all_gradients");
const { MathBackendCPU } = require("@tensorflow/tfjs-backend-cpu");
class Backend extends MathBackendCPU {
  constructor() {
    super();
    this.firstUse = false;
    this.isUsingGpuDevice = settings.gpu;
  }
}
for (const { kernelName, kernelFunc } of tf.getKernelsForBackend("cpu"))
  tf.registerKernel({ kernelName, backendName: "tensorflow", kernelFunc: (call) => { settings.onKernel(kernelName, call); return kernelFunc(call); } });
tf.registerBackend("tensorflow", () => new Backend(), 3);
if (!tf.setBackend("tensorflow")) throw new Error("Could not initialize TensorFlow backend.");
process.stderr.write(settings.says);
module.exports = { ...tf, version: { "tfjs-core": settings.version ?? tf.version_core } };
`;
let bundled: string | undefined;

export interface Behaviour {
  readonly gpu?: boolean;
  /** On its standard error while it loads. */
  readonly says?: string;
  /** JavaScript run before each kernel, with its `name` and `call`. */
  readonly kernel?: string;
  readonly version?: string;
}
/** A package that works: a second, real copy of tfjs-core with the `cpu` kernels, which registers the backend `tensorflow`. */
export function working({ gpu = false, says = "", kernel = "", version }: Behaviour = {}): string {
  bundled ??= buildSync({
    stdin: { contents: entry, resolveDir: process.cwd(), loader: "js" },
    bundle: true,
    platform: "node",
    format: "cjs",
    write: false,
    logLevel: "error",
  }).outputFiles[0]?.text;
  const settings = `{ gpu: ${gpu}, says: ${JSON.stringify(says)}, version: ${JSON.stringify(version)}, onKernel: (name, call) => { ${kernel} } }`;
  return `const settings = ${settings};\n${bundled}`;
}
