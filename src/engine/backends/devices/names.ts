import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

const softwareDrivers: readonly (readonly [RegExp, string])[] = [
  [/vk_swiftshader/, "SwiftShader"],
  [/vulkan_(lvp|lavapipe)/, "llvmpipe"],
];
const hardwareDrivers: readonly (readonly [RegExp, string])[] = [
  [/nvidia|libcuda/i, "NVIDIA"],
  [/vulkan_radeon|amdvlk/, "AMD"],
  [/vulkan_intel/, "Intel"],
  [/vulkan_(freedreno|panfrost|broadcom|asahi|nouveau|virtio)/, "GPU"],
];

export interface NamedDevice {
  readonly name: string | undefined;
  /** A software device: the work runs on the CPU's cores after all. */
  readonly software: boolean;
}

/**
 * What a device is called: `cards` as the operating system names them; the drivers that were loaded say whether one of them was used, or
 * a driver that only imitates one. A loader prefers hardware where it has both.
 */
export function nameDevice(drivers: readonly string[], cards: readonly string[]): NamedDevice {
  const match = (list: typeof softwareDrivers) => list.find(([pattern]) => drivers.some((driver) => pattern.test(driver)))?.[1];
  const software = match(softwareDrivers);
  const hardware = match(hardwareDrivers);
  if (software !== undefined && hardware === undefined) return { name: `${software}, software`, software: true };
  const real = cards.filter((card) => !/basic (render|display)/i.test(card));
  if (cards.length > 0 && real.length === 0) return { name: `${cards[0]}, software`, software: true };
  return { name: real.length > 0 ? real.join(", ") : hardware, software: false };
}

const output = (command: string, ...words: string[]): Promise<string> =>
  new Promise((resolve) => execFile(command, words, { timeout: 10_000 }, (error, stdout) => resolve(error ? "" : stdout)));

const vendors: Readonly<Record<string, string>> = { "0x10de": "NVIDIA GPU", "0x1002": "AMD GPU", "0x8086": "Intel GPU" };

async function linuxCards(root = "/"): Promise<string[]> {
  const list = (folder: string): Promise<string[]> => readdir(path.join(root, folder)).catch(() => []);
  const read = (file: string): Promise<string> => readFile(path.join(root, file), "utf8").catch(() => "");
  const nvidia = await Promise.all((await list("proc/driver/nvidia/gpus")).map((id) => read(`proc/driver/nvidia/gpus/${id}/information`)));
  const models = nvidia.flatMap((text) => /^Model:\s*(.+)$/m.exec(text)?.[1]?.trim() ?? []);
  const cards = (await list("sys/class/drm")).filter((name) => /^card\d+$/.test(name));
  const made = await Promise.all(cards.map(async (card) => vendors[(await read(`sys/class/drm/${card}/device/vendor`)).trim()] ?? ""));
  return [...models, ...made.filter((name) => name !== "" && !(models.length > 0 && name.startsWith("NVIDIA")))];
}

/** Graphics cards as the operating system names them; empty where it does not say. `root` is the file system's. */
export async function graphicsCards(platform: NodeJS.Platform = process.platform, root = "/"): Promise<string[]> {
  if (platform === "linux") return linuxCards(root);
  const lines = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map((found) => (found[1] ?? "").trim());
  if (platform === "darwin") return lines(await output("system_profiler", "SPDisplaysDataType"), /Chipset Model:\s*(.+)/g);
  if (platform !== "win32") return [];
  const query = "(Get-CimInstance Win32_VideoController).Name";
  return lines(await output("powershell.exe", "-NoProfile", "-Command", query), /^(.+)$/gm).filter((name) => name !== "");
}
