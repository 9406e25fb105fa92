import { describe, expect, it } from "vitest";
import { binomialTail, holm, pairedP } from "../../../../src/engine/metrics/statistics.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { comparedFindings } from "../../../../src/engine/rules/compare.ts";
import type { ComparedAttack } from "../../../../src/engine/rules/evidence.ts";
import { curveRules, pairRules } from "../../../../src/engine/rules/index.ts";
import type { ImageRecord } from "../../../../src/shared/results.ts";
import { records } from "../analyses/fixtures.ts";

/** n images, all right when clean; those for which `isBroken` holds are wrong after the attack. */
const attacked = (n: number, isBroken: (index: number) => boolean): ImageRecord[] =>
  records(Array.from({ length: n }, (_, i) => (isBroken(i) ? "b" : "r")).join(""));
const attack = (id: string, eps: number, images: readonly ImageRecord[], more: Partial<ComparedAttack> = {}): ComparedAttack => ({
  arm: "a",
  id,
  key: id,
  name: `${id} (ε ${eps})`,
  iterative: id === "pgd",
  access: id === "sparseRs" ? "scores" : "gradients",
  ball: { norm: "linf", radius: eps },
  target: null,
  records: images,
  minimizes: null,
  knowledge: null,
  ...more,
});
const rules = (...attacks: ComparedAttack[]) => comparedFindings(pairRules, attacks).map(({ rule }) => rule);

describe("statistics", () => {
  it("sums the exact binomial", () => {
    expect(binomialTail(5, 5)).toBeCloseTo(1 / 32, 12);
    expect(binomialTail(4, 5)).toBeCloseTo(6 / 32, 12);
    expect(binomialTail(2, 3, 0.1)).toBeCloseTo(3 * 0.01 * 0.9 + 0.001, 12);
    expect(binomialTail(0, 4)).toBe(1);
    expect(binomialTail(2600, 5000)).toBeLessThan(0.003); // z = 2.83 without, 2.81 with continuity correction
    expect(binomialTail(2600, 5000)).toBeGreaterThan(0.002);
  });

  it("counts the images that tell two attacks apart", () => {
    expect(pairedP(5, 0)).toBe(1 / 32);
    expect(pairedP(4, 0)).toBe(1 / 16);
    expect(pairedP(5, 2)).toBeCloseTo(29 / 128, 12); // (21 + 7 + 1) / 128
    expect(pairedP(0, 0)).toBe(1);
  });

  it("corrects for the number of tests as Holm does", () => {
    // Against 0.05/4 = 0.0125, 0.05/3 = 0.0167, 0.05/2 = 0.025: the third is too large, and so is the fourth then.
    expect(holm([0.03, 0.005, 0.016, 0.04])).toEqual([false, true, true, false]);
    expect(holm([0.04])).toEqual([true]);
    expect(holm([0.02, 0.02, 0.02])).toEqual([false, false, false]); // 0.05/3 = 0.0167
    expect(holm([])).toEqual([]);
  });
});

