import "../../../../src/engine/backends/cpu.ts";
import { describe, expect, it } from "vitest";
import { baselineComparison } from "../../../../src/engine/analyses/baselineComparison.ts";
import { ablation } from "../../../../src/engine/analyses/papers/paper0/ablation.ts";
import { depthSweep } from "../../../../src/engine/analyses/papers/paper0/depthSweep.ts";
import { syllabusComparison } from "../../../../src/engine/analyses/papers/paper0/syllabusComparison.ts";
import { robustnessCurve } from "../../../../src/engine/analyses/robustnessCurve.ts";
import { rocCurve, rocOf } from "../../../../src/engine/analyses/rocCurve.ts";
import { timing } from "../../../../src/engine/analyses/timing.ts";
import { createContext } from "../../../../src/engine/context.ts";
import type { AnalysisTable, Choice } from "../../../../src/shared/results.ts";
import { analysedAttack, arm, facts, subject, undefended, volumized } from "./fixtures.ts";

const nPixel = { id: "nPixel", params: { pixels: 1 } };
const ctx = createContext();
const column = (table: AnalysisTable | undefined, name: string) => {
  const at = table?.columns.findIndex((c) => c.name === name) ?? -1;
  return table?.rows.map((row) => row[at]);
};

describe("the curve over an attack's size", () => {
  const params = { attack: "nPixel", over: "pixels", values: [1, 4], images: 0, betaDenominator: "cleanCorrect" };

  it("asks for the experiment's own attack with one parameter changed, or for the defaults", () => {
    const own = facts([], [{ id: "nPixel", params: { pixels: 1, popSize: 20 } }]);
    expect(robustnessCurve.attacks?.(params, own)).toEqual([
      { id: "nPixel", params: { pixels: 1, popSize: 20 }, key: "nPixel-pixels-1", images: 0 },
      { id: "nPixel", params: { pixels: 4, popSize: 20 }, key: "nPixel-pixels-4", images: 0 },
    ]);
    expect(robustnessCurve.attacks?.({ ...params, values: [0.5], over: "eps", attack: "pgd", images: 30 }, own)).toEqual([
      { id: "pgd", params: { eps: 0.5 }, key: "pgd-eps-0_5-first-30", images: 30 },
    ]);
  });

  it.each([
    [{ over: "strategy" }, /strategy/, "PARAMETER_INVALID"],
    [{ over: "epsilon" }, /epsilon/, "PARAMETER_INVALID"],
    [{ values: [] }, /at least one/, "PARAMETER_INVALID"],
    [{ values: [1, 1] }, /once/, "PARAMETER_INVALID"],
    [{ attack: "onePixel" }, /onePixel/, "UNKNOWN_ID"],
  ])("refuses %j", (change, message, code) => {
    const check = () => robustnessCurve.check?.({ ...params, ...change }, facts([]));
    expect(check).toThrow(message);
    expect(check).toThrow(expect.objectContaining({ code }));
  });

  it("counts β by both denominators, and shows the static attack beside the adaptive one", async () => {
    // Undefended: images 0, 1 and 2 were fooled. Defended: 8 of 10 right when clean, 5 of them held; of the fooled ones only image 0.
    const further = [analysedAttack({ attack: nPixel, fate: "rbbrrrrbww", transferred: { fate: "rrbrrrrrww", undefended: "bbbrrrrrrr" } })];
    const measure = async (betaDenominator: string) => {
      const data = await robustnessCurve.measure?.(subject({ further }), { ...params, values: [1], betaDenominator }, ctx);
      return (data as { points: { defended: number; of: number }[] }).points[0];
    };
    expect(await measure("cleanCorrect")).toMatchObject({ n: 10, cleanCorrect: 8, attackedCorrect: 5, defended: 5, of: 8 });
    expect(await measure("fooledUndefended")).toMatchObject({ defended: 1, of: 3 });
    const defended = arm({ name: "defended", defense: volumized(), data: { points: [await measure("cleanCorrect")] } });
    const shown = robustnessCurve.present([defended], { ...params, values: [1] }, facts([defended], [nPixel]));
    expect(shown.tables[0]?.rows).toEqual([["defended", 1, 10, 0.8, 0.5, 0.7, (8 - 5) / 10, 5 / 8]]);
    const [accuracy, delta, beta] = shown.charts;
    expect(accuracy?.series.map(({ label, isDashed }) => [label, isDashed])).toEqual([
      ["defended", undefined],
      ["defended, static", true],
    ]);
    // Wilson 95 % of 5 of 10: 0.2366 to 0.7634; of 5 of 8: 0.3057 to 0.8632; of 3 of 10: 0.1078 to 0.6032.
    expect(accuracy?.series[0]?.points[0]).toMatchObject({ x: 1, y: 0.5, low: expect.closeTo(0.2366, 4), high: expect.closeTo(0.7634, 4) });
    expect(beta?.series[0]?.points[0]).toMatchObject({ y: 0.625, low: expect.closeTo(0.3057, 4), high: expect.closeTo(0.8632, 4) });
    expect(delta?.series[0]?.points[0]).toMatchObject({ y: 0.3, low: expect.closeTo(0.1078, 4), high: expect.closeTo(0.6032, 4) });
  });

  it("leaves the target class out of β, not out of δ", async () => {
    // Images 0 and 1 are of the target class. All four were right; image 1 and image 3 are broken: β 1 of 2, δ 2 of 4.
    const aimed = { id: "nPixel", params: { pixels: 1, target: 1 } };
    const further = [analysedAttack({ attack: aimed, fate: "rbrb", classes: [1, 1, 0, 0] })];
    const data = await robustnessCurve.measure?.(subject({ further }), { ...params, values: [1] }, ctx);
    const shown = robustnessCurve.present([arm({ name: "a", defense: undefended, data })], { ...params, values: [1] }, facts([], [nPixel]));
    expect(shown.tables[0]?.rows).toEqual([["a", 1, 4, 1, 0.5, null, 0.5, 0.5]]);
    // Wilson 95 % of 1 of 2: 0.0945 to 0.9055; of 2 of 4: 0.1500 to 0.8500.
    expect(shown.charts[2]?.series[0]?.points[0]).toMatchObject({ y: 0.5, low: expect.closeTo(0.0945, 4) });
    expect(shown.charts[1]?.series[0]?.points[0]).toMatchObject({ y: 0.5, low: expect.closeTo(0.15, 4) });
  });

  it("has what a grey patch leaves right beside a patch, and beside nothing else", async () => {
    const patch = { id: "adversarialPatch", params: { area: 0.1 } };
    const plain = analysedAttack({ attack: patch, fate: "rrbb" });
    const further = [{ ...plain, summary: { ...plain.summary, covering: { attacked: { accuracy: 0.75, correct: 3 } } } }];
    const chosen = { ...params, attack: "adversarialPatch", over: "area", values: [0.1] };
    const data = await robustnessCurve.measure?.(subject({ further }), chosen, ctx);
    const [table] = robustnessCurve.present([arm({ name: "a", defense: undefended, data })], chosen, facts([], [patch])).tables;
    expect(column(table, "grey patch")).toEqual([0.75]);
    expect(column(table, "β")).toEqual([0.5]);
  });

  it("draws no band around δ where the attack also repaired images", async () => {
    const further = [analysedAttack({ attack: nPixel, fate: "rrbbhw" })];
    const data = await robustnessCurve.measure?.(subject({ further }), { ...params, values: [1] }, ctx);
    const shown = robustnessCurve.present([arm({ name: "a", defense: undefended, data })], { ...params, values: [1] }, facts([], [nPixel]));
    expect(shown.charts[1]?.series[0]?.points).toEqual([{ x: 1, y: (4 - 3) / 6 }]);
  });
});

