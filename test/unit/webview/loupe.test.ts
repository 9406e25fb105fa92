import { expect, test } from "vitest";
import { moved } from "../../../webview/lib/dom.ts";
import { largestZoom, panned, pixelAt, revealed, seen, wholeImage, zoomed } from "../../../webview/lib/loupe.ts";

test("zooming keeps the point under the pointer", () => {
  const view = zoomed(wholeImage, 4, 0.25, 0.75);
  const { left, top, side } = seen(view);
  expect(side).toBe(0.25);
  expect(left + 0.25 * side).toBeCloseTo(0.25, 12);
  expect(top + 0.75 * side).toBeCloseTo(0.75, 12);
});

test("the view stays inside the image", () => {
  const corner = panned(zoomed(wholeImage, 2, 0, 0), -5, -5);
  expect(seen(corner)).toMatchObject({ left: 0, top: 0 });
  expect(seen(panned(corner, 50, 50))).toMatchObject({ left: 0.5, top: 0.5 });
  expect(zoomed(wholeImage, 0.1)).toEqual(wholeImage);
  expect(zoomed(wholeImage, 1e6).zoom).toBe(largestZoom);
});

test("the pixel under a place of the window", () => {
  expect(pixelAt(wholeImage, 0, 0, 28, 28)).toEqual({ row: 0, column: 0 });
  expect(pixelAt(wholeImage, 1, 1, 28, 28)).toEqual({ row: 27, column: 27 });
  expect(pixelAt(wholeImage, 0.5, 0.25, 28, 28)).toEqual({ row: 7, column: 14 });
  const quarter = zoomed(wholeImage, 4, 1, 1);
  expect(pixelAt(quarter, 0, 0, 28, 28)).toEqual({ row: 21, column: 21 });
});

test("a pixel out of view is brought into it", () => {
  const corner = zoomed(wholeImage, 4, 0, 0);
  const view = revealed(corner, { row: 27, column: 0 }, 28, 28);
  const { left, top, side } = seen(view);
  expect(left).toBe(0);
  expect(top).toBeLessThanOrEqual(27 / 28);
  expect(top + side).toBeCloseTo(1, 12);
});

test("arrow keys move in rows and columns and stop at the ends", () => {
  expect(moved("ArrowRight", 2, 16, 4)).toBe(3);
  expect(moved("ArrowDown", 2, 16, 4)).toBe(6);
  expect(moved("ArrowUp", 2, 16, 4)).toBe(2);
  expect(moved("ArrowLeft", 0, 16, 4)).toBe(0);
  expect(moved("End", 3, 16, 4)).toBe(15);
  expect(moved("Home", 9, 16, 4)).toBe(0);
  expect(moved("a", 9, 16, 4)).toBeNull();
});
