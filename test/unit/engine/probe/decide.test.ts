import { describe, expect, it } from "vitest";
import { unevenP } from "../../../../src/engine/metrics/statistics.ts";
import { candidatesOf } from "../../../../src/engine/probe/candidates.ts";
import { chanceOf, decide, pairP, type Scored } from "../../../../src/engine/probe/decide.ts";
import { readLabels, scored } from "../../../../src/engine/probe/score.ts";
import { inputRange } from "../../../../src/shared/contract.ts";
import { wilson, z99 } from "../../../../src/shared/results.ts";

describe("the statistics of the probe", () => {
  it("agree with SciPy: binomtest(a, a + b, 0.5).pvalue", () => {
    const cases = [
      [5, 0, 0.0625],
      [8, 0, 0.007812],
      [9, 1, 0.021484],
      [12, 0, 0.000488],
      [13, 0, 0.000244],
      [10, 2, 0.038574],
      [23, 9, 0.020062],
      [24, 8, 0.007],
      [43, 21, 0.008147],
      [27, 5, 0.000113],
      [47, 17, 0.000227],
    ] as const;
    for (const [a, b, p] of cases) {
      expect(unevenP(a, b)).toBeCloseTo(p, 5);
      expect(unevenP(b, a)).toBe(unevenP(a, b));
    }
    expect(unevenP(3, 3)).toBe(1);
    expect(unevenP(0, 0)).toBe(1);
  });

  it("agree with SciPy: proportion_ci(0.99, 'wilson')", () => {
    const cases = [
      [18, 20, 0.6205, 0.9802],
      [0, 20, 0, 0.2491],
      [14, 64, 0.1157, 0.3746],
      [48, 64, 0.5917, 0.8613],
    ] as const;
    for (const [hits, n, low, high] of cases) {
      expect(wilson(hits, n, z99)?.[0]).toBeCloseTo(low, 4);
      expect(wilson(hits, n, z99)?.[1]).toBeCloseTo(high, 4);
    }
  });
});

/** Pictures of two classes in turn; `hits` says where a candidate is right, "1" or "0", `logP` its log p where right and where wrong. */
function candidate(id: string, hits: string, [right, wrong]: readonly [number, number] = [-0.1, -3]): Scored {
  const bits = [...hits].map(Number);
  return {
    id,
    hits: Uint8Array.from(bits),
    predictions: Int32Array.from(bits, (hit, i) => (hit ? i % 2 : 1 - (i % 2))),
    logP: Float64Array.from(bits, (hit) => (hit ? right : wrong)),
  };
}
const labels = (n: number): Int32Array => Int32Array.from({ length: n }, (_, i) => i % 2);
const ones = (n: number, zeros = 0): string => "1".repeat(n - zeros) + "0".repeat(zeros);

