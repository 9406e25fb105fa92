import { expect, it } from "vitest";
import { accuracyAt, meanRatio, type Residue } from "../../../../src/engine/metrics/residue.ts";

/** Six images, the last of which is wrong before. */
const residues: Residue[] = [0.05, 0.15, 0.25, 0.35, 0.6, 0].map((ratio, i) => ({ ratio, isFooled: true, isRight: i < 5 }));

it("reads accuracy at every limit from one run", () => {
  const at = [0.1, 0.2, 0.3, 0.4, 0.5].map((d) => accuracyAt(residues, d));
  expect(at.map((share) => Number(share?.toFixed(4)))).toEqual([0.6667, 0.5, 0.3333, 0.1667, 0.1667]);
  expect(accuracyAt(residues, 0.6)).toBe(0); // stopped where it reaches d
  expect(accuracyAt([{ ratio: 0.1, isFooled: false, isRight: true }], 0.5)).toBe(1);
  expect(accuracyAt([], 0.1)).toBeNull();
});

it("averages over all images but black ones, whether fooled or not", () => {
  expect(meanRatio(residues)).toBeCloseTo(1.4 / 6, 12);
  const black: Residue = { ratio: null, isFooled: true, isRight: true };
  const withstood: Residue = { ratio: 1.4, isFooled: false, isRight: true };
  expect(meanRatio([...residues, black, withstood])).toBeCloseTo(2.8 / 7, 12);
  expect(accuracyAt([black], 0.1)).toBe(1);
  expect(meanRatio([black])).toBeNull();
});
