// A Chromium for the tests: the one named in CHROME_PATH, one that is installed, Debian's package where we may install it, else playwright's
// own download.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const usual = {
  linux: [
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/usr/bin/google-chrome-stable",
    "/usr/bin/microsoft-edge",
  ],
  darwin: [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
  ],
  win32: [
    "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
    "C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe",
    "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe",
  ],
};
const installed = () => (usual[process.platform] ?? []).find((file) => existsSync(file));
const succeeds = (command, ...words) => spawnSync(command, words, { stdio: ["ignore", "ignore", "ignore"] }).status === 0;

/** Debian's package, with a font so that text in pictures is not boxes. Only as root: tests never ask for a password. */
function installFromDebian() {
  if (process.platform !== "linux" || process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) return undefined;
  const packages = ["install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-dejavu-core"];
  if (!succeeds("apt-get", "update", "-qq") || !succeeds("apt-get", ...packages)) return undefined;
  return installed();
}

async function installFromPlaywright() {
  const { chromium } = await import("playwright-core");
  if (existsSync(chromium.executablePath())) return { executable: chromium.executablePath(), how: "playwright's, downloaded before" };
  const cli = path.join(path.dirname(fileURLToPath(import.meta.resolve("playwright-core/package.json"))), "cli.js");
  const words = [cli, "install", ...(process.platform === "linux" && process.getuid?.() === 0 ? ["--with-deps"] : []), "chromium"];
  const done = spawnSync(process.execPath, words, { stdio: ["ignore", "ignore", "inherit"] });
  if (done.status !== 0 || !existsSync(chromium.executablePath()))
    throw new Error(
      "No Chromium was found, Debian's package could not be installed and playwright's download failed: install Chromium or name one in CHROME_PATH.",
    );
  return { executable: chromium.executablePath(), how: "playwright's, downloaded now" };
}

/** @returns {Promise<{executable: string, how: string}>} */
export async function findBrowser() {
  const named = process.env.CHROME_PATH;
  if (named) {
    if (!existsSync(named)) throw new Error(`CHROME_PATH names ${named}, which is not there.`);
    return { executable: named, how: "named in CHROME_PATH" };
  }
  const found = installed();
  if (found) return { executable: found, how: "installed" };
  const debian = installFromDebian();
  return debian ? { executable: debian, how: "Debian's package, installed now" } : installFromPlaywright();
}

export const describeBrowser = ({ executable, how }) => `browser: ${executable} (${how})`;

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) console.log(describeBrowser(await findBrowser()));
