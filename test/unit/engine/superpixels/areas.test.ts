import { expect, it } from "vitest";
import { areaOfFirst, positiveOnes } from "../../../../src/engine/superpixels/areas.ts";

const segments = Int32Array.of(0, 1, 2, 2, 3);

it("an area is made of the superpixels of the largest positive weights, or of all where there are fewer", () => {
  const coefficients = Float64Array.of(0.2, -0.9, 0.5, 0.2);
  expect(positiveOnes(coefficients)).toEqual([2, 0, 3]); // the lower number first among equals
  expect([...areaOfFirst({ segments, coefficients }, 1)]).toEqual([0, 0, 1, 1, 0]);
  expect([...areaOfFirst({ segments, coefficients }, 2)]).toEqual([1, 0, 1, 1, 0]);
  expect([...areaOfFirst({ segments, coefficients }, 1000)]).toEqual([1, 0, 1, 1, 1]);
});

it("one superpixel, or none that speaks for the class", () => {
  expect([...areaOfFirst({ segments: new Int32Array(3), coefficients: Float64Array.of(0.1) }, 8)]).toEqual([1, 1, 1]);
  expect([...areaOfFirst({ segments: new Int32Array(3), coefficients: Float64Array.of(1e-9) }, 8)]).toEqual([0, 0, 0]); // rounding
});
