import { expect, test } from "vitest";
import { tableTexts } from "../../../src/shared/analysisTable.ts";

test("heads are in sentence case, letters that stand for quantities stay, arms have their names", () => {
  const names = { text: (label: string) => (label === "bitDepth" ? "Bit depth" : label) };
  const columns = [
    { name: "arm", format: "text" },
    { name: "δ", format: "points" },
    { name: "p", format: "number" },
    { name: "median", format: "milliseconds" },
  ] as const;
  expect(tableTexts({ title: "t", columns, rows: [["bitDepth", 0.25, null, 1.5]] }, names)).toEqual({
    heads: ["Arm", "δ", "p", "Median (ms)"],
    rows: [["Bit depth", "25.0", "–", "1.5"]],
  });
});
