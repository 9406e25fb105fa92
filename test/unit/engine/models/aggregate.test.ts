import { describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { type Aggregation, aggregate } from "../../../../src/engine/models/aggregate.ts";
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

  it("vote: counts, class 1", () => {
    expect([...aggregate(slices, "vote").dataSync()]).toEqual([1, 2, 0]);
  });

  it("vote: ties go to the lower class", () => {
    const tie = tf.tensor3d([
      [
        [0, 5],
        [5, 5],
      ],
    ]);
    expect([...aggregate(tie, "vote").dataSync()]).toEqual([1, 1]);
    expect(aggregate(tie, "vote").argMax(-1).dataSync()[0]).toBe(0);
  });

  it("sum of logarithms: class 0", () => {
    close(aggregate(slices, "sumLog").dataSync(), [-3.258916, -5.058916, -7.258916]);
  });
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
  const gradient = (rule: Aggregation, at: tf.Tensor3D = z): ArrayLike<number> =>
    tf
      .grad((x: tf.Tensor) =>
        aggregate(x as tf.Tensor3D, rule)
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

  it("of votes are those of the mean of the probabilities", () => {
    const expected = tf
      .grad((x: tf.Tensor) => tf.softmax(x).mean(1).mul(w).sum())(z)
      .dataSync();
    close(gradient("vote"), [...expected]);
  });

  it("do not vanish or overflow where every slice is certain", () => {
    const certain = z.mul(300) as tf.Tensor3D;
    for (const rule of ["meanProb", "sumLog"] as const) {
      const values = [...Array.from(gradient(rule, certain)), ...aggregate(certain, rule).dataSync()];
      expect(values.every(Number.isFinite)).toBe(true);
      expect(values.some((v) => v !== 0)).toBe(true);
    }
  });
});
