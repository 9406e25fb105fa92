import { expect, test } from "vitest";
import { shapeText } from "../../../webview/model/layers.ts";
import { columnsIn } from "../../../webview/preview/grid.ts";

test("a layer's shape is told without its batch, any size as a question mark", () => {
  expect(shapeText([224, 224, 3])).toBe("224 × 224 × 3");
  expect(shapeText([null, null, 3])).toBe("? × ? × 3");
});

test("a grid has as many columns as fit, and one where none does", () => {
  // Cells of 132 pixels: 5 × 132 = 660.
  expect([columnsIn(660), columnsIn(659), columnsIn(100), columnsIn(0)]).toEqual([5, 4, 1, 1]);
});