describe("a pair of attacks on the same images", () => {
  const broken = (from: number, to: number) => attacked(20, (i) => i >= from && i < to);

  it("RB301: a single step breaks significantly more than many", () => {
    const pgd = (n: number) => attack("pgd", 0.3, broken(0, n));
    const fgsm = attack("fgsm", 0.3, broken(0, 10));
    expect(rules(fgsm, pgd(5))).toEqual(["RB301"]);
    expect(rules(pgd(5), fgsm)).toEqual(["RB301"]);
    expect(rules(fgsm, pgd(6))).toEqual([]); // 4 to 0
    expect(rules(fgsm, pgd(15))).toEqual([]);
    expect(rules(attack("fgsm", 0.1, broken(0, 10)), pgd(0))).toEqual([]); // another radius
    expect(rules(attack("fgsm", 0.3, broken(0, 10), { ball: { norm: "l2", radius: 0.3 } }), pgd(0))).toEqual([]); // another norm
    expect(rules({ ...fgsm, arm: "b" }, pgd(0))).toEqual([]); // another model
    expect(rules({ ...fgsm, target: 3 }, pgd(0))).toEqual([]); // aimed at one class
  });

  it("RB302: images of another network, or a search by scores, break significantly more", () => {
    const found = (...attacks: ComparedAttack[]) => comparedFindings(curveRules, attacks);
    const crossed = (n: number) => ({ crossed: [{ madeOn: "b", records: broken(0, n) }] });
    expect(found(attack("pgd", 0.3, broken(0, 5), crossed(10)))).toMatchObject([{ rule: "RB302", severity: "warning", arm: "a" }]);
    expect(found(attack("pgd", 0.3, broken(0, 5), crossed(10)))[0]?.message).toContain("Images made on b beat the attack");
    expect(found(attack("pgd", 0.3, broken(0, 6), crossed(10)))).toEqual([]); // 4 to 0
    expect(found(attack("pgd", 0.3, broken(0, 10), crossed(5)))).toEqual([]);
    expect(found(attack("sparseRs", 0.3, broken(0, 5), crossed(10)))).toEqual([]); // follows no gradients
    const search = attack("sparseRs", 0.3, broken(0, 10));
    expect(found(search, attack("pgd", 0.3, broken(0, 5)))).toMatchObject([{ rule: "RB302", attack: "pgd" }]);
    expect(found(search, attack("pgd", 0.3, broken(0, 15)))).toEqual([]);
    expect(found(search, attack("pgd", 0.1, broken(0, 5)))).toEqual([]); // another radius
    expect(found(search, { ...attack("pgd", 0.3, broken(0, 5)), arm: "b" })).toEqual([]);
  });

  it("RB303: accuracy rises with the radius", () => {
    const at = (eps: number, n: number) => attack("fgsm", eps, broken(0, n));
    expect(rules(at(0.1, 6), at(0.2, 1))).toEqual(["RB303"]);
    expect(rules(at(0.2, 1), at(0.1, 6))).toEqual(["RB303"]);
    expect(rules(at(0.1, 6), at(0.2, 2))).toEqual([]);
    expect(rules(at(0.1, 1), at(0.2, 6))).toEqual([]);
  });

  it("RB304: a curve over N or ε stays flat, and the fix names a stronger attack", () => {
    const at = (id: string, n: number, count: number, more: Partial<ComparedAttack> = {}) =>
      attack(id, n, broken(0, count), { key: `${id}-${n}`, name: `${n} px`, ball: { norm: "l0", radius: n }, ...more });
    const flat = (...attacks: ComparedAttack[]) => comparedFindings(curveRules, attacks);
    // 20 images. Four doublings may cost 10 points: 2 images
    const found = flat(at("nPixel", 16, 1), at("nPixel", 1, 0), at("nPixel", 4, 0));
    expect(found).toMatchObject([{ rule: "RB304", severity: "warning", attack: "nPixel", attackKey: "nPixel-16" }]);
    expect(found[0]?.message).toContain("100.0 % withstand 1 px and 95.0 % withstand 16 px");
    expect(found[0]?.fix).toContain("greedyPixels");
    expect(flat(at("greedyPixels", 1, 0), at("greedyPixels", 16, 0))[0]?.fix).toContain("sparseRs");
    expect(flat(at("nPixel", 1, 0), at("nPixel", 16, 2))).toEqual([]); // it falls
    expect(flat(at("nPixel", 1, 11), at("nPixel", 16, 11))).toEqual([]); // most are broken anyway
    expect(flat(at("nPixel", 1, 0), at("nPixel", 3, 0))).toEqual([]); // hardly more budget
    expect(flat(at("nPixel", 1, 0), at("nPixel", 16, 0, { arm: "b" }))).toEqual([]); // another model
    expect(flat(at("nPixel", 1, 0), at("greedyPixels", 16, 0))).toEqual([]); // another attack
    expect(flat(at("nPixel", 1, 0, { knowledge: "static" }), at("nPixel", 16, 0, { knowledge: "static" }))).toEqual([]); // RB008 says that
    const few = (n: number) => at("nPixel", n, 0, { records: broken(0, 0).slice(11) });
    expect(flat(few(1), few(16))).toEqual([]); // nine images
    const eps = (value: number, count: number) => attack("fgsm", value, broken(0, count), { key: `fgsm-${value}` });
    expect(flat(eps(2 / 255, 0), eps(8 / 255, 0))[0]?.fix).toContain("pgd");
  });

  it("names the stronger attack by its key, with its place in the file", () => {
    const [small, large] = [attack("pgd", 0.1, broken(0, 9)), attack("pgd", 0.2, broken(0, 1), { key: "pgd-2" })];
    const found = comparedFindings(pairRules, [small, large], ({ key }) => ({ file: "x.bulwark.jsonc", pointer: `/attacks/${key}` }));
    expect(found).toMatchObject([
      { rule: "RB303", severity: "warning", arm: "a", attack: "pgd", attackKey: "pgd-2", at: { pointer: "/attacks/pgd-2" } },
    ]);
    expect(found[0]?.message).toContain("pgd (ε 0.1) breaks 8 images that pgd (ε 0.2) does not");
  });

  it("ignores images that were wrong before, and images that only one of them has", () => {
    const wrongBefore = broken(0, 10).map((one) => ({ ...one, cleanPrediction: 1 }));
    expect(rules(attack("fgsm", 0.3, wrongBefore), attack("pgd", 0.3, broken(0, 0)))).toEqual([]);
    expect(rules(attack("fgsm", 0.3, broken(0, 10)), attack("pgd", 0.3, broken(0, 0).slice(10)))).toEqual([]);
  });

  it("needs more evidence where more is compared", () => {
    const pair = [attack("fgsm", 0.3, broken(0, 5)), attack("pgd", 0.3, broken(0, 0))];
    expect(rules(...pair)).toEqual(["RB301"]); // P = 1/32 against 1/20
    const others = [0.1, 0.2].map((eps) => attack("nPixel", eps, broken(0, 0), { key: `nPixel-${eps}` }));
    expect(rules(...pair, ...others)).toEqual([]); // against 1/40
  });
});

