import { describe, expect, it } from "vitest";
import type { SliceFacts } from "../../../../src/engine/define/index.ts";
import { certify, rounding, sliceMap } from "../../../../src/engine/metrics/certificate.ts";
import { createRandom } from "../../../../src/engine/random.ts";

const meanProb = { count: 4, aggregate: "meanProb", abstain: 0 } as const;
const vote = { ...meanProb, aggregate: "vote" } as const;
/** Logits of slices with these probabilities. */
const logits = (...slices: number[][]): number[] => slices.flatMap((p) => p.map(Math.log));
/** Slices side by side: the content of each is its own. */
const apart = (Z: number): number[][] => Array.from({ length: Z }, (_, s) => [s]);
const proven = (p: number[][], facts: Parameters<typeof certify>[2], y = 0): number =>
  certify(logits(...p), y, facts, apart(p.length)).slices;

describe("the certificate of four slices", () => {
  const sure = [0.9, 0.05, 0.05];
  it.each([
    // Leads of class 0 over class 1: 4·0.85 = 3.4; a free slice takes at most 1.85, two take 3.7.
    ["meanProb, all sure", [sure, sure, sure, sure], meanProb, 1],
    // 3·0.7 − 0.5 = 1.6, less 1.7.
    [
      "meanProb, one against",
      [
        [0.8, 0.1, 0.1],
        [0.8, 0.1, 0.1],
        [0.8, 0.1, 0.1],
        [0.2, 0.7, 0.1],
      ],
      meanProb,
      0,
    ],
    // 4 votes to 0; a free slice takes 2; two leave 2 to 2, and a tie counts as lost.
    ["vote, four to none", [sure, sure, sure, sure], vote, 1],
    ["vote, three to one", [sure, sure, sure, [0.1, 0.8, 0.1]], vote, 0],
    // Three votes, one slice abstains: 3 to 0, less 2.
    ["vote, one abstains", [sure, sure, sure, [0.4, 0.3, 0.3]], { ...vote, abstain: 0.5 }, 1],
    // Without its probabilities the leads are 3·0.85 = 2.55, less 1.85.
    ["meanProb, one abstains", [sure, sure, sure, [0.1, 0.45, 0.45]], { ...meanProb, abstain: 0.5 }, 1],
    // 3·0.85 − 0.35 = 2.2, less 1.85.
    ["meanProb, the same without abstention", [sure, sure, sure, [0.1, 0.45, 0.45]], meanProb, 1],
    // The slice is at the threshold: by rounding it may count against class 0 or not at all.
    [
      "meanProb, at the threshold",
      [
        [0.8, 0.1, 0.1],
        [0.8, 0.1, 0.1],
        [0.8, 0.1, 0.1],
        [0.1, 0.6, 0.3],
      ],
      { ...meanProb, abstain: 0.6 },
      0,
    ],
    // Two classes are as probable by rounding: the vote may be either's. 3 to 1, less 2.
    ["vote, a tie in a slice", [sure, sure, sure, [0.4, 0.4, 0.2]], vote, 0],
  ])("by hand: %s", (_, p, facts, K) => {
    expect(proven(p, facts)).toBe(K);
  });

  it("counts with a slice those that overlap it, as its pixels are theirs too", () => {
    // Nine slices in a row, all for class 0: 9 votes to 0, and a free slice takes 2. Alone four can be free (9 − 8 = 1). Where each overlaps
    // its neighbours, the pixels of an inner one change three slices: 9 − 6 = 3 is left of one, and two that lie apart change six.
    const votes = { count: 9, aggregate: "vote", abstain: 0 } as const;
    const all = logits(...Array.from({ length: 9 }, () => sure));
    const neighbours = apart(9).map(([s = 0]) => [s - 1, s, s + 1].filter((other) => other >= 0 && other < 9));
    expect(certify(all, 0, votes, apart(9)).slices).toBe(4);
    const overlapping = certify(all, 0, votes, neighbours);
    expect(overlapping.slices).toBe(1);
    expect(
      [
        [0, 1, 2, 3],
        [0, 1, 2, 3, 4],
      ].map((changed) => overlapping.holds(changed)),
    ).toEqual([true, false]);
  });

  it("is none for another class than the one decided for, and counts no margin that rounding can make", () => {
    expect(proven([sure, sure, sure, sure], meanProb, 1)).toBe(0);
    const level = [0.5 + rounding / 4, 0.5 - rounding / 4]; // lead 2e-4 in all, less than 4 times the rounding
    expect(certify(logits(level, level, level, level), 0, meanProb, apart(4)).holds([])).toBe(false);
  });

  it.each(["meanProb", "vote"] as const)("equals a search over all contents that free slices can have, %s", (aggregate) => {
    const rng = createRandom(5);
    const [Z, k] = [4, 3];
    const seen = new Set<number>();
    for (let trial = 0; trial < 400; trial++) {
      const scores = Float32Array.from({ length: Z * k }, (_, i) => rng.uniform(-1, 1) * 4 + (i % k === 0 ? rng.uniform(0, 8) : 0));
      const own = Array.from({ length: Z }, (_, s) => content(scores.subarray(s * k, (s + 1) * k), aggregate));
      const total = own[0]?.map((_, j) => own.reduce((sum, p) => sum + (p[j] as number), 0)) as number[];
      const y = total.indexOf(Math.max(...total));
      const certificate = certify(scores, y, { count: Z, aggregate, abstain: 0 }, apart(Z));
      const withstood = subsets(Z).filter((free) => worst(own, y, free) > rounding * Z);
      for (const free of subsets(Z)) expect(certificate.holds(free)).toBe(withstood.includes(free));
      const whole = (K: number): boolean => subsets(Z).every((free) => free.length !== K || withstood.includes(free));
      expect(certificate.slices).toBe([4, 3, 2, 1].find(whole) ?? 0);
      seen.add(certificate.slices);
    }
    expect(seen).toEqual(new Set([0, 1])); // with 4 slices two free ones always win
  });
});

