import { cpSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunReport } from "../../src/shared/results.ts";
import type { RunState } from "../../src/shared/runs.ts";
import { bulwark, newWorkspace, readJson, type Workspace } from "./support.ts";

const root = path.resolve(import.meta.dirname, "../..");
const sample = readFileSync(path.join(root, "samples/plugins/gradient-noise.mjs"), "utf8");
/** The attack that the guide shows. */
const guide = readFileSync(path.join(root, "docs/guide/plugins.md"), "utf8").match(/```js\n\/\/ my-attack\.mjs\n([\s\S]*?)```/)?.[1] ?? "";

let workspace: Workspace;
beforeAll(() => {
  workspace = newWorkspace();
  cpSync(path.join(root, "samples/models/papernot"), workspace.file("papernot"), { recursive: true });
  workspace.write("gradient-noise.mjs", sample);
  workspace.write("my-attack.mjs", guide);
  workspace.write("mine.bulwark.jsonc", JSON.stringify(experiment));
});
afterAll(() => workspace.remove());

const experiment = {
  plugins: ["./gradient-noise.mjs", "./my-attack.mjs"],
  dataset: { kind: "imageFolder", path: path.join(root, "media/samples/digits/pictures") },
  model: { file: "papernot/model.json" },
  attacks: [
    { kind: "gradientNoise", eps: 0.2, steps: 5 },
    { kind: "uniformNoise", eps: 0.2 },
  ],
  compare: [{ name: "blurred", defense: { kind: "boxBlur" } }],
  control: false,
};

describe("plugins in the bundled command line", () => {
  it("take part in a run, which says so and keeps their checksums", async () => {
    const done = await bulwark(workspace, "run", "mine.bulwark.jsonc", "--out", "run");
    expect(done).toMatchObject({ code: 0 });
    expect(done.stderr).toMatch(/plugin gradient-noise\.mjs takes part: attack gradientNoise, defense boxBlur/);
    const { arms } = readJson<RunReport>(workspace.file("run/report.json"));
    expect(arms.map(({ attacks }) => attacks.map(({ attack }) => attack.id))).toEqual([
      ["gradientNoise", "uniformNoise"],
      ["gradientNoise", "uniformNoise"],
    ]);
    const [noise, uniform] = arms[0]?.attacks ?? [];
    expect(noise?.attacked.correct).toBeLessThan(uniform?.attacked.correct ?? 0);
    const saved = readJson<{ environment: { plugins: { file: string; sha256: string }[] } }>(workspace.file("run/experiment.json"));
    expect(saved.environment.plugins.map(({ file }) => path.basename(file))).toEqual(["gradient-noise.mjs", "my-attack.mjs"]);
  });

  it("must be the same when a run goes on", async () => {
    const { sum: _, ...state } = readJson<RunState & { sum?: string }>(workspace.file("run/state.json"));
    workspace.write("run/state.json", JSON.stringify({ ...state, status: "cancelled" }));
    workspace.write("my-attack.mjs", `${guide}// changed\n`);
    const refused = await bulwark(workspace, "resume", "run", "--quiet");
    workspace.write("my-attack.mjs", guide);
    expect(refused).toMatchObject({ code: 3 });
    expect(refused.stderr).toMatch(/RUN_INVALID.*my-attack\.mjs has changed since run was begun/);
    expect(await bulwark(workspace, "resume", "run", "--quiet")).toMatchObject({ code: 0 });
  });

  it("are checked: the sample and the guide's attack keep their promises, one that does not is told what is wrong", async () => {
    for (const name of ["gradient-noise.mjs", "my-attack.mjs"])
      expect(await bulwark(workspace, "check-plugin", name)).toMatchObject({ code: 0 });
    workspace.write("wild.mjs", guide.replace("return tf.tidy", "return tf.mul(images, 3);\n      return tf.tidy"));
    const wild = await bulwark(workspace, "check-plugin", "wild.mjs", "--json");
    expect(wild.code).toBe(2);
    const { checks } = JSON.parse(wild.stdout) as { checks: { check: string; problem: string | null }[] };
    const broken = checks.filter(({ problem }) => problem !== null);
    expect(broken[0]).toMatchObject({
      check: expect.stringMatching(/^stays in its ball/),
      problem: expect.stringMatching(/clip them in run/),
    });
  });

  it("are ended when they loop without end", async () => {
    workspace.write("endless.mjs", guide.replace("const size =", "for (;;);\n      const size ="));
    const ended = await bulwark(workspace, "check-plugin", "endless.mjs");
    expect(ended.code).not.toBe(0);
    expect(ended.stderr).toMatch(/PLUGIN_FAILED: endless\.mjs has kept the process busy for 30 seconds/);
  }, 120_000);
});
