import { describe, expect, it } from "vitest";
import { unevenP } from "../../../../src/engine/metrics/statistics.ts";
import { calibrate } from "../../../../src/engine/probe/calibrate.ts";
import { areNear, candidatesOf, isRare } from "../../../../src/engine/probe/candidates.ts";
import { chanceOf, decide, type Known, nothingKnown, pairP, type Scored } from "../../../../src/engine/probe/decide.ts";
import { readLabels } from "../../../../src/engine/probe/readings.ts";
import { scored } from "../../../../src/engine/probe/score.ts";
import { inputRange } from "../../../../src/shared/contract.ts";
import { wilson, z99 } from "../../../../src/shared/results.ts";

describe("the statistics of the probe", () => {
  it("agree with SciPy: binomtest(a, a + b, 0.5).pvalue", () => {
    const cases = [
      [5, 0, 0.0625],
      [8, 0, 0.007812],
      [9, 1, 0.021484],
      [10, 0, 0.001953],
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

  it("agree with SciPy: proportion_ci(0.95, 'wilson')", () => {
    const cases = [
      [18, 20, 0.699, 0.9721],
      [0, 20, 0, 0.1611],
      [3, 20, 0.0524, 0.3604],
      [30, 32, 0.7985, 0.9827],
    ] as const;
    for (const [hits, n, low, high] of cases) {
      const interval = wilson(hits, n);
      expect(interval?.[0]).toBeCloseTo(low, 4);
      expect(interval?.[1]).toBeCloseTo(high, 4);
    }
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

/** Pictures of two classes in turn; `hits` says where a candidate is right, "1" or "0", `logP` its log p, calibrated or not, where right and where wrong. */
function candidate(id: string, hits: string, [right, wrong]: readonly [number, number] = [-0.7, -0.7]): Scored {
  const bits = [...hits].map(Number);
  const logP = Float64Array.from(bits, (hit) => (hit ? right : wrong));
  return {
    id,
    hits: Uint8Array.from(bits),
    predictions: Int32Array.from(bits, (hit, i) => (hit ? i % 2 : 1 - (i % 2))),
    logP,
    calibrated: { crossed: logP, fitted: logP, temperature: 1 },
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
      cannotTell: ["a or b (32 : 25 correct): cannot tell with 32 images; try more."],
    });
    const rivals = Array.from({ length: 11 }, (_, i) => candidate(`b${i}`, ones(32, 12)));
    expect(decide([candidate("a", ones(32)), ...rivals], labels(32)).decided).toBe(false);
    const weaker = Array.from({ length: 11 }, (_, i) => candidate(`b${i}`, ones(32, 13)));
    expect(decide([candidate("a", ones(32)), ...weaker], labels(32)).decided).toBe(true);
  });

  it("is none between candidates that predict the same: the first would be a guess", () => {
    const verdict = decide([candidate("common", ones(64, 2)), candidate("other", ones(64, 2))], labels(64));
    expect(verdict).toMatchObject({ decided: false, cannotTell: [expect.stringMatching(/^common or other \(62 : 62 correct\)/)] });
    expect(verdict.compared[1]).toMatchObject({ sameAsBest: true, standing: "open", p: 1 });
  });

  it("takes a candidate whose log p at its own temperature is better: e^−d for d nats, if it is 0.1 an image or more", () => {
    const better = candidate("a", ones(64), [-0.2, -3]);
    // 64 · (0.4 − 0.2) = 12.8 nats: e^−12.8 = 2.8e-6
    expect(pairP(better, candidate("b", ones(64), [-0.4, -3]))).toBeCloseTo(Math.exp(-12.8), 12);
    expect(decide([better, candidate("b", ones(64), [-0.4, -3])], labels(64)).decided).toBe(true);
    expect(pairP(better, candidate("b", ones(64), [-0.29, -3]))).toBe(1); // 0.09 an image
    expect(pairP(better, candidate("b", ones(64), [-0.4, -3]), true)).toBe(1); // near candidates need 0.25
    expect(pairP(better, candidate("b", ones(64), [-0.5, -3]), true)).toBeCloseTo(Math.exp(-19.2), 12);
  });

  it("lets a rare rival stand that is near a usual best one, not the reverse", () => {
    const known: Known = { ...nothingKnown, areNear: () => true, isRare: (id) => id === "rare" };
    const [usual, rare] = [candidate("usual", ones(64, 4)), candidate("rare", ones(64, 3))];
    expect(decide([usual, { ...rare, calibrated: candidate("", ones(64), [-0.8, 0]).calibrated }], labels(64), known)).toMatchObject({
      decided: true,
      compared: [{ standing: "best" }, { standing: "near" }],
    });
    const first = { ...rare, calibrated: candidate("", ones(64), [-0.6, 0]).calibrated };
    expect(decide([usual, first], labels(64), known)).toMatchObject({
      decided: false,
      cannotTell: [expect.stringMatching(/^rare or usual/)],
    });
  });

  it("takes the one that the network's own layer names among those that stay open, and none that is beaten", () => {
    const candidates = [candidate("a", ones(64, 2)), candidate("b", ones(64, 3)), candidate("c", ones(64, 40))];
    expect(decide(candidates, labels(64), { ...nothingKnown, named: { id: "b", isCertain: true } })).toMatchObject({
      decided: true,
      compared: [{ scored: { id: "b" } }, { scored: { id: "a" }, standing: "open" }, { scored: { id: "c" }, standing: "beaten" }],
    });
    expect(decide(candidates, labels(64), { ...nothingKnown, named: { id: "c", isCertain: true } }).decided).toBe(false);
  });

  it("takes the one that the model's maker names only where all that stay open predict the same", () => {
    const named = { id: "b", isCertain: false };
    const [a, b, c] = [candidate("a", ones(64, 2)), candidate("b", ones(64, 2)), candidate("c", ones(64, 40))];
    expect(decide([a, b, c], labels(64), { ...nothingKnown, named })).toMatchObject({
      decided: true,
      compared: [{ scored: { id: "b" } }, {}, {}],
    });
    expect(decide([a, candidate("b", ones(64, 3)), c], labels(64), { ...nothingKnown, named })).toMatchObject({
      decided: false,
      cannotTell: [expect.stringMatching(/^a or b .*The model's own data say b, which the images do not rule out\.$/)],
    });
  });

  it("leaves out what the network's own statistics contradict, and believes neither where the images speak for it", () => {
    const known = { ...nothingKnown, contradicted: new Set(["a"]) };
    const [a, b] = [candidate("a", ones(64, 2)), candidate("b", ones(64, 5))];
    expect(decide([a, b], labels(64), known)).toMatchObject({
      decided: true,
      compared: [{ scored: { id: "b" } }, { standing: "contradicted" }],
    });
    const worse = decide([a, candidate("b", ones(64, 24))], labels(64), { ...known });
    expect(worse.decided).toBe(false); // 40 of 64 at chance .5
    const many = Int32Array.from({ length: 64 }, (_, i) => i % 8);
    expect(decide([a, candidate("b", ones(64, 24))], many, known).cannotTell).toEqual([
      expect.stringMatching(/contradicts a, and the images speak for it/),
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

  it("is none by how sure a candidate is: ten times the scores are the same scores at a tenth of the temperature", () => {
    const of = [0, 1, 0, 1, 1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1, 1, 0, 1, 1, 0, 0, 1, 0].map((label, i) => ({
      label,
      z: i % 5 === 0 ? -1 : 0.5 + (i % 3),
    }));
    const logits = (times: number): Float32Array =>
      Float32Array.from(of.flatMap(({ label, z }) => (label === 1 ? [0, times * z] : [times * z, 0])));
    const truth = Int32Array.from(of, ({ label }) => label);
    const [once, tenfold] = [scored("unit", logits(1), truth, 2), scored("bytes", logits(10), truth, 2)];
    expect(tenfold.calibrated.temperature / once.calibrated.temperature).toBeGreaterThan(8);
    expect([pairP(tenfold, once), pairP(once, tenfold)]).toEqual([1, 1]);
  });
});

describe("a temperature", () => {
  it("is what scores have to be divided by to be as sure as they are right", () => {
    // 3 of 4 images right by z = 3: p = 3/4 at z/T = ln 3, T = 2.7307; the prior of a factor of ten hardly moves it
    const n = 400;
    const truth = Int32Array.from({ length: n }, (_, i) => (i % 8 < 6 ? 0 : 1));
    const logits = Float32Array.from({ length: 2 * n }, (_, i) => (i % 2 === 0 ? 3 : 0));
    const { temperature, crossed, fitted } = calibrate(logits, truth, 2);
    expect(temperature).toBeCloseTo(3 / Math.log(3), 1);
    expect(fitted[0]).toBeCloseTo(Math.log(0.75), 2);
    expect(fitted[7]).toBeCloseTo(Math.log(0.25), 2);
    expect(crossed.every((value) => value < 0)).toBe(true);
  });

  it("leaves out scores that are no numbers", () => {
    const { crossed, temperature } = calibrate(Float32Array.of(Number.NaN, 1, 2, 0, 2, 0), Int32Array.of(0, 0, 0), 2);
    expect(crossed[0]).toBe(-50);
    expect(Number.isFinite(temperature)).toBe(true);
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

  it("read labels one further on, one back, in the order of numbers as text and back, or of the alphabet", () => {
    const facts = (classes: number, names: string[] | null = null) => ({ classes, names });
    expect(readLabels(Int32Array.of(0, 1), "plusOne", facts(3))).toEqual(Int32Array.of(1, 2));
    expect(readLabels(Int32Array.of(0, 1), "minusOne", facts(3))).toBeNull();
    // 0, 1, 10, 11, 2, 3 …: class 2 is output 4, class 10 is output 2
    expect(readLabels(Int32Array.of(2, 10), "textOrder", facts(12))).toEqual(Int32Array.of(4, 2));
    expect(readLabels(Int32Array.of(4, 2), "numberOrder", facts(12))).toEqual(Int32Array.of(2, 10));
    expect(readLabels(Int32Array.of(0, 1, 2), "alphabet", facts(3, ["dog", "cat", "ant"]))).toEqual(Int32Array.of(2, 1, 0));
    expect(readLabels(Int32Array.of(0), "alphabet", facts(3))).toBeNull();
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

  it("know which ranges are near one another, and which are seldom used", () => {
    const input = (id: string) => candidatesOf(3).find((one) => one.id === id)?.input ?? {};
    const near = (a: string, b: string) => [areNear(input(a), input(b)), areNear(input(b), input(a))];
    // contrasts 58.395 : 68.501 = 0.85, middles 123.7 and 122.8
    expect(near("imagenet rgb", "clip rgb")).toEqual([true, true]);
    expect(near("imagenet rgb", "cifar10b rgb")).toEqual([true, true]);
    expect(near("imagenet rgb", "imagenet bgr")).toEqual([false, false]);
    expect(near("signed rgb", "half rgb")).toEqual([false, false]); // 127.5 : 255
    expect(near("bytes rgb", "caffe rgb")).toEqual([false, false]);
    expect([isRare("cifar10 rgb", 32), isRare("cifar10 rgb", 224), isRare("clip bgr", 32), isRare("imagenet rgb", 224)]).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });
});
