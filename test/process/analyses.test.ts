import { cpSync, readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readNpz } from "../../src/engine/io/npz.ts";
import type { AttackDocument, ForwardTiming, ImageRecord, RunReport } from "../../src/shared/results.ts";
import { writeExperiment } from "./experiment.ts";
import { bulwark, newWorkspace, readJson, type Workspace } from "./support.ts";

const volumized = { kind: "volumizedCurriculum", patch: 8, kernelDepth: 1 };
let workspace: Workspace;
let report: RunReport;
beforeAll(async () => {
  workspace = newWorkspace();
  await writeExperiment(workspace, {
    defense: volumized,
    train: { epochs: 2, batchSize: 8, quickAttack: { kind: "nPixel", popSize: 4, maxGen: 1 } },
    attacks: [
      { kind: "pgd", eps: 0.2, steps: 5 },
      { kind: "nPixel", popSize: 6, maxGen: 2 },
      { kind: "adversarialPatch", mode: "whitebox", area: 0.1, steps: 10 },
    ],
    compare: [{ name: "undefended" }, { name: "no curriculum", defense: { ...volumized, curriculum: false } }],
    analyses: [
      { kind: "robustnessCurve", attack: "nPixel", over: "pixels", values: [1, 3] },
      { kind: "robustnessCurve", attack: "pgd", over: "eps", values: [0.05], images: 10 },
      { kind: "rocCurve" },
      { kind: "timing" },
      { kind: "ablation" },
      { kind: "baselineComparison" },
      { kind: "paperComparison" },
      { kind: "iterationCurve", iterations: [2] },
    ],
  });
  const done = await bulwark(workspace, "run", "small.bulwark.jsonc", "--out", "run", "--json");
  expect(done.stderr).not.toContain("error");
  expect(done.code).toBe(0);
  report = JSON.parse(done.stdout) as RunReport;
});
afterAll(() => workspace.remove());

const arm = (name: string) => {
  const found = report.arms.find((one) => one.name === name);
  if (!found) throw new Error(`no arm ${name}`);
  return found;
};
/** What an analysis measured on an arm, by its place in the experiment. */
const dataOf = <T>(name: string, place: number): T => arm(name).analyses[place]?.data as T;
interface Curve {
  readonly points: readonly { readonly value: number; readonly n: number; readonly attackedCorrect: number }[];
}
const recordsOf = (file: string): readonly ImageRecord[] => readJson<{ images: ImageRecord[] }>(workspace.file(`run/${file}`)).images;

/** An image survives when none of these files has it wrong: counted here by hand. */
function survivors(files: readonly string[]): number {
  const all = files.map(recordsOf);
  return (all[0] ?? []).filter((_, i) => all.every((records) => records[i]?.prediction === records[i]?.label)).length;
}

