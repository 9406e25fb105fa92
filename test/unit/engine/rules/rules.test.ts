import { beforeAll, describe, expect, it } from "vitest";
import { compareFindings } from "../../../../src/engine/harness/compare.ts";
import { summarizeAttack } from "../../../../src/engine/harness/summarize.ts";
import type { ComparedAttack, CountedOutcome, HarnessNotes } from "../../../../src/engine/harness/types.ts";
import { binomialTail, unpairedZ, weakerWins } from "../../../../src/engine/metrics/statistics.ts";
import { rb110 } from "../../../../src/engine/rules/rb110.ts";
import { rb206 } from "../../../../src/engine/rules/rb206.ts";
import type { ImageRecord } from "../../../../src/shared/results.ts";

const quiet: HarnessNotes = { outOfBall: 0, notFinite: 0, silentSuccess: 0, lostAfter8Bit: 0, skipped: 0, usesGradients: true };
const record = (index: number, cleanPrediction: number, prediction: number): ImageRecord => ({
  index,
  label: 0,
  cleanPrediction,
  prediction,
  success: cleanPrediction === 0 && prediction !== 0,
  successAfter8Bit: true,
  linf: 0.3,
  l2: 4,
  l0: 600,
  iterations: 1,
});
const outcome = (records: ImageRecord[], notes: Partial<HarnessNotes> = {}): CountedOutcome => ({
  records,
  gradientEvaluations: 10,
  forwardEvaluations: 0,
  seconds: 2,
  notes: { ...quiet, ...notes },
});
const facts = (id: string, params: Record<string, unknown> = {}) => ({ attack: { id, params }, defenses: [], backend: "cpu", seed: 1 });

describe("statistics", () => {
  it("sums the exact binomial", () => {
    expect(binomialTail(5, 5)).toBeCloseTo(1 / 32, 12);
    expect(binomialTail(4, 5)).toBeCloseTo(6 / 32, 12);
    expect(binomialTail(2, 3, 0.1)).toBeCloseTo(3 * 0.01 * 0.9 + 0.001, 12);
    expect(binomialTail(0, 4)).toBe(1);
    expect(binomialTail(2600, 5000)).toBeLessThan(0.003); // z = 2.83 without, 2.81 with continuity correction
    expect(binomialTail(2600, 5000)).toBeGreaterThan(0.002);
  });

  it("needs b ≥ 5 where c = 0", () => {
    expect(weakerWins(4, 0)).toBe(false);
    expect(weakerWins(5, 0)).toBe(true);
    expect(weakerWins(5, 2)).toBe(false);
  });

  it("reproduces the z values of published tables", () => {
    expect(unpairedZ(0.9712, 0.9802, 10_000)).toBeCloseTo(4.1, 1); // MNIST Madry+AAD, FGSM against PGD10: fires
    expect(unpairedZ(0.058, 0.0604, 10_000)).toBeCloseTo(0.7, 1); // CIFAR RAW, PGD20 against PGD100: a hint only
  });
});

