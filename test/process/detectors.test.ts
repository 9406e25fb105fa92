import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readNpz } from "../../src/engine/io/npz.ts";
import type { DetectorResult, RunReport } from "../../src/shared/results.ts";
import { writeExperiment } from "./experiment.ts";
import { bulwark, newWorkspace, readJson, type Workspace } from "./support.ts";

let workspace: Workspace;
let report: RunReport;
beforeAll(async () => {
  workspace = newWorkspace();
  await writeExperiment(workspace, {
    attacks: [
      { kind: "fgsm", eps: 0.1 },
      { kind: "nPixel", popSize: 6, maxGen: 2 },
    ],
    detectors: [
      { kind: "softmaxEntropy", falsePositiveRate: 0.1 },
      { kind: "varianceMinimization", runs: 5, evasionPasses: 1, positives: "successful" },
    ],
    analyses: [{ kind: "rocCurve", of: "detectors", axis: "log", apart: "none" }, { kind: "samplingProbabilities" }],
    compare: [{ name: "again", defense: { kind: "bitDepth", depth: 3 } }],
    expect: [{ metric: "detector.auc", detector: "softmaxEntropy", attack: "fgsm", min: 1.01 }],
  });
  const done = await bulwark(workspace, "run", "small.bulwark.jsonc", "--out", "run", "--json");
  expect(done.stderr).not.toContain("error");
  expect(done.code).toBe(2); // no area is above 1
  report = readJson<RunReport>(workspace.file("run/report.json"));
});
afterAll(() => workspace.remove());

const detectorOf = (arm: number, place = 0): DetectorResult => report.arms[arm]?.detectors[place] as DetectorResult;

