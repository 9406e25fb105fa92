// The process that opens damaged inputs: KINDS SEED FROM TO FOLDER. Writes {round} before an input is opened, and how it ended after it.
import { cpSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { useBackend } from "../../src/engine/backends/index.ts";
import { createRandom } from "../../src/engine/random.ts";
import { tf } from "../../src/engine/tf.ts";
import { BulwarkError, toErrorData } from "../../src/shared/errors.ts";
import type { Kind, Opener } from "./kind.ts";
import { kinds } from "./kinds/index.ts";
import { watchFiles } from "./watch.ts";

/** Kinds in the order in which their inputs come. */
function orderOf(names: string): readonly Kind[] {
  const chosen = names === "all" ? kinds : kinds.filter(({ name }) => names.split(",").includes(name));
  const quick = chosen.filter(({ isSlow }) => !isSlow);
  if (quick.length === 0) return chosen;
  return [...chosen, ...Array.from({ length: 9 }, () => quick).flat()];
}

/** What one input may take. */
const limits = { seconds: 5, memory: 1e9 };

interface End {
  /** "opened", or the code of the error. */
  readonly end: string;
  /** What is wrong with the way it ended. */
  readonly fault?: string;
}
async function endOf(opener: Opener, folder: string): Promise<End> {
  try {
    await opener.open(folder);
    return { end: "opened" };
  } catch (error) {
    if (!(error instanceof BulwarkError) || error.code === "BUG") {
      const { message, detail = "" } = toErrorData(error);
      return { end: "BUG", fault: `${message} ${detail.split("\n").slice(0, 4).join(" ")}` };
    }
    return error.fix ? { end: error.code } : { end: error.code, fault: `no remedy: ${error.message}` };
  }
}

function faultOf(o: { seconds: number; memory: number; kept: number; outside: readonly string[] }): string | undefined {
  if (o.outside.length > 0) return `touched ${o.outside.join(", ")}`;
  if (o.kept > 0) return `kept ${o.kept} tensors`;
  if (o.seconds > limits.seconds) return `${o.seconds.toFixed(1)} s of processor time`;
  return o.memory > limits.memory ? `${Math.round(o.memory / 1e6)} MB` : undefined;
}

/** Peak resident memory in bytes since the last call, where the system tells. */
function peakMemory(): number {
  try {
    const peak = Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) * 1024;
    writeFileSync("/proc/self/clear_refs", "5");
    return peak;
  } catch {
    return process.memoryUsage().rss;
  }
}

async function main([names = "all", seed = "1", from = "0", to = "0", scratch = ""]: readonly string[]): Promise<void> {
  await useBackend("onnxruntime");
  const base = realpathSync(scratch);
  const watch = watchFiles([base, path.resolve(process.argv[1] ?? "", "../..")]);
  const order = orderOf(names);
  const openers = new Map<Kind, Opener>();
  const tell = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
  for (let round = Number(from); round < Number(to); round++) {
    const kind = order[round % order.length] as Kind;
    const opener = openers.get(kind) ?? (await prepared(kind, path.join(base, "originals", kind.name)));
    openers.set(kind, opener);
    const folder = path.join(base, "input");
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    tell({ round, kind: kind.name });
    await opener.write(folder, createRandom(`${seed} ${kind.name} ${round}`));
    watch.taken();
    peakMemory();
    const [start, tensors] = [process.cpuUsage(), tf.memory().numTensors];
    const { end, fault } = await endOf(opener, folder);
    const { user, system } = process.cpuUsage(start);
    const taken = { seconds: (user + system) / 1e6, memory: peakMemory() };
    const kept = end === "opened" || kind.keepsModels ? 0 : tf.memory().numTensors - tensors;
    const wrong = fault ?? faultOf({ ...taken, kept, outside: kind.namesPaths ? [] : watch.taken() });
    if (wrong !== undefined)
      cpSync(folder, path.join(base, "faults", `${kind.name}-${round}`), { recursive: true, verbatimSymlinks: true });
    tell({ round, kind: kind.name, end, fault: wrong, ...taken });
  }
  process.exit(0); // readers of HDF5 keep their threads
}

async function prepared(kind: Kind, originals: string): Promise<Opener> {
  rmSync(originals, { recursive: true, force: true });
  mkdirSync(originals, { recursive: true });
  return kind.prepare(originals);
}
void main(process.argv.slice(2));
