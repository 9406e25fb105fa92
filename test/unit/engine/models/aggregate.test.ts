import { describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import type { Aggregation } from "../../../../src/engine/define/index.ts";
import { aggregate } from "../../../../src/engine/models/aggregate.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { tf } from "../../../../src/engine/tf.ts";

await useBackend("cpu");

const slices = tf.tensor3d([
  [
    [4, 0, 0],
    [0, 1, 0],
    [0, 1.2, 0],
  ],
]);
const close = (actual: ArrayLike<number>, expected: readonly number[], digits = 5): void => {
  expected.forEach((e, i) => {
    expect(actual[i]).toBeCloseTo(e, digits);
  });
};

describe("three slices that disagree, by hand", () => {
  it("mean probability: its logarithm, class 0", () => {
    const z = aggregate(slices, "meanProb");
    close(z.exp().dataSync(), [0.454857, 0.405951, 0.139192]);
    expect(z.argMax(-1).dataSync()[0]).toBe(0);
  });

  it("vote: logs of the shares 1/3, 2/3 and of the floor 1/30, class 1", () => {
    const z = aggregate(slices, "vote");
    close(z.dataSync(), [-1.098612, -0.405465, -3.401197]);
    expect(z.argMax(-1).dataSync()[0]).toBe(1);
    close(tf.softmax(z).dataSync(), [10 / 31, 20 / 31, 1 / 31]);
  });

  it("vote: ties go to the lower class", () => {
    const tie = tf.tensor3d([
      [
        [0, 5],
        [5, 5],
      ],
    ]);
    close(aggregate(tie, "vote").dataSync(), [Math.log(1 / 2), Math.log(1 / 2)]);
    expect(aggregate(tie, "vote").argMax(-1).dataSync()[0]).toBe(0);
  });

  it("sum of logarithms: class 0", () => {
    close(aggregate(slices, "sumLog").dataSync(), [-3.258916, -5.058916, -7.258916]);
  });
});

describe("slices that abstain, by hand", () => {
  // largest probabilities 0.964663, 0.576117, 0.624068
  const sure = [0.964663, 0.017668, 0.017668];

  it("mean probability: each of them is the same for all classes", () => {
    const z = aggregate(slices, "meanProb", 0.6); // the second abstains; the third has 0.187966, 0.624068, 0.187966
    close(z.exp().dataSync(), [(0.964663 + 0.187966 + 1 / 3) / 3, (0.017668 + 0.624068 + 1 / 3) / 3, (0.017668 + 0.187966 + 1 / 3) / 3]);
    close(
      aggregate(slices, "meanProb", 0.7).exp().dataSync(),
      sure.map((p) => (p + 2 / 3) / 3),
    );
  });

  it("vote: none of them votes, and shares are of all slices", () => {
    close(aggregate(slices, "vote", 0.6).dataSync(), [Math.log(1 / 3), Math.log(1 / 3), Math.log(1 / 30)]);
    close(aggregate(slices, "vote", 0.7).dataSync(), [Math.log(1 / 3), Math.log(1 / 30), Math.log(1 / 30)]);
  });

  it.each(["meanProb", "vote"] as const)("%s: where all abstain no class leads, and the lowest is decided for", (rule) => {
    const z = aggregate(slices, rule, 0.99).dataSync();
    expect(new Set(z).size).toBe(1);
    expect(aggregate(slices, rule, 0.99).argMax(-1).dataSync()[0]).toBe(0);
  });

  it("whose confidence is the threshold itself does not exceed it", () => {
    const even = tf.tensor3d([[[3, 3]]]);
    close(aggregate(even, "vote", 0.5).dataSync(), [Math.log(0.1), Math.log(0.1)]);
    close(aggregate(even, "vote", 0.499).dataSync(), [0, Math.log(0.1)]);
  });
});

describe("bound of one slice", () => {
  const rng = createRandom(17);
  const [Z, k] = [5, 3];
  const drawn = (n: number): Float32Array => rng.uniforms(n, -6, 6);
  /** What a slice contributes to each class, by the definition. */
  const contribution = (z: Float32Array, rule: Aggregation, abstain: number): number[] => {
    const e = [...z].map((v) => Math.exp(v));
    const p = e.map((v) => v / e.reduce((a, b) => a + b));
    const speaks = Math.max(...p) > abstain;
    if (rule === "vote") return p.map((v) => (speaks && v === Math.max(...p) ? 1 : 0));
    return speaks ? p : p.map(() => 1 / k);
  };

  it.each([
    ["meanProb", 0],
    ["meanProb", 0.7],
    ["vote", 0],
    ["vote", 0.7],
  ] as const)("%s, abstaining at %f: a decision that it covers stands, and it is reached", (rule, abstain) => {
    let [covered, changed] = [0, 0];
    for (let trial = 0; trial < 60; trial++) {
      const rows = Array.from({ length: Z }, () => drawn(k));
      const decide = (of: readonly Float32Array[]): number =>
        aggregate(tf.tensor3d(Float32Array.from(of.flatMap((row) => [...row])), [1, Z, k]), rule, abstain)
          .argMax(-1)
          .dataSync()[0] as number;
      const y = decide(rows);
      const c = rows.map((row) => contribution(row, rule, abstain));
      const d = (j: number): number[] => c.map((row) => (row[y] as number) - (row[j] as number));
      const holds = [0, 1, 2].every((j) => j === y || d(j).reduce((a, b) => a + b) - Math.max(...d(j).map((v) => 1 + v)) > 0);
      // the worst that one slice can say: certain of another class
      const worst = rows.flatMap((_, s) => [0, 1, 2].map((j) => rows.map((row, i) => (i === s ? certain(j) : row))));
      const stands = worst.every((other) => decide(other) === y);
      if (holds) covered++;
      if (!stands) changed++;
      expect(holds && !stands).toBe(false);
      // A decision that it does not cover can be turned, ties apart: the bound is no larger than it has to be.
      const margin = Math.min(
        ...[0, 1, 2].filter((j) => j !== y).map((j) => d(j).reduce((a, b) => a + b) - Math.max(...d(j).map((v) => 1 + v))),
      );
      if (margin < -1e-3) expect(stands).toBe(false);
    }
    expect(Math.min(covered, changed)).toBeGreaterThan(5);
  });
  const certain = (j: number): Float32Array => Float32Array.from({ length: k }, (_, i) => (i === j ? 30 : 0));
});

it("a single slice keeps its own log-probabilities", () => {
  const z = tf.tensor3d([[[2, 1, -1]]]);
  for (const rule of ["meanProb", "sumLog"] as const)
    close(
      aggregate(z, rule).dataSync(),
      [2, 1, -1].map((v) => v - 2.349012),
    );
});

describe("gradients", () => {
  const z = tf.tensor3d(createRandom(7).uniforms(24, -2, 2), [2, 4, 3]);
  const w = tf.tensor2d([0.3, -1, 0.5, 2, 0.1, -0.4], [2, 3]);
  const gradient = (rule: Aggregation, at: tf.Tensor3D = z, abstain = 0): ArrayLike<number> =>
    tf
      .grad((x: tf.Tensor) =>
        aggregate(x as tf.Tensor3D, rule, abstain)
          .mul(w)
          .sum(),
      )(at)
      .dataSync();

  it.each(["meanProb", "sumLog"] as const)("of %s agree with central differences", (rule) => {
    const h = 1e-2;
    const values = z.dataSync();
    const f = (i: number, step: number): number => {
      const moved = Float32Array.from(values);
      moved[i] = (moved[i] as number) + step;
      return aggregate(tf.tensor3d(moved, [2, 4, 3]), rule)
        .mul(w)
        .sum()
        .dataSync()[0] as number;
    };
    const actual = gradient(rule);
    for (let i = 0; i < values.length; i++) expect(actual[i]).toBeCloseTo((f(i, h) - f(i, -h)) / (2 * h), 2);
  });

  it.each([
    ["vote", 0],
    ["vote", 0.5],
    ["meanProb", 0.5],
  ] as const)("of %s, abstaining at %f, are those of the log of the mean probability, which no step stops", (rule, abstain) => {
    const expected = tf
      .grad((x: tf.Tensor) => tf.log(tf.softmax(x).mean(1)).mul(w).sum())(z)
      .dataSync();
    close(gradient(rule, z, abstain), [...expected]);
  });

  it("do not vanish or overflow where every slice is certain", () => {
    const certain = z.mul(300) as tf.Tensor3D;
    for (const rule of ["meanProb", "vote", "sumLog"] as const) {
      const values = [...Array.from(gradient(rule, certain)), ...aggregate(certain, rule).dataSync()];
      expect(values.every(Number.isFinite)).toBe(true);
      expect(values.some((v) => v !== 0)).toBe(true);
    }
  });
});
