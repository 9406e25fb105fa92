import { cpSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { experimentDocument } from "../../../src/engine/experiment/document.ts";
import { parseExperiment } from "../../../src/engine/experiment/load.ts";
import { resolveExperiment } from "../../../src/engine/experiment/resolve.ts";
import { resumeRun, runExperiment } from "../../../src/engine/experiment/runExperiment.ts";
import { writeNpz } from "../../../src/engine/io/npz.ts";
import { readRunEvents, readRunState } from "../../../src/engine/io/runStore.ts";
import type { Random } from "../../../src/engine/random.ts";
import { renderReport, reportFormats } from "../../../src/engine/report/reportFiles.ts";
import { startEngine } from "../../../src/engine/session/engine.ts";
import { runFiles } from "../../../src/shared/runs.ts";
import { damagedBytes, damagedJson, jsonOr } from "../damage.ts";
import type { Kind } from "../kind.ts";

const attacked = {
  name: "small",
  seed: 5,
  dataset: { kind: "arrays", path: "data.npz", testShare: 0.25 },
  model: { kind: "lenet" },
  defense: { kind: "standard" },
  train: { epochs: 1, batchSize: 8, learningRate: 0.001, validation: 0.25 },
  attacks: [
    { kind: "fgsm", eps: 0.1 },
    { kind: "pgd", eps: 0.2, steps: 2 },
  ],
  explanations: [{ kind: "gradCam", samples: 1 }],
  analyses: [{ kind: "robustnessCurve", attack: "fgsm", over: "eps", values: [0.1, 0.2] }],
  expect: [{ metric: "clean.accuracy", min: 0.5 }],
};

export const experiment: Kind = {
  name: "experiment",
  async prepare() {
    const whole = Buffer.from(JSON.stringify(attacked, null, 1));
    return {
      write: (folder, random) => writeFileSync(path.join(folder, "e.bulwark.jsonc"), jsonOr(whole, random)),
      async open(folder) {
        const file = path.join(folder, "e.bulwark.jsonc");
        const { experiment: parsed, plugins } = await parseExperiment(readFileSync(file, "utf8"), file, folder);
        experimentDocument(resolveExperiment(parsed, { directory: folder, name: "e", plugins }));
        if ("polluted" in {} || "kind" in {}) throw new Error("the prototype of every object was changed");
      },
    };
  },
};

const host = async () => ({ engine: await startEngine("onnxruntime"), signal: new AbortController().signal });

/** A finished run on a few made-up pictures, in a folder of its own; gives the run folder. */
async function finishedRun(originals: string): Promise<string> {
  const workspace = mkdtempSync(path.join(originals, "run-"));
  const n = 32;
  await writeNpz(path.join(workspace, "data.npz"), {
    images: { data: Uint8Array.from({ length: n * 28 * 28 }, (_, i) => (i * 31) % 256), shape: [n, 28, 28, 1] },
    labels: { data: Int32Array.from({ length: n }, (_, i) => i % 10), shape: [n] },
  });
  const file = path.join(workspace, "small.bulwark.jsonc");
  writeFileSync(file, JSON.stringify(attacked));
  const directory = path.join(workspace, "run");
  await runExperiment({ file, mode: "run", workspace, directory, backend: "onnxruntime" }, await host());
  return directory;
}

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();

function damageOne(folder: string, name: string, random: Random): void {
  const file = path.join(folder, name);
  const bytes = readFileSync(file);
  if (name.endsWith(".json")) writeFileSync(file, jsonOr(bytes, random));
  else if (name.endsWith(".jsonl"))
    writeFileSync(file, random.integer(2) === 0 ? damagedLines(bytes, random) : damagedBytes(bytes, random));
  else writeFileSync(file, damagedBytes(bytes, random));
}

const damagedLines = (bytes: Uint8Array, random: Random): string =>
  Buffer.from(bytes)
    .toString("utf8")
    .split("\n")
    .map((line) => (random.integer(6) === 0 ? (damagedJson(line, random) ?? line) : line))
    .join("\n");

/** A run folder, read as the editor reads it, and its report rendered in every format. */
export const runFolder: Kind = {
  name: "run folder",
  async prepare(originals) {
    const whole = await finishedRun(originals);
    const names = [runFiles.state, runFiles.events, runFiles.report, runFiles.report, "model/training.json"];
    return {
      write(folder, random) {
        cpSync(whole, folder, { recursive: true });
        damageOne(folder, names[random.integer(names.length)] as string, random);
      },
      async open(folder) {
        await readRunState(folder);
        await readRunEvents(folder, () => true);
        for (const format of reportFormats) await renderReport(folder, format);
        const html = readFileSync(path.join(folder, runFiles.reportHtml), "utf8");
        if (/<(script|img src=x|svg onload)/i.test(html)) throw new Error("report.html has markup of a stranger's");
      },
    };
  },
};

/** A run whose last pieces are missing, with one of its files damaged: it goes on, or says why it cannot. */
export const resumedRun: Kind = {
  name: "resumed run",
  isSlow: true,
  async prepare(originals) {
    const whole = await finishedRun(originals);
    const names = filesIn(whole).filter((name) => !name.startsWith("images/"));
    return {
      write(folder, random) {
        cpSync(whole, folder, { recursive: true });
        // Without the sum, which a changed state would not have.
        const { sum: _, ...state } = JSON.parse(readFileSync(path.join(folder, runFiles.state), "utf8")) as { sum?: string };
        writeFileSync(path.join(folder, runFiles.state), JSON.stringify({ ...state, status: "cancelled" }));
        damageOne(folder, names[random.integer(names.length)] as string, random);
      },
      async open(folder) {
        await resumeRun({ directory: folder, backend: "auto" }, await host());
      },
    };
  },
};
