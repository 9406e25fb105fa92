import "../../../../src/engine/backends/cpu.ts";
import { describe, expect, it } from "vitest";
import { createRandom, type Random } from "../../../../src/engine/random.ts";
import { independent, withReplacement } from "../../../../src/engine/sampling/drawMethods.ts";
import { drawInto, drawTable } from "../../../../src/engine/sampling/drawTable.ts";
import { dropoutSampling } from "../../../../src/engine/sampling/dropout.ts";
import { entrySampling } from "../../../../src/engine/sampling/entrySampling.ts";
import { included, inclusion } from "../../../../src/engine/sampling/inclusion.ts";
import { rowSampling } from "../../../../src/engine/sampling/rowSampling.ts";
import type { SamplingScheme } from "../../../../src/engine/sampling/scheme.ts";
import { unitFacts } from "../../../../src/engine/sampling/scheme.ts";
import { minimumVariance } from "../../../../src/engine/sampling/varianceMinimization.ts";
import { tf } from "../../../../src/engine/tf.ts";
import { near } from "../fixtures.ts";

const p = [0.5, 0.3, 0.2];
const scale = Float64Array.from(p, (share) => 1 / inclusion(share, 2));
/** Gives these numbers in turn. */
function scripted(numbers: readonly number[]): Random {
  let at = 0;
  return { ...createRandom(1), next: () => numbers[at++] as number };
}
/** A number that falls on that row. */
const falling = (row: number): number => {
  for (let u = 0; u < 1; u += 1 / 64) {
    const out = new Float32Array(3);
    drawInto(drawTable(p), 1, scale, scripted([u]), { out, offset: 0 });
    if (out[row] !== 0) return u;
  }
  return expect.unreachable(`no number falls on row ${row}`);
};
/** Z = [[1,2],[3,4],[5,6]]: rows of two channels. */
const Z = [
  [1, 2],
  [3, 4],
  [5, 6],
];

it("takes 1 − e^(−s) from a table to the digits that float32 holds", () => {
  for (let s = 1e-9; s < 100; s *= 1.01) expect(Math.abs(included(s) / -Math.expm1(-s) - 1)).toBeLessThan(6e-8);
  expect([included(0), included(Number.POSITIVE_INFINITY)]).toEqual([0, 1]);
});

describe("draws with replacement", () => {
  it("keep what is drawn and divide it by the probability that it is: both draws of the first row", () => {
    const out = new Float32Array(3);
    expect(drawInto(drawTable(p), 2, scale, scripted([falling(0), falling(0)]), { out, offset: 0 })).toBe(1);
    expect(near(out, [4 / 3, 0, 0])).toBeLessThan(1e-6);
    const other = new Float32Array(3);
    expect(drawInto(drawTable(p), 2, scale, scripted([falling(1), falling(2)]), { out: other, offset: 0 })).toBe(2);
    expect(near(other, [0, 1.960784, 2.777778])).toBeLessThan(1e-6);
  });

  it("have the map as their mean and the formula's variance: all nine pairs", () => {
    const middle = [0, 1, 2].map(falling);
    const mean = Z.map(() => [0, 0]);
    let [variance, kept] = [0, 0];
    for (const [i, first] of middle.entries())
      for (const [j, second] of middle.entries()) {
        const weight = (p[i] as number) * (p[j] as number);
        const out = new Float32Array(3);
        kept += weight * drawInto(drawTable(p), 2, scale, scripted([first, second]), { out, offset: 0 });
        Z.forEach((row, r) => {
          row.forEach((z, channel) => {
            const sampled = z * (out[r] as number);
            (mean[r] as number[])[channel] = ((mean[r] as number[])[channel] as number) + weight * sampled;
            variance += weight * (sampled - z) ** 2;
          });
        });
      }
    expect(near(mean.flat(), Z.flat())).toBeLessThan(1e-6);
    expect(variance).toBeCloseTo(134.130719, 4);
    expect(kept).toBeCloseTo(1.62, 12);
  });

  it("of one keep exactly one row, divided by p", () => {
    const out = new Float32Array(3);
    expect(
      drawInto(
        drawTable(p),
        1,
        Float64Array.from(p, (share) => 1 / inclusion(share, 1)),
        scripted([falling(1)]),
        { out, offset: 0 },
      ),
    ).toBe(1);
    expect(near(out, [0, 1 / 0.3, 0])).toBeLessThan(1e-6);
  });

  it("fall on every row as often as its probability says, and never on one of 0", () => {
    const shares = [0, 0.01, 0.49, 0, 0.2, 0.3, 0];
    const [table, random, n] = [drawTable(shares), createRandom(3), 40_000];
    const counts = new Float64Array(7);
    for (let i = 0; i < n; i++) {
      const out = new Float32Array(7);
      drawInto(table, 1, new Float64Array(7).fill(1), random, { out, offset: 0 });
      const row = out.indexOf(1);
      counts[row] = (counts[row] as number) + 1;
    }
    shares.forEach((share, i) => {
      expect(Math.abs((counts[i] as number) / n - share)).toBeLessThanOrEqual(5 * Math.sqrt((share * (1 - share)) / n));
    });
  });
});

