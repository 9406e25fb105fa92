import { describe, expect, it } from "vitest";
import { createRandom } from "../../../../src/engine/random.ts";
import { drawsOf, inclusion, samplingObjective } from "../../../../src/engine/sampling/inclusion.ts";
import { projectedGradient } from "../../../../src/engine/sampling/projectedGradient.ts";
import { projectToSimplex } from "../../../../src/engine/sampling/simplex.ts";
import { minimumVariance } from "../../../../src/engine/sampling/varianceMinimization.ts";
import { near } from "../fixtures.ts";

const alpha = [1, 4, 9, 0];
/** Draws, probabilities, Φ there, Φ under uniform probabilities, and the multiplier of all rows: worked out apart from this program. */
const table = [
  [1, [1 / 6, 1 / 3, 1 / 2, 0], 36, 42, 36],
  [2, [0.171904, 0.338116, 0.489979, 0], 22.464833, 25.2, 16.770217],
  [3, [0.179651, 0.343446, 0.476903, 0], 18.314838, 19.894737, 10.062443],
  [6, [0.210195, 0.351412, 0.438393, 0], 14.933772, 15.347368, 3.215486],
  [20, [0.290929, 0.340768, 0.368303, 0], 14.002916, 14.004211, 0.029176],
] as const;
const multiplier = (a: number, p: number, c: number) => (a * c * (1 - p) ** (c - 1)) / (1 - (1 - p) ** c) ** 2;
const sum = (values: Float64Array) => values.reduce((a, b) => a + b, 0);
/** Norms spread over decades, as those of a picture's background and strokes. */
const norms = (n: number, spread: number, seed = 1) => {
  const random = createRandom(seed);
  return Float64Array.from({ length: n }, () => Math.exp(random.normal(0, spread)));
};

describe.each(table)("%i draws", (c, p, objective, uniform, nu) => {
  it("have the probabilities of least variance", () => {
    const found = minimumVariance(alpha, c);
    expect(near(found, p)).toBeLessThan(1e-6);
    expect(samplingObjective(alpha, found, c)).toBeCloseTo(objective, 6);
    expect(samplingObjective(alpha, [1 / 3, 1 / 3, 1 / 3, 0], c)).toBeCloseTo(uniform, 6);
  });
  it("have one multiplier for all rows that can be drawn", () => {
    const found = minimumVariance(alpha, c);
    for (const i of [0, 1, 2]) expect(multiplier(alpha[i] as number, found[i] as number, c)).toBeCloseTo(nu, 6);
  });
  it("are found by projected gradient descent as well", () => {
    expect(near(projectedGradient(alpha, c, { tolerance: 1e-9 }), minimumVariance(alpha, c))).toBeLessThan(1e-6);
  });
});

