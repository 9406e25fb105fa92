// `node bench/imports.mjs fuzz FILES ROUNDS [FROM]`: damaged copies of small models (comma between files), numbered, so that FROM goes on where a
// run has ended. Prints how they ended, the slowest in seconds of processor time, and the most memory. A process of its own opens them: one that
// ends, or takes longer than it may, is noted and started again behind the copy that it fell over.
import { spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";

const limits = { seconds: 5, memory: 1e9, hang: 30 };
/** Copies that one process opens. */
const part = 500;

/** Seconds of processor time of a process. */
const processorTime = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
};

/** Opens the copies `from` to `to`; gives the one behind the last that was opened. */
async function opened(script, args, { from, to }, note) {
  const child = spawn(process.execPath, [script, ...args, String(from), String(to)], { stdio: ["ignore", "pipe", "pipe"] });
  let [at, begun, errors] = [from, 0, ""];
  child.stderr.on("data", (text) => {
    errors = (errors + text).slice(-500);
  });
  const timer = setInterval(() => {
    if (processorTime(child.pid) - begun < limits.hang) return;
    note({ round: at, end: "HANG", crash: `more than ${limits.hang} s`, seconds: limits.hang, memory: 0 });
    child.kill("SIGKILL");
  }, 2000);
  const ended = new Promise((resolve) => child.on("close", (code, signal) => resolve({ code, signal })));
  for await (const text of createInterface({ input: child.stdout })) {
    const line = JSON.parse(text);
    if (line.end) note(line);
    else begun = processorTime(child.pid);
    at = line.end ? line.round + 1 : line.round;
  }
  clearInterval(timer);
  const { code, signal } = await ended;
  if (code === 0) return to;
  if (signal !== "SIGKILL")
    note({ round: at, end: "CRASH", crash: `the process ended (${signal ?? code}): ${errors}`, seconds: 0, memory: 0 });
  return at + 1;
}

export async function fuzz(script, [files, rounds = "1000", start = "0"]) {
  for (const original of files.split(",").map((file) => path.resolve(file))) {
    const folder = mkdtempSync(path.join(os.tmpdir(), "bulwark-fuzz-"));
    // The weights of a model.json lie beside it.
    if (original.endsWith(".json"))
      for (const name of readdirSync(path.dirname(original)))
        copyFileSync(path.join(path.dirname(original), name), path.join(folder, name));
    const ends = new Map();
    const faults = [];
    let [slowest, memory, done] = [0, 0, 0];
    const note = ({ round, end, seconds, memory: held, crash }) => {
      ends.set(end, (ends.get(end) ?? 0) + 1);
      [slowest, memory, done] = [Math.max(slowest, seconds), Math.max(memory, held), done + 1];
      if (crash || seconds > limits.seconds || held > limits.memory)
        faults.push(`${round}: ${end}, ${seconds.toFixed(1)} s, ${Math.round(held / 1e6)} MB ${crash ?? ""}`);
    };
    const told = () => {
      const counted = [...ends].map(([end, count]) => `${end} ${count}`).join(", ");
      return `${path.basename(original)}: ${done} damaged: ${counted}; slowest ${slowest.toFixed(2)} s of processor time, memory ${Math.round(memory / 1e6)} MB`;
    };
    const last = Number(start) + Number(rounds);
    for (let from = Number(start); from < last; ) {
      from = await opened(script, [original, folder], { from, to: Math.min(last, from + part) }, note);
      console.error(`${new Date().toTimeString().slice(0, 8)} up to ${from}: ${told()}`);
    }
    console.log(told());
    for (const fault of faults.slice(0, 20)) console.log(`  ${fault}`);
    if (faults.length > 0) process.exitCode = 1;
    rmSync(folder, { recursive: true });
  }
}
