import { expect, test } from "vitest";
import { cellText } from "../../../src/shared/analysisCell.ts";

test("figures of an analysis are written as their columns say", () => {
  const said = (value: number | null, format: Parameters<typeof cellText>[1]) => cellText(value, format);
  expect([said(0.123, "percent"), said(-0.123, "points"), said(0.123, "difference"), said(-0.02, "difference")]).toEqual([
    "12.3 %",
    "−12.3",
    "+12.3",
    "−2.0",
  ]);
  expect([said(1.2345, "milliseconds"), said(null, "percent")]).toEqual(["1.23", "–"]);
  expect([said(1_234_567, "count"), said(1_234_567, "number")]).toEqual(["1\u202f234\u202f567", "1.23e6"]);
  expect([cellText("as it is", "percent"), cellText(undefined, "text")]).toEqual(["as it is", "–"]);
});
