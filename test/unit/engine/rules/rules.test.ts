import { describe, expect, it } from "vitest";
import { probedOf } from "../../../../src/engine/experiment/judge.ts";
import { summarizeAttack } from "../../../../src/engine/harness/summarize.ts";
import type { CountedOutcome, HarnessNotes } from "../../../../src/engine/harness/types.ts";
import { bind } from "../../../../src/engine/registry.ts";
import type { ArmEvidence } from "../../../../src/engine/rules/evidence.ts";
import { armRules, modelRules, runRules } from "../../../../src/engine/rules/index.ts";
import { findingsOf, type Rule, type Where } from "../../../../src/engine/rules/rule.ts";
import { stepOf, stepsOf } from "../../../../src/engine/rules/step.ts";
import type { Chosen } from "../../../../src/shared/experiment.ts";
import { groupFindings, type ImageRecord, placeOf } from "../../../../src/shared/results.ts";
import { records } from "../analyses/fixtures.ts";

const quiet: HarnessNotes = {
  outOfBall: 0,
  notFinite: 0,
  silentSuccess: 0,
  lostAfter8Bit: 0,
  skipped: 0,
  zeroGradient: 0,
  zeroMargin: 0,
  usesGradients: true,
};
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

describe("summary", () => {
  it("counts clean-correct images that stay correct", () => {
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
    expect(summary.findings).toEqual([]); // misclassified images are a column of the table
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
    // A random start changed it, and no step followed.
    const blind = (zeroGradient: number, zeroMargin: number, loss = "crossEntropy") =>
      summarizeAttack(
        [
          outcome(
            Array.from({ length: 40 }, (_, i) => record(i, 0, 0)),
            { zeroGradient, zeroMargin },
          ),
        ],
        facts("pgd", { loss }),
      ).findings;
    expect(blind(1, 0)).toEqual([]);
    expect(blind(2, 0)).toMatchObject([{ rule: "RB202", fix: expect.stringContaining('"loss": "margin"') }]);
    expect(blind(38, 0)[0]?.message).toContain("On 38 images of the 40 that it could break (95.0 %) the gradient");
    for (const [{ fix } = {}] of [blind(38, 38), blind(38, 0, "margin")]) expect(fix).toMatch(/^Attack with sparseRs/);
    // There is nothing to attack in an image that is of the target class already.
    const settled = outcome([{ ...record(0, 0, 0), linf: 0, target: 0 }]);
    expect(summarizeAttack([settled], facts("lavan")).findings).toEqual([]);
  });
});

const idsOf = <E>(rules: readonly Rule<E>[], evidence: E) => findingsOf(rules, evidence, {}).map(({ rule }) => rule);
const arm: ArmEvidence = {
  departures: [],
  clean: [],
  isTrainedHere: true,
  hasFront: false,
  unbounded: null,
  gradients: null,
  probed: null,
};

describe("RB209 and RB210", () => {
  const pair = (patched: string, grey: string) =>
    summarizeAttack([outcome(records(patched))], facts("adversarialPatch"), { control: records(grey) }).findings.filter(
      ({ rule }) => rule === "RB209",
    );

  it("fire where a grey patch breaks as much as the patch, or more", () => {
    expect(pair("rrrbb", "rrbrb")).toMatchObject([{ rule: "RB209", severity: "warning", attack: "adversarialPatch" }]);
    expect(pair("rrrbb", "rrbrb")[0]?.message).toContain("breaks 2 images, a plain grey patch in the same places 2.");
    expect(pair("rrrrb", "rrbbb")[0]?.message).toContain("breaks 1 image, a plain grey patch in the same places 3.");
  });

  it("do not where the patch breaks more, or where neither breaks any", () => {
    expect(pair("rrbbb", "rrrbb")).toEqual([]);
    expect(pair("rrr", "rrr")).toEqual([]);
    expect(pair("", "")).toEqual([]);
  });

  it("say that a patch was trained on the images it is judged on", () => {
    const judged = (isOnItsOwn: boolean) => summarizeAttack([outcome(records("b"))], facts("adversarialPatch"), { isOnItsOwn }).findings;
    expect(judged(true).map(({ rule }) => rule)).toContain("RB210");
    expect(judged(false).map(({ rule }) => rule)).not.toContain("RB210");
  });
});

