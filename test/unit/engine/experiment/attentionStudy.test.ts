import { existsSync, readdirSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runExperiment } from "../../../../src/engine/experiment/runExperiment.ts";
import { saveNetwork } from "../../../../src/engine/importers/index.ts";
import { startEngine } from "../../../../src/engine/session/engine.ts";
import { tfl } from "../../../../src/engine/tf.ts";
import type { RunEvent } from "../../../../src/shared/events.ts";
import type { PieceDone } from "../../../../src/shared/plan.ts";
import type { RunReport } from "../../../../src/shared/results.ts";
import { newWorkspace, readJson, writeData } from "../../../process/support.ts";

const workspace = newWorkspace();
afterAll(() => workspace.remove());
const engine = await startEngine("cpu");

beforeAll(async () => {
  await writeData(workspace, 12);
  const layers = [
    tfl.layers.conv2d({ inputShape: [16, 16, 1], filters: 2, kernelSize: 3 }),
    tfl.layers.globalAveragePooling2d({}),
    tfl.layers.dense({ units: 3, kernelInitializer: tfl.initializers.glorotUniform({ seed: 4 }) }),
  ];
  await saveNetwork(tfl.sequential({ layers }), workspace.file("plain"), { input: {} });
  const superpixels = { kind: "lime", samples: 150, segmentation: "slic", segments: 4 };
  const experiment = {
    dataset: { kind: "arrays", path: "data.npz", testShare: 0.5 },
    model: { file: "plain" },
    attacks: [{ kind: "fgsm" }],
    analyses: [{ kind: "attentionStudy", superpixelImages: 6, superpixels }],
  };
  workspace.write("study.bulwark.jsonc", JSON.stringify(experiment));
});

/** @param isEnough asked again and again: the run is stopped then */
async function run(name: string, onEvent: (event: RunEvent) => void = () => undefined, isEnough = () => false): Promise<unknown> {
  const params = {
    file: workspace.file("study.bulwark.jsonc"),
    workspace: workspace.directory,
    directory: workspace.file(name),
    mode: "run" as const,
    backend: "cpu",
  };
  const controller = new AbortController();
  const asking = setInterval(() => isEnough() && controller.abort(), 1);
  const error: unknown = await runExperiment(params, { engine, signal: controller.signal, onEvent }).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  clearInterval(asking);
  return error;
}
const analysesOf = (name: string) => readJson<RunReport>(workspace.file(`${name}/report.json`)).analyses;

it("a study of attention that is stopped keeps the shards that are done, tells how far it is, and ends as one that was not", async () => {
  expect(await run("whole")).toBeNull();
  const folder = workspace.file("stopped/pieces");
  const pieces = (): string[] => (existsSync(folder) ? readdirSync(folder).filter((id) => id.startsWith("analyse-")) : []);
  const error = await run("stopped", undefined, () => pieces().length === 1); // the maps are done, the superpixels have begun
  expect(error).toMatchObject({ code: "CANCELLED" });
  const [kept = ""] = pieces();
  const { key, attempt } = readJson<PieceDone>(workspace.file(`stopped/pieces/${kept}/done.json`));
  expect([key, attempt]).toEqual(["analyse:undefended:0:maps:0-6", 1]);
  const seen: (readonly [number, number])[] = [];
  expect(
    await run("stopped", (event) => {
      if (event.kind === "progress" && event.phase.startsWith("Analysing")) seen.push([event.done, event.total]);
    }),
  ).toBeNull();
  expect(seen[0]).toEqual([0, 6]); // images of the superpixels: the maps are not done again
  expect(existsSync(folder)).toBe(false);
  const found = analysesOf("stopped");
  expect(found).toEqual(analysesOf("whole"));
  expect(JSON.stringify(found)).toContain("LIME");
});
