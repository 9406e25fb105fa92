import { describe, expect, it } from "vitest";
import { singularValues } from "../../../../src/engine/metrics/singularValues.ts";

const matrix = (rows: number, columns: number, at: (i: number, row: number, column: number) => number): number[] =>
  Array.from({ length: rows * columns }, (_, i) => at(i, Math.floor(i / columns), i % columns));
const near = (values: readonly number[], digits = 5) => values.map((value) => expect.closeTo(value, digits));

describe("singular values", () => {
  it("by hand: [[1,2],[3,4],[5,6]] has 9.525518 and .514301, whichever way it lies", () => {
    for (const [values, rows, columns] of [
      [[1, 2, 3, 4, 5, 6], 3, 2],
      [[1, 3, 5, 2, 4, 6], 2, 3],
    ] as const) {
      const found = singularValues(values, rows, columns, 50);
      expect(found.values).toEqual(near([9.525518, 0.514301]));
      expect(found).toMatchObject({ rank: 2, sumOfSquares: 91 });
    }
  });

  it("agree with numpy.linalg.svd", () => {
    const noise = (i: number) => (((i * i * 37) % 101) - 50) / 25;
    expect(singularValues(matrix(40, 12, noise), 40, 12, 50).values).toEqual(
      near([11.375779, 10.599475, 9.23012, 8.51851, 7.518081, 7.369393, 7.080391, 6.777542, 6.334981, 5.417132, 5.021918, 3.947401]),
    );
    expect(singularValues(matrix(6, 20, noise), 6, 20, 50).values).toEqual(
      near([7.612477, 6.128791, 5.866793, 4.432969, 3.916678, 3.123665]),
    );
  });

  it("add up in squares to the sum of squares of the matrix, and no more than asked are given", () => {
    const values = matrix(60, 30, (i) => Math.sin(i * 1.7) + (i % 3));
    const { values: all, sumOfSquares } = singularValues(values, 60, 30, 50);
    const frobenius = values.reduce((sum, value) => sum + value * value, 0);
    expect(sumOfSquares).toBeCloseTo(frobenius, 8);
    expect(all.reduce((sum, value) => sum + value * value, 0) / frobenius).toBeCloseTo(1, 10);
    expect(all.every((value, i) => i === 0 || value <= (all[i - 1] ?? 0))).toBe(true);
    expect(singularValues(values, 60, 30, 7).values).toEqual(all.slice(0, 7));
  });

  it("stop at the rank: of sums of rows and columns two are left, of nothing none, of one number itself", () => {
    const found = singularValues(
      matrix(7, 5, (_, row, column) => row + 2 * column),
      7,
      5,
      50,
    );
    expect(found).toMatchObject({ rank: 2, values: near([46.005203, 4.303641]) });
    expect(
      singularValues(
        matrix(4, 3, () => 0),
        4,
        3,
        50,
      ),
    ).toEqual({ values: [], rank: 0, sumOfSquares: 0 });
    expect(singularValues([-3], 1, 1, 50)).toEqual({ values: [expect.closeTo(3, 12)], rank: 1, sumOfSquares: 9 });
    const equal = singularValues(
      matrix(5, 5, (_, row, column) => (row === column ? 2 : 0)),
      5,
      5,
      50,
    );
    expect(equal).toMatchObject({ rank: 5, values: near([2, 2, 2, 2, 2], 12) });
  });
});
