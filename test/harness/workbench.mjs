// Starts and stops VS Code's server build: one process group on a free local port, with its own throw-away user data.
import { execFileSync, spawn } from "node:child_process";
import { createWriteStream, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { installWorkbench } from "../../scripts/install-workbench.mjs";

/** Settings of every test window: nothing moves, nothing pops up, nothing asks the network. */
export const quietSettings = {
  "workbench.startupEditor": "none",
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "chat.disableAIFeatures": true,
  "workbench.enableExperiments": false,
  "workbench.tips.enabled": false,
  "workbench.editor.useModal": "off",
  "workbench.colorTheme": "Default Dark Modern",
  "workbench.reduceMotion": "on",
  "security.workspace.trust.enabled": false,
  "telemetry.telemetryLevel": "off",
  "git.enabled": false,
  "extensions.autoUpdate": false,
  "extensions.autoCheckUpdates": false,
  "extensions.ignoreRecommendations": true,
};

/** The server must not inherit the settings of a VS Code or npm that these tests themselves may run under. */
const serverEnvironment = (extra) => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(VSCODE_|npm_|NODE_OPTIONS|ELECTRON_)/.test(name))),
  EXTENSIONS_GALLERY: "{}",
  ...extra,
});

/** Installs a packed extension the way a user does. */
export function installExtension(vsix, extensionsDirectory) {
  const { node, main } = installWorkbench();
  const data = mkdtempSync(path.join(os.tmpdir(), "bulwark-install-"));
  try {
    const words = ["--install-extension", vsix, "--extensions-dir", extensionsDirectory, "--server-data-dir", data];
    const options = { encoding: "utf8", env: serverEnvironment({}), stdio: ["ignore", "pipe", "ignore"] };
    return execFileSync(node, [main, ...words, "--accept-server-license-terms"], options).trim();
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
}

function serverArguments(main, data, { driver, trust, extensionsDirectory }) {
  const words = [main, "--host", "127.0.0.1", "--port", "0", "--without-connection-token", "--accept-server-license-terms"];
  words.push("--server-data-dir", data, "--disable-telemetry", "--disable-experiments", "--reconnection-grace-time", "1");
  if (!trust) words.push("--disable-workspace-trust");
  // A built workbench takes an extension under development and a test file from its address only with this flag. It also hides
  // notifications, so that tests which look at the window go without it and install the packed extension instead.
  if (driver) words.push("--enable-smoke-test-driver");
  if (extensionsDirectory) words.push("--extensions-dir", extensionsDirectory);
  return words;
}

function kill(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already.
  }
}

/** Waits for the line that names the port. */
function portOf(child, output) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`VS Code's server did not start within a minute:\n${output.text}`)), 60_000);
    const look = () => {
      const match = /Extension host agent listening on (\d+)/.exec(output.text);
      if (!match) return;
      clearTimeout(timer);
      output.listeners.delete(look);
      resolve(Number(match[1]));
    };
    output.listeners.add(look);
    child.once("exit", (code) => {
      clearTimeout(timer);
      reject(new Error(`VS Code's server ended with code ${code}:\n${output.text}`));
    });
  });
}

/** A killed test run must leave no server behind: its group dies with this process, whatever ends it. */
function reapOnExit(child, data) {
  const reap = () => {
    kill(child, "SIGKILL");
    rmSync(data, { recursive: true, force: true });
  };
  const leave = () => process.exit(130);
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  process.once("exit", reap);
  for (const signal of signals) process.once(signal, leave);
  return () => {
    process.removeListener("exit", reap);
    for (const signal of signals) process.removeListener(signal, leave);
  };
}

async function stopServer(child, data, forget) {
  forget();
  if (child.exitCode === null && child.signalCode === null) {
    const gone = new Promise((resolve) => child.once("exit", resolve));
    kill(child, "SIGTERM");
    const timer = setTimeout(() => kill(child, "SIGKILL"), 4000);
    await gone;
    clearTimeout(timer);
  }
  kill(child, "SIGKILL"); // what the server itself left in its group: terminals, watchers, extension hosts
  rmSync(data, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}

/**
 * @param {object} [options]
 * @param {Record<string, unknown>} [options.settings] user settings beside the quiet ones
 * @param {Record<string, string>} [options.environment]
 * @param {string} [options.extensionsDirectory]
 * @param {string} [options.logFile]
 * @param {boolean} [options.driver] run an extension under development and its tests (see openAddress)
 * @param {boolean} [options.trust] leave Workspace Trust switched on
 */
export async function startWorkbench(options = {}) {
  const { node, main } = installWorkbench();
  const data = mkdtempSync(path.join(os.tmpdir(), "bulwark-workbench-"));
  const settingsFile = path.join(data, "data/User/settings.json");
  mkdirSync(path.dirname(settingsFile), { recursive: true });
  const trust = options.trust ? { "security.workspace.trust.enabled": true } : {};
  const applySettings = (changes) =>
    writeFileSync(settingsFile, JSON.stringify({ ...quietSettings, ...trust, ...options.settings, ...changes }, null, 2));
  applySettings({});
  const child = spawn(node, serverArguments(main, data, options), {
    env: serverEnvironment(options.environment ?? {}),
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const forget = reapOnExit(child, data);
  const log = options.logFile ? createWriteStream(options.logFile) : undefined;
  const output = { text: "", listeners: new Set() };
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      output.text += chunk;
      log?.write(chunk);
      for (const listener of output.listeners) listener(String(chunk));
    });
  const stop = () => stopServer(child, data, forget);
  const port = await portOf(child, output).catch(async (error) => {
    await stop();
    throw error;
  });
  const onLog = (listener) => void output.listeners.add(listener);
  return { authority: `127.0.0.1:${port}`, stop, onLog, applySettings, pid: child.pid, log: () => output.text };
}

/**
 * Address of a window on a folder.
 * @param {string} authority
 * @param {{folder?: string, extension?: readonly string[], tests?: string, environment?: Record<string, string>}} target
 */
export function openAddress(authority, { folder, extension = [], tests, environment }) {
  const address = new URL(`http://${authority}/`);
  if (folder) address.searchParams.set("folder", folder);
  else address.searchParams.set("ew", "true");
  const remote = (file) => `vscode-remote://${authority}${encodeURI(file)}`;
  const payload = [["skipWelcome", "true"], ...extension.map((file) => ["extensionDevelopmentPath", remote(file)])];
  if (tests) payload.push(["extensionTestsPath", remote(tests)]);
  if (environment) payload.push(["extensionEnvironment", JSON.stringify(environment)]);
  address.searchParams.set("payload", JSON.stringify(payload));
  return address.href;
}
