import { expect, test } from "vitest";
import { namesOf } from "../../../src/shared/labels.ts";
import type { AttackSummary, RunReport } from "../../../src/shared/results.ts";
import { staticResult } from "../../../webview/fixtures/analyses.ts";
import { states } from "../../../webview/fixtures/report.ts";
import { expectationText, interval, overview } from "../../../webview/report/tables.ts";

const state = states["done"];
if (!state?.report) throw new Error("the fixture has a report");
const { report, ledger } = state;
const shown = staticResult(10, 9, 10);
const withAttacks = (change: (summary: AttackSummary, arm: string) => AttackSummary[]): RunReport => ({
  ...report,
  arms: report.arms.map((arm) => ({ ...arm, attacks: arm.attacks.flatMap((a) => change(a, arm.name)) })),
});

test("arms are rows, attacks columns, each figure with its Wilson interval", () => {
  const known = withAttacks((a) => [{ ...a, n: 10, attacked: { accuracy: 0.5, correct: 5 } }]);
  const { columns, rows } = overview(known, []);
  expect(columns.map((c) => c.text)).toEqual(["FGSM, ε 0.3", "PGD, 40 steps, ε 0.3", "N pixel, 1 px"]);
  const cell = rows[0]?.attacks["pgd"]?.cell;
  // Wilson's interval of 5 of 10 at 95 %: 0.2366 to 0.7634.
  expect(cell?.low).toBeCloseTo(0.2366, 4);
  expect(cell?.high).toBeCloseTo(0.7634, 4);
  expect(cell && interval(cell)).toBe("23.7–76.3 %");
});

test("the worst case needs the records of every attack", () => {
  expect(overview(report, ledger).rows[0]?.worst?.n).toBe(10_000);
  expect(overview(report, ledger.slice(1)).rows[0]?.worst).toBeNull();
});

test("an attack that was run twice has two columns", () => {
  const twice = withAttacks((a) => (a.attack.id === "fgsm" ? [a, { ...a, attack: { id: "fgsm", params: { eps: 8 / 255 } } }] : []));
  expect(overview(twice, []).columns).toEqual([
    { key: "fgsm", text: "FGSM, ε 0.3" },
    { key: "fgsm-2", text: "FGSM, ε 8/255" },
  ]);
});

test("static attacks stand beside the adaptive ones, in the table and in the worst case", () => {
  const both = withAttacks((a, arm) =>
    a.attack.id === "pgd" ? [arm === "undefended" ? a : { ...a, mode: "adaptive", static: shown }] : [],
  );
  const { columns, rows } = overview(both, []);
  expect(columns.map(({ key, text }) => [key, text])).toEqual([
    ["pgd", "PGD, 40 steps, ε 0.3, adaptive"],
    ["pgd-static", "PGD, 40 steps, ε 0.3, static"],
  ]);
  expect(rows.map((row) => row.attacks["pgd-static"]?.cell.share)).toEqual([undefined, 0.9]);
  const pgd = ledger.filter((part) => part.attack === "pgd");
  expect(overview(both, pgd).rows.map((row) => row.worst?.n)).toEqual([10_000, undefined]); // no records of the static one
  const own = pgd.find((part) => part.arm === "volumizedCurriculum");
  if (!own) throw new Error("the fixture has that arm");
  const everyone = own.images.map((record) => ({ ...record, prediction: (record.label + 1) % 10 }));
  const broken = overview(both, [...pgd, { ...own, attack: "pgd-static", images: everyone }]);
  expect(broken.rows[1]?.worst?.share).toBe(0);
});

test("a worst case over static attacks alone is known as one", () => {
  const only = withAttacks((a, arm) => (arm === "undefended" ? [a] : [{ ...a, mode: "static", static: shown }]));
  expect(overview(only, []).rows.map(({ isWorstStatic }) => isWorstStatic)).toEqual([false, true]);
  const besides = withAttacks((a, arm) => (arm === "undefended" ? [a] : [{ ...a, mode: a.attack.id === "pgd" ? "adaptive" : "static" }]));
  expect(overview(besides, []).rows.map(({ isWorstStatic }) => isWorstStatic)).toEqual([false, false]);
  const expected = { metric: "worst.accuracy", min: 0.2, value: 0.24, met: true, knowledge: "static" as const };
  expect(expectationText(expected, namesOf(report))).toBe("worst.accuracy: 0.24 (static attacks only), expected at least 0.2");
});

test("an expectation names arm and attack as the report does", () => {
  const expected = { metric: "attacked.accuracy", arm: "undefended", attack: "pgd", min: 0.4, value: 0.003, met: false };
  expect(expectationText(expected, namesOf(report))).toBe(
    "attacked.accuracy of undefended under PGD, 40 steps, ε 0.3: 0.003, expected at least 0.4",
  );
});
