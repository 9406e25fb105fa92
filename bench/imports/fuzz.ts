// The process that opens damaged copies, for `node bench/imports.mjs fuzz`: FILE FOLDER FROM TO. Each copy is opened as far as its network, as an
// attack does. Writes {round} before a copy is opened, and {round, end, seconds, memory} after it.
import { readFileSync } from "node:fs";
import path from "node:path";
import { useBackend } from "../../src/engine/backends/index.ts";
import { loadNetwork } from "../../src/engine/importers/index.ts";
import { writeDamaged } from "./damage.ts";

async function opened(file: string): Promise<{ end: string; crash?: string }> {
  try {
    (await loadNetwork(file, { input: { mean: 0, scale: 255 } }, { isUnnamed: true })).network.dispose();
    return { end: "opened" };
  } catch (error) {
    const { name, code, message, stack } = error as Error & { code?: string };
    if (name === "BulwarkError" && code !== "BUG") return { end: String(code) };
    return { end: "CRASH", crash: `${message} ${stack?.split("\n").slice(1, 3).join(" ").trim()}` };
  }
}

async function main(): Promise<void> {
  await useBackend("onnxruntime");
  const [original = "", folder = "", from = "0", to = "0"] = process.argv.slice(2);
  const whole = Uint8Array.from(readFileSync(original));
  const file = path.join(folder, path.basename(original));
  const tell = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
  for (let round = Number(from); round < Number(to); round++) {
    await writeDamaged(original, whole, file, round);
    tell({ round });
    const start = process.cpuUsage();
    const found = await opened(file);
    const { user, system } = process.cpuUsage(start);
    tell({ round, ...found, seconds: (user + system) / 1e6, memory: process.memoryUsage().rss });
  }
  process.exit(0); // readers of HDF5 keep their threads
}
void main();
