import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isVerb, verbs } from "../../src/cli/usage.ts";
import { newWorkspace, start, type Workspace, writeData } from "./support.ts";

const model = path.resolve(import.meta.dirname, "../../samples/models/papernot");
const seven = path.resolve(import.meta.dirname, "../../samples/seven.png");

/** Milliseconds of processor time after which a command is asked to stop: while it opens things, and while it works. */
const moments = [500, 2000] as const;
/** What it may take then; ending itself is part of it. */
const patience = 250;
/** One that has less than this left when it is asked may as well end as if it had not been. */
const asGoodAsDone = 50;

let workspace: Workspace;
beforeAll(async () => {
  workspace = newWorkspace();
  await writeData(workspace);
  const endless = { kind: "pgd", eps: 0.2, steps: 10_000, stepSize: 0.02 };
  const experiment = {
    dataset: { kind: "arrays", path: "data.npz", testShare: 0.25 },
    model: { kind: "papernot" },
    train: { epochs: 1000, batchSize: 8, validation: 0.2 },
    attacks: [endless],
  };
  workspace.write("endless.bulwark.jsonc", JSON.stringify(experiment));
  workspace.write("attacked.bulwark.jsonc", JSON.stringify({ ...experiment, model: { file: model }, dataset: { kind: "mnist" } }));
  mkdirSync(workspace.file("empty"));
  writeFileSync(workspace.file("plugin.cjs"), "module.exports = () => { for (;;) {} };");
});
afterAll(() => workspace.remove());

const pictures = ["--model", model, "--image", seven];
const onMany = ["--model", model, "--dataset", "mnist"];
/** Of every verb the words with which it takes as long as it can; `isLong` where it is still at work at the last moment. */
const table: Readonly<Record<keyof typeof verbs, { readonly words: readonly string[]; readonly goesOn?: RegExp; readonly isLong?: true }>> =
  {
    list: { words: [] },
    fetch: { words: ["mnist"], goesOn: /`bulwark fetch mnist.*` goes on/ },
    doctor: { words: [] },
    inspect: { words: [model] },
    probe: { words: [model, "--dataset", "mnist", "--limit", "10000"] },
    "check-plugin": { words: ["plugin.cjs"] },
    run: { words: ["endless.bulwark.jsonc", "--out", "run"], goesOn: /`bulwark resume run` goes on/, isLong: true },
    train: { words: ["endless.bulwark.jsonc", "--out", "train"], goesOn: /`bulwark resume train` goes on/, isLong: true },
    evaluate: { words: ["attacked.bulwark.jsonc", "--out", "evaluate"], goesOn: /`bulwark resume evaluate` goes on/, isLong: true },
    resume: { words: ["train"], goesOn: /`bulwark resume train` goes on/, isLong: true },
    cancel: { words: ["empty"] },
    attack: {
      words: [...onMany, "--attack", "pgd", "--set", "steps=10000", "--out", "attack"],
      goesOn: /`bulwark resume attack` goes on/,
      isLong: true,
    },
    predict: { words: onMany },
    defend: { words: ["--dataset", "mnist", "--defense", "totalVariation"] },
    detect: { words: [...onMany, "--detector", "featureSqueezing"] },
    explain: { words: [...pictures, "--method", "lime"] },
    rank: { words: ["--image", seven, "--patch", "1"] },
    patch: { words: ["map", seven, ...onMany, "--stride", "1"] },
    report: { words: ["empty"] },
  };

/** Milliseconds of processor time of a process that is there; null for one that has ended. */
function processorTime(pid: number | undefined): number | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return fields[0] === "Z" ? null : 10 * (Number(fields[11]) + Number(fields[12]));
  } catch {
    return null;
  }
}

/** Asks a command to stop after so much processor time; null where it has ended before. */
async function stoppedAfter(verb: string, words: readonly string[], moment: number) {
  const running = start(workspace, [verb, ...words]);
  const { pid } = running.child;
  let used = processorTime(pid);
  for (; used !== null && used < moment; used = processorTime(pid)) await new Promise((resolve) => setTimeout(resolve, 5));
  if (used === null) return null;
  running.child.kill("SIGINT");
  let last = used;
  for (let now: number | null = used; now !== null; now = processorTime(pid)) {
    last = now;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return { ...(await running.finished), after: last - used };
}

describe.runIf(process.platform === "linux")("Ctrl-C", () => {
  it("has a line for every verb", () => {
    expect(Object.keys(table).filter((verb) => !isVerb(verb))).toEqual([]);
    expect(Object.keys(table).sort()).toEqual(Object.keys(verbs).sort());
  });

  it.each(Object.entries(table))("ends `bulwark %s` at once, and says how to go on", async (verb, { words, goesOn, isLong }) => {
    for (const moment of moments) {
      const stopped = await stoppedAfter(verb, words, moment);
      if (!stopped) {
        expect(isLong).not.toBe(true);
        continue;
      }
      const { code, signal, stderr, after } = stopped;
      if (code === 0 && !isLong && after <= asGoodAsDone) continue;
      expect([code, signal]).toEqual(signal === null ? [130, null] : [null, "SIGINT"]); // 130 to a shell as well
      expect(after).toBeLessThan(patience);
      expect(stderr).not.toMatch(/error BUG/);
      if (goesOn && signal === null && (moment > 1000 || verb === "fetch")) expect(stderr).toMatch(goesOn);
    }
  });
});

describe("a reader who has gone", () => {
  it("stops no work: `2>&1 | head -1` harms nothing", async () => {
    const running = start(workspace, ["attack", ...pictures, "--attack", "fgsm", "--no-label", "--out", "unread"]);
    running.child.stderr?.destroy();
    running.child.stdout?.destroy();
    expect((await running.finished).code).toBe(0);
    expect(JSON.parse(readFileSync(workspace.file("unread/state.json"), "utf8"))).toMatchObject({ status: "done" });
  });
});
