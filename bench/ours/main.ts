// Our side of one row, which is the argument; see side.mjs for what it reads and answers.
import { createInterface } from "node:readline";
import { useBackend } from "../../src/engine/backends/index.ts";
import { attacks } from "./attacks.ts";
import { decoding } from "./decoding.ts";
import { filters } from "./filters.ts";
import { networks } from "./networks.ts";
import { patches } from "./patches.ts";
import { searches } from "./searches.ts";
import { training } from "./training.ts";
import { Missing, type Row, type Work } from "./work.ts";

const groups: Readonly<Record<string, (row: Row) => Promise<Work>>> = { networks, training, attacks, patches, searches, decoding, filters };
const answer = (value: object): void => console.log(JSON.stringify(value));

async function timed(work: Work, calls: number): Promise<{ wall: number; cpu: number }> {
  const [start, used] = [performance.now(), process.cpuUsage()];
  for (let i = 0; i < calls; i++) await work.run();
  const wall = performance.now() - start;
  const { user, system } = process.cpuUsage(used);
  return { wall: wall / calls, cpu: (user + system) / 1000 / calls };
}

async function main(): Promise<void> {
  const row = JSON.parse(process.argv[2] ?? "{}") as Row;
  await useBackend("onnxruntime");
  const group = groups[row.group];
  if (!group) throw new Error(`no group ${row.group}`);
  const work = await group(row);
  let warm = (await timed(work, 1)).wall; // graphs are compiled in it; the second call finds all memory there
  if (warm < 3000) warm = (await timed(work, 1)).wall;
  answer({ warm, ...work.facts });
  for await (const request of createInterface({ input: process.stdin })) {
    if (request === "end") return answer({ peak: process.resourceUsage().maxRSS / 1024 });
    answer(await timed(work, Number(request)));
  }
}

main().then(
  () => process.exit(0), // a training under way waits for its next turn
  (thrown: unknown) => {
    if (thrown instanceof Missing) answer({ missing: thrown.message });
    else console.error(thrown);
    process.exit(thrown instanceof Missing ? 0 : 1);
  },
);
