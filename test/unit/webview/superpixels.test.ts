import { expect, test } from "vitest";
import { edgesOf, marked, numbersOf, superpixelText, used, weightText } from "../../../webview/inspector/superpixels.ts";

const weights = [0.2, 0, -0.05, 0.3, 0.2];
/** 0 0 1 / 0 2 1 */
const segments = { numbers: Int32Array.from([0, 0, 1, 0, 2, 1]), height: 2, width: 3, weights };

test("numbers are read from red and green", () => {
  expect(Array.from(numbersOf(Uint8ClampedArray.from([7, 0, 0, 255, 1, 2, 0, 255])))).toEqual([7, 513]);
});

test("superpixels are in the order of their weights, and those for the class are marked", () => {
  expect(used(weights)).toEqual([3, 0, 4, 2]);
  expect(marked(weights, 2)).toEqual([3, 0]);
  expect(marked(weights, 9)).toEqual([3, 0, 4]);
  expect(marked([0, -1], 3)).toEqual([]);
});

test("what a superpixel does is said in words", () => {
  expect(superpixelText(weights, 0, "seven")).toBe("Superpixel 1: weight +0.2, number 2 of 4. It speaks for seven.");
  expect(superpixelText(weights, 2, "seven")).toBe("Superpixel 3: weight −0.05, number 4 of 4. It speaks against seven.");
  expect(superpixelText(weights, 1, "seven")).toBe("Superpixel 2 is not among the 4 that the explanation uses.");
  expect(weightText(0)).toBe("0");
});

test("edges lie between superpixels, in runs", () => {
  expect(edgesOf(segments)).toEqual([
    [1, 1, 1, 2],
    [1, 1, 2, 1],
    [0, 2, 2, 2],
  ]);
});

test("chosen superpixels are closed at the border of the picture", () => {
  expect(edgesOf(segments, new Set([1]))).toEqual([
    [0, 2, 0, 3],
    [2, 2, 2, 3],
    [0, 2, 2, 2],
    [0, 3, 2, 3],
  ]);
  expect(edgesOf(segments, new Set())).toEqual([]);
});
