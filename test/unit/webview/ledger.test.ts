import { expect, test } from "vitest";
import { attentionOverlap } from "../../../src/shared/attention.ts";
import { ledgerRows } from "../../../src/shared/ledger.ts";
import type { LedgerPart } from "../../../src/shared/panels.ts";
import type { ImageRecord } from "../../../src/shared/results.ts";
import { nextRow, visibleRows } from "../../../webview/lib/virtualList.ts";
import { arrange, type Filter, ledgerCsv } from "../../../webview/report/ledger.ts";

const record = (index: number, label: number, clean: number, prediction: number, more: Partial<ImageRecord> = {}): ImageRecord => ({
  index,
  label,
  cleanPrediction: clean,
  prediction,
  success: clean === label && prediction !== label,
  successAfter8Bit: clean === label && prediction !== label,
  linf: 0.3,
  l2: index,
  l0: 100 - index,
  iterations: 40,
  ...more,
});
// Image 0 withstands both, 1 falls to pgd only, 2 to both, 3 is wrong from the start, 4 falls to fgsm until it is rounded.
const fgsm = [
  record(0, 7, 7, 7),
  record(1, 2, 2, 2),
  record(2, 1, 1, 4),
  record(3, 0, 6, 6),
  record(4, 4, 4, 9, { successAfter8Bit: false }),
];
const pgd = [record(0, 7, 7, 7), record(1, 2, 2, 3), record(2, 1, 1, 8), record(3, 0, 6, 6), record(4, 4, 4, 4, { l2: 0.5 })];
const parts: LedgerPart[] = [
  { arm: "a", attack: "fgsm", images: fgsm, thumbnails: {} },
  { arm: "a", attack: "pgd", images: pgd, thumbnails: {} },
  { arm: "b", attack: "pgd", images: [record(9, 1, 1, 1)], thumbnails: {} },
];
const rows = ledgerRows(parts, "a");
const byIndex = { column: "index", isDescending: false } as const;
const indices = (filter: Filter): number[] => arrange(rows, filter, byIndex, "pgd").map((row) => row.index);

test("filters", () => {
  expect(indices({ kind: "all" })).toEqual([0, 1, 2, 3, 4]);
  expect(indices({ kind: "survived" })).toEqual([0]);
  expect(indices({ kind: "broken", attack: "pgd" })).toEqual([1, 2]);
  expect(indices({ kind: "brokenOnly", attack: "fgsm" })).toEqual([4]);
  expect(indices({ kind: "lost8Bit" })).toEqual([4]);
  expect(indices({ kind: "repaired" })).toEqual([]);
  expect(indices({ kind: "wrong" })).toEqual([3]);
});

test("images that are fooled although attention stays where it was", () => {
  const attention = { pgd: [80, 49, 50, 100, -1], fgsm: [90, 90, 20, 90, 90] };
  const analyses = [
    { id: "attentionStudy", params: {}, data: { attacks: Object.entries(attention).map(([key, overlap]) => ({ key, overlap })) } },
  ];
  expect(attentionOverlap({ analyses })).toEqual(attention);
  expect(attentionOverlap({ analyses: [{ id: "timing", params: {}, data: {} }] })).toBeNull();
  const studied = ledgerRows(parts, "a", { attention });
  const kept = (attack: string): number[] => arrange(studied, { kind: "attentionKept", attack }, byIndex, "pgd").map((row) => row.index);
  expect(kept("pgd")).toEqual([2]); // 0 withstands it, 1 lost its attention, 3 was wrong before
  expect(kept("fgsm")).toEqual([4]);
  expect(indices({ kind: "attentionKept", attack: "pgd" })).toEqual([]);
  const [head, first, , , , last] = ledgerCsv(studied, ["pgd"]).split("\n");
  expect(head?.split(",").at(-1)).toBe("pgd.attentionIoU");
  expect([first?.split(",").at(-1), last?.split(",").at(-1)]).toEqual(["80", ""]);
});

test("sorting is stable, by the attack shown, with rows without a value last", () => {
  const byL2 = arrange(rows, { kind: "all" }, { column: "l2", isDescending: true }, "pgd").map((row) => row.index);
  expect(byL2).toEqual([3, 2, 1, 4, 0]);
  const byLinf = arrange(rows, { kind: "all" }, { column: "linf", isDescending: true }, "pgd").map((row) => row.index);
  expect(byLinf).toEqual([0, 1, 2, 3, 4]);
  const partly = ledgerRows([...parts.slice(0, 1), { arm: "a", attack: "pgd", images: pgd.slice(3), thumbnails: {} }], "a");
  expect(arrange(partly, { kind: "all" }, { column: "l0", isDescending: false }, "pgd").map((row) => row.index)).toEqual([4, 3, 0, 1, 2]);
});

test("CSV has a row an image and a group of columns an attack", () => {
  const [head, first, second] = ledgerCsv(rows, ["pgd"]).split("\n");
  expect(head).toBe(
    "index,label,cleanPrediction,pgd.prediction,pgd.success,pgd.successAfter8Bit,pgd.repaired,pgd.linf,pgd.l2,pgd.l0,pgd.iterations",
  );
  expect(first).toBe("0,7,7,7,false,false,false,0.3,0,100,40");
  expect(second).toBe("1,2,2,3,true,true,false,0.3,1,99,40");
});

test("only the rows that are seen, and a few spare ones, are made", () => {
  expect(visibleRows(0, 440, 44, 10_000, 8)).toEqual({ first: 0, last: 18 });
  expect(visibleRows(44_000, 440, 44, 10_000, 8)).toEqual({ first: 992, last: 1018 });
  expect(visibleRows(1e9, 440, 44, 10_000, 8)).toEqual({ first: 9982, last: 10_000 });
  expect(visibleRows(300, 440, 44, 3, 8)).toEqual({ first: 0, last: 3 });
});

test("keys move in the list and stop at its ends", () => {
  expect(nextRow("ArrowDown", 0, 10_000, 9)).toBe(1);
  expect(nextRow("PageDown", 9_995, 10_000, 9)).toBe(9_999);
  expect(nextRow("Home", 500, 10_000, 9)).toBe(0);
  expect(nextRow("ArrowUp", 0, 10_000, 9)).toBe(0);
  expect(nextRow("ArrowDown", 0, 0, 9)).toBeNull();
  expect(nextRow("x", 0, 10, 9)).toBeNull();
});
