import { expect, it } from "vitest";
import { placesOf } from "../../../../src/engine/experiment/stages/explain.ts";

it("explains the first images where classes are mixed, and some of every class where they lie class by class", () => {
  const mixed = Array.from({ length: 12 }, (_, i) => (i * 7) % 4);
  expect(placesOf(mixed, 4)).toEqual([0, 1, 2, 3]);
  const sorted = [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3];
  expect(placesOf(sorted, 4)).toEqual([0, 3, 6, 9]);
  expect(placesOf(sorted, 12)).toEqual(sorted.map((_, i) => i));
  expect(placesOf([], 0)).toEqual([]);
});
