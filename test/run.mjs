// `npm test`: every layer, in order, each with what it needs fetched first; `npm test -- unit host` runs some, `npm test -- conformance pgd`
// the conformance tests of one entry. A layer that cannot run counts as a failure and says why; a skipped test does too. Ends with one
// plain line of totals.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describeBrowser, findBrowser } from "../scripts/find-browser.mjs";
import { findSoftwareGpu } from "../scripts/find-software-gpu.mjs";
import { describeWorkbench, installWorkbench } from "../scripts/install-workbench.mjs";
import { fuzz } from "./fuzz/supervise.mjs";
import { runHostSuite } from "./vscode/run.mjs";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const results = path.join(root, "artifacts/test-results");

function node(...words) {
  return nodeIn({}, ...words);
}

function nodeIn(environment, ...words) {
  const done = spawnSync(process.execPath, words, { cwd: root, stdio: "inherit", env: { ...process.env, ...environment } });
  if (done.error) throw done.error;
  return done.status ?? 1;
}

/** Runs vitest and gives its own report and its exit code. */
function vitestReport(name, environment, ...words) {
  const file = path.join(results, `${name}.json`);
  rmSync(file, { force: true });
  const program = path.join(root, "node_modules/vitest/vitest.mjs");
  const status = nodeIn(environment, program, "run", ...words, "--reporter=default", "--reporter=json", `--outputFile.json=${file}`);
  if (!existsSync(file)) throw new Error(`vitest ended with code ${status} and without a report`);
  return { report: JSON.parse(readFileSync(file, "utf8")), status };
}

/** A configuration of vitest by its report, not its exit code alone. */
function vitest(name, config, environment = {}) {
  const { report, status } = vitestReport(name, environment, `--config=${config}`);
  const skipped = report.numPendingTests + report.numTodoTests;
  if (skipped) console.error(`${name}: ${skipped} tests were skipped, which counts as failed`);
  const failed = report.numFailedTests + skipped;
  return { passed: report.numPassedTests, failed: failed || (status === 0 ? 0 : 1), failures: failuresOf(report) };
}

/** Name and first lines of each test that failed. A file that could not be loaded has no tests, only a message. */
const failuresOf = (report) =>
  report.testResults
    .filter(({ status }) => status === "failed")
    .flatMap(({ name, message, assertionResults }) => {
      const failed = assertionResults.filter(({ status }) => status === "failed");
      if (failed.length === 0) return [`${path.relative(root, name)}: ${message}`];
      return failed.map(({ fullName, failureMessages }) => `${fullName}: ${failureMessages.join("\n")}`);
    });

/** The conformance tests, part of the unit layer, by themselves; of one entry where its id is given. */
function conformance(id) {
  const words = id === undefined ? [] : ["-t", `\\b${id}\\b`];
  const { report, status } = vitestReport("conformance", {}, "--config=vitest.config.ts", "test/conformance", ...words);
  const { numPassedTests: passed, numFailedTests: failed } = report;
  if (id !== undefined && passed + failed === 0)
    throw new Error(`there is no entry "${id}"; node dist/cli.cjs list shows the ids, and a new one stands in src/engine/registry.ts`);
  return { passed, failed: failed || (status === 0 ? 0 : 1), failures: failuresOf(report) };
}

const generated = ["src/shared/catalog.generated.json", "docs/reference"];
function readGenerated() {
  const list = (name) => {
    const file = path.join(root, name);
    if (!existsSync(file)) return [];
    const files = name.endsWith(".json")
      ? [file]
      : readdirSync(file, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => path.join(entry.parentPath, entry.name));
    return files.map((entry) => [path.relative(root, entry), readFileSync(entry, "utf8")]);
  };
  return new Map(generated.flatMap(list));
}

function checkGenerated() {
  const before = readGenerated();
  if (node("scripts/generate.mjs") !== 0) throw new Error("npm run generate failed");
  const after = readGenerated();
  const stale = [...new Set([...before.keys(), ...after.keys()])].filter((name) => before.get(name) !== after.get(name));
  for (const name of stale) console.error(`${name} was stale; npm run generate has written it anew: commit it`);
  return { passed: stale.length ? 0 : 1, failed: stale.length };
}

/** tfjs-core's own tests on our backend, by jasmine; the runner's last line holds the figures. */
async function tfjsConformance(environment = {}) {
  const { status, text } = await outputOf("test/conformance/tfjs-core.mjs", environment);
  process.stdout.write(text.slice(-4000));
  const match = /(\d+) passed, (\d+) failed, of which (\d+) expected/.exec(text.slice(-4000));
  if (!match) throw new Error(`tfjs-core's tests ended with code ${status} and without a result`);
  const failed = Number(match[2]) - Number(match[3]); // the expected ones are listed with their reasons beside the runner
  return { passed: Number(match[1]), failed: failed || (status === 0 ? 0 : 1) };
}

