import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunEvent } from "../../src/shared/events.ts";
import type { Plan } from "../../src/shared/plan.ts";
import { analysisPictures } from "../../src/shared/reportFigures.ts";
import type { RunReport } from "../../src/shared/results.ts";
import { figuresOf, hashesOf } from "./experiment.ts";
import { bulwark, newWorkspace, readJson, start, untilEvent, type Workspace } from "./support.ts";

const root = path.resolve(import.meta.dirname, "../..");

let workspace: Workspace;
beforeAll(async () => {
  workspace = newWorkspace();
  const experiment = {
    seed: 3,
    dataset: { kind: "imageFolder", path: path.join(root, "media/samples/digits/pictures") },
    model: { file: path.join(root, "samples/models/papernot") },
    attacks: [
      { kind: "fgsm", eps: 0.2 },
      { kind: "pgd", eps: 0.2, steps: 30, knowledge: "static" },
    ],
    compare: [
      { defense: { kind: "localGradientSmoothing", lambda: 2.3 } },
      { defense: { kind: "jpeg", quality: 30 } },
      { name: "two", defense: [{ kind: "medianFilter" }, { kind: "bitDepth", depth: 2 }] },
    ],
    analyses: [
      { kind: "defenseArena", images: 2 },
      { kind: "paperComparison", paper: 1 },
    ],
  };
  workspace.write("arena.bulwark.jsonc", JSON.stringify(experiment));
  const done = await bulwark(workspace, "run", "arena.bulwark.jsonc", "--out", "whole");
  expect(done.stderr).not.toContain("error");
  expect(done.code).toBe(0);
});
afterAll(() => workspace.remove());

const report = (name: string): RunReport => readJson<RunReport>(workspace.file(`${name}/report.json`));
/** What the analyses say, without times. */
const said = (name: string): unknown =>
  report(name).analyses?.map(({ tables, figures = [] }) => [
    tables.map(({ columns, rows }) => rows.map((row) => row.filter((_, i) => columns[i]?.format !== "milliseconds"))),
    figures.filter(({ kind, title }) => kind === "pictures" || title === "Accuracy under attack over accuracy without it"),
  ]);

describe("many defences in front of one network", () => {
  it("are arms under the names of their defences, with the time of each", () => {
    const { arms } = report("whole");
    expect(arms.map(({ name }) => name)).toEqual(["undefended", "Local gradient smoothing, λ 2.3", "JPEG 30", "two"]);
    expect(arms.map(({ timing }) => typeof timing?.frontMilliseconds)).toEqual(["undefined", "number", "number", "number"]);
  });

  it("are shown static images that are made, and kept, once", () => {
    const { pieces } = readJson<Plan>(workspace.file("whole/plan.json"));
    const made = (attack: string) => pieces.filter(({ key }) => key.startsWith("attack:") && key.includes(`:${attack}:`)).length;
    expect([made("fgsm"), made("pgd")]).toEqual([4, 1]);
    const arrays = (attack: string) =>
      ["", "Local-gradient-smoothing-2-3-", "JPEG-30-", "two-"].map((arm) =>
        existsSync(workspace.file(`whole/adversarial-${arm}${attack}.npz`)),
      );
    expect(arrays("fgsm")).toEqual([true, true, true, true]);
    expect(arrays("pgd")).toEqual([true, false, false, false]);
    expect(report("whole").arms.map(({ attacks }) => attacks[1]?.mode)).toEqual([undefined, "static", "static", "static"]);
  });

  it("have their pictures and maps in the run folder and in report.html", () => {
    const files = analysisPictures(report("whole").analyses ?? []);
    expect(files).toHaveLength(2 * 2 * 4 + 2 * 2 * 2); // images, clean and attacked, of four arms; two maps of one of them
    for (const file of files) expect([file, existsSync(workspace.file(`whole/${file}`))]).toEqual([file, true]);
    const html = readFileSync(workspace.file("whole/report.html"), "utf8");
    const inside = html.match(/href="data:image\/png;base64,/g) ?? [];
    expect(inside).toHaveLength(files.length);
    expect(html).toContain("Image 0, ");
  });

  it("end as they would have when the run is killed and resumed", async () => {
    const moments: readonly ((event: RunEvent) => boolean)[] = [
      (event) => event.kind === "phase" && event.arm === "JPEG 30" && event.attack === "fgsm",
      (event) => event.kind === "phase" && event.phase.startsWith("Analysing") && event.arm === "JPEG 30",
    ];
    let words = ["run", "arena.bulwark.jsonc", "--out", "killed"];
    for (const moment of moments) {
      const running = start(workspace, words);
      await untilEvent(running, workspace.file("killed"), moment);
      running.child.kill("SIGKILL");
      expect((await running.finished).signal).toBe("SIGKILL");
      words = ["resume", "killed"];
    }
    expect(await bulwark(workspace, "resume", "killed", "--quiet")).toMatchObject({ code: 0 });
    expect(said("killed")).toEqual(said("whole"));
    expect(figuresOf(workspace.file("killed"))).toEqual(figuresOf(workspace.file("whole")));
    expect(hashesOf(workspace.file("killed"))).toEqual(hashesOf(workspace.file("whole")));
  });
});
