// `node bench/imports.mjs fuzz FILES ROUNDS`: damaged copies of small models (comma between files): each is opened as far as its network, as an
// inspection does. Prints how they ended, the slowest in seconds of processor time, and the memory of the process.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { useBackend } from "../../src/engine/backends/index.ts";
import { loadNetwork } from "../../src/engine/importers/index.ts";
import { createRandom } from "../../src/engine/random.ts";

type Random = ReturnType<typeof createRandom>;
/** Cut off, changed in some bytes, with a stretch removed, repeated or moved, or with extreme numbers. */
function damaged(whole: Uint8Array, random: Random, round: number): Uint8Array {
  const at = (): number => random.integer(whole.length);
  const [from, to] = [at(), at()].sort((a, b) => a - b) as [number, number];
  const end = Math.min(to, from + 64);
  const bytes = Uint8Array.from(whole);
  switch (round % 6) {
    case 0:
      return whole.subarray(0, from);
    case 1:
      return Uint8Array.from([...whole.subarray(0, from), ...whole.subarray(end)]);
    case 2:
      return Uint8Array.from([...whole.subarray(0, end), ...whole.subarray(from)]);
    case 3:
      bytes.fill(random.integer(2) === 0 ? 0 : 255, from, Math.min(from + 1 + random.integer(8), bytes.length));
      return bytes;
    case 4:
      // Structure stands at both ends of these formats; weights, which most bytes are, hardly matter.
      for (let i = 0; i < 4; i++) bytes[random.integer(Math.min(2048, bytes.length))] = random.integer(256);
      return bytes;
    default:
      for (let i = 0; i < 1 + random.integer(8); i++) bytes[at()] = random.integer(256);
      return bytes;
  }
}

async function main(): Promise<void> {
  await useBackend("onnxruntime");
  const [files = "", rounds = "1000"] = process.argv.slice(2);
  const folder = mkdtempSync(path.join(os.tmpdir(), "bulwark-fuzz-"));
  let failed = false;
  for (const original of files.split(",")) {
    const whole = Uint8Array.from(readFileSync(original));
    const random = createRandom(original);
    const file = path.join(folder, `damaged${path.extname(original)}`);
    const ends = new Map<string, number>();
    const crashes: string[] = [];
    let [slowest, memory] = [0, 0];
    for (let round = 0; round < Number(rounds); round++) {
      writeFileSync(file, damaged(whole, random, round));
      const start = process.cpuUsage();
      let end = "opened";
      try {
        (await loadNetwork(file, { input: { mean: 0, scale: 255 } }, { isUnnamed: true })).network.dispose();
      } catch (error) {
        const { name, code, message, stack } = error as Error & { code?: string };
        end = name === "BulwarkError" ? String(code) : "CRASH";
        if (name !== "BulwarkError") {
          crashes.push(`${round}: ${message} ${stack?.split("\n")[1]?.trim()}`);
          writeFileSync(path.join(os.tmpdir(), `crash-${crashes.length}-${path.basename(original)}`), readFileSync(file));
        }
      }
      ends.set(end, (ends.get(end) ?? 0) + 1);
      const { user, system } = process.cpuUsage(start);
      slowest = Math.max(slowest, (user + system) / 1e6);
      memory = Math.max(memory, process.memoryUsage().rss);
    }
    failed ||= crashes.length > 0 || slowest > 5 || memory > 1e9;
    const counted = [...ends].map(([end, count]) => `${end} ${count}`).join(", ");
    const line = `${path.basename(original)}: ${rounds} damaged: ${counted}; slowest ${slowest.toFixed(2)} s of processor time, memory ${Math.round(memory / 1e6)} MB`;
    console.log(line);
    for (const crash of crashes.slice(0, 5)) console.log(`  ${crash}`);
  }
  rmSync(folder, { recursive: true });
  process.exit(failed ? 1 : 0); // readers of HDF5 keep their threads
}
void main();