describe("a defended arm", () => {
  const undefended = records("bbbbbbbbbbbbbbbbbbbb");
  const held = records("rrrrrrrrrrrrrrrrrrbb"); // 18 of 20 under the transferred attack
  const both = (before: ImageRecord[], transferred: ImageRecord[], adaptive: ImageRecord[]) =>
    comparedFindings(pairRules, [attack("pgd", 0.3, adaptive, { knowledge: "adaptive", static: { undefended: before, transferred } })]);

  it("RB008 where it holds against the transferred attack alone", () => {
    const found = both(undefended, held, records("rrrbbbbbbbbbbbbbbbbb"));
    expect(found).toMatchObject([{ rule: "RB008", severity: "warning" }]);
    expect(found[0]?.message).toMatch(/90\.0 %.*0\.0 %.*15\.0 %/);
  });

  it("not where most of the gain stays, where there was none, or where chance explains it", () => {
    expect(both(undefended, held, records("rrrrrrrrrrrrbbbbbbbb"))).toEqual([]); // 60 % is more than half of 90 %
    expect(both(undefended, undefended, undefended)).toEqual([]);
    expect(both(records("bb"), records("rr"), records("bb"))).toEqual([]);
  });

  it("RB008 not for a smallest change, which is not meant to reach another network's boundary", () => {
    const static_ = { undefended, transferred: held };
    const of = (minimizes: "l2" | null) =>
      rules(attack("deepFool", 0, records("bbbbbbbbbbbbbbbbbbbb"), { knowledge: "adaptive", minimizes, static: static_ }));
    expect(of(null)).toEqual(["RB008"]);
    expect(of("l2")).toEqual([]);
  });

  it("RB008 where nothing but a static attack was made, however much else is compared", () => {
    const alone = attack("pgd", 0.3, held, { knowledge: "static" });
    expect(rules(alone)).toEqual(["RB008"]);
    expect(rules(alone, ...Array.from({ length: 9 }, (_, i) => attack("fgsm", i, held)))).toEqual(["RB008"]);
  });

  it("RB307 where images of the undefended model break what the adaptive attack does not", () => {
    // Two comparisons, RB008 and RB307: 6 to 0 is P = 1/64 < 1/40, 5 to 0 is 1/32.
    const found = both(records("bbbbbbb"), records("bbbbbbr"), records("rrrrrrr"));
    expect(found).toMatchObject([{ rule: "RB307" }]);
    expect(found[0]?.message).toContain("6 images fall only to images made against the undefended model, 0 only");
    expect(both(records("bbbbbbb"), records("bbbbbrr"), records("rrrrrrr"))).toEqual([]);
    expect(both(records("bbbbbbb"), records("bbbbbbr"), records("bbbbbbb"))).toEqual([]);
  });
});

