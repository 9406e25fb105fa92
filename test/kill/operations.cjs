// Preloaded into a process of a run: names its writing file operations and kills it, as a power cut would, at the one that is asked for.
// BULWARK_KILL is JSON: { base, log, at: ["rename state.json", …] or count }.
const fs = require("node:fs");
const path = require("node:path");

const { base, log, at, count } = JSON.parse(process.env.BULWARK_KILL);
const real = { append: fs.appendFileSync, write: fs.writeFileSync };
const wanted = new Set(at);
let left = count ?? Number.POSITIVE_INFINITY;

/** The same for files of one kind: process ids, hashes, numbers and the kind of temporary names are left out. */
const kindOf = (file) =>
  path
    .relative(base, path.resolve(file))
    .replaceAll(path.sep, "/")
    .replace(/\.\d+-\d+\.tmp$/, ".tmp")
    .replace(/local-\d+/, "local")
    .replace(/-[0-9a-f]{12,}(?=[/.-]|$)/g, "")
    .replace(/^images\/.*\.png/, "images/picture.png")
    .replace(/(model|records|adversarial|checkpoints)[-/]?(undefended|again)/, "$1")
    .replace(/\d+/g, "N");

function die(name) {
  real.append(log, `${name}\n`);
  process.kill(process.pid, "SIGKILL");
  for (;;) {} // the signal comes at once
}

/** Counts the operation; gives the moment at which it is the last one: "before", "within" or "after". */
function momentOf(operation, file) {
  const name = `${operation} ${kindOf(file)}`;
  if (name.includes("../")) return null;
  if (at === undefined && count === undefined) real.append(log, `${name}\n`);
  const moment = ["before", "within", "after"].find((one) => wanted.has(`${one} ${name}`));
  if (moment) return { moment, name: `${moment} ${name}` };
  left -= 1;
  return left <= 0 ? { moment: ["before", "within", "after"][name.length % 3], name: `any ${name}` } : null;
}

const half = (data) => (typeof data === "string" ? data.slice(0, data.length >> 1) : Buffer.from(data).subarray(0, data.byteLength >> 1));

for (const operation of ["writeFile", "rename", "rm"]) {
  const original = fs.promises[operation];
  fs.promises[operation] = async (...words) => {
    const found = momentOf(operation, words[operation === "rename" ? 1 : 0]);
    if (found?.moment === "before") die(found.name);
    if (found?.moment === "within" && operation === "writeFile") {
      real.write(words[0], half(words[1]));
      die(found.name);
    }
    const result = await original.apply(fs.promises, words);
    if (found) die(found.name);
    return result;
  };
}

const eventIn = (data) => (data === "\n" ? "end of line" : JSON.parse(data).kind);
fs.appendFileSync = (file, data, ...more) => {
  const found = typeof file === "string" ? momentOf(`append ${eventIn(data)}`, file) : null;
  if (found?.moment === "before") die(found.name);
  real.append(file, found?.moment === "within" ? half(data) : data, ...more);
  if (found) die(found.name);
};