/** Mean of a scheme's multipliers over many passes of one map, and what it tells. */
function averaged(scheme: SamplingScheme, h: readonly number[], [rows, channels]: readonly [number, number], passes = 4000) {
  const value = tf.tensor4d([...h], [1, rows, 1, channels]);
  const draws = scheme.draws(unitFacts(value), scheme.reads ? scheme.reads(value).dataSync<"float32">() : new Float32Array(), [
    createRandom(8),
  ]);
  const images = Array.from({ length: passes }, () => 0);
  const many = tf.tile(value, [passes, 1, 1, 1]);
  const multiplier = draws.multiplier(images, many);
  const share = tf.mean(tf.cast(tf.greater(tf.mul(multiplier, tf.onesLike(many)), 0), "float32"), 0).dataSync();
  const largest = tf.max(tf.mul(multiplier, many), 0).dataSync();
  return { draws, mean: tf.mean(tf.mul(multiplier, many), 0).dataSync(), share, largest };
}

describe("rows of a map", () => {
  const map = Z.flat();
  it("are drawn alike in all channels, by their norms, without bias", () => {
    const { draws, mean, share } = averaged(
      rowSampling(minimumVariance, () => 2.2),
      map,
      [3, 2],
    );
    const expected = minimumVariance([5, 25, 61], 2);
    expect(near(draws.probabilities ?? [], expected)).toBeLessThan(1e-6);
    expect(draws.c).toBe(2);
    expect(near(mean, map)).toBeLessThan(0.25);
    expect([share[0], share[2], share[4]]).toEqual([share[1], share[3], share[5]]);
    const inclusions = Array.from(expected, (one) => inclusion(one, 2));
    expect(near([share[0], share[2], share[4]] as number[], inclusions)).toBeLessThan(0.04);
    expect(draws.counts.kept / draws.counts.all).toBeCloseTo(inclusions.reduce((a, b) => a + b) / 3, 1);
  });

  it("all stay when draws are many, and a dead map stays dead", () => {
    const { draws, mean } = averaged(
      rowSampling(minimumVariance, () => 100_000),
      map,
      [3, 2],
      5,
    );
    expect(near(mean, map)).toBeLessThan(1e-6);
    expect(draws.counts.kept / draws.counts.all).toBe(1);
    const dead = averaged(
      rowSampling(minimumVariance, () => 4),
      [0, 0, 0, 0],
      [2, 2],
      5,
    );
    expect([...dead.mean]).toEqual([0, 0, 0, 0]);
    expect(dead.draws.counts.kept / draws.counts.all).toBe(0);
  });
});

