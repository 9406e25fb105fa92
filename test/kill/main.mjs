// The kill layer: a run that is killed at every kind of file operation, and at random ones, ends as one that was not.
// node test/kill/main.mjs [--n 200] [--seed 1]: so many random kills. The last line is FIGURE ….
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "../..");
const option = (name, usual) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? usual : Number(process.argv[at + 1]);
};
const [wanted, seed] = [option("n", 20), option("seed", 1)];

/** Mulberry32. */
function randomFrom(start) {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
const random = randomFrom(seed);

const workspace = mkdtempSync(path.join(os.tmpdir(), "bulwark-kill-"));
const place = (...names) => path.join(workspace, ...names);
const log = place("operations.log");

/** Ten classes of 16×16 pictures, told apart by where they are bright: as little work as a run can have. */
function writeImages(split, count) {
  const [side, header] = [16, Buffer.alloc(16)];
  for (const [i, value] of [0x803, count, side, side].entries()) header.writeUInt32BE(value, 4 * i);
  const pixels = Buffer.from(
    Array.from({ length: count * side * side }, (_, i) => {
      const [image, pixel] = [Math.floor(i / (side * side)), i % (side * side)];
      return (Math.floor(pixel / 26) === image % 10 ? 180 : 20) + Math.floor(random() * 60);
    }),
  );
  const labels = Buffer.alloc(8);
  for (const [i, value] of [0x801, count].entries()) labels.writeUInt32BE(value, 4 * i);
  writeFileSync(place(`${split}-images-idx3-ubyte`), Buffer.concat([header, pixels]));
  writeFileSync(place(`${split}-labels-idx1-ubyte`), Buffer.concat([labels, Buffer.from(Array.from({ length: count }, (_, i) => i % 10))]));
}

function prepare() {
  writeImages("train", 40);
  writeImages("t10k", 4);
  const experiment = {
    name: "killed",
    dataset: { kind: "mnist", path: "." },
    model: { kind: "papernot" },
    train: { epochs: 2, batchSize: 20, validation: 0.25 },
    attacks: [{ kind: "fgsm", eps: 0.3 }],
    compare: [{ name: "again", defense: { kind: "standard" }, train: { epochs: 1 } }],
    control: false,
  };
  writeFileSync(place("killed.bulwark.jsonc"), JSON.stringify(experiment));
}

/** Processor time of the children, in seconds. */
let spent = 0;

/** One command, killed as `kill` says. */
async function command(words, kill) {
  const environment = kill && { BULWARK_KILL: JSON.stringify({ ...kill, log }) };
  const preload = kill ? ["--require", path.join(import.meta.dirname, "operations.cjs")] : [];
  const child = spawn(process.execPath, [...preload, path.join(root, "dist/cli.cjs"), ...words, "--quiet"], {
    cwd: workspace,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let text = "";
  child.stderr.on("data", (data) => {
    text += data;
  });
  const before = childTime();
  const end = await new Promise((resolve) => child.on("close", (code, signal) => resolve({ code, signal, text })));
  spent += childTime() - before;
  return end;
}

/** Of the children that have ended, where the system tells it. */
function childTime() {
  try {
    const fields = readFileSync("/proc/self/stat", "utf8").split(") ")[1].split(" ");
    return (Number(fields[13]) + Number(fields[14])) / 100;
  } catch {
    return 0;
  }
}

const run = (out) => ["run", "killed.bulwark.jsonc", "--out", out];
/** As a user would: `resume` where there is something, else the same command again. */
const again = (out) => (existsSync(place(out, "experiment.json")) ? ["resume", out] : run(out));

/** What a clock or a folder decides. */
const volatile =
  /^(run|seconds|imagesPerSecond|finishedAt|createdAt|updatedAt|memoryBytes|milliseconds|median|mean|p95|timing|t|time|times|reused)$/;
const settled = (value) => {
  if (Array.isArray(value)) return value.map(settled);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !volatile.test(key))
      .map(([key, one]) => [key, settled(one)]),
  );
};

/** Every file of a run by its name: the hash of its content, or of what of it no clock decides. */
function resultOf(out) {
  const names = readdirSync(place(out), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(place(out), path.join(entry.parentPath, entry.name)));
  const told = names.filter((name) => !/^(events\.jsonl|state\.json|plan\.json|report\.(html|md|csv)|analyses\.csv)$/.test(name));
  const content = (name) => {
    const bytes = readFileSync(place(out, name));
    return name.endsWith(".json") ? JSON.stringify(settled(JSON.parse(bytes))) : bytes;
  };
  const hash = (name) => createHash("sha256").update(content(name)).digest("hex");
  return Object.fromEntries(told.sort().map((name) => [name, hash(name)]));
}

function differences(found, expected) {
  const names = [...new Set([...Object.keys(found), ...Object.keys(expected)])];
  return names.filter((name) => found[name] !== expected[name]);
}

const failures = [];
let kills = 0;

/** Kills a run and its resumptions as long as `next` says how, then lets it end and compares. */
async function chain(expected, next) {
  rmSync(place("run"), { recursive: true, force: true });
  const history = [];
  for (let words = run("run"); ; words = again("run")) {
    const kill = next();
    const { code, signal, text } = await command(words, kill && { ...kill, base: place("run") });
    if (signal === "SIGKILL") {
      kills += 1;
      history.push(lastOperation());
      continue;
    }
    const wrong = code === 0 ? differences(resultOf("run"), expected) : [`exit ${code}: ${text.slice(-400)}`];
    if (wrong.length === 0) return;
    const kept = place(`failed-${failures.length + 1}`);
    cpSync(place("run"), kept, { recursive: true });
    failures.push({ history, wrong, kept });
    console.log(`FAILED after kills at ${history.join(", ")}: ${wrong.slice(0, 5).join(", ")}; kept in ${kept}`);
    return;
  }
}

const lastOperation = () => readFileSync(log, "utf8").trim().split("\n").at(-1);

/** Files of which the renaming tells something: the state, the plan, what a training or an attack leaves, a piece, the report. */
const told =
  /(state|plan|experiment|training|report|records-fgsm|\.tmp-attack-local\/done)\.json$|(checkpoint|best|weights)\.bin$|adversarial-fgsm\.npz$|picture\.png$|pieces\/(train|attack|report)$/;
const halves = /(state\.json|checkpoint\.bin|weights\.bin|picture\.png)\.tmp$/;

/**
 * Moments to be killed at, by the kind of operation: a name that is not there yet or is there now, a file or a line that is half written. For
 * what lies on the disk, "after" one is "before" the next one.
 */
function momentsOf(operations) {
  return [...new Set(operations)].flatMap((name) => {
    if (name.startsWith("writeFile")) return halves.test(name) ? [`within ${name}`] : [];
    if (name.startsWith("append epoch")) return [`within ${name}`, `after ${name}`];
    if (name.startsWith("append")) return /append (started|trained|done) /.test(name) ? [`after ${name}`] : [];
    if (name.startsWith("rename")) return told.test(name) ? [`before ${name}`, `after ${name}`] : [];
    return /^rm (pieces|attempts|checkpoints|driver\.json)$/.test(name) ? [`after ${name}`] : [];
  });
}

async function main() {
  prepare();
  const first = await command(run("reference"), { base: place("reference") });
  if (first.code !== 0) throw new Error(first.text);
  const expected = resultOf("reference");
  const operations = readFileSync(log, "utf8").trim().split("\n");
  const moments = momentsOf(operations);
  const left = new Set(moments);
  for (let before = -1; left.size > 0 && left.size !== before; ) {
    before = left.size;
    await chain(expected, () => {
      if (kills > 0) left.delete(lastOperation());
      return left.size > 0 ? { at: [...left] } : null;
    });
  }
  const named = kills;
  while (kills < named + wanted) {
    let more = 1 + Math.floor(random() * 6);
    await chain(expected, () => (more-- > 0 && kills < named + wanted ? { count: 1 + Math.floor(random() * operations.length) } : null));
  }
  for (const moment of left) console.log(`not reached: ${moment}`);
  const missed = left.size > 0 ? `, ${left.size} moments not reached` : "";
  console.log(
    `FIGURE kill: ${named} kills at ${moments.length} named moments${missed}, ${kills - named} at random ones, ${failures.length} runs ended otherwise than uninterrupted; ${Math.round(spent)} s of processor time, seed ${seed}`,
  );
  if (failures.length === 0) rmSync(workspace, { recursive: true, force: true });
  process.exitCode = failures.length === 0 ? 0 : 1;
}

await main();