describe("a detector that an experiment lists", () => {
  it("is scored on every arm and attack, and once more where the attack can evade it", () => {
    for (const arm of [0, 1]) {
      const { id, params, key, results } = detectorOf(arm);
      expect([id, key, params]).toEqual(["softmaxEntropy", "softmaxEntropy", {}]);
      expect(results.map(({ attack, adaptive }) => [attack, adaptive])).toEqual([
        ["fgsm", false],
        ["fgsm", true],
        ["nPixel", false], // it asks for no gradient
      ]);
    }
    expect(detectorOf(0).results[1]?.files.scores).toBe("detector-softmaxEntropy-fgsm-adaptive.npz");
    expect(detectorOf(1).results[0]?.files.scores).toBe("detector-again-softmaxEntropy-fgsm.npz");
  });

  it("has the area that its scores give, counted pair by pair", async () => {
    for (const { n, auc, detected, files } of detectorOf(0).results) {
      const { clean, adversarial } = await readNpz(workspace.file(`run/${files.scores}`));
      const [negatives, positives] = [Array.from(clean?.data ?? [], Number), Array.from(adversarial?.data ?? [], Number)];
      expect(positives).toHaveLength(n);
      const wins = positives.flatMap((p) => negatives.map((q) => (p > q ? 1 : p === q ? 0.5 : 0)));
      expect(auc).toBeCloseTo(wins.reduce<number>((sum, win) => sum + win, 0) / wins.length, 12);
      const threshold = detectorOf(0).threshold as number;
      expect(detected).toBe(positives.filter((score) => score > threshold).length / n);
    }
  });

  it("takes its threshold on validation images that are classified correctly, and says how many", () => {
    // 96 pictures, a quarter of them for testing; a fifth of the other 72 for validation: 14 at most.
    expect(detectorOf(0)).toMatchObject({ falsePositiveRate: 0.1, threshold: expect.any(Number), sharedImages: 0 });
    expect(detectorOf(0).thresholdImages).toBeGreaterThan(0);
    expect(detectorOf(0).thresholdImages).toBeLessThanOrEqual(14);
  });

  it("counts clean images that are classified correctly, and of the attacked ones all of those or the ones that fool the model", async () => {
    for (const place of [0, 1]) {
      const { results, cleanImages, positives } = detectorOf(0, place);
      const attack = report.arms[0]?.attacks[0];
      expect(cleanImages).toBe(report.arms[0]?.clean.correct);
      expect(positives).toBe(place === 0 ? "all" : "successful");
      const fooled = Math.round((attack?.successRate ?? 0) * (attack?.clean.correct ?? 0));
      expect(results[0]?.n).toBe(place === 0 ? cleanImages : fooled);
      expect(results[0]?.fooling?.n).toBe(fooled);
      if (place === 1) expect(results[0]?.fooling).toEqual({ n: results[0]?.n, auc: results[0]?.auc, interval: results[0]?.interval });
      const { cleanIndex, adversarialIndex } = await readNpz(workspace.file(`run/${results[0]?.files.scores}`));
      expect(cleanIndex?.data).toHaveLength(cleanImages ?? 0);
      for (const index of adversarialIndex?.data ?? []) expect([...(cleanIndex?.data ?? [])]).toContain(index);
    }
  });

  it("has its curves at the places where a threshold may stand, the chosen one among them", async () => {
    const { thresholds = [], threshold, results, flaggedClean } = detectorOf(0);
    expect(thresholds).toContain(threshold);
    expect(thresholds.at(-1)).toBeNull();
    for (const { points, files, detected } of results) {
      const { clean, adversarial } = await readNpz(workspace.file(`run/${files.scores}`));
      const above = (data: ArrayLike<number | bigint> | undefined, stop: number | null) => {
        const scores = Array.from(data ?? [], Number);
        return scores.filter((score) => score > (stop ?? Number.NEGATIVE_INFINITY)).length / scores.length;
      };
      expect(points).toEqual(
        thresholds.map((stop) => ({ falsePositiveRate: above(clean?.data, stop), truePositiveRate: above(adversarial?.data, stop) })),
      );
      const chosen = points[thresholds.indexOf(threshold)];
      expect([chosen?.falsePositiveRate, chosen?.truePositiveRate]).toEqual([flaggedClean, detected]);
    }
  });

  it("is drawn by rocCurve on a logarithmic axis, with all areas in a table", () => {
    const shown = report.analyses?.find(({ id }) => id === "rocCurve");
    expect(shown?.charts.map(({ title, x }) => [title, x.scale])).toEqual([["ROC of detectors", "log"]]);
    expect(shown?.tables[0]?.columns).toHaveLength(2 + 3); // fgsm, fgsm evading, nPixel
    expect(shown?.tables[0]?.rows[0]?.slice(2)).toEqual(detectorOf(0).results.map(({ auc }) => auc));
  });

  it("that samples has its probabilities shown, with a map of each that lies in the run folder", () => {
    const { figures = [], tables } = report.analyses?.find(({ id }) => id === "samplingProbabilities") ?? { tables: [] };
    expect(figures.length).toBeGreaterThan(2); // the pixels and each unit, of both arms
    for (const figure of figures) {
      const maps = figure.kind === "pictures" ? figure.rows.flatMap(({ pictures }) => pictures) : [];
      expect(maps).toHaveLength(9);
      for (const { href } of maps) expect(readFileSync(workspace.file(`run/${href}`)).length).toBeGreaterThan(0);
    }
    expect(tables[0]?.rows).toHaveLength(9 * figures.length);
  });

  it("is held against what is expected of it, and shown in the report", () => {
    expect(report.expect).toEqual([expect.objectContaining({ metric: "detector.auc", met: false, value: detectorOf(0).results[1]?.auc })]);
    const html = readFileSync(workspace.file("run/report.html"), "utf8");
    expect(html).toContain("Softmax entropy");
  });

  it("that samples says what its units kept, and is warned of where attacks evade it by single draws", () => {
    const { results, units } = detectorOf(0, 1);
    expect(results.map(({ attack, adaptive }) => [attack, adaptive])).toEqual([
      ["fgsm", false],
      ["fgsm", true],
      ["nPixel", false],
    ]);
    expect(units?.length).toBeGreaterThan(0);
    for (const { kept, active } of units ?? []) expect([kept > 0, kept <= active, active <= 1]).toEqual([true, true, true]);
    const detectors = report.findings.filter(({ rule }) => rule.startsWith("RB40"));
    expect(detectors.map(({ rule, arm }) => [rule, arm])).toEqual([
      ["RB402", report.arms[0]?.name],
      ["RB402", report.arms[1]?.name],
    ]);
  });
});