describe("published tables, of which only accuracies are known", () => {
  const n = 10_000;
  /** The images broken by each overlap as little as they can: of all ways to pair the two accuracies, the one with the largest P. */
  const least = (id: string, eps: number, accuracy: number, fromStart: boolean): ComparedAttack => {
    const count = Math.round(n * (1 - accuracy / 100));
    return attack(
      id,
      eps,
      attacked(n, (i) => (fromStart ? i < count : i >= n - count)),
    );
  };

  // Accuracy under FGSM and under PGD-10, Wu et al. 2022, table 6
  it.each([
    ["MNIST Madry+AAD", 97.12, 98.02, true],
    ["MNIST ALP", 97.59, 98.23, true],
    ["MNIST ALP+AAD", 97.6, 98.24, true],
    ["ImageNet ALP", 9.94, 23.67, true],
    ["ImageNet ALP+AAD", 14.86, 29.15, true],
    ["MNIST Madry", 96.92, 95.69, false],
    ["CIFAR Madry", 63.28, 49.29, false],
  ])("RB301: %s, FGSM %f against PGD %f", (_, single, iterative, fires) => {
    expect(rules(least("fgsm", 0.3, single, true), least("pgd", 0.3, iterative, false))).toEqual(fires ? ["RB301"] : []);
  });

  // Adversarially trained networks on CIFAR-10, FGSM of growing radius, table 4 of the compact-convolution paper
  it.each([
    ["BReLU", 67.08, 80.73, true],
    ["CCN", 73.27, 75.8, true],
    ["SM", 67.18, 71.46, true],
    ["LS", 69.07, 52.13, false],
  ])("RB303: %s, %f then %f", (_, smaller, larger, fires) => {
    expect(rules(least("fgsm", 0.01, smaller, true), least("fgsm", 0.02, larger, false))).toEqual(fires ? ["RB303"] : []);
  });
});

describe("a published curve", () => {
  // Accuracy of an adversarially trained network under FGSM at ε 2, 4, 8, 16 of 255 (compact-convolution paper, table 1), which later
  // attacks broke; and of one that falls as it should.
  it.each([
    ["CCN", [73.72, 71.47, 69.65, 66.23], true],
    ["a falling one", [73.72, 71.47, 66.65, 54.23], false],
  ])("RB304: %s", (_, accuracies, fires) => {
    const n = 10_000;
    const curve = accuracies.map((accuracy, i) =>
      attack(
        "fgsm",
        2 ** (i + 1) / 255,
        attacked(n, (image) => image >= (n * accuracy) / 100),
        { key: `fgsm-${i}` },
      ),
    );
    expect(comparedFindings(curveRules, curve).map(({ rule }) => rule)).toEqual(fires ? ["RB304"] : []);
  });
});