/** Runs a program of ours beside others: how it ended, and what it wrote. */
async function outputOf(program, environment = {}) {
  const child = spawn(process.execPath, [program], {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.on("data", (data) => {
    text += data;
  });
  const status = await new Promise((resolve) => child.on("close", resolve));
  return { status, text };
}

/** Runs that are killed at named file operations and at random ones; the runner's last line holds the figures. */
async function kills() {
  const { status, text } = await outputOf("test/kill/main.mjs");
  process.stdout.write(text.slice(-4000));
  const match = /FIGURE kill: (\d+) kills at .* moments.*, (\d+) at random ones, (\d+) runs ended otherwise/.exec(text);
  if (!match) throw new Error(`the kill layer ended with code ${status} and without a result`);
  const failed = Number(match[3]);
  return { passed: Number(match[1]) + Number(match[2]) - failed, failed: failed || (status === 0 ? 0 : 1) };
}

/** The GPU path: the same tests of tfjs-core, and tests of ours, through ONNX Runtime's WebGPU provider on a real or a software device. */
async function webgpu() {
  const device = process.platform === "linux" ? await vulkanDevice() : { environment: {}, how: "the machine's own" };
  console.log(`GPU: ${device.how}`);
  const conformance = await tfjsConformance({ ...device.environment, DEVICE: "webgpu" });
  const ours = vitest("webgpu", "test/webgpu/vitest.config.ts", device.environment);
  return { passed: conformance.passed + ours.passed, failed: conformance.failed + ours.failed, failures: ours.failures };
}

async function vulkanDevice() {
  const found = findSoftwareGpu() ?? findSoftwareGpu((await findBrowser()).executable);
  if (found) return found;
  throw new Error("no Vulkan driver was found: install Chromium, which brings SwiftShader, or name a driver in VK_DRIVER_FILES");
}

async function hostSuite() {
  const { passed, failed, failures, problem } = await runHostSuite();
  if (problem) console.error(problem);
  return { passed, failed, failures };
}

async function fetchTools() {
  console.log(describeWorkbench(installWorkbench()));
  console.log(describeBrowser(await findBrowser()));
  return { passed: 0, failed: 0 };
}

/** In order. `built`: works on dist/. `tools`: needs a workbench and a browser. `single`: uses one core; such neighbours run side by side. */
const layers = [
  { name: "generated", run: checkGenerated },
  { name: "unit", run: () => vitest("unit", "vitest.config.ts") },
  { name: "tfjs", built: true, single: true, run: () => tfjsConformance() },
  { name: "kill", built: true, single: true, run: kills },
  { name: "fuzz", built: true, single: true, run: () => fuzz({ n: 2000 }) },
  { name: "webgpu", built: true, run: webgpu },
  { name: "process", built: true, run: () => vitest("process", "test/process/vitest.config.ts") },
  { name: "host", built: true, tools: true, run: hostSuite },
  { name: "e2e", built: true, tools: true, run: () => vitest("e2e", "test/e2e/vitest.config.ts") },
];

function chosenLayers(wanted) {
  const [first, id] = wanted;
  if (first === "conformance" && wanted.length <= 2) return [{ name: "conformance", run: () => conformance(id) }];
  const unknown = wanted.filter((name) => !layers.some((layer) => layer.name === name));
  if (unknown.length === 0) return wanted.length ? layers.filter(({ name }) => wanted.includes(name)) : layers;
  console.error(`There is no layer ${unknown.join(", ")}; there are ${layers.map(({ name }) => name).join(", ")}.`);
  process.exit(2);
}

async function runLayer(layer) {
  const started = Date.now();
  console.log(`\n── ${layer.name}`);
  let result;
  try {
    result = await layer.run();
  } catch (error) {
    console.error(`${layer.name} could not run: ${error instanceof Error ? error.message : error}`);
    result = { passed: 0, failed: 1 };
  }
  return { name: layer.name, ...result, seconds: Math.round((Date.now() - started) / 1000) };
}

const chosen = chosenLayers(process.argv.slice(2));
mkdirSync(results, { recursive: true });
const outcomes = [];
const prepare = async (name, needed, run) => {
  if (!needed) return true;
  const outcome = await runLayer({ name, run });
  if (outcome.failed) outcomes.push(outcome);
  return outcome.failed === 0;
};
const toolsThere = await prepare(
  "tools",
  chosen.some(({ tools }) => tools),
  fetchTools,
);
const built = await prepare(
  "build",
  chosen.some((layer) => layer.built),
  () => ({ passed: 0, failed: node("esbuild.mjs") === 0 ? 0 : 1 }),
);
const canRun = (layer) => (!layer.tools || toolsThere) && (!layer.built || built);
for (const layer of chosen.filter((one) => !canRun(one)))
  console.error(`${layer.name} could not run: ${built ? "tools" : "the build"} failed`);
const left = chosen.filter(canRun);
while (left.length > 0) {
  const rest = left.findIndex(({ single }) => !single);
  outcomes.push(...(await Promise.all(left.splice(0, rest === 0 ? 1 : rest < 0 ? left.length : rest).map(runLayer))));
}

// Named once more at the end: of a long log often the last lines alone are kept.
const shortened = (text) => text.split("\n").slice(0, 12).join("\n");
for (const { name, failures = [] } of outcomes) for (const failure of failures) console.error(`\n${name} failed: ${shortened(failure)}`);

console.log("");
for (const { name, passed, failed, seconds } of outcomes)
  console.log(`${name.padEnd(10)} ${passed} passed, ${failed} failed, ${seconds} s`);
const total = (key) => outcomes.reduce((sum, outcome) => sum + outcome[key], 0);
const failed = total("failed");
console.log(`${total("passed")} passed, ${failed} failed`);
process.exit(failed || total("passed") === 0 ? 1 : 0);