describe("a finding", () => {
  it("names arm, attack, key and place", () => {
    const where = { arm: "a", attackKey: "pgd-2", at: { file: "x.bulwark.jsonc", pointer: "/attacks/1" } };
    const [finding] = summarizeAttack([outcome([record(0, 0, 1)], { silentSuccess: 1 })], facts("pgd"), { where }).findings;
    expect(finding).toMatchObject({ rule: "RB203", attack: "pgd", ...where });
  });

  it("offers half the step, at its parameter in the file", () => {
    const at = { file: "x.bulwark.jsonc", pointer: "/attacks/1" };
    const lost = outcome([record(0, 0, 1)], { silentSuccess: 1 });
    const edit = (chosen: Chosen, where: Where) =>
      summarizeAttack([lost], facts(chosen.kind), { where, step: stepOf(bind("attack", chosen)) }).findings[0]?.edit;
    expect(edit({ kind: "pgd", stepSize: 0.1 }, { at })).toEqual({ pointer: "/attacks/1/stepSize", value: 0.05 });
    expect(edit({ kind: "pgd", eps: 0.3, steps: 30 }, { at })).toEqual({ pointer: "/attacks/1/stepSize", value: 0.0125 }); // 2.5·0.3/30 = 0.025
    expect(edit({ kind: "pgd" }, {})).toBeUndefined(); // no file to edit
    expect(edit({ kind: "nPixel" }, { at })).toBeUndefined(); // no step
  });

  it("of two attacks of one kind stays two, and is told once where it says the same", () => {
    const of = (attackKey: string, silentSuccess: number) =>
      summarizeAttack([outcome([record(0, 0, 1)], { silentSuccess })], facts("pgd"), { where: { arm: "a", attackKey } }).findings;
    expect(groupFindings([...of("pgd", 1), ...of("pgd-2", 2)]).map((one) => [one.attackKey, placeOf(one)])).toEqual([
      ["pgd", "a · pgd"],
      ["pgd-2", "a · pgd-2"],
    ]);
    expect(groupFindings([...of("pgd", 1), ...of("pgd-2", 1), ...of("pgd", 1)]).map(placeOf)).toEqual(["a · pgd, pgd-2"]);
  });
});

describe("RB204", () => {
  const at: Where = { at: { file: "/a.bulwark.jsonc", pointer: "/attacks/0" } };
  /** Of n images, one falls at each of these iterations, the others stay right. */
  const told = (chosen: Chosen, n: number, fallen: readonly number[]) => {
    const all = Array.from({ length: n }, (_, i) => ({ ...record(i, 0, i < fallen.length ? 1 : 0), iterations: fallen[i] ?? 40 }));
    const bound = bind("attack", chosen);
    return summarizeAttack([outcome(all)], facts(chosen.kind), { where: at, steps: stepsOf(bound) }).findings.filter(
      ({ rule }) => rule === "RB204",
    );
  };
  const many = (count: number, iteration: number): number[] => Array.from({ length: count }, () => iteration);

  it("fires where images still fall in the last quarter, and says how many steps to take", () => {
    const [finding, ...others] = told({ kind: "pgd", steps: 40 }, 500, [...many(100, 5), ...many(4, 31), 40]);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      message: "The attack had not ended: of 500 images that were right, 5 fell in the last 10 of its 40 iterations, and 395 had not.",
      fix: 'Use more "steps", such as 80, until hardly any image falls at the end.',
      edit: { pointer: "/attacks/0/steps", value: 80 },
    });
    // With restarts the last quarter is that of all attempts together: 31 to 40 of four times ten.
    expect(told({ kind: "pgd", steps: 10, restarts: 4 }, 500, many(5, 31))[0]?.edit?.value).toBe(20);
  });

  it("does not by chance: where one image in 400 falls there, 5 of 500 or 8 of 1000 come in less than 1 run in 100", () => {
    // P(X ≥ 4 | 500, 1/400) = .038 and P(X ≥ 5) = .009; P(X ≥ 7 | 1000, 1/400) = .014 and P(X ≥ 8) = .004, by the binomial distribution.
    const fires = (n: number, late: number) => told({ kind: "pgd", steps: 40 }, n, many(late, 35)).length;
    expect([fires(500, 4), fires(500, 5), fires(1000, 7), fires(1000, 8)]).toEqual([0, 1, 0, 1]);
  });

  it.each<[string, Chosen, number, readonly number[]]>([
    ["nothing falls at the end", { kind: "pgd", steps: 40 }, 500, many(300, 30)],
    ["fewer are left than fell at the end", { kind: "pgd", steps: 40 }, 100, many(51, 40)],
    ["the attack has a target", { kind: "pgd", steps: 40, target: 1 }, 500, many(50, 40)],
    ["it follows no gradient", { kind: "sparseRs" }, 500, many(50, 40)],
    ["it takes too few steps to tell", { kind: "pgd", steps: 3 }, 500, many(50, 3)],
    ["it took a single step", { kind: "fgsm" }, 500, many(50, 1)],
  ])("does not where %s", (_, chosen, n, fallen) => {
    expect(told(chosen, n, fallen)).toEqual([]);
  });
});

