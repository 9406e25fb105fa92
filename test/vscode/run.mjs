// The suite inside a real VS Code extension host: bundles it, finds a VS Code and runs it there.
//   VSCODE_PATH=<executable>   that desktop VS Code
//   VSCODE_HOST=server|desktop the server build, or a desktop VS Code (downloaded), whatever else is there
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { runTests } from "@vscode/test-electron";
import { build } from "esbuild";
import { describeWorkbench, installWorkbench } from "../../scripts/install-workbench.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, "../..");
const downloads = path.join(root, ".vscode-test");

/** A finished download; the folder alone proves nothing, since a run makes it for its profile. */
const downloaded = () =>
  existsSync(downloads) && readdirSync(downloads).some((name) => existsSync(path.join(downloads, name, "is-complete")));
const hasDisplay = () => process.platform !== "linux" || Boolean(process.env.DISPLAY ?? process.env.WAYLAND_DISPLAY);
async function canDownload() {
  try {
    return (await fetch("https://update.code.visualstudio.com/api/releases/stable", { signal: AbortSignal.timeout(4000) })).ok;
  } catch {
    return false;
  }
}

async function findHost() {
  const named = process.env.VSCODE_PATH;
  if (named) return { kind: "desktop", said: `desktop VS Code at ${named}`, executable: { vscodeExecutablePath: named } };
  const wanted = process.env.VSCODE_HOST ?? "auto";
  if (wanted === "desktop" || (wanted === "auto" && hasDisplay() && (downloaded() || (await canDownload()))))
    return { kind: "desktop", said: "desktop VS Code, downloaded", executable: {} };
  return { kind: "server", said: describeWorkbench(installWorkbench()), executable: { vscodeExecutablePath: path.join(here, "code.mjs") } };
}

/** dist-test/index.js runs every dist-test/suite/*.test.js. */
async function bundle() {
  const suite = readdirSync(path.join(here, "suite")).filter((name) => name.endsWith(".test.ts"));
  if (suite.length === 0) throw new Error("test/vscode/suite holds no *.test.ts");
  rmSync(path.join(root, "dist-test"), { recursive: true, force: true });
  await build({
    entryPoints: [path.join(here, "index.ts"), ...suite.map((name) => path.join(here, "suite", name))],
    outbase: here,
    outdir: path.join(root, "dist-test"),
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    sourcemap: true,
    mainFields: ["module", "main"],
    external: ["vscode", "mocha"],
    logLevel: "warning",
  });
}

/** A copy of samples/, so that runs written by the tests do not land in the repository. */
function makeWorkspace() {
  const folder = mkdtempSync(path.join(os.tmpdir(), "bulwark-host-"));
  const workspace = path.join(folder, "workspace");
  mkdirSync(workspace);
  if (existsSync(path.join(root, "samples"))) cpSync(path.join(root, "samples"), workspace, { recursive: true });
  return { folder, workspace };
}

/** Exit code 0 is no proof: a dead extension host reports 0 too. The file that the runner inside the host writes is. */
function readResult(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

/** @returns {Promise<{passed: number, failed: number, failures?: string[], problem?: string}>} `failures`: name and stack of each */
export async function runHostSuite() {
  await bundle();
  const host = await findHost();
  console.log(`extension host: ${host.said}`);
  const { folder, workspace } = makeWorkspace();
  const resultFile = path.join(folder, "result.json");
  let problem;
  try {
    await runTests({
      ...host.executable,
      extensionDevelopmentPath: root,
      extensionTestsPath: path.join(root, "dist-test/index.js"),
      launchArgs: [
        workspace,
        "--disable-extensions",
        `--user-data-dir=${path.join(folder, "user")}`,
        `--extensions-dir=${path.join(folder, "extensions")}`,
      ],
      extensionTestsEnv: { BULWARK_TEST_HOST: host.kind, BULWARK_TEST_RESULT: resultFile, BULWARK_TEST_WORKSPACE: workspace },
    });
  } catch (error) {
    problem = error instanceof Error ? error.message : String(error);
  }
  const result = readResult(resultFile);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  if (!result) return { passed: 0, failed: 1, problem: `the extension host ended without a result${problem ? ` (${problem})` : ""}` };
  const passed = result.stats.passes;
  const failed = result.failures + result.stats.pending;
  if (result.stats.pending) problem = `${result.stats.pending} tests were skipped`;
  if (passed === 0 && failed === 0) problem = "no test ran";
  return { passed, failed: failed || (problem ? 1 : 0), failures: result.errors, ...(problem ? { problem } : {}) };
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const { passed, failed, failures = [], problem } = await runHostSuite();
  for (const failure of failures) console.error(failure);
  if (problem) console.error(problem);
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed ? 1 : 0);
}
