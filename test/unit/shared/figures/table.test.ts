import { expect, test } from "vitest";
import { csvText, figureCsv, figureData } from "../../../../src/shared/figures/data.ts";
import type { Figure, LineFigure } from "../../../../src/shared/figures/figure.ts";
import { figureTable } from "../../../../src/shared/figures/table.ts";
import { states } from "../../../../webview/fixtures/figures.ts";

const roc: LineFigure = {
  kind: "line",
  title: "ROC",
  x: { label: "false positive rate", format: "number", range: [0, 1] },
  y: { label: "true positive rate", format: "percent" },
  series: [
    { label: "a", colour: 0, points: [0, 0, 1].map((x, i) => ({ x, y: i / 2 })) },
    { label: 'b, "static"', colour: 1, points: [{ x: 0.5, y: 0.25, low: 0.2, high: 0.3 }] },
  ],
};

test("the table of lines has one column of places for all of them, steps and intervals kept", () => {
  expect(figureTable(roc)).toEqual({
    heads: ["false positive rate", "a", 'b, "static"'],
    rows: [
      ["0", "0.0 %", ""],
      ["0", "50.0 %", ""],
      ["0.5", "", "25.0 % (20.0 %–30.0 %)"],
      ["1", "100.0 %", ""],
    ],
  });
});

test("a long line is thinned, its last point kept", () => {
  const long = { ...roc, series: [{ label: "a", colour: 0, points: Array.from({ length: 100 }, (_, x) => ({ x, y: 0 })) }] };
  const { rows } = figureTable(long, 40);
  expect(rows.length).toBeLessThanOrEqual(40);
  expect(rows.at(-1)?.[0]).toBe("99");
});

test("files have the values in full, ends of intervals in columns, names quoted", () => {
  expect(figureCsv(roc)).toBe(
    [
      'false positive rate,a,"b, ""static""","b, ""static"", low","b, ""static"", high"',
      "0,0,,,",
      "0,0.5,,,",
      "0.5,,0.25,0.2,0.3",
      "1,1,,,",
      "",
    ].join("\r\n"),
  );
  expect(csvText([["a\nb", null, 0]], "\n")).toBe('"a\nb",,0\n');
});

test("every kind has a table and a file with a cell under every head", () => {
  for (const figure of states["done"] ?? [])
    for (const { heads, rows } of [figureTable(figure), figureData(figure)]) {
      expect(rows.length).toBeGreaterThan(0);
      expect(rows.map((row) => row.length)).toEqual(rows.map(() => heads.length));
    }
  const histogram = (states["done"] ?? []).find((figure): figure is Extract<Figure, { kind: "histogram" }> => figure.kind === "histogram");
  expect(histogram && figureTable(histogram).rows[1]).toEqual(["0.2–0.4", "120", "30"]);
});
