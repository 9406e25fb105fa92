import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunReport } from "../../src/shared/results.ts";
import { float, node, numbers, onnx } from "../unit/engine/importers/onnx/encoder.ts";
import { bulwark, type Finished, newWorkspace, type Workspace, writeData } from "./support.ts";

let workspace: Workspace;
let model: string;
/** Which third of 16×16 pixels is brightest: the mean of each third goes through an operator that has no gradient here. */
beforeAll(async () => {
  workspace = newWorkspace();
  await writeData(workspace);
  const weights = Array.from({ length: 256 }, (_, pixel) => [0, 1, 2].map((k) => (Math.floor((3 * (pixel % 16)) / 16) === k ? 1 : 0)));
  const file = onnx({
    input: ["b", 1, 16, 16],
    nodes: [
      node("Shrink", "x", "s", { lambd: float(0.3), bias: float(0) }, "threshold"),
      node("Flatten", "s", "f"),
      node("Gemm", "f w", "y"),
    ],
    initializers: { w: numbers([256, 3], ...weights.flat()) },
  });
  model = workspace.write("shrink.onnx", file);
  workspace.write("shrink.bulwark.json", JSON.stringify({ input: { mean: 0, scale: 255, channels: "gray", layout: "nchw" } }));
});
afterAll(() => workspace.remove());

const data = ["--dataset", "arrays:data.npz", "--limit", "6"];
const finding =
  /RB114: The model gives scores only: its file has a node "threshold" of the operator Shrink \(opset 13\), which cannot be differentiated here\. ONNX Runtime runs it as it is\./;

function expectRefused(done: Finished, what: string): void {
  expect(done.stderr).toMatch(
    new RegExp(
      `^error MODEL_FORWARD_ONLY: (\\w+: )?${what} needs gradients, and shrink\\.onnx gives scores only: its file has a node "threshold" of the operator Shrink .+ — .+`,
      "m",
    ),
  );
  expect(done.code).toBe(3);
}

describe("a file that cannot be differentiated, on the command line", () => {
  it("is inspected and predicted with, and says each time that it gives scores only", async () => {
    const inspected = await bulwark(workspace, "inspect", model);
    expect(inspected.code).toBe(0);
    expect(inspected.stdout).toMatch(finding);
    const predicted = await bulwark(workspace, "predict", "--model", model, ...data, "--json");
    expect(JSON.parse(predicted.stdout)).toMatchObject({ n: 6, accuracy: 1 });
    expect(predicted.stderr).toMatch(finding);
  });

  it("is attacked by scores, behind a defence too", async () => {
    const sparse = ["--attack", "sparseRs", "--set", "pixels=120", "--set", "queries=60"];
    const done = await bulwark(workspace, "attack", "--model", model, ...data, ...sparse, "--defense", "bitDepth", "--out", "sparse");
    expect(done.stderr).not.toMatch(/^error/m);
    expect(done.code).toBe(0);
    const result = JSON.parse(readFileSync(workspace.file("sparse/result.json"), "utf8"));
    expect(result.findings).toContainEqual(expect.objectContaining({ rule: "RB114" }));
    expect(result.clean.accuracy).toBe(1);
    expect(result.gradientEvaluations).toBe(0);
  });

  it("refuses what needs gradients before anything is written", async () => {
    const attacked = await bulwark(workspace, "attack", "--model", model, ...data, "--attack", "pgd", "--out", "refused");
    expectRefused(attacked, "Projected gradient descent");
    expect(attacked.stderr).toContain("— Use nPixel or sparseRs.");
    expect(existsSync(workspace.file("refused"))).toBe(false);
    expectRefused(await bulwark(workspace, "predict", "--model", model, ...data, "--gradient"), "--gradient");
  });

  it("refuses in an experiment before the first piece, and trains nothing", async () => {
    const experiment = (o: object): string =>
      JSON.stringify({ seed: 1, dataset: { kind: "arrays", path: "data.npz", test: 6 }, model: { file: "shrink.onnx" }, ...o });
    const attack = [
      { kind: "sparseRs", pixels: 120, queries: 60 },
      { kind: "fgsm", eps: 0.1 },
    ];
    workspace.write("attacks.bulwark.jsonc", experiment({ attacks: attack }));
    expectRefused(await bulwark(workspace, "run", "attacks.bulwark.jsonc", "--out", "attacks"), "Fast gradient sign method");
    expect(readFileSync(workspace.file("attacks/events.jsonl"), "utf8")).not.toContain('"kind":"attack"');
    workspace.write("train.bulwark.jsonc", experiment({ defense: { kind: "labelSmoothing" }, train: { epochs: 1 } }));
    expectRefused(await bulwark(workspace, "run", "train.bulwark.jsonc", "--out", "train"), "Training");
    workspace.write("scores.bulwark.jsonc", experiment({ attacks: attack.slice(0, 1) }));
    const done = await bulwark(workspace, "run", "scores.bulwark.jsonc", "--out", "scores");
    expect(done.code).toBe(0);
    const report = JSON.parse(readFileSync(workspace.file("scores/report.json"), "utf8")) as RunReport;
    expect(report.findings).toContainEqual(expect.objectContaining({ rule: "RB114" }));
  });
});
