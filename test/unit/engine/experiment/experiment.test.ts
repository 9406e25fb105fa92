import "../../../../src/engine/backends/cpu.ts";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { defenseOf } from "../../../../src/engine/experiment/arms.ts";
import { canonical, experimentDocument, hashOf } from "../../../../src/engine/experiment/document.ts";
import { checkExpectations } from "../../../../src/engine/experiment/expectations.ts";
import { loadExperiment, parseExperiment } from "../../../../src/engine/experiment/load.ts";
import { ProgressMeter } from "../../../../src/engine/experiment/progress.ts";
import { resolveExperiment } from "../../../../src/engine/experiment/resolve.ts";
import type { RunEventBody } from "../../../../src/shared/events.ts";
import type { Expected } from "../../../../src/shared/expect.ts";
import type { ArmReport, AttackSummary, DetectedAttack } from "../../../../src/shared/results.ts";

const source = `{
  // comments are allowed
  "dataset": { "kind": "mnist", "train": 100, "test": 10 },
  "model": { "kind": "lenet" },
  "defense": { "kind": "volumizedCurriculum", "patch": 7 },
  "attacks": [{ "kind": "fgsm", "eps": 0.3 }, { "kind": "fgsm", "eps": 0.1 }],
  "compare": [{ "name": "undefended", "defense": { "kind": "standard" } }],
}`;
const resolve = async (text: string) => {
  const { experiment, plugins } = await parseExperiment(text, "x", tmpdir());
  return resolveExperiment(experiment, { directory: "/data", name: "x", plugins });
};

