import { describe, expect, it } from "vitest";
import { type Params, resolveParams } from "../../../../src/engine/define.ts";
import { measures } from "../../../../src/engine/measures/all.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { find } from "../../../../src/engine/registry.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const measure = (id: string, a: Uint8Array, b?: Uint8Array, params: Params = {}): number => {
  const entry = find("measure", id);
  return entry.measure(a, b, resolveParams(entry.params, params, id));
};

const slices = [bytes(0, 0, 0, 0), bytes(10, 20, 30, 40), bytes(5, 5, 5, 9), bytes(7, 7, 7, 7)];
const reference = slices[1];

describe("measures on the slices of a 4×4 image, by hand", () => {
  it.each([
    ["entropy", {}, [0, 2, 0.811278, 0]],
    ["jointEntropy", {}, [2, 2, 2, 2]],
    ["mutualInformation", {}, [0, 2, 0.811278, 0]],
    ["klDivergence", {}, [7.983923, 0, 7.341955, 7.983923]],
    ["ssim", {}, [0.003284, 1, 0.217923, 0.167058]],
    ["psnr", {}, [19.380191, Number.POSITIVE_INFINITY, 21.512677, 21.60834]],
    ["mse", {}, [750, 0, 459, 449]],
    ["maxNorm", {}, [40, 40, 40, 40]],
    ["maxNorm", { mode: "chebyshev" }, [40, 0, 31, 33]],
  ] as const)("%s %o", (id, params, expected) => {
    slices.forEach((slice, i) => {
      expect(measure(id, slice, reference, params)).toBeCloseTo(expected[i] as number, 6);
    });
  });
});

describe("measures on single pairs, by hand", () => {
  const a = bytes(0, 0, 1, 1);
  const b = bytes(0, 1, 0, 1);

  it("independent bits share nothing", () => {
    expect(measure("entropy", a)).toBe(1);
    expect(measure("jointEntropy", a, b)).toBe(2);
    expect(measure("mutualInformation", a, b)).toBe(0);
    expect(measure("mutualInformation", a, a)).toBe(1);
    expect(measure("jointEntropy", a, a)).toBe(1);
  });

  it("the pooled joint entropy is that of the authors' code", () => {
    expect(measure("jointEntropy", a, b, { jeMode: "pooled" })).toBe(1);
  });

  it("KL with a pseudo-count of 1/256", () => {
    expect(measure("klDivergence", bytes(0, 0, 0, 255), bytes(0, 0, 255, 255))).toBeCloseTo(0.150654, 6);
    expect(measure("klDivergence", bytes(0, 0, 255, 255), bytes(0, 0, 0, 255))).toBeCloseTo(0.165589, 6);
    expect(measure("klDivergence", bytes(0, 0), bytes(1, 1))).toBeCloseTo(6.001877, 6);
  });

  it("SSIM and PSNR", () => {
    expect(measure("ssim", new Uint8Array(9).fill(100), new Uint8Array(9).fill(110))).toBeCloseTo(0.995476, 6);
    expect(measure("ssim", bytes(0, 0, 0, 255), bytes(0, 0, 255, 255))).toBeCloseTo(0.457883, 6);
    expect(measure("psnr", bytes(0), bytes(1))).toBeCloseTo(48.130804, 6);
    expect(measure("psnr", bytes(0), bytes(255))).toBe(0);
  });
});

describe("properties on random slices", () => {
  const rng = createRandom(5);
  const random = (n: number, levels: number): Uint8Array => Uint8Array.from({ length: n }, () => rng.integer(levels));
  const pairs = Array.from({ length: 20 }, (_, i) => [random(49, 2 + 12 * i), random(49, 2 + 9 * i)] as const);

  it("MI is symmetric and within [0, min H]; JE is at least each entropy; KL is not negative", () => {
    for (const [a, b] of pairs) {
      const [ha, hb, mi] = [measure("entropy", a), measure("entropy", b), measure("mutualInformation", a, b)];
      expect(mi).toBeGreaterThanOrEqual(0);
      expect(mi).toBeLessThanOrEqual(Math.min(ha, hb) + 1e-9);
      expect(mi).toBe(measure("mutualInformation", b, a));
      expect(measure("jointEntropy", a, b)).toBeGreaterThanOrEqual(Math.max(ha, hb) - 1e-9);
      expect(measure("klDivergence", a, b)).toBeGreaterThanOrEqual(0);
    }
  });

  it("moving the pixels of both slices in the same way changes nothing", () => {
    for (const [a, b] of pairs) {
      const order = rng.permutation(a.length);
      const moved = (s: Uint8Array): Uint8Array => Uint8Array.from(order, (i) => s[i] as number);
      for (const entry of measures) expect(measure(entry.id, moved(a), moved(b))).toBeCloseTo(measure(entry.id, a, b), 9);
    }
  });

  it("renaming byte values leaves the entropies equal to the last bit, so that such slices tie", () => {
    for (const [a, b] of pairs) {
      const names = rng.permutation(256);
      const renamed = (s: Uint8Array): Uint8Array => Uint8Array.from(s, (v) => names[v] as number);
      expect(measure("entropy", renamed(a))).toBe(measure("entropy", a));
      expect(measure("mutualInformation", renamed(a), b)).toBe(measure("mutualInformation", a, b));
    }
  });
});

it("a measure that compares says so when the reference is missing or of another size", () => {
  for (const entry of measures.filter((m) => m.kind !== "standalone")) {
    expect(() => measure(entry.id, bytes(1, 2))).toThrow(expect.objectContaining({ code: "PARAMETER_INVALID" }));
    expect(() => measure(entry.id, bytes(1, 2), bytes(1))).toThrow(expect.objectContaining({ code: "PARAMETER_INVALID" }));
  }
});