describe("single activations", () => {
  const h = [1, -3, 0, 4];
  it.each([
    [1, [0.413818, 0.847412, 0, 0.9375], [2.416519, -3.54019, 0, 4.266667]],
    [0.5, [0.234375, 0.609375, 0, 0.75], [1 / 0.234375, -3 / 0.609375, 0, 4 / 0.75]],
  ])("are kept in proportion to their size: %f times as many draws as activations", (ratio, keep, survivors) => {
    for (const isFixed of [true, false]) {
      const { mean, share, largest, draws } = averaged(entrySampling(ratio, isFixed, withReplacement), h, [2, 2]);
      expect(near(share, keep)).toBeLessThan(0.04);
      expect(near(mean, h)).toBeLessThan(0.25);
      for (const i of [0, 3]) expect(largest[i]).toBeCloseTo(survivors[i] as number, 5);
      expect(draws.c).toBe(4 * ratio);
      expect(draws.counts.kept / draws.counts.all).toBeCloseTo(keep.reduce((a, b) => a + b) / 4, 1);
    }
  });

  it("are kept each on its own with the probability that one of a random number of draws falls on them", () => {
    const { mean, share, largest } = averaged(entrySampling(1, false, independent), h, [2, 2]);
    const keep = [0.393469, 0.77687, 0, 0.864665]; // 1 − e^(−4p)
    expect(near(share, keep)).toBeLessThan(0.04);
    expect(near(mean, h)).toBeLessThan(0.25);
    for (const i of [0, 3]) expect(largest[i]).toBeCloseTo((h[i] as number) / (keep[i] as number), 4);
  });

  it("all stay, each on its own, when draws are many; those of next to nothing without a number that is none", () => {
    const { mean } = averaged(entrySampling(1e6, false, independent), [1, -3, 1e-38, 4], [2, 2], 3);
    expect(near(mean, [1, -3, 0, 4])).toBeLessThan(1e-6);
  });

  it.each([withReplacement, independent])("are drawn for each pass from its own image's, in whatever order images come", (method) => {
    const maps = [
      [0, 0, 0, 0],
      [0, 2, 0, 0],
      [1, -3, 0, 4],
    ];
    const passes = [2, 0, 2, 2, 1, 0, 1, 2];
    const rows = (of: readonly number[]) =>
      tf.tensor4d(
        of.flatMap((image) => maps[image] as number[]),
        [of.length, 2, 1, 2],
      );
    const multiplier = (of: readonly number[]) => {
      const streams = maps.map((_, i) => createRandom(i));
      return entrySampling(1, false, method)
        .draws(unitFacts(rows([0])), new Float32Array(), streams)
        .multiplier(of, rows(of))
        .arraySync();
    };
    const together = multiplier(passes) as number[][][][];
    maps.forEach((_, image) => {
      const own = together.filter((_one, pass) => passes[pass] === image);
      expect(own).toEqual(multiplier(own.map(() => image)));
      if (image === 0) expect(own.flat(3).every((value) => value === 0)).toBe(true);
      if (image === 1 && method === withReplacement)
        expect(own.map((one) => one.flat(2))).toEqual([
          [0, 1, 0, 0],
          [0, 1, 0, 0],
        ]);
    });
    expect(new Set(together.filter((_one, pass) => passes[pass] === 2).map((one) => JSON.stringify(one))).size).toBeGreaterThan(1);
  });

  it("stay as they are where all are 0", () => {
    for (const isFixed of [true, false])
      for (const method of [withReplacement, independent])
        expect([...averaged(entrySampling(1, isFixed, method), [0, 0], [2, 1], 3).mean]).toEqual([0, 0]);
  });

  it.each([4, 15, 32, 100])("are dropped at a rate that holds for each of %d places", (entries) => {
    for (const rate of [0.5, 0.3, 0.9]) {
      const { mean, share, draws } = averaged(dropoutSampling(rate), new Array(entries).fill(1), [entries, 1], 2000);
      const deviation = Math.sqrt((rate * (1 - rate)) / 2000);
      for (const kept of share) expect(Math.abs(kept - (1 - rate))).toBeLessThan(5 * deviation);
      for (const value of mean) expect(Math.abs(value - 1)).toBeLessThan((5 * deviation) / (1 - rate));
      expect(draws.counts.kept).toBe(Math.round(Array.from(share).reduce((a, b) => a + b) * 2000));
    }
  });

  it("are dropped at a rate, without bias; at 0 none is", () => {
    const { mean, share, largest, draws } = averaged(dropoutSampling(0.2), h, [2, 2]);
    expect(near(share, [0.8, 0.8, 0.8, 0.8])).toBeLessThan(0.04);
    expect(near(mean, h)).toBeLessThan(0.2);
    expect(largest[3]).toBeCloseTo(5, 4); // the rate is rounded to 2⁻¹⁶
    expect(draws.counts.kept / draws.counts.all).toBeCloseTo(0.8, 1);
    expect(near(averaged(dropoutSampling(0), h, [2, 2], 3).mean, h)).toBe(0);
  });
});
