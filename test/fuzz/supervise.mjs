// Damaged inputs of every kind, numbered and drawn from a seed: the same number is always the same input. A process of its own opens them: one
// that ends, or takes longer than it may, is noted and started again behind the input that it fell over.
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { bundleFile, root } from "../../scripts/bundle-file.mjs";

/** Seconds of processor time after which an input is given up. */
const patience = 30;
/** Inputs that one process opens. */
const part = 250;
/** Processes at a time. */
const lanes = Math.min(2, os.availableParallelism());

/** Seconds of processor time of a process. */
function processorTime(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Opens the inputs `from` to `to`; gives the one behind the last that was opened. */
async function opened(script, { kinds, seed, from, to, folder }, note) {
  const words = [script, kinds, String(seed), String(from), String(to), folder];
  const child = spawn(process.execPath, words, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let [at, kind, begun, errors] = [from, "", null, ""];
  child.stderr.on("data", (text) => {
    errors = (errors + text).slice(-500);
  });
  const timer = setInterval(() => {
    if (begun === null || processorTime(child.pid) - begun < patience) return;
    note({ round: at, kind, end: "HANG", fault: `more than ${patience} s of processor time`, seconds: patience, memory: 0 });
    child.kill("SIGKILL");
  }, 1000);
  const ended = new Promise((resolve) => child.on("close", (code, signal) => resolve({ code, signal })));
  for await (const text of createInterface({ input: child.stdout })) {
    const line = JSON.parse(text);
    kind = line.kind;
    if (line.end) note(line);
    begun = line.end ? null : processorTime(child.pid);
    at = line.end ? line.round + 1 : line.round;
  }
  clearInterval(timer);
  const { code, signal } = await ended;
  if (code === 0) return to;
  if (signal !== "SIGKILL")
    note({ round: at, kind, end: "CRASH", fault: `the process ended (${signal ?? code}): ${errors}`, seconds: 0, memory: 0 });
  return at + 1;
}

/** Of many inputs of a kind, some open and some are refused; otherwise what is whole is not, or the damage does none. */
function oneSided(counts) {
  return [...counts].flatMap(([kind, { total, ends }]) => {
    const opened = ends.get("opened") ?? 0;
    if (total < 50 || (opened > 0 && opened < total)) return [];
    return [`${kind}: ${opened === 0 ? "none" : "every one"} of ${total} inputs was opened`];
  });
}

/** Inputs that ended as they should not are kept in artifacts/fuzz. */
function keepFaults(folder) {
  const kept = path.join(root, "artifacts/fuzz");
  rmSync(kept, { recursive: true, force: true });
  for (const lane of readdirSync(folder)) {
    const found = path.join(folder, lane, "faults");
    if (existsSync(found)) cpSync(found, kept, { recursive: true, verbatimSymlinks: true });
  }
  rmSync(folder, { recursive: true, force: true });
}

/**
 * Opens `n` inputs. Prints a line for each kind, the faults with the number that repeats them, and one line of totals.
 * @returns how many were opened as they should, and the others by their description
 */
export async function fuzz({ n, seed = 1, kinds = "all", from = 0 }) {
  const script = await bundleFile("test/fuzz/worker.ts", "dist/fuzz-worker.cjs");
  const folder = mkdtempSync(path.join(os.tmpdir(), "bulwark-fuzz-"));
  const [counts, failures] = [new Map(), []];
  const worst = { seconds: 0, memory: 0 };
  const note = (line) => {
    const count = counts.get(line.kind) ?? { total: 0, ends: new Map(), seconds: 0 };
    count.total++;
    count.seconds += line.seconds;
    count.ends.set(line.end, (count.ends.get(line.end) ?? 0) + 1);
    counts.set(line.kind, count);
    worst.seconds = Math.max(worst.seconds, line.seconds);
    worst.memory = Math.max(worst.memory, line.memory);
    if (line.fault) failures.push(`${line.kind} ${line.round}: ${line.end}: ${line.fault}`);
  };
  let next = from;
  const lane = async (own) => {
    while (next < from + n) {
      let at = next;
      const to = Math.min(from + n, at + part);
      next = to;
      while (at < to) at = await opened(script, { kinds, seed, folder: own, from: at, to }, note);
    }
  };
  await Promise.all(Array.from({ length: lanes }, () => lane(mkdtempSync(path.join(folder, "lane-")))));
  keepFaults(folder);
  for (const [kind, { total, ends, seconds }] of counts) {
    const ended = [...ends].sort(([, a], [, b]) => b - a).map(([end, count]) => `${end} ${count}`);
    console.log(`${kind}: ${total} in ${seconds.toFixed(1)} s of processor time: ${ended.join(", ")}`);
  }
  failures.push(...oneSided(counts));
  for (const failure of failures) console.error(failure);
  const done = [...counts.values()].reduce((sum, { total }) => sum + total, 0);
  console.log(
    `fuzz: ${done} inputs, seed ${seed}, ${failures.length} faults; slowest ${worst.seconds.toFixed(2)} s of processor time, most memory ${Math.round(worst.memory / 1e6)} MB`,
  );
  return { passed: done - failures.length, failed: failures.length, failures };
}
