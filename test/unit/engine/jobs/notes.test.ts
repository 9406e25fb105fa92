import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, expect, it } from "vitest";
import { runExperiment } from "../../../../src/engine/experiment/runExperiment.ts";
import { startEngine } from "../../../../src/engine/session/engine.ts";
import type { RunEvent } from "../../../../src/shared/events.ts";
import type { RunReport } from "../../../../src/shared/results.ts";
import { newWorkspace, writeData } from "../../../process/support.ts";

const workspace = newWorkspace();
afterAll(() => workspace.remove());

const train = async (directory: string): Promise<{ events: RunEvent[]; report: RunReport }> => {
  const events: RunEvent[] = [];
  const file = workspace.file("small.bulwark.jsonc");
  const params = { file, workspace: workspace.directory, directory, mode: "train" as const, backend: "cpu" };
  const onEvent = (event: RunEvent): void => {
    events.push(event);
  };
  await runExperiment(params, { engine: await startEngine("cpu"), signal: new AbortController().signal, onEvent });
  return { events, report: JSON.parse(readFileSync(path.join(directory, "report.json"), "utf8")) as RunReport };
};

it("where a conversion departs from the network is said before training and in the report, also of a model that is taken again", async () => {
  await writeData(workspace, 12);
  const defense = { kind: "volumizedCurriculum", measure: "entropy", patch: 4, kernelDepth: 1 };
  const experiment = {
    dataset: { kind: "arrays", path: "data.npz", testShare: 0.25 },
    model: { kind: "papernot" },
    defense,
    train: { epochs: 1, batchSize: 8 },
  };
  workspace.write("small.bulwark.jsonc", JSON.stringify(experiment));
  const first = await train(workspace.file("run"));
  const warnings = first.events.flatMap((event, at) => (event.kind === "warning" ? [{ at, message: event.message }] : []));
  const padded = warnings.find(({ message }) => message.startsWith("volumizedCurriculum: ") && message.includes('"conv3"'));
  expect(padded?.at).toBeLessThan(first.events.findIndex((event) => event.kind === "step"));
  for (const { report } of [first, await train(workspace.file("run"))]) {
    const found = report.findings.filter((finding) => finding.rule === "RB110");
    expect(found.map((finding) => finding.arm)).toEqual(["volumizedCurriculum"]);
    expect(found[0]?.message).toContain('"conv1"');
  }
});
