import { describe, expect, it } from "vitest";
import { paperComparison } from "../../../../src/engine/analyses/paperComparison.ts";
import { attacks, table2, table3 } from "../../../../src/engine/analyses/papers/paper3/printed.ts";
import type { AnalysedArm } from "../../../../src/engine/define/analysis.ts";
import { resolveParams } from "../../../../src/engine/define/index.ts";
import { find } from "../../../../src/engine/registry.ts";
import type { Choice, DetectedAttack, DetectorResult } from "../../../../src/shared/results.ts";
import { arm, facts, undefended } from "./fixtures.ts";

const close = (value: number) => expect.closeTo(value, 10);
/** With every default, as a report holds it. */
const attackOf = (id: string, params: Choice["params"] = {}): Choice => ({
  id,
  params: resolveParams(find("attack", id).params, params, id),
});
const fgsm = attackOf("fgsm", { eps: 0.3 });
const bimA = attackOf("bim", { eps: 0.3, steps: 50, stepSize: 0.01, retire: true });
const jsma = attackOf("jsma");
const made = (attack: Choice, fate = "bbbbbbbbrw", key = attack.id) => ({ attack, fate, key });

const found = (attack: string, adaptive: boolean, auc: number | null, interval: DetectedAttack["interval"] = null): DetectedAttack => ({
  ...({ attack, adaptive, n: 10, auc, interval, detected: null, points: [], files: { scores: "" } } as unknown as DetectedAttack),
});
const detector = (id: string, params: Choice["params"], results: readonly DetectedAttack[]): DetectorResult =>
  ({
    id,
    params,
    key: id,
    label: id,
    threshold: null,
    falsePositiveRate: 0.05,
    flaggedClean: null,
    thresholdImages: 0,
    results,
  }) as DetectorResult;

function toy(made: Parameters<typeof arm>[0]["attacks"], detectors: readonly DetectorResult[] = []): AnalysedArm {
  const one = arm({ name: "plain", defense: undefended, attacks: made ?? [] });
  return { ...one, report: { ...one.report, detectors } };
}
const shown = (one: AnalysedArm, dataset = "mnist") =>
  paperComparison.present([one], { paper: 3, model: "auto", dataset: "auto" }, { ...facts([one]), dataset });
const rowsOf = (one: AnalysedArm, start: string, dataset?: string) =>
  shown(one, dataset).tables.find(({ title }) => title.startsWith(start))?.rows;

describe("what is printed", () => {
  it("has seven rows of three areas for each of three data sets", () => {
    expect(table3).toHaveLength(7);
    for (const [, blocks] of table3)
      for (const areas of Object.values(blocks)) {
        expect(areas).toHaveLength(attacks.length);
        expect(areas.every((area) => area > 0.5 && area < 1)).toBe(true);
      }
    // The best of each column of MVM, in bold in the paper.
    const best = (data: "MNIST" | "SVHN" | "CIFAR") =>
      attacks.map((_, i) => Math.max(...table3.slice(0, 3).map(([, blocks]) => blocks[data][i] as number)));
    expect([best("MNIST"), best("SVHN"), best("CIFAR")]).toEqual([
      [0.947, 0.987, 0.983],
      [0.933, 0.834, 0.934],
      [0.787, 0.858, 0.899],
    ]);
    expect(table2.CIFAR).toEqual({ clean: 82.6, JSMA: 0.2, FGSM: 7.03, "BIM-A": 0.57 });
  });
});