describe("where no attack is stronger than another", () => {
  const [runs, n] = [1000, 100];
  const radii = [0.1, 0.2, 0.3];

  /** Two arms under FGSM and PGD of three radii. Images differ in how easily they break, attacks in nothing. */
  function run(seed: number): ComparedAttack[] {
    const rng = createRandom(seed);
    const difficulty = rng.uniforms(n);
    const outcome = () => {
      const draws = rng.uniforms(n);
      return attacked(n, (i) => (draws[i] as number) < (difficulty[i] as number));
    };
    return ["undefended", "defended"].flatMap((arm) =>
      ["fgsm", "pgd"].flatMap((id) =>
        radii.map((eps) => {
          const beside = arm === "defended" ? { static: { undefended: outcome(), transferred: outcome() } } : {};
          return attack(id, eps, outcome(), { arm, key: `${id}-${eps}`, knowledge: arm === "defended" ? "adaptive" : null, ...beside });
        }),
      ),
    );
  }
  const all = Array.from({ length: runs }, (_, seed) => run(seed + 1));

  it("at most 1 run in 20 raises a rule", () => {
    const raised = all.filter((attacks) => comparedFindings(pairRules, attacks).length > 0).length;
    expect(raised).toBeGreaterThan(0); // the rules are not mute
    expect(binomialTail(raised, runs, 0.05)).toBeGreaterThan(0.001);
  });

  it("without the correction, far more do", () => {
    const uncorrected = (attacks: ComparedAttack[]) =>
      pairRules.some(({ compare }) => compare(attacks).some(({ p, raised }) => raised !== null && p !== null && p < 0.05));
    expect(binomialTail(all.filter(uncorrected).length, runs, 0.05)).toBeLessThan(1e-9);
  });

  it("a real difference of 15 images in 100 is still found", () => {
    const found = all.slice(0, 100).filter((attacks) => {
      const [first, ...others] = attacks as [ComparedAttack, ...ComparedAttack[]];
      const many = others.find(({ arm, id, ball }) => arm === first.arm && id === "pgd" && ball?.radius === first.ball?.radius);
      const easier = first.records.map((one) => {
        const fails = one.index < 15;
        return fails ? { ...one, prediction: 1, success: true } : one;
      });
      const harder = many?.records.map((one) =>
        one.index < 15 ? { ...one, prediction: 0, success: false } : { ...one, ...easier[one.index] },
      );
      const changed = others.map((one) => (one === many ? { ...one, records: harder ?? [] } : one));
      return rules({ ...first, records: easier }, ...changed).includes("RB301");
    });
    expect(found).toHaveLength(100);
  });
});

describe("RB309: the smallest change contradicts a radius", () => {
  /** 20 images, of which the first n have a smallest L∞ change of that size. */
  const smallest = (n: number, linf: number, more: Partial<ComparedAttack> = {}) =>
    attack(
      "deepFool",
      0,
      attacked(20, (i) => i < n).map((record) => ({ ...record, linf })),
      { ball: null, minimizes: "l2", ...more },
    );
  const pgd = (n: number, more: Partial<ComparedAttack> = {}) =>
    attack(
      "pgd",
      0.3,
      attacked(20, (i) => i < n),
      more,
    );
  const found = (...attacks: ComparedAttack[]) => comparedFindings(pairRules, attacks).filter(({ rule }) => rule === "RB309");

  it("fires where images count as robust that have a change within the radius", () => {
    const [finding, ...rest] = found(pgd(2), smallest(10, 0.3));
    expect(rest).toEqual([]);
    expect(finding).toMatchObject({ severity: "error", attack: "pgd" });
    expect(finding?.message).toContain("8 images withstand pgd (ε 0.3), although");
    const single = attack(
      "fgsm",
      0.3,
      attacked(20, (i) => i < 2),
    );
    expect(found(single, smallest(10, 0.2))).toMatchObject([{ severity: "warning", attack: "fgsm" }]);
  });

  it("does not where the changes are larger, on another arm, by chance, or of images made without the defence", () => {
    expect(found(pgd(2), smallest(10, 0.31))).toEqual([]);
    expect(found(pgd(2), smallest(10, 0.3, { arm: "b" }))).toEqual([]);
    expect(found(pgd(2), smallest(5, 0.3))).toEqual([]); // 3 to 0: P = 1/8
    expect(found(pgd(10), smallest(12, 0.3))).toEqual([]);
    expect(found(pgd(2, { knowledge: "static" }), smallest(10, 0.3))).toEqual([]);
    expect(rules(pgd(2), smallest(20, 9))).toEqual([]);
  });
});
