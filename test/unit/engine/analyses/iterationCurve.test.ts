import { describe, expect, it } from "vitest";
import { iterationCurve } from "../../../../src/engine/analyses/iterationCurve.ts";
import type { AnalysedArm } from "../../../../src/engine/define/analysis.ts";
import type { Choice, WorstCase } from "../../../../src/shared/results.ts";
import { analysedAttack, arm, facts, undefended } from "./fixtures.ts";

const fgsm: Choice = { id: "fgsm", params: {} };
const pgd: Choice = { id: "pgd", params: { steps: 40, stepSize: 0.01 } };
const trained: Choice = { id: "adversarialTraining", params: {} };

/** PGD-40 on an arm: `fallen[i]` is the iteration after which image i fell, −1 for one that stays right, null for one that was wrong already. */
function attackedArm(name: string, defense: Choice, fallen: readonly (number | null)[], single: string, attack = pgd): AnalysedArm {
  const fate = fallen.map((at) => (at === null ? "w" : at < 0 ? "r" : "b")).join("");
  const made = arm({
    name,
    defense,
    attacks: [
      { attack: fgsm, fate: single },
      { attack, fate },
    ],
  });
  const attacks = made.attacks.map((one) =>
    one.key === "fgsm"
      ? one
      : {
          ...one,
          records: one.records.map((record, i) => ({ ...record, iterations: (fallen[i] ?? -1) < 0 ? 40 : (fallen[i] as number) })),
        },
  );
  const worst: WorstCase = { accuracy: 0.125, correct: 1, n: 8, interval: null, attacks: ["fgsm", "pgd"] };
  return { ...made, attacks, report: { ...made.report, worst } };
}
// Of eight images one was wrong. The random start fells image 0, iteration 10 image 1, 11 image 2, the very last image 3.
const plain = attackedArm("undefended", undefended, [0, 10, 11, 40, -1, -1, -1, null], "bbrrrrrw");
const robust = attackedArm("trained", trained, [-1, -1, -1, 35, -1, -1, -1, -1], "rrrrrrrr");

describe("accuracy over iterations", () => {
  const shown = iterationCurve.present([plain, robust], { iterations: [10, 20, 100] }, facts([plain, robust], [fgsm, pgd]));

  it("is a row for each arm, as a paper prints it: clean, single step, after so many iterations, worst case", () => {
    const [table] = shown.tables;
    expect(table?.columns.map(({ name }) => name)).toEqual([
      "arm",
      "images",
      "clean",
      "FGSM",
      "PGD, 40 steps, 10 iterations",
      "PGD, 40 steps, 20 iterations",
      "PGD, 40 steps, 40 iterations",
      "worst case",
    ]);
    expect(table?.rows).toEqual([
      ["undefended", 8, 7 / 8, 5 / 8, 5 / 8, 4 / 8, 3 / 8, 1 / 8],
      ["trained", 8, 1, 1, 1, 1, 7 / 8, 1 / 8],
    ]);
  });

  it("has Wilson intervals in a table and around the lines", () => {
    // Wilson 95 %, by hand: 3 of 8 from .1368 to .6943, 7 of 8 from .5291 to .9776.
    const last = shown.tables[1]?.rows.filter((row) => row[2] === 40);
    expect(last?.map((row) => row.slice(3))).toEqual([
      [3 / 8, expect.closeTo(0.1368, 4), expect.closeTo(0.6943, 4)],
      [7 / 8, expect.closeTo(0.5291, 4), expect.closeTo(0.9776, 4)],
    ]);
    const [chart] = shown.charts;
    expect(chart?.series.map(({ label, colour, points }) => [label, colour, points.length])).toEqual([
      ["undefended", 0, 41],
      ["trained", 1, 41],
    ]);
    const at = (k: number) => chart?.series[0]?.points.find(({ x }) => x === k);
    expect([0, 9, 10, 11, 39].map((k) => at(k)?.y)).toEqual([6 / 8, 6 / 8, 5 / 8, 4 / 8, 4 / 8]);
    expect(at(40)).toEqual({ x: 40, y: 3 / 8, low: expect.closeTo(0.1368, 4), high: expect.closeTo(0.6943, 4) });
  });

  it("draws about a hundred points of a long run, the first and the last among them", () => {
    const long: Choice = { id: "pgd", params: { steps: 1001 } };
    const slow = attackedArm("undefended", undefended, [-1, 1001, -1, -1, -1, -1, -1, -1], "rrrrrrrr", long);
    const { charts } = iterationCurve.present([slow], { iterations: [10] }, facts([slow], [fgsm, long]));
    const points = charts[0]?.series[0]?.points ?? [];
    expect([points[0]?.x, points.at(-1)?.x, points.length]).toEqual([0, 1001, 92]);
    expect([points.at(-2)?.y, points.at(-1)?.y]).toEqual([1, 7 / 8]);
  });

  it("says where fewer iterations are not a shorter run, and how restarts are counted", () => {
    const own: Choice = { id: "pgd", params: { steps: 10, restarts: 3 } };
    const attacked = attackedArm("undefended", undefended, [0, 10, 11, 30, -1, -1, -1, null], "bbrrrrrw", own);
    const { notes, tables } = iterationCurve.present([attacked], { iterations: [10, 20] }, facts([attacked], [fgsm, own]));
    expect(notes.join(" ")).toMatch(/its step follows from the number of all its iterations.*3 attempts of 10 iterations each/);
    expect(shown.notes.join(" ")).not.toMatch(/its step follows|attempts/);
    expect(tables[0]?.columns.map(({ name }) => name).at(-2)).toBe("PGD, 10 steps, 30 iterations");
  });

  it("has nothing for an attack that did not know the arm's defence", () => {
    const transferred = { fate: "rrrrrrrr", undefended: "bbrrrrrr" };
    const one = analysedAttack({ attack: pgd, fate: "rrrrrrrb", transferred });
    const summary = { ...one.summary, mode: "static" as const };
    const made = arm({ name: "defended", defense: trained, attacks: [{ attack: pgd, fate: "rrrrrrrb", transferred }] });
    const shownOnly = { ...made, attacks: [{ ...one, summary }], report: { ...made.report, attacks: [summary], worst: null } };
    const { tables, charts, notes } = iterationCurve.present([shownOnly], { iterations: [10] }, facts([shownOnly], [pgd]));
    expect(tables[0]?.rows).toEqual([["defended", 8, 1, null, null, 1, null]]); // static alone: 8 of 8
    expect(tables[1]?.rows).toEqual([]);
    expect(charts[0]?.series).toEqual([]);
    expect(notes.join(" ")).toContain("static ones were made against the undefended arm");
  });

  it.each([
    [{ iterations: [] }, [pgd], /at least one/],
    [{ iterations: [10, 10] }, [pgd], /each number once/],
    [{ iterations: [10] }, [fgsm, { id: "pgd", params: { target: 3 } }], /no attack of the experiment takes gradient steps/],
  ])("refuses %j", (params, attacks, message) => {
    const check = () => iterationCurve.check?.(params, facts([], attacks));
    expect(check).toThrow(message);
    expect(check).toThrow(expect.objectContaining({ code: "PARAMETER_INVALID" }));
  });
});
