// npm run bench -- [--rows resnet50,adam] [--threads 1,2] [--repeats n] [--seconds 15] [--mobilenet model.json]: our engine and PyTorch side by
// side. Both processes of a row stay alive and are asked in turn, so that other load on the machine affects both; figures are medians, speeds
// medians of the ratios of such pairs, PyTorch's time over ours. --rows chooses rows that have all words of one of its items in their name.
import { execFileSync } from "node:child_process";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { bundle, root } from "./bundle.mjs";
import { rows } from "./rows.mjs";
import { Side } from "./side.mjs";

const { values: options } = parseArgs({
  options: {
    rows: { type: "string" },
    threads: { type: "string", default: "1,2" },
    repeats: { type: "string" },
    seconds: { type: "string", default: "15" },
    mobilenet: { type: "string", default: "" },
    list: { type: "boolean", default: false },
  },
});
const wanted = options.rows?.split(",").map((item) => item.trim().split(/\s+/));
const chosen = rows.filter(
  ({ name }) => !wanted || wanted.some((words) => words.every((word) => name.split(" ").some((part) => part.startsWith(word)))),
);
const python = [process.env.PYTHON, "python3", "/usr/bin/python3"].find((command) => {
  try {
    return command && execFileSync(command, ["-c", "import torch"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }) === "";
  } catch {
    return false;
  }
});

const median = (values) => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
const least = 100; // milliseconds that one timing takes at least

/** Calls each side in turn. */
async function pairsOf(opened) {
  const calls = opened.map(({ facts }) => Math.max(1, Math.round(least / facts.warm)));
  const seconds = opened.reduce((sum, { facts }, i) => sum + (facts.warm * calls[i]) / 1000, 0);
  const repeats = Number(options.repeats ?? Math.min(15, Math.max(1, Math.round(Number(options.seconds) / seconds))));
  const pairs = [];
  for (let i = 0; i < repeats; i++) {
    const pair = [];
    for (const [place, { side }] of opened.entries()) pair.push(await side.ask(String(calls[place])));
    pairs.push(pair);
  }
  return pairs;
}

async function measure(row, threads, ourBundle) {
  const n = String(threads);
  // torch.set_num_threads does not reach every BLAS it may have been built with; waiting threads that spin slow the other side down.
  const environment = {
    BULWARK_THREADS: n,
    THREADS: n,
    OMP_NUM_THREADS: n,
    OPENBLAS_NUM_THREADS: n,
    MKL_NUM_THREADS: n,
    OMP_WAIT_POLICY: "PASSIVE",
  };
  const started = [];
  const open = async (command, args) => {
    const side = new Side(command, args, environment);
    started.push(side);
    return { side, facts: await side.answer() };
  };
  try {
    const asked = { ...row, root, mobilenet: options.mobilenet };
    const ours = await open(process.execPath, [ourBundle, JSON.stringify(asked)]);
    if (ours.facts.missing) return { missing: ours.facts.missing };
    const theirs = python && (await open(python, [path.join(root, "bench/theirs/main.py"), JSON.stringify({ ...asked, ...ours.facts })]));
    const missing = theirs ? theirs.facts.missing : "python3 has no torch";
    const pairs = await pairsOf(missing ? [ours] : [ours, theirs]);
    const peaks = [await ours.side.end(), ...(missing ? [] : [await theirs.side.end()])];
    return { pairs, peaks, without: missing };
  } finally {
    for (const side of started) side.stop();
  }
}

const digits = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));
const middle = (pairs, side, clock) => median(pairs.map((pair) => pair[side][clock]));
const speed = (pairs, clock) => median(pairs.map(([ours, theirs]) => theirs[clock] / ours[clock]));

/** What the row's results say, and which of its goals they miss: speeds by wall time, memory by the larger of what the thread counts took. */
function line(row, threads, results) {
  const cells = results.flatMap(({ pairs, without }) => {
    const ours = digits(middle(pairs, 0, "wall"));
    if (without) return [ours, without];
    return [`${ours} / ${digits(middle(pairs, 1, "wall"))}`, `${speed(pairs, "wall").toFixed(2)} / ${speed(pairs, "cpu").toFixed(2)}`];
  });
  const slow =
    row.most && results.some(({ pairs }, i) => threads[i] === 1 && middle(pairs, 0, "cpu") > row.most) && "1 thread, processor time";
  const most = row.most && `≤ ${row.most} ms`;
  if (results.some(({ without }) => without)) return `| ${[row.name, most || "", ...cells, "", slow || ""].join(" | ")} |`;
  const peaks = [0, 1].map((side) => Math.max(...results.map((result) => result.peaks[side])));
  const goals = [most, row.goal && `≥ ${row.goal[0]} / ${row.goal[1]}`, row.memory && `≤ ${row.memory}`].filter(Boolean);
  const missed = [
    ...results.map(
      ({ pairs }, i) =>
        row.goal && speed(pairs, "wall") < row.goal[threads[i] === 1 ? 0 : 1] && `${threads[i]} thread${threads[i] === 1 ? "" : "s"}`,
    ),
    slow,
    row.memory && peaks[0] > row.memory * peaks[1] && "memory",
  ].filter(Boolean);
  const memory = `${peaks.map((peak) => peak.toFixed(0)).join(" / ")} (${(peaks[0] / peaks[1]).toFixed(1)})`;
  return `| ${[row.name, goals.join(", "), ...cells, memory, missed.join(", ")].join(" | ")} |`;
}

if (options.list) {
  for (const { name } of chosen) console.log(name);
} else {
  const ourBundle = await bundle("ours/main");
  const threads = options.threads.split(",").map(Number);
  console.log(
    `${os.cpus()[0]?.model.trim()}, ${os.cpus().length} logical cores; load ${os.loadavg()[0].toFixed(1)}; Node ${process.version}`,
  );
  console.log("Milliseconds of wall time, ours / theirs; speed: their time over ours, of wall time / processor time; peak resident MB.\n");
  const heads = threads.flatMap((n) => [`ms, ${n} thread${n === 1 ? "" : "s"}`, "speed"]);
  console.log(`| ${["row", "goal", ...heads, "memory", "missed"].join(" | ")} |\n|${"---|".repeat(heads.length + 4)}`);
  for (const row of chosen) {
    const results = [];
    for (const n of threads) results.push(await measure(row, n, ourBundle).catch((error) => ({ missing: error.message })));
    const missing = results.find((result) => result.missing)?.missing;
    console.log(missing ? `| ${row.name} | left out: ${missing} |` : line(row, threads, results));
  }
}
