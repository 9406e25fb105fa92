// One headless Chromium window that can reach this machine and nothing else.
import { chromium } from "playwright-core";
import { findBrowser } from "../../scripts/find-browser.mjs";

const switches = [
  "--no-sandbox", // containers run as root, where Chromium's sandbox refuses to start
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-features=LocalNetworkAccessChecks,Translate",
];

/** @param {{width?: number, height?: number}} [size] */
export async function openBrowser({ width = 1280, height = 860 } = {}) {
  const { executable } = await findBrowser();
  const browser = await chromium.launch({ executablePath: executable, args: switches });
  const context = await browser.newContext({ viewport: { width, height }, permissions: ["clipboard-read", "clipboard-write"] });
  // The same behaviour with and without a network.
  await context.route(/^https?:\/\/(?!127\.0\.0\.1|localhost)/, (route) => route.abort());
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  return { browser, context, page, close: () => browser.close() };
}