describe("a defended arm beside an undefended one", () => {
  it("keeps the order of the experiment, though the undefended arm runs first", () => {
    expect(report.arms.map(({ name }) => name)).toEqual(["volumizedCurriculum", "undefended", "no curriculum"]);
    expect(arm("undefended").attacks.map((attack) => attack.static)).toEqual([undefined, undefined, undefined]);
  });

  it("shows the static images to a second undefended network too, which is trained for that and attacked by nothing", () => {
    const shown = ["volumizedCurriculum", "no curriculum"].map((name) => arm(name).attacks.map((attack) => attack.static?.control));
    expect(shown[0]?.map((control) => control?.arm)).toEqual(Array.from({ length: 3 }, () => "second undefended network"));
    expect(shown[1]).toEqual(shown[0]); // the same images on the same network
    expect(shown[0]?.every((control) => (control?.attacked.correct ?? -1) >= 0)).toBe(true);
    const files = readdirSync(workspace.file("run"));
    expect(files).toContain("model-second-undefended-network");
    expect(files.filter((name) => name.includes("second-undefended") && name !== "model-second-undefended-network")).toEqual([]);
  });

  it("has accuracy within so many iterations, from the records of one run", () => {
    const [accuracy] = report.analyses?.find(({ id }) => id === "iterationCurve")?.tables ?? [];
    const at = accuracy?.columns.findIndex(({ name }) => name.endsWith(", 2 iterations")) ?? -1;
    for (const [row, name] of [
      [0, "records-pgd.json"],
      [1, "records-undefended-pgd.json"],
    ] as const) {
      const records = recordsOf(name);
      const right = (k: number) =>
        records.filter((r) => r.cleanPrediction === r.label && !(r.success && r.iterations <= k)).length / records.length;
      expect(accuracy?.rows[row]?.slice(at, at + 2)).toEqual([right(2), right(5)]);
      expect(right(5)).toBe(report.arms[row]?.attacks[0]?.attacked.accuracy);
      expect(accuracy?.rows[row]?.at(-1)).toBe(report.arms[row]?.worst?.accuracy);
    }
  });

  it("has the worst case of every image over all attacks, adaptive and static", () => {
    const ids = ["pgd", "nPixel", "adversarialPatch"];
    const defended = arm("volumizedCurriculum").worst;
    expect(defended?.attacks).toEqual(ids.flatMap((id) => [id, `${id}-static`]));
    const correct = survivors(ids.flatMap((id) => [`records-${id}.json`, `records-${id}-static.json`]));
    const n = recordsOf("records-pgd.json").length;
    expect(defended).toMatchObject({ correct, n, accuracy: correct / n });
    const undefended = survivors(ids.map((id) => `records-undefended-${id}.json`));
    expect(arm("undefended").worst).toMatchObject({ correct: undefended, attacks: ids });
    const lowest = Math.min(...arm("volumizedCurriculum").attacks.map(({ attacked }) => attacked.correct));
    expect(defended?.correct).toBeLessThanOrEqual(lowest);
  });

  it("meets every attack twice, and the static one counts what its records say", () => {
    for (const summary of arm("volumizedCurriculum").attacks) {
      expect([summary.mode, summary.static?.source, summary.static?.n]).toEqual(["adaptive", "undefended", summary.n]);
      const records = recordsOf(`records-${summary.attack.id}-static.json`);
      const right = records.filter((record) => record.prediction === record.label).length;
      expect(summary.static?.attacked).toEqual({ accuracy: right / records.length, correct: right });
      const cleanRight = records.filter((record) => record.cleanPrediction === record.label);
      expect(summary.static?.clean.correct).toBe(cleanRight.length);
      expect(summary.static?.clean).toEqual(summary.clean); // the same images, the same model
      const held = cleanRight.filter((record) => record.prediction === record.label).length;
      expect(summary.static?.defenseSuccess).toBe(held / cleanRight.length);
    }
  });

  it("shows it the very images that were made against the undefended arm", async () => {
    const images = await readNpz(workspace.file("run/adversarial-undefended-pgd.npz"));
    const [clean, adversarial] = [Float32Array.from(images["clean"]?.data ?? []), Float32Array.from(images["adversarial"]?.data ?? [])];
    const records = recordsOf("records-pgd-static.json");
    const pixels = clean.length / records.length;
    for (const record of records) {
      const from = record.index * pixels;
      const difference = adversarial.subarray(from, from + pixels).map((v, i) => Math.abs(v - (clean[from + i] as number)));
      expect(record.linf).toBe(Math.max(...difference));
    }
  });

  it("gets β over the attacks that fooled the undefended arm from the records of both", () => {
    const own = recordsOf("records-pgd.json");
    const other = recordsOf("records-undefended-pgd.json");
    const fooled = other.filter((r) => r.cleanPrediction === r.label && r.prediction !== r.label).map(({ index }) => index);
    const counted = own.filter(({ index }) => fooled.includes(index));
    const beta = counted.filter((r) => r.prediction === r.label).length / counted.length;
    expect(arm("volumizedCurriculum").attacks[0]?.defenseSuccessOfFooled).toBe(counted.length === 0 ? null : beta);
  });
});