describe("rules about a model", () => {
  const known = {
    outputs: "logits",
    bounded: null,
    forwardOnly: null,
    quantisers: 0,
    contractFile: "net.bulwark.json",
    contractSource: { kind: "file", text: "model.bulwark.json" },
    contradiction: null,
  } as const;
  it("say where it gives probabilities or bounded scores, where its input range is assumed, and where its contract contradicts it", () => {
    expect(idsOf(modelRules, known)).toEqual([]);
    expect(idsOf(modelRules, { ...known, outputs: "probabilities" })).toEqual(["RB102"]);
    expect(findingsOf(modelRules, { ...known, bounded: "tanh" }, {})).toMatchObject([
      { rule: "RB102", severity: "warning", message: expect.stringContaining("ends in tanh, which bounds its scores") },
    ]);
    for (const kind of ["all", "some", "each"] as const) {
      const [finding] = findingsOf(modelRules, { ...known, byValue: { kind, most: 100 } }, {});
      expect(finding).toMatchObject({
        rule: "RB102",
        message: expect.stringContaining("100"),
        fix: expect.stringContaining("net.bulwark.json"),
      });
    }
    expect(idsOf(modelRules, { ...known, contractSource: { kind: "assumed", text: "assumed" } })).toEqual(["RB111"]);
    const measured = { passDifference: 0, batchDifference: 0 };
    expect(idsOf(modelRules, { ...known, measured })).toEqual([]);
    expect(idsOf(modelRules, { ...known, measured: { passDifference: 0.1, batchDifference: 0.1 } })).toEqual(["RB103"]);
    expect(idsOf(modelRules, { ...known, measured: { passDifference: 0, batchDifference: 0.1 } })).toEqual(["RB104"]);
    expect(idsOf(modelRules, { ...known, probed: { betterRange: "a", betterLabels: "b" } })).toEqual(["RB101", "RB108"]);
    expect(findingsOf(modelRules, { ...known, forwardOnly: "its file has an If" }, {})).toMatchObject([
      { rule: "RB114", severity: "warning", message: "The model gives scores only: its file has an If. ONNX Runtime runs it as it is." },
    ]);
    expect(findingsOf(modelRules, { ...known, quantisers: 1 }, {})).toMatchObject([
      { rule: "RB115", message: expect.stringContaining("pass through 1 quantiser as if they were not there") },
    ]);
    expect(idsOf(modelRules, { ...known, contradiction: "one says 0…1, the other 0…255" })).toEqual(["RB112"]);
  });
});

describe("RB110", () => {
  const of = (...departures: string[]) => findingsOf(armRules, { ...arm, departures }, { arm: "a" });
  it("quotes the first four of what a conversion noted, and says how many more there are", () => {
    expect(of()).toEqual([]);
    expect(of("A.", "B.")).toMatchObject([
      { severity: "info", arm: "a", message: "The trained network departs from the named one. A. B." },
    ]);
    expect(of("A.", "B.", "C.", "D.", "E.", "F.")[0]?.message).toMatch(/ A\. B\. C\. D\. And 2 more/);
  });
});

