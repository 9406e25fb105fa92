// Runs the published tests of tfjs-core against one of our backends: node test/conformance/tfjs-core.mjs [onnxruntime] [filter].
// With DEVICE=webgpu, on that device, which must not fail once. Expected failures are listed, each with its reason, in
// tfjs-core-unsupported.json and tfjs-core-webgpu.json; any other difference fails the run.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const [backend = "onnxruntime", filter = ""] = process.argv.slice(2);
const device = process.env.DEVICE ?? "cpu";
const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.join(here, "../..");
const require = createRequire(import.meta.url);
const outfile = path.join(root, "dist-test/tfjs-core.cjs");

const entry = `
import "@tensorflow/tfjs-core/dist/register_all_gradients";
import "@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops";
import "@tensorflow/tfjs-backend-cpu";
import { setTestEnvs } from "@tensorflow/tfjs-core/dist/jasmine_util";
import { prepare } from "./src/engine/backends/onnxruntime/index.ts";
import { onDeviceWarning } from "./src/engine/backends/failures.ts";
onDeviceWarning(({ message }) => globalThis.deviceWarnings.push(message));
prepare({ device: ${JSON.stringify(device)} });
setTestEnvs([{ name: ${JSON.stringify(backend)}, backendName: ${JSON.stringify(backend)}, isDataSync: true }]);
require("@tensorflow/tfjs-core/dist/tests");
`;
mkdirSync(path.dirname(outfile), { recursive: true });
await build({
  stdin: { contents: entry, resolveDir: root, loader: "ts" },
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  outfile,
  mainFields: ["module", "main"],
  ignoreAnnotations: true,
  logLevel: "error",
  external: ["onnxruntime-node", "onnxruntime-node/*"],
});

const environment = require("jasmine-core").boot().getEnv();
environment.configure({ random: false, specFilter: (spec) => spec.getFullName().includes(filter) });
globalThis.deviceWarnings = [];
const failed = new Map();
let passed = 0;
environment.addReporter({
  specDone(spec) {
    if (spec.status === "passed") passed++;
    else if (spec.status === "failed") failed.set(spec.fullName, spec.failedExpectations.map(({ message }) => message).join(" | "));
  },
});
// The suite prints warnings about what it provokes on purpose.
console.warn = () => {};
require(outfile);
await environment.execute();

const lists = ["tfjs-core-unsupported.json", ...(device === "cpu" ? [] : [`tfjs-core-${device}.json`])];
const list = lists.flatMap((name) => JSON.parse(readFileSync(path.join(here, name), "utf8")));
const expected = new Map(list.flatMap(({ reason, tests }) => tests.map((name) => [name, reason])));
const unexpected = [...failed].filter(([name]) => !expected.has(name));
const healed = filter === "" && backend === "onnxruntime" ? [...expected.keys()].filter((name) => !failed.has(name)) : [];
if (process.env.CONFORMANCE_REPORT) writeFileSync(process.env.CONFORMANCE_REPORT, JSON.stringify(unexpected, undefined, 1));
for (const [name, message] of unexpected) console.log(`failed: ${name}\n    ${message.slice(0, 300)}`);
for (const name of healed) console.log(`passes now, take it off the list: ${name}`);
for (const message of globalThis.deviceWarnings) console.log(`the device failed: ${message}`);
console.log(
  `tfjs-core on ${backend}, ${device}: ${passed} passed, ${failed.size} failed, of which ${failed.size - unexpected.length} expected.`,
);
process.exit(unexpected.length + healed.length + globalThis.deviceWarnings.length > 0 || passed === 0 ? 1 : 0);
