// What a person does in the workbench, each gesture repeated until its outcome shows: the palette is filled once per opening, so that a
// command registered a moment later is missing from it, and a menu ignores a mouse button let go in its first 100 ms.

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("playwright-core").Locator} Locator */

/**
 * @param {Page} page
 * @param {string} what
 * @param {() => Promise<unknown>} gesture
 * @param {() => Promise<unknown>} outcome
 */
export async function until(page, what, gesture, outcome, tries = 8) {
  let last;
  for (let attempt = 0; attempt < tries; attempt++)
    try {
      await gesture();
      await outcome();
      return;
    } catch (error) {
      last = error;
      await page.keyboard.press("Escape");
    }
  throw new Error(`${what}: ${last}`);
}

/** @param {Page} page @param {string | RegExp} text @returns {Locator} */
export const explorerRow = (page, text) => page.locator(".explorer-folders-view .monaco-list-row", { hasText: text });
/** @param {Page} page @param {string | RegExp} text @returns {Locator} */
export const treeRow = (page, text) => page.locator(".pane-body .monaco-list-row", { hasText: text });
/** @param {Page} page @param {string | RegExp} text @returns {Locator} */
export const codeLens = (page, text) => page.locator(".codelens-decoration a", { hasText: text });
/** @param {Page} page @param {string | RegExp} text @returns {Locator} */
export const statusItem = (page, text) => page.locator(".statusbar-item", { hasText: text });
/** @param {Page} page @param {string | RegExp} text @returns {Locator} */
export const quickPickRow = (page, text) => page.locator(".quick-input-list .monaco-list-row", { hasText: text }).first();

/** @param {Page} page @returns {Locator} Bulwark in the activity bar */
export const sideBarIcon = (page) => page.locator('.activitybar .action-item a[aria-label="Bulwark"]');
/** @param {Page} page @param {string | RegExp} text @returns {Locator} a button of an empty view */
export const welcomeButton = (page, text) => page.locator(".welcome-view-content .monaco-button", { hasText: text });

/** @param {Page} page @param {string} folder a row the explorer shows once the window is ready */
export const workbenchReady = (page, folder) => explorerRow(page, folder).first().waitFor({ timeout: 60_000 });

/** @param {Page} page @param {string} label */
export async function runCommand(page, label) {
  const input = page.locator(".quick-input-widget input.input");
  const row = quickPickRow(page, label);
  await until(
    page,
    `command "${label}"`,
    async () => {
      await page.keyboard.press("F1");
      await input.waitFor({ timeout: 5000 });
      await input.fill(`>${label}`);
    },
    () => row.click({ timeout: 5000 }),
  );
}

/** @param {Page} page @param {string | RegExp} label */
export async function pick(page, label) {
  const row = quickPickRow(page, label);
  await row.waitFor();
  await row.click();
}

/**
 * Opens a list and picks from it. The list closes where a panel of a window that was loaded anew takes the focus, even between the row's
 * appearance and the click: it is opened again.
 * @param {Page} page @param {string} list its name in messages @param {() => Promise<unknown>} open @param {string | RegExp} label
 */
async function pickFrom(page, list, open, label) {
  const row = quickPickRow(page, label);
  await until(page, `"${label}" of "${list}"`, open, () => row.click({ timeout: 5000 }));
}

/** @param {Page} page @param {string} command @param {string | RegExp} label picked from the command's list */
export const choose = (page, command, label) => pickFrom(page, command, () => runCommand(page, command), label);

/** @param {Page} page @param {Locator} target @param {string | RegExp} label @param {() => Promise<unknown>} [beforeClick] */
export async function contextMenu(page, target, label, beforeClick) {
  const item = page.locator(".monaco-menu .action-menu-item", { hasText: label }).first();
  await until(
    page,
    `menu item "${label}"`,
    async () => {
      await target.click({ button: "right" });
      await item.waitFor({ timeout: 5000 });
      await page.waitForTimeout(250);
      await beforeClick?.();
      await item.click({ timeout: 3000 });
    },
    () => item.waitFor({ state: "hidden", timeout: 2000 }),
  );
}

/** @param {Page} page @param {Locator} target file in the explorer @param {string} editor */
export const openWith = (page, target, editor) => pickFrom(page, "Open With", () => contextMenu(page, target, "Open With"), editor);

/** @param {Page} page @param {string} title */
export async function openActivity(page, title) {
  await page.locator(`.activitybar a.action-label[aria-label^="${title}"]`).click();
}