describe("ablation, measures and depth", () => {
  const attack = (fate: string) => [{ attack: nPixel, fate }];
  const full = arm({ name: "full", defense: volumized(), attacks: attack("rrrb") });
  const noCurriculum = arm({ name: "a", defense: volumized({ curriculum: false }), attacks: attack("rrbb") });
  const noVolumizer = arm({ name: "b", defense: volumized({ volumizer: false }), attacks: attack("rbbb") });
  const entropy = arm({ name: "c", defense: volumized({ measure: "entropy" }), attacks: attack("bbbb") });
  const small = arm({ name: "d", defense: volumized({ patch: 8 }), attacks: attack("rrrr") });
  const plain = arm({ name: "undefended", defense: undefended, attacks: attack("bbbb") });
  const all = [noVolumizer, plain, full, entropy, small, noCurriculum];

  it("the ablation has the arms that differ in its switches alone, by the paper's names", () => {
    ablation.check?.({}, facts(all));
    const [table] = ablation.present(all, {}, facts(all)).tables;
    expect(column(table, "arm")).toEqual(["full", "a", "b", "undefended"]);
    expect(column(table, "paper's name")).toEqual(["I", "I-Vol", "I-CL", "undefended"]);
    expect(column(table, "N pixel, 1 px")).toEqual([0.75, 0.5, 0.25, 0]);
  });

  it("the ablation says where arms took other numbers of optimiser steps", () => {
    const trained = (name: string, params: Parameters<typeof volumized>[0], steps?: number) =>
      arm({ name, defense: volumized(params), attacks: attack("rrrb"), ...(steps === undefined ? {} : { steps }) });
    const notesOf = (arms: Parameters<typeof ablation.present>[0]) => ablation.present(arms, {}, facts(arms)).notes;
    const [whole, without] = [trained("full", {}, 4278), trained("whole batches", { curriculum: false }, 540)];
    const control = trained("control", { curriculum: false, microBatch: 8 }, 4278);
    expect(notesOf([whole, control])).toHaveLength(1);
    expect(notesOf([whole, control, without])).toEqual([
      expect.stringMatching(/static/i),
      expect.stringContaining("optimiser steps: full, control 4278; whole batches 540. "),
    ]);
    expect(notesOf([whole, trained("of an earlier version", { volumizer: false })])).toHaveLength(1);
  });

  it("the measures have the arms that differ in the measure alone, and the undefended", () => {
    syllabusComparison.check?.({}, facts(all));
    const [table] = syllabusComparison.present(all, {}, facts(all)).tables;
    expect(column(table, "measure")).toEqual(["mutualInformation", "entropy", "none"]);
    expect(column(table, "N pixel, 1 px")).toEqual([0.75, 0, 0]);
  });

  it("the depth sweep orders by depth: 16×16 slices of a 32×32 image make 4, 8×8 make 16", () => {
    depthSweep.check?.({}, facts(all, [nPixel]));
    const shown = depthSweep.present(all, {}, facts(all, [nPixel]));
    expect(column(shown.tables[0], "slices Z")).toEqual([4, 16]);
    expect(shown.charts[0]?.series[0]?.points.map(({ x, y }) => [x, y])).toEqual([
      [4, 0.75],
      [16, 1],
    ]);
  });

  it("the depth sweep draws β over the pixels attacked, one line a slice size, from what was measured", () => {
    const pixels = (n: number, fate: string) => ({ attack: { id: "nPixel", params: { pixels: n } }, key: `nPixel-${n}`, fate });
    const of = (size: number, one: string, four: string) =>
      arm({ name: String(size), defense: volumized({ patch: size }), attacks: [pixels(4, four), pixels(1, one)] });
    const arms = [of(8, "rrrr", "rrrb"), of(16, "rrrb", "rbbb"), entropy];
    const lines = (given: typeof arms) =>
      depthSweep.present(given, {}, facts(given)).charts[1]?.series.map(({ label, points }) => [label, points.map(({ x, y }) => [x, y])]);
    expect(lines(arms)).toEqual([
      [
        "16×16 slices, Z = 4",
        [
          [1, 0.75],
          [4, 0.25],
        ],
      ],
      [
        "8×8 slices, Z = 16",
        [
          [1, 1],
          [4, 0.75],
        ],
      ],
    ]);
    const curve = { id: "robustnessCurve", params: { attack: "nPixel", over: "pixels", betaDenominator: "cleanCorrect" } };
    const data = {
      points: [
        { value: 2, defended: 3, of: 6 },
        { value: 16, defended: 0, of: 6 },
      ],
    };
    const curved = arms.map((one) => ({ ...one, report: { ...one.report, analyses: [{ ...curve, data }] } }));
    expect(lines(curved)?.[0]).toEqual([
      "16×16 slices, Z = 4",
      [
        [2, 0.5],
        [16, 0],
      ],
    ]);
    expect(lines([full, small])).toBeUndefined(); // one N alone
  });

  it("the depth sweep draws the β that its table has: without the target class", () => {
    const attacks = [{ attack: { id: "nPixel", params: { pixels: 1, target: 1 } }, fate: "rbbr", classes: [0, 0, 1, 1] }];
    const arms = [16, 8].map((size) => arm({ name: String(size), defense: volumized({ patch: size }), attacks }));
    const shown = depthSweep.present(arms, {}, facts(arms, [nPixel]));
    // One of the two images of class 0 holds; of all four it would be two.
    expect(column(shown.tables[0], "β, N pixel, 1 px")).toEqual([0.5, 0.5]);
    expect(shown.charts[0]?.series[0]?.points[0]).toMatchObject({ x: 4, y: 0.5, low: expect.closeTo(0.0945, 4) });
  });

  it.each([
    ["ablation", ablation, [full, entropy, plain]],
    ["syllabusComparison", syllabusComparison, [full, noCurriculum, plain]],
    ["depthSweep", depthSweep, [full, entropy, plain]],
    ["baselineComparison", baselineComparison, [full, entropy]],
  ] as const)("%s says which arms it lacks", (name, analysis, arms) => {
    const given = analysis.id === "baselineComparison" ? { arm: "" } : {};
    const check = () => analysis.check?.(given, facts(arms, [nPixel]));
    expect(check).toThrow(expect.objectContaining({ code: "EXPERIMENT_INVALID", message: expect.stringContaining(name) }));
  });

  it("a baseline is compared on the same images, with an exact test", () => {
    const better = arm({ name: "better", defense: volumized(), attacks: attack("rrrrrrbr") });
    const base = arm({ name: "undefended", defense: undefended, attacks: attack("bbbbbbrr") });
    const [table] = baselineComparison.present([better, base], { arm: "" }, facts([better, base])).tables;
    // 6 images right here alone, 1 there alone: 2·(C(7,6) + C(7,7))/2⁷ = 0.125.
    expect(table?.rows).toEqual([
      ["better", "clean", 1, 0, 0, 0, 1],
      ["better", "N pixel, 1 px", 7 / 8, 5 / 8, 6, 1, expect.closeTo(0.125, 12)],
    ]);
  });
});