describe("the analyses", () => {
  it("are in the report, in their order, and measured on every arm", () => {
    const ids = [
      "robustnessCurve",
      "robustnessCurve",
      "rocCurve",
      "timing",
      "ablation",
      "baselineComparison",
      "paperComparison",
      "iterationCurve",
    ];
    expect(report.analyses?.map(({ id }) => id)).toEqual(ids);
    for (const { analyses } of report.arms) expect(analyses.map(({ id }) => id)).toEqual(ids);
  });

  it("have a cell for every column, and points that can be drawn", () => {
    for (const { tables, charts } of report.analyses ?? []) {
      for (const { columns, rows } of tables) expect(new Set([columns.length, ...rows.map((row) => row.length)]).size).toBe(1);
      for (const { series } of charts)
        for (const { points } of series) {
          expect(points.every(({ x, y }) => Number.isFinite(x) && (y === null || Number.isFinite(y)))).toBe(true);
          expect(points.map(({ x }) => x)).toEqual(points.map(({ x }) => x).sort((a, b) => a - b));
        }
    }
  });

  it("take a point that the experiment attacks anyway from there", () => {
    const { points } = dataOf<Curve>("undefended", 0);
    const nPixel = arm("undefended").attacks[1];
    expect(points.map(({ value }) => value)).toEqual([1, 3]);
    expect(points[0]).toMatchObject({ n: nPixel?.n, attackedCorrect: nPixel?.attacked.correct });
    expect(dataOf<Curve>("undefended", 1).points[0]?.n).toBe(10);
  });

  it("time the forward pass with and without the volumizer", () => {
    const time = arm("volumizedCurriculum").timing as ForwardTiming;
    expect(time).toMatchObject({ batchSize: 1, passes: 50, warmUps: 10 });
    expect(time.p95Milliseconds).toBeGreaterThanOrEqual(time.forwardMilliseconds);
    expect(time.networkMilliseconds).toBeGreaterThan(0);
    expect(arm("undefended").timing).not.toHaveProperty("networkMilliseconds");
    expect(dataOf("volumizedCurriculum", 3)).toEqual(time);
  });

  it("are in every rendering", async () => {
    const text = (name: string) => readFileSync(workspace.file(`run/${name}`), "utf8");
    for (const name of ["report.html", "report.md"]) {
      const shown = text(name).replaceAll("&#39;", "'");
      for (const { title, tables } of report.analyses ?? []) {
        expect(shown).toContain(title);
        for (const table of tables) expect(shown).toContain(table.title);
      }
    }
    expect((await bulwark(workspace, "report", "run", "--format", "csv")).code).toBe(0);
    expect(text("analyses.csv").split("\r\n").length).toBeGreaterThan(100);
  });
});

describe("an arm that cannot be built", () => {
  it("is told by its name before any arm is trained", async () => {
    await writeExperiment(workspace, { compare: [{ name: "odd slices", defense: { ...volumized, patch: 5 } }] });
    const done = await bulwark(workspace, "run", "small.bulwark.jsonc", "--out", "odd", "--json");
    expect([done.code, JSON.parse(done.stdout)]).toMatchObject([3, { error: { code: "PARAMETER_INVALID" } }]);
    expect(done.stderr).toMatch(/error PARAMETER_INVALID: odd slices: .*5×5/);
    expect(readFileSync(workspace.file("odd/events.jsonl"), "utf8")).not.toContain('"kind":"step"');
  });
});

describe("an attack without the defence", () => {
  const words = ["attack", "--dataset", "arrays:data.npz", "--limit", "24", "--attack", "pgd", "--set", "eps=0.2", "--set", "steps=5"];

  it("is told as static, with RB008", async () => {
    const args = ["--model", "run/model", "--static", "--surrogate", "run/model-undefended", "--out", "static", "--json"];
    const done = await bulwark(workspace, ...words, ...args);
    expect(done.code).toBe(0);
    const document = JSON.parse(done.stdout);
    expect(document).toMatchObject({ mode: "static", defense: { id: "volumizedCurriculum" } });
    expect(document.findings.map(({ rule }: { rule: string }) => rule)).toContain("RB008");
    const right = document.images.filter((r: ImageRecord) => r.prediction === r.label).length;
    expect(document.attacked.correct).toBe(right);
  });

  it("is made against the undefended arm of the same run where no surrogate is named", async () => {
    const done = await bulwark(workspace, ...words, "--model", "run/model", "--static", "--out", "beside", "--json");
    expect(done.code).toBe(0);
    expect(JSON.parse(done.stdout).images).toEqual(readJson<AttackDocument>(workspace.file("static/result.json")).images);
  });

  it.each([
    [["--model", "alone", "--static"], /trained into.*--surrogate/],
    [["--model", "run/model-undefended", "--adaptive"], /no defence/],
    [["--model", "run/model", "--static", "--adaptive"], /either/],
    [["--model", "run/model", "--surrogate", "run/model-undefended"], /--surrogate is for --static/],
  ])("is refused with %j", async (args, message) => {
    cpSync(workspace.file("run/model"), workspace.file("alone"), { recursive: true });
    const done = await bulwark(workspace, ...words, ...args);
    expect([done.code, done.stdout]).toEqual([3, ""]);
    expect(done.stderr).toMatch(/error USAGE/);
    expect(done.stderr).toMatch(message);
  });
});
