// Runs a test file inside the extension host of VS Code's server build, with VS Code's own mechanism for extension tests.
import util from "node:util";
import { openBrowser } from "./browser.mjs";
import { openAddress, startWorkbench } from "./workbench.mjs";

/** The workbench sends its own chatter through the same pipe; only what the tests printed is kept. */
const chatter = [
  /@vscode\/(spdlog|native-watchdog)|build\/Release\/watchdog/, // native parts that the installer leaves out: logs and orphan control
  /at .*\/out\/vs\/code\/browser\/workbench|^Connection error|\[reconnection-grace-time\]|ChatModelSelection/,
  /^\[|^(Resolv|Creating a socket|Updating additional|Ignoring fetching additional builtin|%c)/,
];

/** Ways a run ends other than by its own report. */
function watchForDeath(workbench, page, end) {
  let started = 0;
  workbench.onLog((text) => {
    if (/Launched Extension Host Process/.test(text) && ++started > 1) end({ code: 70, why: "the extension host restarted" });
    const match = /Extension Host Process exited with code: (\S+), signal: (\S+?)\./.exec(text);
    // A normal end is reported by the page within this time.
    if (match) setTimeout(() => end({ code: 70, why: `the extension host ended (code ${match[1]}, signal ${match[2]})` }), 3000).unref();
  });
  page.on("crash", () => end({ code: 71, why: "the browser page crashed" }));
}

/**
 * Resolves to an exit code. 0 alone is no proof of a pass (a dead extension host reports 0 as well): the caller looks for the result file
 * of the runner inside the host.
 * @param {{folder?: string, extension: readonly string[], tests: string, extensionsDirectory?: string, environment?: Record<string, string>,
 *   logFile?: string, screenshot?: string, timeout?: number}} options
 */
export async function runInExtensionHost({ folder, extension, tests, environment = {}, timeout = 480_000, ...options }) {
  const workbench = await startWorkbench({ ...options, environment, driver: true });
  let browser;
  try {
    browser = await openBrowser();
    const { page } = browser;
    const ended = deferred();
    const timer = setTimeout(() => ended.resolve({ code: 124, why: `no result after ${timeout / 1000} s` }), timeout);
    await page.exposeFunction("codeAutomationLog", (_type, words) => {
      const line = util.format(...words);
      if (!chatter.some((pattern) => pattern.test(line))) process.stdout.write(`${line}\n`);
    });
    await page.exposeFunction("codeAutomationExit", (code) => ended.resolve({ code }));
    watchForDeath(workbench, page, ended.resolve);
    await page.goto(openAddress(workbench.authority, { folder, extension, tests, environment }));
    const result = await ended.promise;
    clearTimeout(timer);
    if (result.why) console.error(result.why);
    if (options.screenshot) await page.screenshot({ path: options.screenshot }).catch(() => {});
    return result.code;
  } finally {
    await browser?.close().catch(() => {});
    await workbench.stop();
  }
}

function deferred() {
  let resolve;
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
