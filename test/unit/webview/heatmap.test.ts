import { expect, test } from "vitest";
import { cividis, diverging } from "../../../src/shared/colour.ts";
import { colourMap, differenceMap, isGrey, signedChange } from "../../../webview/lib/heatmap.ts";

const luminance = ([r, g, b]: readonly [number, number, number]): number => 0.2126 * r + 0.7152 * g + 0.0722 * b;
const rgba = (...greys: number[]): Uint8ClampedArray => Uint8ClampedArray.from(greys.flatMap((v) => [v, v, v, 255]));

test("cividis goes from its published dark blue to its yellow and gets lighter all the way", () => {
  expect(cividis(0)).toEqual([0x00, 0x20, 0x4d]);
  expect(cividis(1)).toEqual([0xff, 0xea, 0x46]);
  const steps = Array.from({ length: 101 }, (_, i) => luminance(cividis(i / 100)));
  for (let i = 1; i < steps.length; i++) expect(steps[i]).toBeGreaterThanOrEqual(steps[i - 1] ?? 0);
});

test("values outside the scale take its ends, and no number takes the low end", () => {
  expect(cividis(7)).toEqual(cividis(1));
  expect(cividis(-7)).toEqual(cividis(0));
  expect(cividis(Number.NaN)).toEqual(cividis(0));
});

test("the diverging scale is grey at 0, blue below and orange above", () => {
  const [r, g, b] = diverging(0);
  expect([r, g]).toEqual([g, b]);
  const low = diverging(-1);
  const high = diverging(1);
  expect(low[2]).toBeGreaterThan(low[0]);
  expect(high[0]).toBeGreaterThan(high[2]);
});

test("the largest change is found with its place; auto ends the scale there", () => {
  const clean = rgba(0, 100, 200, 50, 50, 50);
  const adversarial = rgba(0, 110, 200, 50, 10, 50);
  const map = differenceMap(clean, adversarial, 3, "auto");
  expect(map.max).toBeCloseTo(40 / 255, 12);
  expect([map.row, map.column]).toEqual([1, 1]);
  expect([...map.pixels.slice(16, 19)]).toEqual([...diverging(-1)]);
  expect([...map.pixels.slice(0, 3)]).toEqual([...diverging(0)]);
});

test("a fixed scale does not depend on the picture", () => {
  const map = differenceMap(rgba(100, 100), rgba(116, 100), 2, 1 / 4);
  expect([...map.pixels.slice(0, 3)]).toEqual([...diverging((16 / 255) * 4)]);
});

test("equal pictures differ nowhere", () => {
  const map = differenceMap(rgba(5, 6), rgba(5, 6), 2, "auto");
  expect(map.max).toBe(0);
  expect([...map.pixels]).toEqual([...diverging(0), 255, ...diverging(0), 255]);
});

test("of the channels the one that changed most counts, with its sign", () => {
  const clean = Uint8ClampedArray.from([10, 10, 10, 255]);
  expect(signedChange(clean, Uint8ClampedArray.from([20, 10, 0, 255]), 0)).toBeCloseTo(10 / 255, 12);
  expect(signedChange(clean, Uint8ClampedArray.from([20, 10, 60, 255]), 0)).toBeCloseTo(50 / 255, 12);
});

test("grey maps are coloured, coloured ones are not taken for grey", () => {
  expect(isGrey(rgba(0, 255))).toBe(true);
  expect(isGrey(Uint8ClampedArray.from([1, 2, 3, 255]))).toBe(false);
  expect([...colourMap(rgba(255))]).toEqual([0xff, 0xea, 0x46, 255]);
});
