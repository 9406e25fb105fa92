import { describe, expect, it } from "vitest";
import { paretoFront, standingOf } from "../../../../src/engine/analyses/arenaStandings.ts";
import { defenseArena } from "../../../../src/engine/analyses/defenseArena.ts";
import type { AnalysedArm } from "../../../../src/engine/define/analysis.ts";
import { ledgerRows, worstCase } from "../../../../src/shared/ledger.ts";
import { arm, facts, type ToyAttack, undefended } from "./fixtures.ts";

const [a, b] = [
  { id: "fgsm", params: { eps: 0.1 } },
  { id: "pgd", params: { eps: 0.1 } },
];
const jpeg = { id: "jpeg", params: { quality: 30 } };

/** With the worst case that a report has, and times. */
function timed(toy: AnalysedArm, whole: number, front?: number): AnalysedArm {
  const { name } = toy.report;
  const own = toy.attacks.map(({ key, records }) => ({ arm: name, attack: key, images: records }));
  const shown = toy.attacks.flatMap(({ key, static: images }) => (images ? [{ arm: name, attack: `${key}-static`, images }] : []));
  const parts = [...own, ...shown];
  const worst = worstCase(
    ledgerRows(parts, name),
    parts.map(({ attack }) => attack),
  );
  const timing = { forwardMilliseconds: whole, batchSize: 1, ...(front === undefined ? {} : { frontMilliseconds: front }) };
  return { ...toy, report: { ...toy.report, worst, timing } };
}

const plain = timed(
  arm({
    name: "undefended",
    defense: undefended,
    attacks: [
      { attack: a, fate: "rrrbbbbbbw" },
      { attack: b, fate: "rbbrbbbbbw" },
    ],
  }),
  10,
);
// 8 of 10 right; FGSM leaves 0–5, PGD 1–6; of the images made without the defence FGSM leaves 0–7 but 2, PGD all eight.
const attacks: ToyAttack[] = [
  { attack: a, fate: "rrrrrrbbww", transferred: { fate: "rrbrrrrrww", undefended: "rrrbbbbbbw" } },
  { attack: b, fate: "brrrrrrbww", transferred: { fate: "rrrrrrrrww", undefended: "rbbrbbbbbw" } },
];
const defended = timed(arm({ name: "jpeg", defense: jpeg, attacks }), 14, 3.5);

describe("how an arm stands", () => {
  it("counts the strongest attack of each image, adaptive and static apart and together", () => {
    const { clean, worst, adaptive, static: shown, strongest, milliseconds, frontMilliseconds } = standingOf(defended);
    expect([clean.accuracy, adaptive, shown, worst?.accuracy]).toEqual([0.8, 0.5, 0.7, 0.4]); // 1–5, 0–7 but 2, 1–5 but 2
    expect(strongest).toBe("fgsm"); // 0.6 as PGD, and first
    expect([milliseconds, frontMilliseconds]).toEqual([14, 3.5]);
    // Wilson, 8 and 4 of 10: (p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n)
    expect(clean.interval?.map((end) => end.toFixed(4))).toEqual(["0.4902", "0.9433"]);
    expect(worst?.interval?.map((end) => end.toFixed(4))).toEqual(["0.1682", "0.6873"]);
  });

  it("has on an undefended arm one figure for both", () => {
    expect(standingOf(plain)).toMatchObject({ adaptive: 0.1, static: 0.1, strongest: "pgd", frontMilliseconds: null }); // 0 alone survives both
  });

  it("has no adaptive figure where every attack is static, and none at all without attacks", () => {
    const [first] = defended.attacks;
    const only = {
      ...defended,
      attacks: [{ ...first, summary: { ...first?.summary, mode: "static" as const } }],
    } as unknown as AnalysedArm;
    expect(standingOf(only)).toMatchObject({ adaptive: null, static: 0.7, strongest: "fgsm, static" });
    expect(standingOf(arm({ name: "x", defense: jpeg }))).toMatchObject({ adaptive: null, static: null, strongest: null, worst: null });
  });
});

describe("the Pareto front", () => {
  const points = [
    { x: 0.9, y: 0.1 }, // the most accurate
    { x: 0.8, y: 0.5 },
    { x: 0.8, y: 0.4 }, // beaten by the second
    { x: 0.7, y: 0.5 }, // beaten by the second
    { x: 0.6, y: 0.7 },
    { x: 0.6, y: 0.7 }, // equal to the one before
    { x: null, y: 0.9 }, // not measured
  ];
  it("holds what no other point beats on both axes", () => {
    expect(paretoFront(points, "more")).toEqual([true, true, false, false, true, true, false]);
  });
  it("prefers little time", () => {
    expect(paretoFront(points, "less")).toEqual([false, false, false, false, true, true, false]);
  });
});

describe("the section", () => {
  const { figures = [], tables } = defenseArena.present([plain, defended], { images: 0, attack: "" }, facts([plain, defended], [a, b]));

  it("has a numbered point for every arm, hollow for static attacks, and the front", () => {
    const [overClean, overTime] = figures.filter((figure) => figure.kind === "scatter");
    expect(overClean?.series.map(({ label, points }) => [label, ...points.map(({ x, y, isHollow }) => [x, y, isHollow])])).toEqual([
      ["undefended", [0.9, 0.1, false], [0.9, 0.1, true]],
      ["jpeg", [0.8, 0.4, false], [0.8, 0.7, true]],
    ]);
    expect(overClean?.front).toEqual([
      { x: 0.9, y: 0.1 },
      { x: 0.8, y: 0.4 },
    ]);
    expect(overTime?.front).toEqual([
      { x: 10, y: 0.1 },
      { x: 14, y: 0.4 },
    ]);
  });

  it("has Tables 1 to 3 of paper 1: static accuracy, and success of the attack that knows", () => {
    const rows = (title: string) => tables.find((table) => table.title.startsWith(title))?.rows;
    expect(rows("Accuracy under images")).toEqual([
      ["undefended", 0.9, 0.3, 0.2],
      ["jpeg", 0.8, 0.7, 0.8],
    ]);
    expect(rows("Success of attacks")).toEqual([
      ["undefended", 6 / 9, 7 / 9],
      ["jpeg", 2 / 8, 2 / 8],
    ]);
    expect(rows("Defences compared")?.[1]).toEqual([
      "jpeg",
      2,
      0.8,
      "49.0 %–94.3 %",
      0.4,
      "16.8 %–68.7 %",
      "fgsm",
      0.5,
      0.7,
      3.5,
      14,
      "yes",
    ]);
  });

  it("refuses an attack that the experiment does not have", () => {
    expect(() => defenseArena.check?.({ images: 1, attack: "pdg" }, facts([plain], [a, b]))).toThrow(/no attack "pdg"/);
    expect(() => defenseArena.check?.({ images: 1, attack: "pgd" }, facts([plain], [a, b]))).not.toThrow();
  });
});