describe("summary", () => {
  it("counts as algorithms 0I does", () => {
    // clean [1×8, 0×2], attacked [1×5, 0×3, 1, 0]: accuracies .8 and .6, δ .2, β 5/8
    const wrong = [1, 1, 1, 1, 1, 0, 0, 0, 1, 0];
    const records = wrong.map((correct, i) => record(i, i < 8 ? 0 : 1, correct ? 0 : 1));
    const summary = summarizeAttack([outcome(records.slice(0, 4)), outcome(records.slice(4), { skipped: 2 })], facts("pgd"));
    expect(summary.clean).toEqual({ accuracy: 0.8, correct: 8 });
    expect(summary.attacked).toEqual({ accuracy: 0.6, correct: 6 });
    expect(summary.robustness).toBeCloseTo(0.2, 12);
    expect(summary.defenseSuccess).toBe(5 / 8);
    expect(summary.successRate).toBe(3 / 8);
    expect(summary).toMatchObject({ n: 10, seconds: 4, gradientEvaluations: 20, imagesPerSecond: 2.5 });
    expect(summary.findings.map((f) => f.rule)).toEqual(["RB208"]);
  });

  it("names the defence, and none for plain training", () => {
    const defense = { id: "volumizedCurriculum", params: {} };
    expect(summarizeAttack([], { ...facts("pgd"), defenses: [defense] }).defense).toEqual(defense);
    expect(summarizeAttack([], { ...facts("pgd"), defenses: [{ id: "standard", params: {} }] }).defense).toBeNull();
  });

  it("has no rate where there is nothing to count", () => {
    const summary = summarizeAttack([], facts("pgd"));
    expect(summary).toMatchObject({ n: 0, clean: { accuracy: null }, successRate: null, defenseSuccess: null, robustness: null });
    expect(summary.norms.l2).toEqual({ mean: null, max: null });
    expect(summarizeAttack([outcome([record(0, 1, 1)])], facts("pgd"))).toMatchObject({ clean: { accuracy: 0 }, successRate: null });
  });

  it("leaves images of the target class out of a targeted success rate", () => {
    const own = { ...record(0, 2, 2), label: 2 };
    const summary = summarizeAttack([outcome([own, record(1, 0, 2), record(2, 0, 0)])], facts("nPixel", { target: 2 }));
    expect(summary.successRate).toBe(0.5);
  });

  it.each([
    ["RB201", { outOfBall: 1 }, "error"],
    ["RB201", { notFinite: 2 }, "error"],
    ["RB203", { silentSuccess: 1 }, "warning"],
    ["RB208", { skipped: 1 }, "info"],
    ["RB501", { lostAfter8Bit: 1 }, "error"],
  ] as const)("%s from %o", (rule, notes, severity) => {
    const { findings } = summarizeAttack([outcome([record(0, 0, 1), record(1, 0, 0)], notes)], facts("pgd"));
    expect(findings.map((f) => [f.rule, f.severity, f.attack])).toEqual([[rule, severity, "pgd"]]);
  });

  it("RB202 when a gradient attack made no backward pass, or changed nothing", () => {
    const idle = { ...outcome([record(0, 0, 0)]), gradientEvaluations: 0 };
    expect(summarizeAttack([idle], facts("pgd")).findings.map((f) => f.rule)).toEqual(["RB202"]);
    const blackBox = { ...idle, notes: { ...quiet, usesGradients: false } };
    expect(summarizeAttack([blackBox], facts("nPixel")).findings).toEqual([]);
    const unchanged = outcome([{ ...record(0, 0, 0), linf: 0 }]);
    expect(summarizeAttack([unchanged], facts("pgd")).findings.map((f) => f.rule)).toEqual(["RB202"]);
  });
});

describe("RB110", () => {
  it("tells the first four of what a conversion noted, and how many more there are", () => {
    expect(rb110([])).toBeNull();
    expect(rb110(["A.", "B."])).toMatchObject({ severity: "info", message: "The trained network departs from the named one. A. B." });
    expect(rb110(["A.", "B.", "C.", "D.", "E.", "F."])?.message).toMatch(/ A\. B\. C\. D\. And 2 more/);
  });
});

describe("RB206", () => {
  it("lets chance pass and tells of images that nothing breaks", () => {
    expect(rb206(0, 32, 10)).toBeNull();
    expect(rb206(3, 32, 10)).toBeNull(); // expected 3.2
    expect(rb206(12, 32, 10)?.rule).toBe("RB206");
    expect(rb206(0, 0, 10)).toBeNull();
  });
});