describe("probabilities of least variance", () => {
  it.each([
    [2, 1],
    [32, 2],
    [784, 1],
    [784, 20],
    [2048, 4],
    [1e6, 2],
  ])("of 1,024 rows and %i draws, ln α spread by %i, share one multiplier", (c, spread) => {
    const many = norms(1024, spread);
    const p = minimumVariance(many, c);
    expect(sum(p)).toBeCloseTo(1, 12);
    const logs = Array.from(
      p,
      (share, i) => Math.log(many[i] as number) + (c - 1) * Math.log1p(-share) - 2 * Math.log(inclusion(share, c)),
    );
    expect(Math.max(...logs) - Math.min(...logs)).toBeLessThan(1e-8);
  });

  it("beat those of the paper's descent, which comes near them", () => {
    const many = norms(64, 1);
    const [exact, descent] = [minimumVariance(many, 128), projectedGradient(many, 128, { steps: 5000, tolerance: 0 })];
    expect(near(exact, descent)).toBeLessThan(1e-4);
    expect(samplingObjective(many, exact, 128)).toBeLessThanOrEqual(samplingObjective(many, descent, 128) + 1e-12);
  });

  it("do not depend on the scale of the norms, however small or large", () => {
    const many = norms(50, 2);
    for (const scale of [1e-300, 1e-9, 1e9, 1e250])
      expect(
        near(
          minimumVariance(
            many.map((a) => a * scale),
            40,
          ),
          minimumVariance(many, 40),
        ),
      ).toBeLessThan(1e-12);
  });

  it.each([minimumVariance, projectedGradient])("are 0 of a dead unit, 1 of its only row, equal for equal rows (%o)", (solve) => {
    expect([...solve([0, 0, 0], 5)]).toEqual([0, 0, 0]);
    expect([...solve([0, 3, 0], 5)]).toEqual([0, 1, 0]);
    expect(near(solve([2, 2, 0, 2, 2], 7), [0.25, 0.25, 0, 0.25, 0.25])).toBeLessThan(1e-12);
    expect([...solve([], 5)]).toEqual([]);
  });

  it("become equal over the rows that can be drawn as draws grow without end", () => {
    expect(near(minimumVariance(alpha, 1e9), [1 / 3, 1 / 3, 1 / 3, 0])).toBeLessThan(1e-6);
  });

  it("take norms so far apart that one row has hardly any share", () => {
    const p = minimumVariance([1e-300, 1, 1e300], 10);
    expect(p.every((share) => share > 0)).toBe(true);
    expect(sum(p)).toBeCloseTo(1, 12);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1])("refuse a norm of %f", (norm) => {
    expect(() => minimumVariance([1, norm], 3)).toThrow("activations are not numbers");
    expect(() => projectedGradient([1, norm], 3)).toThrow("activations are not numbers");
  });
});

describe("draws", () => {
  it("are a whole number, at least 1", () => {
    expect([0, 0.3, 1, 391.6, 392.4].map(drawsOf)).toEqual([1, 1, 1, 392, 392]);
  });
  it("hold a row with the probability 1 − (1 − p)^c", () => {
    expect(
      near(
        Float64Array.of(0.5, 0.3, 0.2, 0, 1).map((p) => inclusion(p, 2)),
        [0.75, 0.51, 0.36, 0, 1],
      ),
    ).toBeLessThan(1e-15);
    expect(inclusion(1e-9, 512) / 512e-9).toBeCloseTo(1, 6); // in float32 1 − 1e-9 is 1
    expect(inclusion(1e-30, 3) / 3e-30).toBeCloseTo(1, 12);
  });
  // Python's decimal with 60 digits; on both sides of where the series ends.
  it.each([
    [1e-9, 512, 5.119998691840222e-7],
    [1e-9, 40_000, 3.999920003066576e-5],
    [1e-6, 2, 1.999999e-6],
    [0.00001, 50, 4.99877519597697e-4],
    [0.0009, 3, 2.697570729e-3],
    [0.00099, 40_000, 1],
    [0.0011, 1, 1.1e-3],
    [0.01, 784, 9.996215638945125e-1],
    [0.3, 3, 0.657],
  ])("hold a row with p %f after %i draws to 11 digits", (p, c, expected) => {
    expect(Math.abs(inclusion(p, c) / expected - 1)).toBeLessThan(1e-11);
  });
});

describe("projection onto the simplex", () => {
  it("is the nearest point of it", () => {
    expect(near(projectToSimplex(Float64Array.of(0.5, 0.8, -0.2)), [0.35, 0.65, 0])).toBeLessThan(1e-15);
    expect(near(projectToSimplex(Float64Array.of(2, 0, 0)), [1, 0, 0])).toBeLessThan(1e-15);
    expect(near(projectToSimplex(Float64Array.of(0.2, 0.3, 0.5)), [0.2, 0.3, 0.5])).toBeLessThan(1e-15);
    expect(near(projectToSimplex(Float64Array.of(-7, -7)), [0.5, 0.5])).toBeLessThan(1e-15);
  });
});
