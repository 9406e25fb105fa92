import { describe, expect, it } from "vitest";
import type { BySuccess } from "../../../../src/engine/analyses/attentionGroups.ts";
import type { StudyData } from "../../../../src/engine/analyses/attentionOverlap.ts";
import { paperComparison } from "../../../../src/engine/analyses/paperComparison.ts";
import { rowOf } from "../../../../src/engine/analyses/papers/paper2/match.ts";
import { columns, radius, rows, table6 } from "../../../../src/engine/analyses/papers/paper2/printed.ts";
import type { AnalysedArm } from "../../../../src/engine/define/analysis.ts";
import type { Choice } from "../../../../src/shared/results.ts";
import { arm, facts, type ToyArm, undefended } from "./fixtures.ts";

const close = (value: number) => expect.closeTo(value, 10);
const pgd = (steps: number, more: Choice["params"] = {}): Choice => ({ id: "pgd", params: { eps: 0.3, steps, stepSize: 0.01, ...more } });
const madry: Choice = { id: "adversarialTraining", params: { eps: 0.3 } };
const aad = (more: Choice["params"] = {}): Choice => ({
  id: "attentionRectification",
  params: { base: { kind: "adversarialTraining" }, alpha: 0.01, beta: 0.01, ...more },
});
const p = { paper: 2, model: "auto", dataset: "auto" };
const shown = (arms: readonly AnalysedArm[], dataset = "mnist") => paperComparison.present(arms, p, { ...facts(arms), dataset });
const tableOf = (arms: readonly AnalysedArm[], start: string, dataset?: string) =>
  shown(arms, dataset).tables.find(({ title }) => title.startsWith(start))?.rows;

describe("what is printed", () => {
  it("has a value for every cell of Table 6, falling with the iterations of RAW on ImageNet and MNIST's Madry", () => {
    for (const block of Object.values(table6)) for (const row of rows) expect(block[row]).toHaveLength(columns.length);
    expect(table6.MNIST.Madry[columns.findIndex(({ name }) => name === "PGD-40")]).toBe(94.14);
    expect(table6.CIFAR10["ALP+AAD"].at(-1)).toBe(42.34);
    expect(table6.ImageNet["Madry+AAD"][columns.findIndex(({ name }) => name === "CW-10")]).toBe(21.22);
    expect(radius).toEqual({ MNIST: 0.3, CIFAR10: 8 / 255, ImageNet: 16 / 255 });
  });
});

describe("rows of Table 6", () => {
  it("are found by what an arm was trained with", () => {
    expect(rowOf(undefended)).toBe("RAW");
    expect(rowOf(madry)).toBe("Madry");
    expect(rowOf({ id: "adversarialLogitPairing", params: {} })).toBe("ALP");
    expect(rowOf(aad())).toBe("Madry+AAD");
    expect(rowOf(aad({ base: "adversarialLogitPairing" }))).toBe("ALP+AAD");
    expect(rowOf(aad({ alpha: 0, beta: 0 }))).toBe("Madry"); // without its losses it is its base
    expect(rowOf(aad({ base: "standard" }))).toBeNull();
    expect(rowOf({ id: "jpeg", params: {} })).toBeNull();
  });
});

/** Ten images; every broken one falls at the first iteration, as `fixtures.records` has it. */
const toy = (name: string, defense: Choice, attacks: ToyArm["attacks"]): AnalysedArm => arm({ name, defense, attacks: attacks ?? [] });

