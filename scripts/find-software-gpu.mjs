// A Vulkan device for the tests of the GPU path on machines that have none: SwiftShader, which Chromium brings along. It computes on the
// processor, slowly, through the same drivers' interface and the same provider as a graphics card.
import { existsSync, mkdtempSync, realpathSync } from "node:fs";
import os from "node:os";
import path from "node:path";

const folders = ["/usr/lib/chromium", "/usr/lib/chromium-browser", "/usr/lib64/chromium-browser", "/opt/google/chrome"];
const icd = "vk_swiftshader_icd.json";

/** Debian's /usr/bin/chromium is a script beside nothing; Chrome and playwright's Chromium lie next to their drivers. */
const folderOf = (executable) => path.dirname(realpathSync(executable));

/**
 * @param {string | undefined} browser executable of a Chromium, where one is known
 * @returns {{environment: Record<string, string>, how: string} | undefined} what a process needs in its environment to see the device
 */
export function findSoftwareGpu(browser) {
  if (process.env.VK_DRIVER_FILES) return { environment: {}, how: `named in VK_DRIVER_FILES: ${process.env.VK_DRIVER_FILES}` };
  const folder = [...folders, ...(browser ? [folderOf(browser)] : [])].find((name) => existsSync(path.join(name, icd)));
  if (!folder) return undefined;
  const libraries = [folder, process.env.LD_LIBRARY_PATH].filter(Boolean).join(path.delimiter);
  const environment = { VK_DRIVER_FILES: path.join(folder, icd), LD_LIBRARY_PATH: libraries };
  // The loader wants a folder of the user's own, and servers often have none.
  const own = process.env.XDG_RUNTIME_DIR;
  if (!own || !existsSync(own)) environment.XDG_RUNTIME_DIR = mkdtempSync(path.join(os.tmpdir(), "bulwark-xdg-"));
  return { environment, how: `SwiftShader in ${folder}` };
}