describe("an experiment file", () => {
  it("gets every default, and its first arm the name of its defence", async () => {
    const resolved = await resolve(source);
    expect(resolved.seed).toBe(1);
    expect(resolved.arms.map((arm) => [arm.name, arm.index, defenseOf(arm).id])).toEqual([
      ["volumizedCurriculum", 0, "volumizedCurriculum"],
      ["undefended", 1, "standard"],
    ]);
    expect(resolved.arms[0]?.training[0]?.params).toMatchObject({ patch: 7, measure: "mutualInformation" });
    expect(resolved.attacks.map(({ key, params }) => [key, params["eps"]])).toEqual([
      ["fgsm", 0.3],
      ["fgsm-2", 0.1],
    ]);
  });

  it("written out with its defaults means the same", async () => {
    const resolved = await resolve(source);
    const document = experimentDocument(resolved);
    const again = await resolve(JSON.stringify(document));
    expect(experimentDocument(again)).toEqual(document);
    expect(hashOf(experimentDocument(again))).toBe(hashOf(document));
  });

  it("may choose an entry inside parameters by its id or with its parameters, which must be its own", async () => {
    const innerOf = async (attack: string) => {
      const text = `{ "dataset": { "kind": "mnist" }, "model": { "kind": "lenet" },\n "defense": { "kind": "adversarialTraining", "attack": ${attack} } }`;
      return (await resolve(text)).arms[0]?.training[0]?.params["attack"];
    };
    expect(await innerOf('"fgsm"')).toMatchObject({ id: "fgsm" });
    expect(await innerOf('{ "kind": "pgd", "randomStart": false }')).toMatchObject({ id: "pgd", params: { randomStart: false } });
    for (const wrong of ['"pdg"', '{ "kind": "pdg" }', '{ "kind": "pgd", "popSize": 3 }', '{ "kind": "pgd", "steps": 0 }', "3"])
      await expect(innerOf(wrong)).rejects.toMatchObject({ code: "EXPERIMENT_INVALID", message: expect.stringMatching(/x:2:/) });
  });

  it("takes paths from where the file lies", async () => {
    const resolved = await resolve('{ "dataset": { "kind": "arrays", "path": "a.npz" }, "model": { "file": "m/model.json" } }');
    expect(resolved.dataset.params["path"]).toBe("/data/a.npz");
    expect(resolved.arms[0]?.model).toEqual({ file: "/data/m/model.json", input: null, fineTune: false });
  });

  it.each([
    ['{ "dataset": { "kind": "mnist" }, "model": { "kind": "lenet" }, "atacks": [] }', /x:1:.*atacks/],
    ['{ "dataset": { "kind": "mnist" }, "model": { "kind": "lenet" },\n "attacks": [{ "kind": "pgd", "epsilon": 1 }] }', /x:2:.*epsilon/],
    ['{ "dataset": { "kind": "mnist" } }', /model/],
    ['{ "dataset": { "kind": "mnist" }, "model": { "kind": "lenet" }, "train": { "epochs": 0 } }', /x:1:/],
    ['{ "dataset": { "kind": "minst" }, "model": { "kind": "lenet" } }', /x:1:/],
    ['{ "dataset": { "kind": "mnist" },\n "model": { "kind": "lenet" ', /x:2/],
    ['{ "dataset": { "kind": "mnist" }, "model": { "kind": "lenet" }, "plugins": ["./a.mjs", 3] }', /plugins/],
  ])("refuses %s", async (text, message) => {
    await expect(resolve(text)).rejects.toMatchObject({ code: "EXPERIMENT_INVALID", message: expect.stringMatching(message) });
  });

  it("takes a distance as a fraction in quotes, and says what to do where the quotes are missing", async () => {
    const whole = (attack: string) => `{ "dataset": { "kind": "mnist" }, "model": { "kind": "lenet" },\n "attacks": [${attack}] }`;
    const [pgd] = (await resolve(whole('{ "kind": "pgd", "eps": "8/255", "stepSize": "2/255" }'))).attacks;
    expect(pgd?.params).toMatchObject({ eps: 8 / 255, stepSize: 2 / 255 });
    const bare = resolve(whole('{ "kind": "pgd", "eps": 8/255 }'));
    const message = "x:2:38 8/255 is not a number in JSON.";
    await expect(bare).rejects.toMatchObject({ code: "EXPERIMENT_INVALID", message, fix: 'Write "8/255".' });
  });

  it("refuses a key that stands twice, of which JSON would take the last without a word", async () => {
    const text =
      '{ "dataset": { "kind": "mnist" }, "model": { "kind": "lenet" },\n "attacks": [{ "kind": "pgd", "eps": 0.1, "eps": 0.3 }] }';
    const message = 'x:2:43 "eps" stands twice in one object.';
    await expect(resolve(text)).rejects.toMatchObject({ code: "EXPERIMENT_INVALID", message, fix: "Remove one of them." });
  });

  it("takes attacks that analyses need once, and from its own where it makes them anyway", async () => {
    const curve = (values: string) => `{ "kind": "robustnessCurve", "attack": "fgsm-2", "over": "eps", "values": ${values} }`;
    const text = source.replace('"compare"', `"analyses": [${curve("[0.1, 0.2]")}, ${curve("[0.2]")}], "compare"`);
    const resolved = await resolve(text);
    expect(resolved.further).toMatchObject([{ id: "fgsm", params: { eps: 0.2 }, key: "fgsm-2-eps-0_2", images: 0 }]);
    expect(resolved.further).toHaveLength(1);
    expect(resolved.analyses.map(({ further }) => further)).toEqual([["fgsm-2", "fgsm-2-eps-0_2"], ["fgsm-2-eps-0_2"]]);
  });

  it.each([
    ['{ "kind": "robustnessCurve", "attack": "fgsm", "over": "steps" }', "PARAMETER_INVALID", /steps.*It has|steps/],
    ['{ "kind": "robustnessCurve", "attack": "fgsm", "over": "eps", "values": [2] }', "PARAMETER_INVALID", /eps is 2/],
    ['{ "kind": "depthSweep" }', "EXPERIMENT_INVALID", /patch/],
    ['{ "kind": "transferMatrices" }', "EXPERIMENT_INVALID", /x:1:/],
    ['{ "kind": "timing", "runs": 50 }', "EXPERIMENT_INVALID", /runs/],
    ['{ "kind": "timing", "passes": 5 }', "EXPERIMENT_INVALID", /50/],
  ])("refuses the analysis %s before anything runs", async (analysis, code, message) => {
    const text = source
      .replaceAll("\n", " ")
      .replace("// comments are allowed", "")
      .replace('"compare"', `"analyses": [${analysis}], "compare"`);
    await expect(resolve(text)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it("refuses two arms of one name", async () => {
    const text = source.replace('"name": "undefended"', '"name": "volumizedCurriculum"');
    await expect(resolve(text)).rejects.toMatchObject({ code: "EXPERIMENT_INVALID" });
  });
});

describe("the sample experiments", () => {
  const samples = path.resolve(import.meta.dirname, "../../../../samples");
  it.each(readdirSync(samples).filter((name) => name.endsWith(".bulwark.jsonc")))("%s is valid", async (name) => {
    const file = path.join(samples, name);
    const resolved = resolveExperiment((await loadExperiment(file)).experiment, { directory: samples, name });
    expect(["mnist", "cifar10", "svhn", "imageFolder"]).toContain(resolved.dataset.id);
    expect(resolved.attacks.some(({ id }) => ["pgd", "nPixel", "lavan"].includes(id))).toBe(true);
  });
});

describe("the experiments of paper 0", () => {
  const samples = path.resolve(import.meta.dirname, "../../../../samples");
  const open = async (name: string) => {
    const { experiment } = await loadExperiment(path.join(samples, `${name}.bulwark.jsonc`));
    const resolved = resolveExperiment(experiment, { directory: samples, name });
    return { ...resolved, ids: resolved.analyses.map(({ id }) => id), attackIds: new Set(resolved.attacks.map(({ id }) => id)) };
  };

  it("the main comparison has an undefended and a defended arm under a pixel, several pixels and patch attacks", async () => {
    for (const name of ["paper0-mnist", "paper0-cifar10"]) {
      const { arms, attacks, attackIds, ids } = await open(name);
      expect(arms.map((arm) => defenseOf(arm).id)).toEqual(expect.arrayContaining(["standard", "volumizedCurriculum"]));
      expect(attacks.find(({ id }) => id === "nPixel")?.params["pixels"]).toBe(1);
      expect(attacks.find(({ id }) => id === "greedyPixels")?.params["pixels"]).toBe(8);
      expect([...attackIds]).toEqual(expect.arrayContaining(["adversarialPatch", "pgd", "lavan"]));
      expect(ids).toEqual(expect.arrayContaining(["robustnessCurve", "rocCurve", "timing", "paperComparison"]));
    }
  });

  it("the ablation has the arms of Tables 3 and 6 and of Figure 7", async () => {
    const { ids, arms } = await open("paper0-mnist-ablation");
    expect(ids).toEqual(expect.arrayContaining(["ablation", "syllabusComparison", "depthSweep", "timing", "paperComparison"]));
    const of = (name: string) => [...new Set(arms.map((arm) => defenseOf(arm).params[name]).filter((value) => value !== undefined))];
    expect(of("measure").sort()).toEqual(["entropy", "klDivergence", "maxNorm", "mutualInformation", "psnr"]);
    expect(of("patch")).toEqual([14, 7, 4]);
  });
});

describe("hashes", () => {
  it("do not depend on the order of keys", () => {
    expect(canonical({ b: [1, { d: null, c: 2 }], a: undefined })).toBe('{"b":[1,{"c":2,"d":null}]}');
    expect(hashOf({ a: 1, b: 2 })).toBe(hashOf({ b: 2, a: 1 }));
    expect(hashOf({ a: 1 })).not.toBe(hashOf({ a: 2 }));
  });
});

describe("what is expected", () => {
  const summary = (id: string, attacked: number | null): AttackSummary => ({
    n: 10,
    attack: { id, params: {} },
    defense: null,
    backend: "cpu",
    seed: 1,
    clean: { accuracy: 0.9, correct: 9 },
    attacked: { accuracy: attacked, correct: 0 },
    successRate: null,
    defenseSuccess: null,
    robustness: null,
    norms: { linf: { mean: null, max: null }, l2: { mean: null, max: null }, l0: { mean: null, max: null } },
    seconds: 1,
    gradientEvaluations: 0,
    forwardEvaluations: 0,
    imagesPerSecond: 1,
    findings: [],
  });
  const arm = (name: string, attacks: AttackSummary[]): ArmReport => ({
    name,
    defense: { id: "standard", params: {} },
    model: { id: "lenet", params: {} },
    clean: { accuracy: 0.9, correct: 9, n: 10 },
    training: null,
    attacks,
    detectors: [],
    explanations: [],
    analyses: [],
    timing: null,
  });
  const arms = [arm("a", [summary("fgsm", 0.6), summary("pgd", 0.4)]), arm("b", [summary("pgd", 0.1)])];
  const check = (expected: Parameters<typeof checkExpectations>[0][number]) => {
    const [{ value, met } = { value: null, met: null }] = checkExpectations([expected], arms, "a");
    return [value, met];
  };

  it("is held against the first arm and the worst attack", () => {
    expect(check({ metric: "attacked.accuracy", min: 0.5 })).toEqual([0.4, false]);
    expect(check({ metric: "attacked.accuracy", max: 0.5 })).toEqual([0.6, false]);
    expect(check({ metric: "attacked.accuracy", attack: "fgsm", min: 0.5 })).toEqual([0.6, true]);
    expect(check({ metric: "attacked.accuracy", arm: "b", max: 0.2 })).toEqual([0.1, true]);
    expect(check({ metric: "clean.accuracy", min: 0.9 })).toEqual([0.9, true]);
  });

  it("of two attacks of one kind is held against the one that is named", () => {
    const twice = [arm("a", [summary("pgd", 0.6), summary("pgd", 0.4)])];
    const value = (attack: string) => checkExpectations([{ metric: "attacked.accuracy", attack, min: 0.5 }], twice, "a")[0]?.value;
    expect([value("pgd-1"), value("pgd-2")]).toEqual([0.6, 0.4]);
    const [first, second] = twice[0]?.attacks ?? [];
    const turned = [arm("a", [{ ...first, key: "pgd-2" } as AttackSummary, { ...second, key: "pgd" } as AttackSummary])]; // a report says its own keys
    expect(checkExpectations([{ metric: "attacked.accuracy", attack: "pgd-2", min: 0.5 }], turned, "a")[0]?.value).toBe(0.6);
  });

  it("is not held against another arm where the experiment's own was left out", () => {
    expect(checkExpectations([{ metric: "clean.accuracy", min: 0.5 }], arms.slice(1), "a")).toMatchObject([{ value: null, met: false }]);
  });

  it("knows the worst case and detectors, where the report has them", () => {
    const worst = { accuracy: 0.3, correct: 3, n: 10, interval: null, attacks: ["fgsm", "pgd"] };
    const result = (attack: string, auc: number): DetectedAttack => {
      return { attack, auc, adaptive: false, n: 10, interval: null, detected: null, points: [], files: { scores: "" } };
    };
    const scored = { params: {}, key: "d", label: "D", threshold: null, falsePositiveRate: 0.05, flaggedClean: null, thresholdImages: 0 };
    const results = [result("fgsm", 0.9), result("pgd", 0.7)];
    const rich = [{ ...arm("a", [summary("fgsm", 0.6), summary("pgd", 0.4)]), worst, detectors: [{ ...scored, id: "d", results }] }];
    const value = (metric: string, more: object = {}) => checkExpectations([{ metric, min: 0.1, ...more }], rich, "a")[0]?.value;
    expect(value("worst.accuracy")).toBe(0.3);
    expect([value("detector.auc"), value("detector.auc", { attack: "fgsm" }), value("detector.auc", { detector: "e" })]).toEqual([
      0.7,
      0.9,
      null,
    ]);
    expect(checkExpectations([{ metric: "worst.accuracy", min: 0.1 }], arms, "a")).toMatchObject([{ value: null, met: false }]);
  });

  it("says where its figure comes from static attacks alone", () => {
    const [fgsm, pgd] = [{ ...summary("fgsm", 0.6), mode: "static" as const }, summary("pgd", 0.4)];
    const worst = { accuracy: 0.3, correct: 3, n: 10, interval: null, attacks: ["fgsm", "pgd"] };
    const knows = (mode: "adaptive" | "static", expected: Partial<Expected>) =>
      checkExpectations([{ metric: "worst.accuracy", min: 0.1, ...expected }], [{ ...arm("a", [fgsm, { ...pgd, mode }]), worst }], "a")[0]
        ?.knowledge;
    expect(knows("static", {})).toBe("static");
    expect(knows("adaptive", {})).toBeUndefined();
    expect(knows("adaptive", { metric: "attacked.accuracy" })).toBeUndefined();
    expect(knows("adaptive", { metric: "attacked.accuracy", attack: "fgsm" })).toBe("static");
    expect(knows("static", { metric: "clean.accuracy" })).toBeUndefined();
  });

  it("by accident is refused before anything runs", async () => {
    const text = (expected: string) => source.replace('"compare"', `"expect": [${expected}], "compare"`);
    for (const [expected, message] of [
      ['{ "metric": "robustness" }', /neither min nor max/],
      ['{ "metric": "robustness", "max": 0.9, "arm": "undefnded" }', /"undefnded"/],
      ['{ "metric": "robustness", "max": 0.9, "attack": "fgsm" }', /of which there are 2/],
      ['{ "metric": "detector.auc", "min": 0.5 }', /needs a detector/],
    ] as const)
      await expect(resolve(text(expected))).rejects.toMatchObject({ code: "EXPERIMENT_INVALID", message: expect.stringMatching(message) });
    expect((await resolve(text('{ "metric": "robustness", "max": 0.9, "attack": "fgsm-2" }'))).expect).toHaveLength(1);
  });

  it("is not met by a figure that is not there", () => {
    expect(check({ metric: "attacked.accuracy", attack: "jsma", min: 0.1 })).toEqual([null, false]);
    expect(check({ metric: "attacked.accuracy", arm: "c", min: 0.1 })).toEqual([null, false]);
    expect(check({ metric: "successRate", min: 0.1 })).toEqual([null, false]);
  });
});

describe("progress", () => {
  it("counts pieces by their cost, and judges speed by the work since the run was resumed", () => {
    let now = 0;
    const events: RunEventBody[] = [];
    const blank = { stage: "clean", needs: [], memory: 0, device: "evaluate", run: async () => undefined } as const;
    const piece = (key: string, cost: number) => ({ ...blank, key, phase: key, arm: "a", cost });
    const [old, fresh] = [piece("old", 60), piece("new", 40)];
    const meter = new ProgressMeter(
      [old, fresh],
      (event) => events.push(event),
      () => now,
    );
    meter.skip(old, null);
    meter.begin(fresh);
    now = 10_000;
    meter.report(1, 4); // 10 of the 40 in 10 s: 30 s for the rest
    expect(events.at(-1)).toEqual({ kind: "progress", phase: "new", done: 1, total: 4, etaSeconds: 30, overall: 0.7 });
    meter.report(2, 4); // too soon to be worth a message
    expect(events).toHaveLength(3);
    meter.finish(fresh);
    expect(meter.overall).toBe(1);
  });

  it("tells the time left after a resume from epochs that are done now and from pieces that were timed before", () => {
    let now = 0;
    const left: (number | null)[] = [];
    const blank = { needs: [], memory: 0, device: "evaluate", run: async () => undefined } as const;
    const piece = (stage: "train" | "attack", arm: string, cost: number) => ({
      ...blank,
      stage,
      key: `${stage}:${arm}`,
      phase: stage,
      arm,
      cost,
    });
    const [trained, attacked] = [piece("train", "a", 100), piece("attack", "a", 100)];
    const [training, attack] = [piece("train", "b", 200), piece("attack", "b", 200)];
    const meter = new ProgressMeter(
      [trained, attacked, training, attack],
      (event) => {
        if (event.kind === "progress") left.push(event.etaSeconds);
      },
      () => now,
    );
    // Training cost 1 s a unit, attacking, which was estimated too dear, 0.1 s.
    meter.skip(trained, 100);
    meter.skip(attacked, 10);
    meter.begin(training);
    meter.continueFrom(3 / 4); // three of four epochs are in the checkpoint
    now = 5000;
    meter.report(0.8, 1); // 10 of 200 in 5 s: the 40 that are left take 20 s, and the attack 200 · 0.1
    now = 50_000;
    meter.report(1, 1);
    meter.finish(training);
    now = 50_000;
    meter.begin(attack);
    now = 70_000;
    meter.report(1, 2); // half in 20 s
    expect(left).toEqual([null, 40, 20, 20, 20]);
  });
});
