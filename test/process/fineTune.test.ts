import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunReport } from "../../src/shared/results.ts";
import { hashesOf, writeExperiment } from "./experiment.ts";
import { bulwark, newWorkspace, readJson, start, untilEvent, type Workspace } from "./support.ts";

let workspace: Workspace;
beforeAll(() => {
  workspace = newWorkspace();
});
afterAll(() => workspace.remove());

describe("fine-tuning on the command line", () => {
  it("goes on from the weights of a model that another run has trained, after a kill as well", async () => {
    await writeExperiment(workspace, { train: { epochs: 1, batchSize: 8 }, attacks: [], explanations: [], compare: [] });
    expect((await bulwark(workspace, "train", "small.bulwark.jsonc", "--out", "first")).code).toBe(0);
    const model = { file: "first/model/model.json" };
    const file = workspace.write(
      "tune.bulwark.jsonc",
      JSON.stringify({
        dataset: { kind: "arrays", path: "data.npz", testShare: 0.25 },
        model: { ...model, fineTune: true },
        train: { epochs: 3, batchSize: 8, learningRate: 0.0005, validation: 0.2 },
        compare: [{ name: "as it is", model }],
      }),
    );
    const whole = await bulwark(workspace, "run", file, "--out", "whole");
    expect(whole.code).toBe(0);
    const [tuned, before] = readJson<RunReport>(workspace.file("whole/report.json")).arms;
    expect([tuned?.name, tuned?.training?.epochs, before?.training]).toEqual(["fine-tuned", 3, null]);
    expect(tuned?.clean.correct ?? 0).toBeGreaterThanOrEqual(before?.clean.correct ?? 0);

    const running = start(workspace, ["run", file, "--out", "killed"]);
    await untilEvent(running, workspace.file("killed"), (event) => event.kind === "step" && event.epoch === 2);
    running.child.kill("SIGKILL");
    await running.finished;
    expect((await bulwark(workspace, "resume", "killed", "--quiet")).code).toBe(0);
    expect(hashesOf(workspace.file("killed"))).toEqual(hashesOf(workspace.file("whole")));
    expect(hashesOf(workspace.file("whole"))["model/weights.bin"]).not.toBe(hashesOf(workspace.file("first"))["model/weights.bin"]);

    const predicted = await bulwark(workspace, "predict", "--model", "killed", "--dataset", "arrays:data.npz", "--out", "predicted");
    expect(predicted.code).toBe(0);
  });
});
