import { describe, expect, it } from "vitest";
import { type Params, resolveParams } from "../../../../src/engine/define/index.ts";
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

  it("shuffling pixels leaves what counts them equal to the last bit", () => {
    for (const [a, b] of pairs) {
      const order = rng.permutation(a.length);
      const moved = (s: Uint8Array): Uint8Array => Uint8Array.from(order, (i) => s[i] as number);
      for (const id of ["entropy", "jointEntropy", "mutualInformation", "klDivergence"])
        expect(measure(id, moved(a), moved(b))).toBe(measure(id, a, b));
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

describe("one reference for many slices", () => {
  const rng = createRandom(8);
  // Few and many levels, 1 to 3 channels' worth of pixels, and sizes in turn: nothing of one slice may linger for the next.
  const cases = Array.from({ length: 30 }, (_, i) => {
    const [size, levels] = [[16, 49, 768][i % 3] as number, [2, 9, 256][Math.floor(i / 3) % 3] as number];
    const slice = (): Uint8Array => Uint8Array.from({ length: size }, () => rng.integer(levels));
    return { reference: slice(), slices: [slice(), slice(), slice()] };
  });

  it.each(measures.filter((m) => m.against).map((m) => [m.id, m] as const))("%s gives the same numbers", (_, entry) => {
    for (const { reference, slices } of cases) {
      const score = entry.against?.(reference, resolveParams(entry.params, {}, entry.id));
      expect([...slices, reference].map((slice) => score?.(slice))).toEqual(
        [...slices, reference].map((slice) => measure(entry.id, slice, reference)),
      );
    }
  });

  it("entropies and divergence equal the sums of their definitions", () => {
    const share = (values: readonly number[]): Map<number, number> => {
      const shares = new Map<number, number>();
      for (const v of values) shares.set(v, (shares.get(v) ?? 0) + 1 / values.length);
      return shares;
    };
    const bits = (values: readonly number[]): number => [...share(values).values()].reduce((sum, p) => sum - p * Math.log2(p), 0);
    for (const { reference, slices } of cases) {
      for (const slice of slices) {
        const pairs = [...slice].map((v, i) => 256 * v + (reference[i] as number));
        expect(measure("entropy", slice)).toBeCloseTo(bits([...slice]), 9);
        expect(measure("jointEntropy", slice, reference)).toBeCloseTo(bits(pairs), 9);
        expect(measure("jointEntropy", slice, reference, { jeMode: "pooled" })).toBeCloseTo(bits([...slice, ...reference]), 9);
        expect(measure("mutualInformation", slice, reference)).toBeCloseTo(bits([...slice]) + bits([...reference]) - bits(pairs), 9);
        const [p, q] = [share([...slice]), share([...reference])];
        const smooth = (shares: Map<number, number>, v: number): number =>
          ((shares.get(v) ?? 0) * slice.length + 1 / 256) / (slice.length + 1);
        const divergence = Array.from({ length: 256 }, (_, v) => smooth(p, v) * Math.log2(smooth(p, v) / smooth(q, v)));
        expect(measure("klDivergence", slice, reference)).toBeCloseTo(
          divergence.reduce((a, b) => a + b, 0),
          9,
        );
      }
    }
  });

  it("a photo of 224×224 in colour is one slice like any other", () => {
    const ramp = Uint8Array.from({ length: 224 * 224 * 3 }, (_, i) => i % 256);
    expect(measure("entropy", ramp)).toBeCloseTo(8, 9);
    expect(measure("mutualInformation", ramp, ramp)).toBeCloseTo(8, 9);
    expect(measure("klDivergence", ramp, ramp)).toBe(0);
  });
});

it("every measure of identical slices has the value of its row in Table 1", () => {
  const a = bytes(3, 3, 200, 7);
  const expected = { entropy: 1.5, jointEntropy: 1.5, mutualInformation: 1.5, klDivergence: 0, ssim: 1, maxNorm: 200, mse: 0 };
  for (const [id, value] of Object.entries(expected)) expect(measure(id, a, a)).toBe(value);
  expect(measure("psnr", a, a)).toBe(Number.POSITIVE_INFINITY);
  expect(measure("maxNorm", a, a, { mode: "chebyshev" })).toBe(0);
});

it("a measure that compares says so when the reference is missing or of another size", () => {
  for (const entry of measures.filter((m) => m.kind !== "standalone")) {
    expect(() => measure(entry.id, bytes(1, 2))).toThrow(expect.objectContaining({ code: "PARAMETER_INVALID" }));
    expect(() => measure(entry.id, bytes(1, 2), bytes(1))).toThrow(expect.objectContaining({ code: "PARAMETER_INVALID" }));
  }
});
