import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requests } from "../../src/shared/protocol.ts";
import { figuresOf, hashesOf, writeExperiment } from "./experiment.ts";
import { bulwark, newWorkspace, readJson, start, startEngine, untilEvent, type Workspace } from "./support.ts";

/** A stack of three training defences, one of which puts layers of our own into the network. */
const defense = [{ kind: "boundedRelu" }, { kind: "adversarialTraining", eps: 0.05, steps: 2, batch: "mixed" }, { kind: "labelSmoothing" }];
let workspace: Workspace;
beforeAll(async () => {
  workspace = newWorkspace();
  await writeExperiment(workspace, { defense, compare: [], attacks: [{ kind: "fgsm", eps: 0.1 }], explanations: [] });
  const done = await bulwark(workspace, "run", "small.bulwark.jsonc", "--out", "whole", "--quiet");
  expect(done).toMatchObject({ code: 0, stderr: "" });
});
afterAll(() => workspace.remove());

describe("a network with a layer of our own", () => {
  it("opens again from another process: inspect, attack", async () => {
    const inspected = await bulwark(workspace, "inspect", "whole", "--json");
    expect(JSON.parse(inspected.stdout).layers.map(({ type }: { type: string }) => type)).toContain("BoundedRelu");
    const words = ["attack", "--model", "whole", "--dataset", "arrays:data.npz", "--attack", "fgsm", "--set", "eps=0.1", "--json"];
    const attacked = await bulwark(workspace, ...words);
    expect(attacked.code).toBe(0);
    const { arms } = readJson<{ arms: { clean: { accuracy: number } }[] }>(workspace.file("whole/report.json"));
    expect(JSON.parse(attacked.stdout).clean.accuracy).toBeGreaterThanOrEqual((arms[0]?.clean.accuracy ?? 1) - 0.25);
  });

  it("opens in the engine that the editor starts", async () => {
    const engine = startEngine(workspace);
    try {
      await engine.handshake();
      const inspection = await engine.request(requests.inspectModel, { model: workspace.file("whole") });
      expect(inspection.layers.filter(({ type }) => type === "BoundedRelu").length).toBeGreaterThan(0);
    } finally {
      engine.end();
    }
  });
});

describe("a training on crafted images that is killed", () => {
  it("ends as the one that was not", async () => {
    const out = workspace.file("killed");
    const running = start(workspace, ["run", "small.bulwark.jsonc", "--out", "killed"]);
    await untilEvent(running, out, (event) => event.kind === "step" && event.epoch === 2);
    running.child.kill("SIGKILL");
    expect((await running.finished).signal).toBe("SIGKILL");
    expect(await bulwark(workspace, "resume", "killed", "--quiet")).toMatchObject({ code: 0, stderr: "" });
    expect(figuresOf(out)).toEqual(figuresOf(workspace.file("whole")));
    expect(hashesOf(out)).toEqual(hashesOf(workspace.file("whole")));
  });
});