describe("Table 6", () => {
  it("takes attacks of the paper's radius, and shorter runs from longer ones of the same step", () => {
    const attacks = [
      { attack: { id: "fgsm", params: { eps: 0.3 } }, fate: "rbbbbbbbbw" },
      { attack: pgd(100), fate: "bbbbbbbbbw" },
      { attack: { id: "cwPgd", params: { eps: 0.1, steps: 10 } }, fate: "rrrrrrrrrw" },
    ];
    const found = tableOf([toy("plain", undefended, attacks)], "Table 6, MNIST");
    expect(found?.map(([row, column, ours, , printed]) => [row, column, ours, printed])).toEqual([
      ["RAW", "clean", 0.9, close(0.9918)],
      ["RAW", "FGSM", 0.1, close(0.0772)],
      ["RAW", "PGD-10", 0, close(0.0049)],
      ["RAW", "PGD-20", 0, close(0.0054)],
      ["RAW", "PGD-40", 0, close(0.0064)],
      ["RAW", "PGD-100", 0, close(0.0053)],
    ]);
    expect(found?.[1]?.[3]).toBe("1.8–40.4 %"); // Wilson, 1 of 10
    expect(found?.[1]?.[5]).toBeCloseTo(0.1 - 0.0772, 10);
  });

  it("reads an iteration only from a run that reached it, with a step of its own, and only from the paper's attack", () => {
    const [early, late] = [1, 15].map((iterations) => ({ iterations }));
    const of = (params: Choice["params"]) => {
      const [plain] = [toy("plain", undefended, [{ attack: pgd(40, params), fate: "bbr" }])];
      const records = plain?.attacks[0]?.records.map((record, i) => ({ ...record, ...(i === 0 ? early : late) })) ?? [];
      return { ...(plain as AnalysedArm), attacks: [{ ...(plain as AnalysedArm).attacks[0], records }] } as AnalysedArm;
    };
    const names = (params: Choice["params"]) => tableOf([of(params)], "Table 6")?.map(([, column, ours]) => [column, ours]);
    const third = close(1 / 3);
    expect(names({})).toEqual([
      ["clean", 1],
      ["PGD-10", close(2 / 3)],
      ["PGD-20", third],
      ["PGD-40", third],
    ]);
    const alone = [
      ["clean", 1],
      ["PGD-40", third],
    ];
    expect(names({ stepSize: 0 })).toEqual(alone);
    const stronger = [{ restarts: 2 }, { loss: "margin" }, { momentum: 1 }]; // than what the paper calls PGD
    for (const other of [...stronger, { eps: 8 / 255 }, { norm: "l2" }, { target: 3 }]) expect(names(other)).toEqual([["clean", 1]]);
  });

  it("is not read from a stronger attack of the same number of steps beside the paper's", () => {
    const attacks = [
      { attack: pgd(100), fate: "rrrrrrrbbw" },
      { attack: pgd(40, { loss: "margin", restarts: 2 }), fate: "rbbbbbbbbw" },
    ];
    const found = tableOf([toy("plain", undefended, attacks)], "Table 6, MNIST");
    expect(found?.map(([, column, ours]) => [column, ours])).toEqual([
      ["clean", 0.9],
      ["PGD-10", 0.7],
      ["PGD-20", 0.7],
      ["PGD-40", 0.7],
      ["PGD-100", 0.7],
    ]);
  });

  it("says where the data are not the paper's, and which rows are absent", () => {
    const plain = toy("plain", undefended, [{ attack: { id: "fgsm", params: { eps: 8 / 255 } }, fate: "rb" }]);
    expect(tableOf([plain], "Table 6, CIFAR10", "cifar10")).toHaveLength(2);
    const { notes } = shown([plain], "svhn");
    expect(notes.join(" ")).toContain("The paper has no such data set: its CIFAR10 shows a direction");
    expect(notes.at(-1)).toBe("Rows of the paper that no arm of this experiment has: Madry, Madry+AAD, ALP, ALP+AAD.");
    expect(shown([plain], "cifar10").notes.join(" ")).not.toContain("no such data set");
  });
});