describe("the decision", () => {
  it("takes a candidate that beats every rival at .01/(2m)", () => {
    // 32 : 14 with one rival: 18 discordant to none, p = 7.6e-6 < .005
    const verdict = decide([candidate("a", ones(32)), candidate("b", ones(32, 18))], labels(32));
    expect(verdict).toMatchObject({ decided: true, cannotTell: [] });
    expect(verdict.compared.map(({ scored: { id }, count }) => [id, count])).toEqual([
      ["a", 32],
      ["b", 14],
    ]);
    expect(verdict.compared[1]?.p).toBeCloseTo(2 / 2 ** 18, 12);
  });

  it("is none with 7 discordant images, nor with 12 among 11 rivals: .00049 is not below .00045", () => {
    expect(decide([candidate("a", ones(32)), candidate("b", ones(32, 7))], labels(32))).toMatchObject({
      decided: false,
      cannotTell: ["a or b (32 : 25 correct): cannot tell with 32 images."],
    });
    const rivals = Array.from({ length: 11 }, (_, i) => candidate(`b${i}`, ones(32, 12)));
    expect(decide([candidate("a", ones(32)), ...rivals], labels(32)).decided).toBe(false);
    const weaker = Array.from({ length: 11 }, (_, i) => candidate(`b${i}`, ones(32, 13)));
    expect(decide([candidate("a", ones(32)), ...weaker], labels(32)).decided).toBe(true);
  });

  it("takes the first of those that predict the same, and says that they are alike", () => {
    const verdict = decide([candidate("common", ones(64, 2)), candidate("rare", ones(64, 2), [-0.01, -1])], labels(64));
    expect(verdict).toMatchObject({ decided: true });
    expect(verdict.compared.map(({ scored: { id }, sameAsBest }) => [id, sameAsBest])).toEqual([
      ["common", false],
      ["rare", true],
    ]);
  });

  it("is none below chance, with few images or with one class", () => {
    // 21 of 32 at chance .5: the 99 % lower bound .42 is below .75
    expect(decide([candidate("a", ones(32, 11))], labels(32)).cannotTell).toEqual([expect.stringMatching(/right on 21 of 32/)]);
    expect(decide([candidate("a", ones(11))], labels(11)).cannotTell).toEqual([expect.stringMatching(/^11 labelled images/)]);
    expect(decide([candidate("a", ones(32))], new Int32Array(32)).cannotTell).toEqual([expect.stringMatching(/one class/)]);
    expect(decide([], new Int32Array(0))).toMatchObject({ decided: false, compared: [] });
    expect(chanceOf(Int32Array.of(0, 0, 1, 2))).toBe(0.5);
  });

  it("is none by how sure a candidate is: 0…255 makes a network of 0…1 sure of the same answers", () => {
    const unit = candidate("unit", ones(64, 1), [-0.2, -3]);
    const bytes = candidate("bytes", `0${ones(63)}`, [-1e-6, -300]); // as often right, on other images, and far surer
    expect([pairP(bytes, unit), pairP(unit, bytes)]).toEqual([1, 1]);
    expect(decide([unit, bytes], labels(64)).decided).toBe(false);
  });
});

describe("scores", () => {
  it("are hits and log p of the label as it is read", () => {
    const logits = Float32Array.of(0, Math.log(3), 1, 1);
    const { hits, logP, predictions } = scored("a", logits, Int32Array.of(1, 1), 2);
    expect([[...predictions], [...hits]]).toEqual([
      [1, 0],
      [1, 0],
    ]);
    expect(logP[0]).toBeCloseTo(Math.log(3 / 4), 6);
    expect(logP[1]).toBeCloseTo(Math.log(1 / 2), 6);
    expect(scored("a", Float32Array.of(Number.NaN, 1), Int32Array.of(0), 2).hits[0]).toBe(0);
  });

  it("read labels one further on, one back, or in the order of their numbers as text", () => {
    expect(readLabels(Int32Array.of(0, 1), "plusOne", 3)).toEqual(Int32Array.of(1, 2));
    expect(readLabels(Int32Array.of(0, 1), "minusOne", 3)).toBeNull();
    // 0, 1, 10, 11, 2, 3 …: class 2 is output 4, class 10 is output 2
    expect(readLabels(Int32Array.of(2, 10), "textOrder", 12)).toEqual(Int32Array.of(4, 2));
  });
});

describe("the candidates", () => {
  it("have means and scales in the order of the network's channels", () => {
    const find = (id: string) => candidatesOf(3).find((one) => one.id === id)?.input ?? {};
    expect(find("caffe bgr")).toEqual({ mean: [103.939, 116.779, 123.68], scale: 1, channels: "bgr" });
    // torchvision: (1 − .485) / .229 = 2.2489 for red, (1 − .406) / .225 = 2.64 for blue
    expect(inputRange(find("imagenet rgb")).high[0]).toBeCloseTo(0.515 / 0.229, 4);
    expect(inputRange(find("imagenet bgr")).high[0]).toBeCloseTo(0.594 / 0.225, 4);
    expect(candidatesOf(1).map(({ id }) => id)).toEqual(["unit", "signed", "bytes", "half", "mnist", "inverted"]);
    expect(inputRange(candidatesOf(1).at(-1)?.input ?? {})).toEqual({ low: [1], high: [0] }); // 1 − x
    expect(candidatesOf(3)).toHaveLength(22);
  });
});
