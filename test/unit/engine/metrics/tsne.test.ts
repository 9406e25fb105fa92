import { describe, expect, it } from "vitest";
import { nearestNeighbourAccuracy, silhouette } from "../../../../src/engine/metrics/separation.ts";
import {
  jointProbabilities,
  neighbourProbabilities,
  squaredDistances,
  tsne,
  tsneDefaults,
  tsneGradient,
} from "../../../../src/engine/metrics/tsne.ts";
import { createRandom } from "../../../../src/engine/random.ts";

const normals = (count: number, seed = 1): Float64Array => {
  const rng = createRandom(seed);
  return Float64Array.from({ length: count }, () => rng.normal());
};
/** Two clouds in five dimensions, `apart` from each other. */
const clouds = (n: number, apart: number) => {
  const rows = normals(5 * n).map((value, i) => value + (Math.floor(i / 5) < n / 2 ? 0 : apart));
  const classes = Array.from({ length: n }, (_, i) => (i < n / 2 ? 0 : 1));
  return { distances: squaredDistances(rows, n), classes };
};

describe("probabilities of neighbours", () => {
  it("have the entropy of the perplexity: the worked example", () => {
    const { beta, p } = neighbourProbabilities(Float64Array.of(1, 4, 9), 2);
    expect(beta).toBeCloseTo(0.374461, 6);
    for (const [i, value] of [0.727177, 0.236462, 0.036361].entries()) expect(p[i]).toBeCloseTo(value, 6);
    expect(p.reduce((sum, value) => sum - value * Math.log(value), 0)).toBeCloseTo(Math.log(2), 9);
  });

  it("are the same for distances of any scale, also large ones", () => {
    const { p } = neighbourProbabilities(Float64Array.of(1e8, 4e8, 9e8), 2);
    expect(p[0]).toBeCloseTo(0.727177, 6);
    expect(neighbourProbabilities(Float64Array.of(5, 5, 5), 2).p).toEqual(Float64Array.of(1 / 3, 1 / 3, 1 / 3)); // no precision tells equal ones apart
  });

  it("joint ones are symmetric and sum to 1", () => {
    const joint = jointProbabilities(squaredDistances(normals(3 * 12), 12), 12, 3);
    expect(joint.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
    for (let i = 0; i < 12; i++) for (let j = 0; j < 12; j++) expect(joint[i * 12 + j]).toBe(joint[j * 12 + i]);
  });
});

describe("the layout", () => {
  it("follows the gradient of the divergence, as finite differences have it", () => {
    const joint = jointProbabilities(squaredDistances(normals(4 * 10), 10), 10, 3);
    const layout = normals(20, 2);
    const { gradient } = tsneGradient(joint, layout);
    const at = (k: number, by: number) =>
      tsneGradient(
        joint,
        layout.map((value, i) => (i === k ? value + by : value)),
      ).divergence;
    for (let k = 0; k < 20; k++) expect(Math.abs((gradient[k] as number) - (at(k, 1e-5) - at(k, -1e-5)) / 2e-5)).toBeLessThan(1e-9);
  });

  it("falls in divergence, keeps clouds apart that are, and is the same for the same seed", async () => {
    const { distances, classes } = clouds(60, 8);
    const seen: number[] = [];
    const options = { ...tsneDefaults, perplexity: 15, iterations: 500, onIteration: async (done: number) => void seen.push(done) };
    const { points, divergences } = await tsne(distances, 60, createRandom(1), options);
    expect(divergences[1]).toBeLessThan(divergences[0]);
    expect(divergences[1]).toBeLessThan(tsneGradient(jointProbabilities(distances, 60, 15), normals(120)).divergence);
    expect(seen).toHaveLength(500);
    expect(nearestNeighbourAccuracy(squaredDistances(points, 60), classes)).toBe(1);
    expect((await tsne(distances, 60, createRandom(1), options)).points).toEqual(points);
    const mean = points.filter((_, i) => i % 2 === 0).reduce((a, b) => a + b, 0);
    expect(Math.abs(mean)).toBeLessThan(1e-6);
  });
});

describe("how far classes are apart", () => {
  // On a line: 0 and 1 of one class, 5 of the other.
  const line = squaredDistances(Float64Array.of(0, 1, 5), 3);

  it("by nearest neighbours and silhouette, by hand", () => {
    expect(nearestNeighbourAccuracy(line, [0, 0, 1])).toBeCloseTo(2 / 3, 12); // the nearest of 5 is 1
    // 0: a 1, b 5; 1: a 1, b 4; 5 is alone in its class.
    expect(silhouette(line, [0, 0, 1])).toBeCloseTo((4 / 5 + 3 / 4 + 0) / 3, 12);
    expect(silhouette(line, [2, 2, 2])).toBeNull();
  });

  it("is chance where the classes are mixed", () => {
    const { distances, classes } = clouds(200, 0);
    expect(nearestNeighbourAccuracy(distances, classes)).toBeGreaterThan(0.35);
    expect(nearestNeighbourAccuracy(distances, classes)).toBeLessThan(0.65);
    expect(Math.abs(silhouette(distances, classes) ?? 1)).toBeLessThan(0.05);
  });
});
