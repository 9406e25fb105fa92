import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runExperiment } from "../../../../src/engine/experiment/runExperiment.ts";
import { startEngine } from "../../../../src/engine/session/engine.ts";
import { openModel } from "../../../../src/engine/session/openModel.ts";
import { tf } from "../../../../src/engine/tf.ts";
import { parseEvents } from "../../../../src/shared/events.ts";
import type { RunReport } from "../../../../src/shared/results.ts";
import { newWorkspace, readJson, writeData } from "../../../process/support.ts";

const workspace = newWorkspace();
afterAll(() => workspace.remove());
const engine = await startEngine("onnxruntime");
beforeAll(async () => {
  await writeData(workspace, 24);
});

let runs = 0;
async function run(defense: unknown): Promise<{ directory: string; report: RunReport }> {
  const name = `run-${runs++}`;
  const experiment = {
    dataset: { kind: "arrays", path: "data.npz", testShare: 0.25 },
    model: { kind: "papernot" },
    train: { epochs: 1, batchSize: 8, validation: 0.25 },
    attacks: [{ kind: "fgsm", eps: 0.1 }],
    defense,
  };
  const file = workspace.write(`${name}.bulwark.jsonc`, JSON.stringify(experiment));
  const params = { file, workspace: workspace.directory, directory: workspace.file(name), mode: "run" as const, backend: "onnxruntime" };
  await runExperiment(params, { engine, signal: new AbortController().signal, onEvent: () => {} });
  return { directory: params.directory, report: readJson<RunReport>(`${params.directory}/report.json`) };
}

describe("an experiment with a stack of training defences", () => {
  it("trains one network with all of them, reports the parts of the loss, and the model carries them when it is opened again", async () => {
    const adversarial = { kind: "adversarialTraining", attack: { kind: "pgd", randomStart: false }, eps: 0.1, steps: 2, batch: "mixed" };
    const { directory, report } = await run([{ kind: "labelSmoothing", smoothing: 0.2 }, adversarial]);
    expect(report.arms[0]?.training?.epochs).toBe(1);
    const events = parseEvents(readFileSync(`${directory}/events.jsonl`, "utf8"));
    const epoch = events.find((event) => event.kind === "epoch");
    expect(Object.keys(epoch?.parts ?? {})).toEqual(["clean", "adversarial"]);
    expect(epoch?.attackedAccuracy).toEqual(expect.any(Number));
    const { classifier } = await openModel(directory);
    expect(classifier.defenses).toMatchObject([
      { id: "labelSmoothing", params: { smoothing: 0.2 } },
      { id: "adversarialTraining", params: { eps: 0.1, steps: 2, batch: "mixed", attack: { kind: "pgd", randomStart: false } } },
    ]);
    classifier.dispose();
  });

  it.each([
    ["one listed twice", [{ kind: "labelSmoothing" }, { kind: "labelSmoothing" }], "labelSmoothing is listed twice"],
    ["an inner attack that trains something first", { kind: "adversarialTraining", attack: "adversarialPatch" }, "once for many images"],
  ])("refuses %s before anything is trained", async (_, defense, message) => {
    const before = tf.memory().numTensors;
    await expect(run(defense)).rejects.toMatchObject({ message: expect.stringContaining(message) });
    expect(tf.memory().numTensors).toBe(before);
  });
});