describe("RB113", () => {
  const of = (correct: number, n: number) => {
    const clean = Array.from({ length: n }, (_, i) => ({ label: 0, cleanPrediction: i < correct ? 0 : 1 }));
    return findingsOf(armRules, { ...arm, clean, probed: { n: 64, hits: 48 } }, {}).filter(({ rule }) => rule === "RB113");
  };
  it("tells where a model is right far less often than when its contract was probed", () => {
    // SciPy: fisher_exact([[17, 15], [48, 16]], 'less') .030; [[10, 22], [48, 16]] 4.5e-5
    expect(of(17, 32)).toEqual([]);
    expect(of(10, 32)).toMatchObject([{ severity: "error", message: expect.stringContaining("right on 10 of 32 images") }]);
    expect(of(32, 32)).toEqual([]);
    expect(of(0, 0)).toEqual([]);
  });

  it("asks only where the probe was made on the data of the run, with nothing in front of the model", () => {
    const probe = { sha256: "", dataset: "imageFolder:photos", split: "test", n: 64, hits: 48 };
    const model = { contract: { input: {}, probe } };
    const on = (id: string, path: string) => ({ dataset: { id, params: { path } } }) as unknown as Parameters<typeof probedOf>[1];
    expect(probedOf(model, on("imageFolder", "/a/photos"))).toEqual({ n: 64, hits: 48 });
    expect(probedOf(model, on("imageFolder", "/a/otherphotos"))).toBeNull();
    expect(probedOf(model, on("arrays", "/a/photos"))).toBeNull();
    expect(probedOf({ ...model, front: [] }, on("imageFolder", "/a/photos"))).toBeNull();
    expect(probedOf({ contract: { input: {} } }, on("imageFolder", "/a/photos"))).toBeNull();
  });
});

describe("RB206", () => {
  const of = (survivors: number, n: number) =>
    findingsOf(armRules, { ...arm, unbounded: { attack: "pgd", attackKey: "pgd-2", survivors, n, classes: 10 } }, { arm: "a" });
  it("lets chance pass and tells of images that nothing breaks", () => {
    expect(of(0, 32)).toEqual([]);
    expect(of(3, 32)).toEqual([]); // expected 3.2
    expect(of(12, 32)).toMatchObject([{ rule: "RB206", severity: "error", arm: "a", attack: "pgd", attackKey: "pgd-2" }]);
    expect(of(0, 0)).toEqual([]);
  });
});

describe("RB407", () => {
  /** n images, of the classes 0 and 1 in turn; `answer` is what they are taken for before any attack. */
  const answers = (n: number, answer: (i: number) => number) =>
    Array.from({ length: n }, (_, i) => ({ label: i % 2, cleanPrediction: answer(i) }));
  const found = (clean: ArmEvidence["clean"]) => idsOf(armRules, { ...arm, clean });

  it("needs five images of another class that nearly all get the same answer", () => {
    expect(findingsOf(armRules, { ...arm, clean: answers(10, () => 1) }, {})).toMatchObject([
      { rule: "RB407", severity: "warning", message: expect.stringContaining("class 1 for 5 of 5 images of other classes") },
    ]);
    expect(found(answers(8, () => 1))).toEqual([]); // four of another class
    expect(found(answers(200, (i) => (i < 10 ? i % 2 : 1)))).toEqual(["RB407"]); // 95 of the 100 of class 0
    expect(found(answers(200, (i) => (i < 12 ? i % 2 : 1)))).toEqual([]); // 94
    expect(found([])).toEqual([]);
  });

  it("advises to train what is trained here, and of a model file to check what it is given", () => {
    const fix = (isTrainedHere: boolean, hasFront: boolean) =>
      findingsOf(armRules, { ...arm, clean: answers(10, () => 1), isTrainedHere, hasFront }, {})[0]?.fix;
    expect(fix(true, false)).toBe('Train for more "epochs" or with a smaller "learningRate".');
    expect(fix(true, true)).toBe(
      'Train for more "epochs" or with a smaller "learningRate", and check what the defence in front leaves of the images.',
    );
    expect(fix(false, false)).toMatch(/^Check that the model gets its images as it was trained \(`bulwark probe MODEL --dataset …`/);
    expect(fix(false, false)).not.toContain("rain for more");
    expect(fix(false, true)).toMatch(/has the trained weights, and check what the defence in front leaves of the images\.$/);
  });
});

describe("RB507", () => {
  it("is raised for each device that failed", () => {
    const found = findingsOf(runRules, { deviceFailures: ["a", "b"] }, {});
    expect(found.map(({ rule, message }) => [rule, message])).toEqual([
      ["RB507", "a"],
      ["RB507", "b"],
    ]);
  });
});