describe("ROC and timing", () => {
  it("draws one chart an attack, all arms in it, areas from all scores", async () => {
    // Three images of three classes: by hand an AUC of 0.694444; clean scores separate perfectly.
    const attacked = Float32Array.from([0.7, 0.2, 0.1, 0.3, 0.4, 0.3, 0.5, 0.3, 0.2]);
    const clean = Float32Array.from([1, 0, 0, 0, 1, 0, 0, 0, 1]);
    const labels = Int32Array.from([0, 1, 2]);
    const measured = subject({
      attacks: [analysedAttack({ attack: nPixel, fate: "rrb" })],
      scores: async (key: string | null) => ({ probabilities: key === null ? clean : attacked, labels, classes: 3 }),
    });
    const data = await rocCurve.measure?.(measured, { resolution: 200 }, ctx);
    expect(rocOf(data).map(({ attack, auc }) => [attack, auc])).toEqual([
      [null, 1],
      ["nPixel", expect.closeTo(0.694444, 6)],
    ]);
    const one = arm({ name: "a", defense: undefended, data, attacks: [{ attack: nPixel, fate: "rrb" }] });
    const shown = rocCurve.present([one, { ...one, report: { ...one.report, name: "b" } }], { resolution: 200 }, facts([one]));
    expect(shown.charts).toHaveLength(1);
    expect(shown.charts[0]?.series.map(({ label, colour }) => [label, colour])).toEqual([
      ["a", 0],
      ["b", 1],
    ]);
    expect(shown.tables[0]?.columns.map(({ name }) => name)).toEqual(["arm", "clean", "N pixel, 1 px"]);
  });

  it("says which attacks do not know the defence", () => {
    const patch = { id: "adversarialPatch", params: { area: 0.1, mode: "transfer" } };
    const curve = (attack: string | null) => ({ attack, auc: 1, points: [] });
    const made = (attacks: readonly { readonly attack: Choice; readonly mode: "static" | "adaptive" }[]) => {
      const one = arm({
        name: "a",
        defense: volumized(),
        attacks: attacks.map(({ attack }) => ({ attack, fate: "rb" })),
        data: { curves: [curve(null), ...attacks.map(({ attack }) => curve(attack.id))] },
      });
      const summaries = one.report.attacks.map((summary, i) => ({ ...summary, mode: attacks[i]?.mode ?? "adaptive" }));
      const given = [{ ...one, report: { ...one.report, attacks: summaries } }];
      return rocCurve.present(given, { resolution: 200 }, facts(given)).notes.slice(1);
    };
    const [pixel, sticker] = [{ attack: nPixel, mode: "adaptive" } as const, { attack: patch, mode: "static" } as const];
    const told = "Static, made against the undefended arm and only shown to the defended ones: Adversarial patch, 10.0 % of the image";
    expect(made([pixel])).toEqual(["Attacks are adaptive."]);
    expect(made([pixel, sticker])).toEqual([`${told}; the other attacks are adaptive.`]);
    expect(made([sticker])).toEqual([`${told}.`]);
    expect(made([])).toEqual([]);
  });

  it("times every arm beside the undefended one", async () => {
    const time = { forwardMilliseconds: 4, p95Milliseconds: 6, networkMilliseconds: 3, networkP95Milliseconds: 5, batchSize: 1 };
    const defended = arm({ name: "a", defense: volumized(), data: time });
    const plain = arm({ name: "b", defense: undefended, data: { forwardMilliseconds: 2, p95Milliseconds: 3, batchSize: 1 } });
    const [table] = timing.present([defended, plain], { passes: 50, warmUps: 10 }, facts([])).tables;
    expect(table?.rows).toEqual([
      ["a", "lenet", 4, 6, 3, 5, 2],
      ["b", "lenet", 2, 3, null, null, 1],
    ]);
    expect(table?.columns.map(({ name }) => name)).not.toContain("median of the defences in front");
  });

  it("times what stands in front alone", () => {
    const time = { forwardMilliseconds: 5, p95Milliseconds: 7, frontMilliseconds: 3, frontP95Milliseconds: 4, batchSize: 1 };
    const defended = arm({ name: "a", defense: { id: "jpeg", params: {} }, data: time });
    const plain = arm({ name: "b", defense: undefended, data: { forwardMilliseconds: 2, p95Milliseconds: 3, batchSize: 1 } });
    const [table] = timing.present([defended, plain], { passes: 50, warmUps: 10 }, facts([])).tables;
    expect(table?.columns.map(({ name }) => name)).toEqual([
      "arm",
      "model",
      "median",
      "95th percentile",
      "median of the defences in front",
      "95th percentile of the defences in front",
      "median, times the undefended",
    ]);
    expect(table?.rows).toEqual([
      ["a", "lenet", 5, 7, 3, 4, 2.5],
      ["b", "lenet", 2, 3, null, null, 1],
    ]);
  });
});