describe("rules on published tables, where only accuracies are known", () => {
  const published = (id: string, eps: number, accuracy: number, iterative: boolean): ComparedAttack => {
    const summary = summarizeAttack([], facts(id, { eps }));
    return { summary: { ...summary, n: 10_000, attacked: { accuracy: accuracy / 100, correct: accuracy * 100 } }, records: [], iterative };
  };

  // Accuracy under FGSM and under PGD-10, Wu et al. 2022, table 6
  it.each([
    ["MNIST Madry+AAD", 97.12, 98.02, true],
    ["MNIST ALP", 97.59, 98.23, true],
    ["MNIST ALP+AAD", 97.6, 98.24, true],
    ["ImageNet ALP", 9.94, 23.67, true],
    ["ImageNet ALP+AAD", 14.86, 29.15, true],
    ["MNIST Madry", 96.92, 95.69, false],
    ["CIFAR Madry", 63.28, 49.29, false],
  ])("RB301: %s, FGSM %f against PGD %f", (_, single, iterative, fires) => {
    const findings = compareFindings([published("fgsm", 0.3, single, false), published("pgd", 0.3, iterative, true)]);
    expect(findings.map((f) => f.rule)).toEqual(fires ? ["RB301"] : []);
  });

  // Adversarially trained networks on CIFAR-10, FGSM of growing radius, table 4 of the compact-convolution paper
  it.each([
    ["BReLU", 67.08, 80.73, true],
    ["CCN", 73.27, 75.8, true],
    ["SM", 67.18, 71.46, true],
    ["LS", 69.07, 52.13, false],
  ])("RB303: %s, %f then %f", (_, smaller, larger, fires) => {
    const findings = compareFindings([published("fgsm", 0.01, smaller, false), published("fgsm", 0.02, larger, false)]);
    expect(findings.map((f) => f.rule)).toEqual(fires ? ["RB303"] : []);
  });
});

describe("comparisons", () => {
  let base: ImageRecord[];
  beforeAll(() => {
    base = Array.from({ length: 20 }, (_, i) => record(i, 0, 0));
  });
  const broken = (from: number, to: number) =>
    base.map((r) => (r.index >= from && r.index < to ? { ...r, prediction: 1, success: true } : r));
  const compared = (
    id: string,
    params: Record<string, unknown>,
    records: ImageRecord[],
    iterative: boolean,
    arm = "a",
  ): ComparedAttack => ({
    arm,
    iterative,
    records,
    summary: summarizeAttack([outcome(records)], facts(id, params)),
  });
  const rules = (...attacks: ComparedAttack[]) => compareFindings(attacks).map((f) => f.rule);

  it("RB301: a single step breaks significantly more than many", () => {
    const pgd = (n: number) => compared("pgd", { eps: 0.3 }, broken(0, n), true);
    const fgsm = compared("fgsm", { eps: 0.3 }, broken(0, 10), false);
    expect(rules(fgsm, pgd(5))).toEqual(["RB301"]);
    expect(rules(pgd(5), fgsm)).toEqual(["RB301"]);
    expect(rules(fgsm, pgd(6))).toEqual([]); // b = 4
    expect(rules(fgsm, pgd(15))).toEqual([]);
    expect(rules(compared("fgsm", { eps: 0.1 }, broken(0, 10), false), pgd(0))).toEqual([]); // another radius
    expect(rules(compared("fgsm", { eps: 0.3 }, broken(0, 10), false, "b"), pgd(0))).toEqual([]); // another model
  });

  it("RB303: accuracy rises with the radius", () => {
    const at = (eps: number, n: number) => compared("fgsm", { eps }, broken(0, n), false);
    expect(rules(at(0.1, 6), at(0.2, 1))).toEqual(["RB303"]);
    expect(rules(at(0.2, 1), at(0.1, 6))).toEqual(["RB303"]);
    expect(rules(at(0.1, 6), at(0.2, 2))).toEqual([]);
    expect(rules(at(0.1, 1), at(0.2, 6))).toEqual([]);
  });

  it("ignores images that were wrong before", () => {
    const wrongBefore = broken(0, 10).map((r) => ({ ...r, cleanPrediction: 1 }));
    expect(rules(compared("fgsm", { eps: 0.3 }, wrongBefore, false), compared("pgd", { eps: 0.3 }, base, true))).toEqual([]);
  });
});
