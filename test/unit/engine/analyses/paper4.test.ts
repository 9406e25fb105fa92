import "../../../../src/engine/backends/cpu.ts";
import { describe, expect, it } from "vitest";
import type { DistanceData } from "../../../../src/engine/analyses/minimalDistance.ts";
import { paperComparison } from "../../../../src/engine/analyses/paperComparison.ts";
import { paperModel, radiusPlace } from "../../../../src/engine/analyses/papers/paper4/match.ts";
import * as printed from "../../../../src/engine/analyses/papers/paper4/printed.ts";
import type { AnalysedArm } from "../../../../src/engine/define/analysis.ts";
import type { ArmAnalysis, Choice } from "../../../../src/shared/results.ts";
import { arm, facts } from "./fixtures.ts";

const chosen = (id: string, params: Choice["params"] = {}): Choice => ({ id, params });
const close = (value: number) => expect.closeTo(value, 10);
const fgsm = chosen("fgsm", { eps: 0.3, loss: "crossEntropy", target: -1 });

function armOf(name: string, defenses: readonly Choice[], analyses: readonly ArmAnalysis[] = []): AnalysedArm {
  const [defense = chosen("standard")] = defenses;
  const attacks = [
    { attack: fgsm, key: "fgsm", fate: "rrrbbbbbbw" },
    { attack: chosen("carliniWagner"), key: "carliniWagner", fate: "bbbbbbbbrw" },
  ];
  const one = arm({ name, defense, attacks, analyses });
  const summaries = one.report.attacks.map((summary) =>
    summary.key === "carliniWagner" ? { ...summary, distances: { norm: "l2" as const, found: 8, of: 9, mean: 1.5, median: 1.4 } } : summary,
  );
  return { ...one, report: { ...one.report, defenses, attacks: summaries } };
}
const shown = (arms: readonly AnalysedArm[], dataset = "mnist") =>
  paperComparison.present(arms, { paper: 4, model: "auto", dataset: "auto" }, { ...facts(arms), dataset });

describe("the models of the paper", () => {
  it.each([
    [[], "SM", false],
    [["compactConvolution", "labelSmoothing"], "CCN+LS", false],
    [["labelSmoothing", "compactConvolution"], "CCN+LS", false],
    [["l2Softmax", "adversarialTraining"], "L2SM", true],
    [["boundedRelu"], "BReLU", false],
  ])("%j is %s", (ids, model, isAdversarial) => {
    expect(paperModel({ defense: chosen("standard"), defenses: ids.map((id) => chosen(id)) })).toEqual({ model, isAdversarial });
  });

  it("are not what another defence makes", () => {
    expect(paperModel({ defense: chosen("jpeg"), defenses: [chosen("jpeg")] })).toBeNull();
  });
});

describe("what is printed", () => {
  it("has a figure for every radius, length and model", () => {
    for (const block of [printed.fgsm, printed.adversariallyTrained])
      for (const byModel of Object.values(block)) for (const row of Object.values(byModel)) expect(row).toHaveLength(5);
    for (const byModel of Object.values(printed.deepFoolAccuracy)) {
      expect(Object.keys(byModel)).toHaveLength(6);
      // Accuracy can only fall where a change may be longer.
      for (const row of Object.values(byModel)) expect([...row].sort((a, b) => b - a)).toEqual(row);
    }
    expect(Object.keys(printed.fgsm.MNIST)).toEqual([...printed.models]);
    // The paper's order of robustness on MNIST at ε 0.3.
    const at = printed.models.map((model) => printed.fgsm.MNIST[model]?.[3] ?? 0);
    expect(Math.max(...at)).toBe(89.73);
  });

  it("finds an attack among the paper's radii", () => {
    expect(radiusPlace(fgsm, "MNIST")).toBe(2);
    expect(radiusPlace(chosen("fgsm", { eps: 8 / 255 }), "CIFAR")).toBe(2);
    expect(radiusPlace(chosen("fgsm", { eps: 0.25 }), "MNIST")).toBe(-1);
    expect(radiusPlace(chosen("pgd", { eps: 0.3 }), "MNIST")).toBe(-1);
    expect(radiusPlace(chosen("fgsm", { eps: 0.3, loss: "margin" }), "MNIST")).toBe(-1);
  });
});

describe("ours beside the paper's", () => {
  const distances: DistanceData = {
    wrong: [],
    attack: "deepFool",
    summary: { attack: chosen("deepFool", { maxResidueRatio: 0 }) },
    norm: "l2",
    n: 4,
    images: [0.15, 0.35, 0.55].map((ratio) => ({ distance: ratio, ratio, isFooled: true })),
  };
  const analyses: ArmAnalysis[] = [{ id: "minimalDistance", params: {}, data: [distances] }];
  const { tables, notes } = shown([armOf("plain", [], analyses), armOf("compact", [chosen("compactConvolution")])]);
  const rows = (start: string) => tables.find(({ title }) => title.startsWith(start))?.rows;

  it("has accuracy under FGSM, clean first, with the difference", () => {
    expect(rows("Tables 1 and 9")?.filter(([model]) => model === "CCN")).toEqual([
      ["CCN", "clean", 0.9, expect.any(String), close(0.995), close(0.9 - 0.995), "compact"],
      ["CCN", "0.3", 0.3, expect.any(String), close(0.8138), close(0.3 - 0.8138), "compact"],
    ]);
  });

  it("has what DeepFool and Carlini & Wagner measured", () => {
    expect(rows("Table 2")?.map(([, d, ours]) => [d, ours])).toEqual([
      ["0.1", 0.75],
      ["0.2", 0.5],
      ["0.3", 0.5],
      ["0.4", 0.25],
      ["0.5", 0.25],
    ]);
    expect(rows("Table 3")).toEqual([["SM", close(0.35), 0.225, 3, "plain"]]);
    expect(rows("Table 11")?.[0]).toEqual(["SM", 1.5, 1.393, close(8 / 9), 1, 9, "plain"]);
  });

  it("keeps networks that saw adversarial images in training apart, and names models that are missing", () => {
    const adversarial = shown([armOf("adv", [chosen("adversarialTraining")])]);
    expect(adversarial.tables.map(({ title }) => title)).toEqual(["Table 4, trained on FGSM images too, MNIST: accuracy under FGSM"]);
    expect(notes.at(-1)).toBe("Models of the paper that no arm is: LS, BReLU, L2SM, CCN+LS, BN, LRN.");
    expect(shown([armOf("plain", [])], "svhn").notes[1]).toContain("no such data set");
  });
});