describe("Table 2", () => {
  it("has the accuracy of all images with Wilson's interval beside the paper's", () => {
    expect(rowsOf(toy([made(fgsm), made(bimA, "bbbbbbbbbw"), made(jsma)]), "Table 2, MNIST")).toEqual([
      ["clean", 0.9, "59.6–98.2 %", close(0.987), close(0.9 - 0.987), null, "plain"],
      ["FGSM", 0.1, "1.8–40.4 %", close(0.0587), close(0.1 - 0.0587), "fgsm", "plain"],
      ["BIM-A", 0, "0.0–27.8 %", 0, 0, "bim", "plain"],
      ["JSMA", 0.1, "1.8–40.4 %", close(0.027), close(0.1 - 0.027), "jsma", "plain"],
    ]);
  });

  it("takes the paper's attacks alone: its radius, its fifty steps to the first wrong class, its random targets", () => {
    const others = [
      attackOf("fgsm", { eps: 0.2 }),
      attackOf("fgsm", { eps: 0.3, target: 3 }),
      attackOf("bim", { eps: 0.3, steps: 50, stepSize: 0.01 }),
      attackOf("bim", { eps: 0.3, steps: 10, stepSize: 0.01, retire: true }),
      attackOf("bim", { eps: 0.3, steps: 50, stepSize: 0.01, retire: true, loss: "margin" }),
      attackOf("jsma", { gamma: 0.2 }),
      attackOf("jsma", { target: "runnerUp" }),
      attackOf("pgd", { eps: 0.3 }),
    ];
    const names = (dataset: string, those: readonly Choice[]) =>
      rowsOf(toy(those.map((attack, i) => made(attack, "br", `${i}`))), "Table 2", dataset)?.map(([name]) => name);
    expect(names("mnist", others)).toEqual(["clean"]);
    const svhn = [attackOf("fgsm", { eps: 0.13 }), attackOf("bim", { eps: 0.13, steps: 50, stepSize: 0.01, retire: true })];
    expect(names("svhn", svhn)).toEqual(["clean", "FGSM", "BIM-A"]);
    const cifar = [attackOf("fgsm", { eps: 0.05 }), attackOf("bim", { eps: 0.05, steps: 50, stepSize: 0.005, retire: true })];
    expect(names("cifar10", cifar)).toEqual(["clean", "FGSM", "BIM-A"]);
    expect(names("cifar10", svhn)).toEqual(["clean"]);
  });
});

describe("Table 3", () => {
  const mvm = { ratio: 0.5, cMode: "input", runs: 100 };

  it("has the area of each setting under the attack that does not know it, and under the one that does", () => {
    const evading = { ...found("fgsm", true, 0.4, [0.3, 0.5]), fooling: { n: 3, auc: 0.8, interval: null } };
    const results = [found("fgsm", false, 0.9, [0.85, 0.95]), evading, found("jsma", false, null)];
    const one = toy([made(fgsm), made(jsma)], [detector("varianceMinimization", mvm, results)]);
    expect(rowsOf(one, "Table 3, MNIST")).toEqual([
      ["MVM, c = 0.5 N", "FGSM", 0.9, "0.850–0.950", 0.947, close(0.9 - 0.947), 0.4, "0.300–0.500", 3, 0.8, "fgsm", "plain"],
      ["MVM, c = 0.5 N", "JSMA", null, null, 0.983, null, null, null, null, null, "jsma", "plain"],
    ]);
  });

  it("finds its rows by what a detector's parameters are, and says which are absent", () => {
    const results = [found("fgsm", false, 0.75)];
    const detectors = [
      detector("varianceMinimization", { ...mvm, cMode: "perUnit" }, results),
      detector("varianceMinimization", { ...mvm, ratio: 0.7 }, results),
      detector("stochasticActivationPruning", { ratio: 0.8 }, results),
      detector("dropoutUncertainty", { rate: 0.5 }, results),
      detector("dropoutUncertainty", { rate: 0.1 }, results),
    ];
    const one = toy([made(fgsm)], detectors);
    expect(rowsOf(one, "Table 3")?.map((row) => [row[0], row[4]])).toEqual([
      ["SAP, 80 %", 0.618],
      ["dropout, 0.5", 0.845],
    ]);
    expect(shown(one).notes.at(-1)).toBe(
      "Rows of the paper that no detector of this experiment is: MVM, c = 0.5 N; MVM, c = N; MVM, c = 2 N; SAP, 50 %; SAP, 100 %.",
    );
  });

  it("reads the detector under the very attack, where two are of one id, and says where the data are not the paper's", () => {
    const onProbabilities = attackOf("jsma", { on: "probabilities" });
    const results = [found("jsma", false, 0.7), found("jsma-2", false, 0.8)];
    const one = toy([made(jsma), made(onProbabilities, "br", "jsma-2")], [detector("varianceMinimization", mvm, results)]);
    expect(rowsOf(one, "Table 3")?.map((row) => row[2])).toEqual([0.7, 0.8]);
    expect(shown(one, "fashionMnist").notes.join(" ")).toContain("The paper has no such data set: its MNIST shows a direction");
    expect(shown(one).notes.join(" ")).not.toContain("no such data set");
  });
});
