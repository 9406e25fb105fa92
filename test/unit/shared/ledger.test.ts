import { describe, expect, it } from "vitest";
import { type AttackRecords, ledgerRows, recordsSources, worstCase } from "../../../src/shared/ledger.ts";
import type { AttackSummary, ImageRecord } from "../../../src/shared/results.ts";
import { staticResult } from "../../../webview/fixtures/analyses.ts";

const record = (
  index: number,
  [label, clean, prediction]: readonly [number, number, number],
  success = label !== prediction,
): ImageRecord => ({
  index,
  label,
  cleanPrediction: clean,
  prediction,
  success: success && clean === label,
  successAfter8Bit: success && clean === label,
  linf: 0.3,
  l2: 1,
  l0: 10,
  iterations: 40,
});
// Image 0 withstands both, 1 falls to pgd only, 2 to both, 3 is wrong from the start (and right under fgsm), 4 falls to fgsm only.
const fgsm = [record(0, [7, 7, 7]), record(1, [2, 2, 2]), record(2, [1, 1, 4]), record(3, [0, 6, 0]), record(4, [4, 4, 9])];
const pgd = [record(0, [7, 7, 7]), record(1, [2, 2, 3]), record(2, [1, 1, 8]), record(3, [0, 6, 6]), record(4, [4, 4, 4])];
const parts: readonly AttackRecords[] = [
  { arm: "a", attack: "fgsm", images: fgsm },
  { arm: "a", attack: "pgd", images: pgd },
  { arm: "b", attack: "pgd", images: [record(9, [1, 1, 1])] },
];
const rows = ledgerRows(parts, "a");

describe("the ledger of an arm", () => {
  it("has a row an image, in order, with every attack of that arm", () => {
    expect(rows.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4]);
    expect(rows.map(({ brokenBy }) => brokenBy)).toEqual([[], ["pgd"], ["fgsm", "pgd"], [], ["fgsm"]]);
    expect(rows.map(({ isSurvivor }) => isSurvivor)).toEqual([true, false, false, false, false]);
    expect(ledgerRows(parts, "b").map(({ index }) => index)).toEqual([9]);
  });
});

describe("the worst case", () => {
  it("counts an image as right only when no attack breaks it", () => {
    // Wilson's interval of 1 of 5 at 95 %: 0.0362 to 0.6245.
    expect(worstCase(rows, ["fgsm", "pgd"])).toEqual({
      accuracy: 0.2,
      correct: 1,
      n: 5,
      interval: [expect.closeTo(0.0362, 4), expect.closeTo(0.6245, 4)],
      attacks: ["fgsm", "pgd"],
    });
  });

  it("counts a smallest change where it lies within what another attack was allowed, and as it is where none has a radius", () => {
    // L2 changes of all five images: those of 0 and 4 are within PGD's L2 radius, those of 1 and 2 are not
    const free = [0.5, 4, 4, 4, 1].map((l2, i) => ({ ...record(i, [fgsm[i]?.label ?? 0, fgsm[i]?.cleanPrediction ?? 0, 5]), l2 }));
    const none = [7, 2, 1, 0, 4].map((label, i) => record(i, [label, label === 0 ? 6 : label, label]));
    const least: AttackRecords = { arm: "a", attack: "deepFool", images: free, limits: { minimizes: "l2" } };
    const within = (radius: number): AttackRecords => ({ arm: "a", attack: "pgd", images: none, limits: { ball: { norm: "l2", radius } } });
    const survivors = (...given: AttackRecords[]) => ledgerRows(given, "a").map(({ isSurvivor }) => isSurvivor);
    expect(survivors(within(1), least)).toEqual([false, true, true, false, false]);
    expect(survivors(within(4), least)).toEqual([false, false, false, false, false]);
    expect(survivors(least)).toEqual([false, false, false, false, false]);
    expect(survivors(within(1))).toEqual([true, true, true, false, true]);
  });

  it("is over the images that every attack was made on, and there is none without attacks", () => {
    const partly = ledgerRows([...parts.slice(0, 1), { arm: "a", attack: "pgd", images: pgd.slice(0, 2) }], "a");
    expect(worstCase(partly, ["fgsm", "pgd"])).toMatchObject({ n: 2, correct: 1 });
    expect(worstCase(rows, ["fgsm", "pgd", "nPixel"])).toMatchObject({ n: 0, accuracy: null, interval: null });
    expect(worstCase(rows, [])).toBeNull();
  });

  it("counts every wrong prediction, also one that a targeted attack did not aim at; the attack itself does not", () => {
    // Aimed at 0: image 0 was led to 5 instead, image 1 to 0, image 2 is of that class and stays.
    const aimed = [record(0, [7, 7, 5], false), record(1, [2, 2, 0], true), record(2, [0, 0, 0], false)];
    const targeted = ledgerRows([{ arm: "a", attack: "pgd", images: aimed }], "a");
    expect(worstCase(targeted, ["pgd"])).toMatchObject({ correct: 1, n: 3 });
    expect(targeted.map(({ brokenBy }) => brokenBy)).toEqual([[], ["pgd"], []]);
  });
});

describe("records in the run folder", () => {
  const summary = (more: Partial<AttackSummary>): AttackSummary =>
    ({ attack: { id: "pgd", params: {} }, ...more }) as Partial<AttackSummary> as AttackSummary;
  const sources = (attacks: readonly AttackSummary[], index: number) =>
    recordsSources({ name: "my arm", attacks }, index).map(({ attack, file, madeBy, madeOn }) => [attack, file, madeBy, madeOn]);

  it("are named after key and arm, the first arm without its name", () => {
    expect(sources([summary({}), summary({})], 0)).toEqual([
      ["pgd", "records-pgd.json", "pgd", "my arm"],
      ["pgd-2", "records-pgd-2.json", "pgd-2", "my arm"],
    ]);
    expect(sources([summary({ key: "strong" })], 1)).toEqual([["strong", "records-my-arm-strong.json", "strong", "my arm"]]);
  });

  it("of a static attack lie beside those of the adaptive one, and belong to the pictures of the arm that it was made on", () => {
    expect(sources([summary({ mode: "adaptive", static: staticResult(2, 1, 2) })], 1)).toEqual([
      ["pgd", "records-my-arm-pgd.json", "pgd", "my arm"],
      ["pgd-static", "records-my-arm-pgd-static.json", "pgd", "undefended"],
    ]);
    expect(sources([summary({ mode: "static", static: staticResult(2, 1, 2) })], 1)).toEqual([
      ["pgd-static", "records-my-arm-pgd.json", "pgd", "my arm"],
    ]);
  });
});