/** What a slice adds to each class. */
function content(scores: Float32Array, aggregate: "meanProb" | "vote"): number[] {
  const e = Array.from(scores, Math.exp);
  const p = e.map((value) => value / e.reduce((a, b) => a + b));
  return aggregate === "meanProb" ? p : p.map((_, j) => Number(j === p.indexOf(Math.max(...p))));
}
const sets = (Z: number): number[][] =>
  Array.from({ length: 2 ** Z }, (_, bits) => Array.from({ length: Z }, (_, s) => s).filter((s) => bits & (1 << s)));
const known = new Map<number, number[][]>();
function subsets(Z: number): number[][] {
  const found = known.get(Z) ?? sets(Z);
  known.set(Z, found);
  return found;
}
/** Smallest lead of y when the free slices take every corner of the simplex (the lead is linear in them, so a corner is the worst). */
function worst(own: readonly number[][], y: number, free: readonly number[]): number {
  const k = own[0]?.length as number;
  let least = Number.POSITIVE_INFINITY;
  for (let choice = 0; choice < k ** free.length; choice++) {
    const all = own.map((p, s) => {
      const at = free.indexOf(s);
      return at < 0 ? p : p.map((_, j) => Number(j === Math.floor(choice / k ** at) % k));
    });
    const total = Array.from({ length: k }, (_, j) => all.reduce((sum, p) => sum + (p[j] as number), 0));
    least = Math.min(least, ...total.filter((_, j) => j !== y).map((other) => (total[y] as number) - other));
  }
  return least;
}

describe("where pixels lie in slices", () => {
  const facts = (rows: number, side: number, stride: number): SliceFacts => ({
    ...meanProb,
    count: rows * rows,
    rows,
    columns: rows,
    side: [side, side],
    stride: [stride, stride],
    orderMatters: false,
  });
  const most = (map: ReturnType<typeof sliceMap>, patch: number): number => Math.max(...map.touchedBy(patch).map((set) => set.length));

  it("a patch of side a touches ⌈(p + a − 1)/s⌉² slices at most", () => {
    for (const [rows, side, stride] of [
      [4, 7, 7],
      [7, 8, 4],
      [9, 8, 3],
    ] as const) {
      const size = (rows - 1) * stride + side;
      for (const patch of [1, 2, 5, 8])
        expect(most(sliceMap([size, size], facts(rows, side, stride)), patch)).toBe(
          Math.min(rows, Math.ceil((side + patch - 1) / stride)) ** 2,
        );
    }
  });

  it("names the slices of a pixel, and those that mirror it at the border", () => {
    // 2×2 slices of 14: pixel (13, 14) is in slice 1, the right one above.
    expect(sliceMap([28, 28], facts(2, 14, 14)).at(13, 14)).toEqual([1]);
    // 5 pixels in slices of 2 with a mirrored border: place 5 mirrors place 3, so pixel 3 lies in slices 1 and 2 of its row.
    const padded = sliceMap([5, 5], facts(3, 2, 2));
    expect(padded.at(0, 3)).toEqual([1, 2]);
    expect(padded.at(3, 3)).toEqual([4, 5, 7, 8]);
    expect(most(padded, 1)).toBe(4);
    // Overlapping slices of 4 every 2 pixels: pixel 2 lies in the slices that begin at 0 and at 2.
    expect(sliceMap([8, 8], facts(3, 4, 2)).at(0, 2)).toEqual([0, 1]);
  });

  it("names the slices that share a pixel", () => {
    const sharing = (sides: number[], of: SliceFacts) => sliceMap(sides, of).sharing;
    expect(sharing([28, 28], facts(2, 14, 14))).toEqual([[0], [1], [2], [3]]);
    // In slices of 4 every 2 pixels, the one in the middle of nine shares pixels with all, that in the corner with its three neighbours.
    const overlapping = sharing([8, 8], facts(3, 4, 2));
    expect([overlapping[0], overlapping[4]]).toEqual([
      [0, 1, 3, 4],
      [0, 1, 2, 3, 4, 5, 6, 7, 8],
    ]);
    // The last slice of a mirrored border shows pixels of the one before it.
    const padded = sharing([5, 5], facts(3, 2, 2));
    expect([padded[0], padded[1], padded[2]]).toEqual([[0], [1, 2], [1, 2]]);
  });

  it("lists the slices that a patch can touch together, each set once", () => {
    // A single pixel touches one slice of four; 2×2 pixels one, two side by side or one above the other, or all.
    const map = sliceMap([28, 28], facts(2, 14, 14));
    expect(map.touchedBy(1)).toEqual([[0], [1], [2], [3]]);
    expect(new Set(map.touchedBy(2).map(String))).toEqual(new Set(["0", "0,1", "1", "0,2", "0,1,2,3", "1,3", "2", "2,3", "3"]));
    expect(map.touchedBy(40)).toEqual([[0, 1, 2, 3]]); // larger than the image
  });
});