describe("the order of the rows", () => {
  const attack = pgd(40, { stepSize: 0 });
  const of = (name: string, defense: Choice, right: number) => {
    const fate = Array.from({ length: 40 }, (_, i) => (i < right ? "r" : "b")).join("");
    return toy(name, defense, [{ attack, fate }]);
  };
  const verdicts = (raw: number, base: number, rectified: number) =>
    tableOf([of("raw", undefended, raw), of("madry", madry, base), of("aad", aad(), rectified)], "Order")?.map((row) => [
      row[0],
      row.at(-1),
    ]);

  it("holds, does not hold, or is not told apart, by the images that only one of the two has right", () => {
    expect(verdicts(0, 30, 40)).toEqual([
      ["RAW < Madry", "holds"],
      ["Madry ≤ Madry+AAD", "holds"],
    ]);
    expect(verdicts(29, 30, 31)).toEqual([
      ["RAW < Madry", "not told apart"],
      ["Madry ≤ Madry+AAD", "not told apart"],
    ]);
    expect(verdicts(40, 30, 10)).toEqual([
      ["RAW < Madry", "the other way round"],
      ["Madry ≤ Madry+AAD", "the other way round"],
    ]);
  });

  it("shows both accuracies with their intervals, and the exact P of the difference", () => {
    const found = tableOf([of("raw", undefended, 30), of("madry", madry, 40)], "Order");
    expect(found).toEqual([
      ["RAW < Madry", "PGD-40", expect.stringMatching(/^75\.0 % \(\d/), expect.stringMatching(/^100\.0 % \(/), close(2 / 2 ** 10), "holds"],
    ]);
  });
});

describe("Tables 1 to 5 and 7", () => {
  const group = (mean: number, n: number) => ({
    n,
    mean,
    half: null,
    box: { low: mean, q1: mean, median: mean, q3: mean, high: mean, outliers: [] },
  });
  const both = (succeeded: number, failed: number): BySuccess => ({ succeeded: group(succeeded, 3), failed: group(failed, 1) });
  const study = (key: string, cells: readonly BySuccess[]): StudyData["attacks"][number] => ({
    key,
    succeeded: 3,
    failed: 1,
    degenerate: { clean: [], adversarial: [] },
    deviation: cells.map((groups) => ({ ...groups, sparse: 0 })),
    object: {
      overlap: both(0.6, 0.7),
      confidenceBelowHalf: { succeeded: group(0.9, 1), failed: null },
      withoutBox: 0,
      outside: { boxes: 0, images: 0 },
    },
    overlap: [],
    file: "",
  });

  it("take the study under StepLL, and the cells that were asked for", () => {
    const data: StudyData = {
      layer: "conv",
      grid: [4, 4],
      isAveraged: false,
      wanted: [10, 15],
      cells: [3, 4],
      random: [0.1, 0.2],
      attacks: [study("fgsm", [both(0, 0), both(0, 0)]), study("stepLL", [both(0.5, 0.75), both(0.1, 0.1)])],
    };
    const analyses = [{ id: "attentionStudy", params: {}, data }];
    const attacks = ["fgsm", "stepLL"].map((id) => ({ attack: { id, params: { eps: 0.1 } }, fate: "bbbr" }));
    const plain = arm({ name: "plain", defense: undefended, attacks, analyses });
    expect(tableOf([plain], "Tables 1 and 2")?.map((row) => row.slice(0, 5))).toEqual([
      ["Table 1", "share of the images", "succeeded", 0.75, close(0.741)],
      ["Table 2", "share of the images with IoU below 0.5", "succeeded", 1, close(0.828)],
      ["Table 2", "their confidence", "succeeded", 0.9, close(0.8944)],
      ["Table 1", "share of the images", "failed", 0.25, close(0.259)],
      ["Table 2", "share of the images with IoU below 0.5", "failed", 0, close(0.172)],
    ]);
    expect(tableOf([plain], "Tables 1 and 3")?.map((row) => row.slice(0, 5))).toEqual([
      ["Table 1", "attention and object", "succeeded", 0.6, 0.647],
      ["Table 3", "before and after, 10 cells of 64", "succeeded", 0.5, 0.49],
      ["Table 1", "attention and object", "failed", 0.7, 0.701],
      ["Table 3", "before and after, 10 cells of 64", "failed", 0.75, 0.677],
    ]);
  });

  it("7 compares an attack with the same one around which attention is augmented", () => {
    const augmented = { id: "attentionAugmented", params: { base: { kind: "pgd" }, eps: 4 / 255 } };
    const attacks = [
      { attack: { id: "pgd", params: { eps: 4 / 255 } }, fate: "rrbbw" },
      { attack: augmented, fate: "rbbbw" },
    ];
    expect(tableOf([toy("plain", undefended, attacks)], "Table 7")).toEqual([["PGD", 0.5, 0.25, close(0.136), close(0.108), "plain"]]);
    expect(tableOf([toy("plain", undefended, attacks.slice(0, 1))], "Table 7")).toBeUndefined();
  });
});
